/* The feed follows what happens: new alerts come on top, seen ones say so. Also moments in the reader's zone. Needs text.js. */
(function () {
  'use strict';

  const { text } = window.ryadom;
  const block = document.getElementById('alert-words');
  const words = block ? JSON.parse(block.textContent) : {};
  const feed = document.querySelector('[data-feed]');
  const said = document.querySelector('[data-said]');
  const clock = new Intl.DateTimeFormat(text.locale, { timeStyle: 'medium' });
  const moment = new Intl.DateTimeFormat(text.locale, { dateStyle: 'medium', timeStyle: 'short' });

  document.documentElement.classList.add('scripted');
  document.querySelectorAll('time[data-moment]').forEach((time) => { time.textContent = moment.format(new Date(time.dateTime)); });
  document.querySelectorAll('time[data-clock]').forEach((time) => { time.textContent = clock.format(new Date(time.dateTime)); });

  const filters = document.querySelector('[data-filters]');
  if (filters) {
    filters.querySelectorAll('select').forEach((select) => select.addEventListener('change', () => {
      const asked = new URLSearchParams(new FormData(filters));
      [...asked.keys()].forEach((key) => { if (!asked.get(key)) asked.delete(key); });
      window.location.assign(asked.size ? `/alerts?${asked}` : '/alerts');
    }));
  }
  if (!feed) return;

  const state = document.querySelector('[data-live-state]');
  if (state) state.hidden = false;
  const rowOf = (eventId) => feed.querySelector(`[data-event-id="${CSS.escape(eventId)}"]`);

  function tellState(row, name) {
    row.dataset.state = name;
    row.querySelector('[data-state-text]').textContent = words[name] || '';
    if (name !== 'open') {
      const form = row.querySelector('form');
      if (form) form.remove();
    }
  }

  function add(event) {
    const list = feed.querySelector('.feed');
    if (!list) { // the first one ever: the page shows it as it is made
      window.location.reload();
      return;
    }
    const row = document.getElementById('alert-row').content.firstElementChild.cloneNode(true);
    Object.assign(row.dataset, { eventId: event.id, alertId: event.alert.id, urgency: event.urgency });
    const link = row.querySelector('.alert__text');
    link.textContent = event.text;
    link.href = `/alerts/${encodeURIComponent(event.alert.id)}`;
    const time = row.querySelector('time');
    time.dateTime = event.at;
    time.textContent = text.age(event.at);
    const form = row.querySelector('form');
    form.action = `/alerts/${encodeURIComponent(event.alert.id)}/acknowledge`;
    form.querySelector('button').setAttribute('aria-label', words.seen_label.replace('{text}', event.text));
    tellState(row, event.alert.state);
    row.classList.add('alert--new');
    list.prepend(row);
    said.textContent = event.text;
  }

  document.addEventListener('ryadom:event', ({ detail: event }) => {
    const row = rowOf(event.id);
    if (row) {
      if (event.alert) tellState(row, event.alert.state);
      if (event.change === 'retracted' || event.change === 'superseded') row.classList.add('alert--wrong');
    } else if (event.alert && !('filtered' in feed.dataset) && event.change !== 'retracted' && event.change !== 'superseded') add(event);
  });

  /** "Seen" without leaving the feed; if that fails, the form is sent as it is. */
  feed.addEventListener('submit', async (event) => {
    const form = event.target.closest('[data-acknowledge]');
    if (!form) return;
    event.preventDefault();
    const row = form.closest('.alert');
    try {
      const answer = await fetch(`/api/v1/alerts/${encodeURIComponent(row.dataset.alertId)}/acknowledge`, {
        method: 'POST', headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': form.elements.csrf_token.value }, body: '{}',
      });
      if (!answer.ok) throw new Error(answer.status);
      tellState(row, (await answer.json()).state);
      row.querySelector('.alert__text').focus();
    } catch (refused) {
      form.submit();
    }
  });
})();
