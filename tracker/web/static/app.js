/* Small helps of ordinary pages: copy buttons, the resend timer, letters in a code, ages, the time zone. Needs text.js. */
(function () {
  'use strict';

  const { text } = window.ryadom;

  /** Buttons with data-copy="#id" copy that element's text and say so. */
  function prepareCopy(button) {
    const label = button.querySelector('[data-copy-label]');
    const before = label.textContent;
    button.addEventListener('click', async () => {
      const source = document.querySelector(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
        label.textContent = text.say('copied');
        setTimeout(() => { label.textContent = before; }, 2000);
      } catch (refused) {
        // Without the permission, or over plain HTTP: select the text so that one key copies it.
        getSelection().selectAllChildren(source);
        label.textContent = text.say('selected');
      }
    });
  }

  /** A button with data-resend-in="seconds" waits that long before it may be pressed. */
  function prepareResend(button) {
    const label = button.textContent;
    const opensAt = performance.now() + Number(button.dataset.resendIn) * 1000;
    const tick = () => {
      const seconds = Math.ceil((opensAt - performance.now()) / 1000);
      button.disabled = seconds > 0;
      button.textContent = seconds > 0 ? text.say('resend_in', { seconds }) : label;
      if (seconds > 0) setTimeout(tick, 500);
    };
    tick();
  }

  /** The keypad of digits suits a code by SMS; an own code may hold letters. */
  function prepareLetters(button) {
    const input = document.querySelector(button.dataset.letters);
    button.hidden = false;
    button.addEventListener('click', () => {
      const letters = input.inputMode === 'numeric';
      input.inputMode = letters ? 'text' : 'numeric';
      button.setAttribute('aria-pressed', String(letters));
      input.focus();
    });
  }

  /** A button with data-reveal="#id" shows and hides what is typed there. */
  function prepareReveal(button) {
    const input = document.querySelector(button.dataset.reveal);
    button.hidden = false;
    button.addEventListener('click', () => {
      const shown = input.type === 'text';
      input.type = shown ? 'password' : 'text';
      button.setAttribute('aria-pressed', String(!shown));
    });
  }

  function showAges() {
    document.querySelectorAll('time[data-age]').forEach((time) => {
      time.title = text.moment(time.dateTime);
      time.textContent = text.age(time.dateTime);
    });
  }

  /** Forms with data-confirm ask before they are sent. */
  function prepareConfirm(form) {
    form.addEventListener('submit', (event) => {
      if (!window.confirm(form.dataset.confirm)) event.preventDefault();
    });
  }

  /** No header tells the time zone, so a cookie does; pages that are made on the server then tell local times. */
  function tellZone() {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
    document.cookie = `ryadom_tz=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${location.protocol === 'https:' ? '; Secure' : ''}`;
  }

  tellZone();
  document.querySelectorAll('[data-copy]').forEach(prepareCopy);
  document.querySelectorAll('[data-resend-in]').forEach(prepareResend);
  document.querySelectorAll('[data-letters]').forEach(prepareLetters);
  document.querySelectorAll('[data-reveal]').forEach(prepareReveal);
  document.querySelectorAll('form[data-confirm]').forEach(prepareConfirm);
  if (document.querySelector('time[data-age]')) {
    showAges();
    setInterval(showAges, 5000);
  }
  const wrong = document.querySelector('[aria-invalid="true"]');
  if (wrong) wrong.focus();
})();
