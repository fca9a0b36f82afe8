/* Messages to this browser: asks, subscribes, and takes it back. Without a push service the card stays hidden. Needs text.js. */
(function () {
  'use strict';

  const card = document.querySelector('[data-push]');
  if (!card || !('serviceWorker' in navigator) || !('PushManager' in window) || !('Notification' in window)) return;
  const words = JSON.parse(document.getElementById('alert-words').textContent);
  const button = card.querySelector('[data-push-button]');
  const label = button.querySelector('span');
  const told = card.querySelector('[data-push-text]');
  const failed = card.querySelector('[data-push-failed]');
  const KEPT = 'ryadom.push'; // the id under which the service knows this browser
  const csrf = () => card.querySelector('input[name="csrf_token"]').value;

  function bytes(base64url) {
    const text = atob(base64url.replace(/-/g, '+').replace(/_/g, '/').padEnd(Math.ceil(base64url.length / 4) * 4, '='));
    return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  }

  async function call(method, path, body) {
    const answer = await fetch(`/api/v1/push/${path}`, {
      method, headers: { Accept: 'application/json', 'X-CSRF-Token': csrf(), ...(body ? { 'Content-Type': 'application/json' } : {}) }, body: body && JSON.stringify(body),
    });
    if (!answer.ok && answer.status !== 404) throw new Error(answer.status);
    return answer;
  }

  function show(isOn) {
    button.setAttribute('aria-pressed', String(isOn));
    label.textContent = isOn ? words.off : words.on;
    told.textContent = isOn ? words.is_on : words.is_off;
  }

  function fail(text) {
    failed.textContent = text;
    failed.hidden = false;
  }

  async function switchOn(registration) {
    if ((await Notification.requestPermission()) !== 'granted') {
      fail(words.denied);
      return;
    }
    const { key } = await (await call('GET', 'key')).json();
    const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
    const known = await (await call('POST', 'subscriptions', subscription.toJSON())).json();
    localStorage.setItem(KEPT, known.id);
    show(true);
  }

  async function switchOff(subscription) {
    const id = localStorage.getItem(KEPT);
    if (id) await call('DELETE', `subscriptions/${encodeURIComponent(id)}`);
    localStorage.removeItem(KEPT);
    await subscription.unsubscribe();
    show(false);
  }

  async function begin() {
    const registration = await navigator.serviceWorker.register('/sw.js', { scope: '/' });
    await navigator.serviceWorker.ready;
    card.hidden = false;
    show(Boolean(await registration.pushManager.getSubscription()));
    button.addEventListener('click', async () => {
      failed.hidden = true;
      button.disabled = true;
      try {
        const subscription = await registration.pushManager.getSubscription();
        const isOn = button.getAttribute('aria-pressed') === 'true';
        if (isOn && subscription) await switchOff(subscription);
        else if (isOn) show(false);
        else await switchOn(registration);
      } catch (refused) {
        fail(words.failed);
      }
      button.disabled = false;
    });
  }

  begin().catch(() => { card.hidden = true; });
})();
