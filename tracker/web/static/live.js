/* The live stream: moves dots, keeps the list of subjects true, tells the state of the connection. */
(function () {
  'use strict';

  const { text, icon } = window.ryadom;
  const TICK_MS = 5000;
  const RETRY_MS = 3000;
  const list = document.querySelector('[data-family]');
  const state = document.querySelector('[data-live-state]');
  const awaited = document.querySelector('[data-await-device]');
  const FRESHNESS_ICON = { live: 'live', stale: 'clock', silent: 'silent', never: 'never' };

  const number = (value) => (typeof value === 'number' && Number.isFinite(value) ? value : null);

  /** The position within a GeoJSON Feature of the stream or the API. */
  function positionOf(feature) {
    const [lon, lat] = feature.geometry.coordinates;
    const told = feature.properties;
    return {
      lat, lon, recorded_at: told.recorded_at, charging: told.charging === true,
      accuracy_m: number(told.accuracy_m), speed_mps: number(told.speed_mps),
      course_deg: number(told.course_deg), battery_pct: number(told.battery_pct),
    };
  }

  function positionOfRow(row) {
    const value = (name) => (row.dataset[name] ? Number(row.dataset[name]) : null);
    return {
      recorded_at: row.dataset.recordedAt, accuracy_m: value('accuracyM'), speed_mps: value('speedMps'),
      battery_pct: value('batteryPct'), charging: row.dataset.charging === 'true',
    };
  }

  /* ---- Rows ---- */

  function rowOf(subjectId) {
    return list && list.querySelector(`[data-subject-id="${CSS.escape(subjectId)}"]`);
  }

  function tell(row) {
    if (!row.dataset.recordedAt) return;
    const position = positionOfRow(row);
    const freshness = window.ryadom.family.freshness(position.recorded_at);
    const line = row.querySelector('.subject__age');
    if (row.dataset.freshness !== freshness || !line.querySelector('svg')) {
      row.dataset.freshness = freshness;
      line.replaceChildren(icon(FRESHNESS_ICON[freshness]), document.createElement('time'));
    }
    const time = line.querySelector('time');
    time.dateTime = position.recorded_at;
    time.title = text.moment(position.recorded_at);
    time.textContent = freshness === 'silent'
      ? text.say('silent_since', { age: text.age(position.recorded_at) }) : text.age(position.recorded_at);
    row.querySelector('.subject__facts').replaceChildren(...text.facts(position).map((fact) => {
      const item = document.createElement('span');
      item.textContent = fact;
      return item;
    }));
  }

  function keep(row, position) {
    const shown = (value) => (value === null ? '' : String(value));
    Object.assign(row.dataset, {
      lat: position.lat, lon: position.lon, recordedAt: position.recorded_at, charging: String(position.charging),
      accuracyM: shown(position.accuracy_m), speedMps: shown(position.speed_mps), batteryPct: shown(position.battery_pct),
    });
    tell(row);
  }

  const emptyRow = () => document.getElementById('subject-row').content.firstElementChild.cloneNode(true);

  function tellWhetherNobody() {
    const nobody = document.querySelector('[data-nobody]');
    if (nobody) nobody.hidden = list.children.length > 0;
  }

  function addRow(subject) {
    const row = emptyRow();
    row.dataset.subjectId = subject.id;
    row.dataset.kind = subject.kind;
    row.dataset.name = subject.name;
    row.querySelector('.subject__name').textContent = subject.name;
    row.querySelector('.face').className = `face face--${subject.kind}`;
    row.querySelector('.face').replaceChildren(icon(subject.kind));
    const open = row.querySelector('.subject__open');
    open.href = `/subjects/${encodeURIComponent(subject.id)}`;
    open.setAttribute('aria-label', text.say('details', { name: subject.name }));
    list.append(row);
    tellWhetherNobody();
    return row;
  }

  const asked = new Map();

  /** The row of a subject that appeared after the page was made; null if the account may not see it. */
  async function newRow(subjectId) {
    if (!asked.has(subjectId)) {
      asked.set(subjectId, (async () => {
        const answer = await fetch(`/api/v1/subjects/${encodeURIComponent(subjectId)}`, { headers: { Accept: 'application/json' } });
        return answer.ok ? addRow(await answer.json()) : null;
      })());
    }
    try {
      return await asked.get(subjectId);
    } catch (error) {
      asked.delete(subjectId); // the network failed: the next position asks again
      return null;
    }
  }

  /** A subject was removed: it leaves the map and the list, and its own page. */
  function remove(subjectId) {
    const row = list && rowOf(subjectId);
    if (!row) return;
    if (list.dataset.family) {
      window.location.assign('/map');
      return;
    }
    asked.delete(subjectId);
    window.ryadom.family.remove(subjectId);
    row.remove();
    tellWhetherNobody();
  }

  /** A subject has no position any more: its device was removed, or counts for another one. */
  function unplace(subjectId) {
    const row = list && rowOf(subjectId);
    if (!row) return;
    if (list.dataset.family) {
      window.location.reload();
      return;
    }
    window.ryadom.family.remove(subjectId);
    const { subjectId: id, kind, name } = row.dataset;
    Object.keys(row.dataset).forEach((key) => delete row.dataset[key]);
    Object.assign(row.dataset, { subjectId: id, kind, name, freshness: 'never' });
    row.querySelector('.subject__text').replaceWith(emptyRow().querySelector('.subject__text'));
    row.querySelector('.subject__name').textContent = name;
  }

  /* ---- The stream ---- */

  /** Take one position of a subject; an older one than is shown changes nothing. */
  async function take(subjectId, deviceId, feature) {
    const position = positionOf(feature);
    if (awaited && awaited.dataset.awaitDevice === deviceId) celebrate(position);
    if (!list) return;
    if (list.dataset.family && list.dataset.family !== subjectId) return; // a page of one subject
    const row = rowOf(subjectId) || (await newRow(subjectId));
    if (!row) return;
    const known = Date.parse(row.dataset.recordedAt || '');
    if (known >= Date.parse(position.recorded_at)) return;
    const family = window.ryadom.family;
    keep(row, position);
    if (family.dots.has(subjectId)) family.move(subjectId, position);
    else {
      family.add({ subject_id: subjectId, kind: row.dataset.kind, name: row.dataset.name, ...position });
      if (family.dots.size === 1) family.fit();
    }
  }

  function celebrate(position) {
    awaited.querySelector('[data-waiting]').hidden = true;
    const arrived = awaited.querySelector('[data-arrived]');
    arrived.hidden = false;
    arrived.querySelector('[data-arrived-age]').textContent = text.age(position.recorded_at);
    Object.assign(awaited.dataset, { lat: position.lat, lon: position.lon, recordedAt: position.recorded_at });
  }

  function setState(name) {
    if (!state || state.dataset.state === name) return;
    state.dataset.state = name;
    state.querySelector('[data-live-text]').textContent = text.say(`state_${name}`);
  }

  /** What changed before the stream was open: the newest position of everybody, and who is gone. */
  async function catchUp() {
    const shown = list ? [...list.children].map((row) => [row.dataset.subjectId, row.dataset.recordedAt]) : [];
    const answer = await fetch('/api/v1/subjects?limit=1000', { headers: { Accept: 'application/json' } });
    if (!answer.ok) return;
    const subjects = new Map((await answer.json()).items.map((subject) => [subject.id, subject]));
    for (const [subjectId, recordedAt] of shown) {
      const subject = subjects.get(subjectId);
      if (!subject) remove(subjectId);
      else if (recordedAt && !subject.last_position && rowOf(subjectId)?.dataset.recordedAt === recordedAt) unplace(subjectId);
    }
    for (const subject of subjects.values()) {
      const last = subject.last_position;
      if (last) take(subject.id, last.properties.device_id, last);
      else if (list && !list.dataset.family && !rowOf(subject.id)) newRow(subject.id);
    }
  }

  function connect() {
    const source = new EventSource('/api/v1/live');
    source.addEventListener('open', () => {
      setState('live');
      catchUp().catch(() => setState('reconnecting')); // the stream will fail too, and try again
    });
    source.addEventListener('position', (event) => {
      const told = JSON.parse(event.data);
      take(told.subject_id, told.device_id, told.feature);
    });
    source.addEventListener('gone', (event) => remove(JSON.parse(event.data).subject_id));
    source.addEventListener('unplaced', (event) => unplace(JSON.parse(event.data).subject_id));
    source.addEventListener('event', (event) => {
      document.dispatchEvent(new CustomEvent('ryadom:event', { detail: JSON.parse(event.data) }));
    });
    source.addEventListener('error', () => {
      setState('reconnecting');
      // A browser retries a broken stream by itself, but not one that answered with an error.
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, RETRY_MS);
    });
    window.addEventListener('pagehide', () => source.close(), { once: true });
  }

  /* ---- What has just happened, on the map ---- */

  const TOLD_FOR_MS = 60000;
  const TOLD_MOST = 3;

  function tellOnMap(told, event) {
    const shown = told.querySelector(`[data-event-id="${CSS.escape(event.id)}"]`);
    if (event.change === 'retracted' || event.change === 'superseded' || (event.alert && event.alert.state !== 'open')) {
      if (shown) shown.remove();
      return;
    }
    if (shown || !event.alert) return;
    const row = document.getElementById('told-row').content.firstElementChild.cloneNode(true);
    Object.assign(row.dataset, { eventId: event.id, urgency: event.urgency });
    const link = row.querySelector('a');
    link.href = `/alerts/${encodeURIComponent(event.alert.id)}`;
    link.textContent = event.text;
    row.querySelector('button').addEventListener('click', () => row.remove());
    told.prepend(row);
    while (told.children.length > TOLD_MOST) told.lastElementChild.remove();
    // What is urgent stays until it is closed.
    if (event.urgency === 'quiet' || event.urgency === 'normal') setTimeout(() => row.remove(), TOLD_FOR_MS);
    if (event.type === 'escaped' && window.ryadom.family) window.ryadom.showChase(window.ryadom.family.map, event.id);
  }

  const told = document.querySelector('[data-told]');
  if (told) document.addEventListener('ryadom:event', ({ detail }) => tellOnMap(told, detail));

  /* ---- List and sheet ---- */

  function choose(subjectId, quietly) {
    for (const row of list.children) {
      row.querySelector('.subject__show').setAttribute('aria-pressed', String(row.dataset.subjectId === subjectId));
    }
    if (!quietly) window.ryadom.family.choose(subjectId);
  }

  function prepareList() {
    const family = window.ryadom.family;
    const tick = () => {
      [...list.children].forEach(tell);
      family.refresh();
    };
    tick();
    setInterval(tick, TICK_MS);
    list.addEventListener('click', (event) => {
      const button = event.target.closest('.subject__show');
      if (button) choose(button.closest('[data-subject-id]').dataset.subjectId);
    });
    family.onChoose = (subjectId) => {
      choose(subjectId, true);
      const row = rowOf(subjectId);
      if (row) row.scrollIntoView({ block: 'nearest' });
    };
  }

  function prepareSheet(sheet) {
    const handle = sheet.querySelector('.family__handle');
    const sizes = ['peek', 'half', 'full'];
    const resize = (size) => {
      sheet.dataset.size = size;
      handle.setAttribute('aria-expanded', String(size !== 'peek'));
    };
    handle.addEventListener('click', () => resize(sheet.dataset.size === 'half' ? 'full' : sheet.dataset.size === 'full' ? 'peek' : 'half'));
    let startY = null;
    handle.addEventListener('touchstart', (event) => { startY = event.touches[0].clientY; }, { passive: true });
    handle.addEventListener('touchend', (event) => {
      const moved = event.changedTouches[0].clientY - startY;
      if (Math.abs(moved) < 24) return;
      event.preventDefault(); // a swipe is not a press
      const next = sizes.indexOf(sheet.dataset.size) + (moved < 0 ? 1 : -1);
      resize(sizes[Math.max(0, Math.min(sizes.length - 1, next))]);
    });
    new ResizeObserver(() => {
      document.body.style.setProperty('--sheet-height', `${sheet.offsetHeight}px`);
    }).observe(sheet);
  }

  const sheet = document.querySelector('.family');
  if (state) state.hidden = false; // who has no scripts has no connection to wait for
  if (sheet) prepareSheet(sheet);
  if (list) prepareList();
  connect();
})();
