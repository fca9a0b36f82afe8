/* One day's track: the line with its gaps, charts, replay, and the list beside it. Needs leaflet, text.js and map.js. */
(function () {
  'use strict';

  const { text, icon } = window.ryadom;
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const track = read('track');
  const strings = read('history-strings');
  const say = (key, values = {}) => strings[key].replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));

  const BELIEVED = 0, WRONG = 1, COARSE = 2, AFTER_GAP = 3;
  const SILENCE_S = 20 * 60;
  const SKIP_MS = 600;
  const FRAME_MS = 1000 / 30;
  const still = window.matchMedia('(prefers-reduced-motion: reduce)');
  const points = track.points.map(([at, lat, lon, accuracyM, speedMps, batteryPct, drawn]) =>
    ({ at, lat, lon, accuracyM, speedMps, batteryPct, drawn }));
  const believed = points.filter((point) => point.drawn === BELIEVED || point.drawn === AFTER_GAP);
  const clock = new Intl.DateTimeFormat(text.locale, { timeZone: track.zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const hour = (at) => clock.format(new Date(at * 1000));

  /* ---- Time zone and choice ---- */

  /** Load the page once more if the server counted the day by another zone than the browser's, which app.js has told it. */
  function followZone() {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
    if (zone === track.zone) return;
    // A zone that the server does not know must not make it load for ever.
    if (sessionStorage.getItem('ryadom_tz_told') === zone) return;
    sessionStorage.setItem('ryadom_tz_told', zone);
    location.reload();
  }

  function prepareChoice() {
    document.documentElement.classList.add('scripted');
    const form = document.querySelector('[data-choose]');
    form.addEventListener('change', (event) => {
      if (event.target.value && form.reportValidity()) form.requestSubmit();
    });
  }

  /** Write each day's distance below its name, as the API tells it. */
  async function tellDistances() {
    const links = [...document.querySelectorAll('[data-day]')];
    const day = 86400000;
    const first = new Date(Date.parse(links[0].dataset.day) - day).toISOString();
    const behind = new Date(Date.parse(links[links.length - 1].dataset.day) + 2 * day).toISOString();
    const query = new URLSearchParams({ subject_id: track.subject_id, from: first, to: behind, tz: track.zone });
    const answer = await fetch(`/api/v1/days?${query}`);
    if (!answer.ok) return;
    const known = new Map((await answer.json()).items.map((item) => [item.date, item]));
    for (const link of links) {
      const found = known.get(link.dataset.day);
      if (found) link.querySelector('[data-day-distance]').textContent = distance(found.distance_m);
    }
  }

  const short = new Intl.NumberFormat(text.locale, { maximumFractionDigits: 1 });
  const distance = (metres) => (metres < 1000
    ? say('metres', { metres: Math.round(metres) }) : say('km', { km: short.format(metres / 1000) }));

  /* ---- The map ---- */

  let map = null;

  /** Stretches of the believed track between gaps, and the two ends of each gap. */
  function stretches() {
    const whole = [];
    const gaps = [];
    believed.forEach((point, number) => {
      const before = believed[number - 1];
      if (!before || point.drawn === AFTER_GAP) {
        if (before) gaps.push([before, point]);
        whole.push([]);
      }
      whole[whole.length - 1].push(point);
    });
    return { whole, gaps };
  }

  const place = (point) => [point.lat, point.lon];

  function drawLines() {
    const renderer = L.canvas({ padding: 0.3 });
    const { whole, gaps } = stretches();
    for (const part of whole) {
      L.polyline(part.map(place), { renderer, color: '#fff', weight: 8, opacity: 0.75, interactive: false }).addTo(map);
    }
    for (const part of whole) {
      L.polyline(part.map(place), { renderer, color: '#0d5c50', weight: 4, opacity: 0.95, interactive: false }).addTo(map);
    }
    for (const gap of gaps) {
      L.polyline(gap.map(place), { color: '#55635e', weight: 3, dashArray: '2 9', className: 'leg--gap', interactive: false }).addTo(map);
    }
    for (const point of points) {
      if (point.drawn !== WRONG && point.drawn !== COARSE) continue;
      const wrong = point.drawn === WRONG;
      L.circleMarker(place(point), {
        radius: wrong ? 6 : 4, color: wrong ? '#ab3513' : '#6c6f6c', weight: 2, fill: true, fillOpacity: 0,
        className: wrong ? 'fix--wrong' : 'fix--coarse',
      }).bindTooltip(`${say(wrong ? 'wrong' : 'coarse')}, ${hour(point.at)}`).addTo(map);
    }
  }

  function drawPlaces() {
    const mark = (at, label, words) => L.marker(at, {
      icon: L.divIcon({ className: 'place', html: label, iconSize: [24, 24] }), keyboard: false,
    }).bindTooltip(words).addTo(map);
    track.items.filter((item) => item.kind === 'stop').forEach((item, number) => {
      mark([item.lat, item.lon], String(number + 1), `${say('stop')} ${hour(item.from)} – ${hour(item.to)}`);
    });
  }

  function fit(some) {
    if (!some.length) return;
    map.fitBounds(L.latLngBounds(some.map(place)), { padding: [36, 36], maxZoom: 16, animate: !still.matches });
  }

  /** Draw the day on the map; called by the map's own script. */
  function showTrack(shown) {
    map = shown;
    const container = map.getContainer();
    container.setAttribute('role', 'region');
    container.setAttribute('aria-label', text.say('map'));
    map.attributionControl.setPrefix(false);
    L.control.zoom({ position: 'topright', zoomInTitle: text.say('zoom_in'), zoomOutTitle: text.say('zoom_out') }).addTo(map);
    L.control.scale({ imperial: false, position: 'topleft' }).addTo(map);
    window.ryadom.track = { map, points, believed };
    if (!points.length) return;
    drawLines();
    drawPlaces();
    fit(believed.length ? believed : points);
    if (believed.length) new Replay();
  }

  /* ---- Charts ---- */

  const first = points.length ? points[0].at : 0;
  const last = points.length ? points[points.length - 1].at : 0;
  const spanS = Math.max(1, last - first);

  function svg(name, attributes) {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  }

  /** Speeds in km/h: the device's own, else what the way from the fix before tells. The note has what held for a while. */
  function speeds() {
    return believed.map((point, number) => {
      const before = believed[number - 1];
      let mps = point.speedMps;
      if (mps === null && before && point.drawn !== AFTER_GAP && point.at > before.at) {
        mps = map.distance(place(before), place(point)) / (point.at - before.at);
      }
      return { at: point.at, value: mps === null ? null : mps * 3.6 };
    }).filter((each) => each.value !== null);
  }

  const batteries = () => points.filter((point) => point.batteryPct !== null)
    .map((point) => ({ at: point.at, value: point.batteryPct }));

  /** Draw one series over the day, broken where nothing was reported; return its line of now. */
  function drawChart(name, series, most, label, note) {
    const figure = document.querySelector(`[data-chart="${name}"]`);
    if (series.length < 2) return null;
    figure.hidden = false;
    figure.querySelector('[data-chart-note]').textContent = note;
    const plot = figure.querySelector('.chart__plot');
    const drawing = svg('svg', { viewBox: '0 0 1000 100', preserveAspectRatio: 'none', role: 'img', 'aria-label': `${figure.querySelector('b').textContent}: ${note}` });
    const x = (at) => ((at - first) / spanS) * 1000;
    const y = (value) => 97 - (value / most) * 90;
    let run = [];
    const finish = () => {
      if (run.length > 1) {
        const line = run.map((each) => `${x(each.at).toFixed(1)},${y(each.value).toFixed(1)}`);
        drawing.append(svg('polygon', { class: 'chart__fill', points: `${x(run[0].at)},97 ${line.join(' ')} ${x(run[run.length - 1].at)},97` }));
        drawing.append(svg('polyline', { class: 'chart__line', points: line.join(' ') }));
      }
      run = [];
    };
    series.forEach((each, number) => {
      const before = series[number - 1];
      if (before && each.at - before.at > SILENCE_S) {
        finish();
        drawing.append(svg('rect', { class: 'chart__gap', x: x(before.at), y: 0, width: x(each.at) - x(before.at), height: 100 }));
      }
      run.push(each);
    });
    finish();
    const now = svg('line', { class: 'chart__now', x1: 0, x2: 0, y1: 0, y2: 100 });
    drawing.append(now);
    plot.append(drawing);
    for (const [place, words] of [['most', label], ['first', hour(first)], ['last', hour(last)]]) {
      const span = document.createElement('span');
      span.className = `chart__${place}`;
      span.textContent = words;
      plot.append(span);
    }
    return { plot, now };
  }

  function charts() {
    const speed = speeds();
    const battery = batteries();
    const top = speed.reduce((most, each) => Math.max(most, each.value), 0);
    const scale = Math.max(10, Math.ceil(top / 10) * 10);
    return [
      drawChart('speed', speed, scale, say('kmh', { speed: scale }), say('top', { speed: Math.round(track.top_mps ? track.top_mps * 3.6 : top) })),
      battery.length > 1 && drawChart('battery', battery, 100, say('percent', { percent: 100 }), say('battery_from_to', {
        first: Math.round(battery[0].value), last: Math.round(battery[battery.length - 1].value),
      })),
    ].filter(Boolean);
  }

  /* ---- Replay ---- */

  /** Moves the cursor over the day: by the slider, by playing, by a chart or by an item of the list. */
  class Replay {
    constructor() {
      const box = document.querySelector('[data-replay]');
      this.play = box.querySelector('[data-play]');
      this.slider = box.querySelector('[data-slider]');
      this.now = box.querySelector('[data-replay-now]');
      this.speed = box.querySelector('[data-replay-speed]');
      this.rows = [...document.querySelectorAll('.item')];
      this.at = believed[0].at;
      this.timer = null;
      this.marker = L.marker(place(believed[0]), {
        icon: L.divIcon({ className: 'cursor', html: this.face(), iconSize: [36, 36] }), zIndexOffset: 1000, keyboard: false, interactive: false,
      }).addTo(map);
      this.slider.min = Math.floor(believed[0].at);
      this.slider.max = Math.ceil(believed[believed.length - 1].at);
      this.slider.step = 10;
      this.charts = charts();
      box.hidden = false;
      this.slider.addEventListener('input', () => { this.pause(); this.go(Number(this.slider.value)); });
      this.play.addEventListener('click', () => (this.timer ? this.pause() : this.start()));
      this.charts.forEach(({ plot }) => plot.addEventListener('pointerdown', (event) => {
        const edge = plot.getBoundingClientRect();
        this.pause();
        this.go(first + ((event.clientX - edge.left) / edge.width) * spanS);
      }));
      this.rows.forEach((row) => this.prepareRow(row));
      this.go(this.at);
      map.invalidateSize();
      fit(believed);
    }

    face() {
      const box = document.createElement('span');
      box.className = 'cursor__face';
      box.append(icon(track.kind));
      return box;
    }

    prepareRow(row) {
      const button = row.querySelector('[data-show]');
      if (!button) return;
      button.hidden = false;
      button.addEventListener('click', () => {
        const [from, to] = [Number(row.dataset.from), Number(row.dataset.to)];
        this.pause();
        this.go(Math.max(from, believed[0].at));
        fit(believed.filter((point) => point.at >= from && point.at <= to));
        if (window.matchMedia('(max-width: 899px)').matches) window.scrollTo({ top: document.querySelector('.history__map').offsetTop, behavior: still.matches ? 'auto' : 'smooth' });
      });
    }

    start() {
      if (this.at >= believed[believed.length - 1].at) this.at = believed[0].at;
      this.play.setAttribute('aria-pressed', 'true');
      this.play.firstElementChild.textContent = say('pause');
      let before = performance.now();
      this.timer = setInterval(() => {
        const now = performance.now();
        this.go(this.next((now - before) / 1000));
        before = now;
        if (this.at >= believed[believed.length - 1].at) this.pause();
      }, still.matches ? 250 : FRAME_MS);
    }

    pause() {
      clearInterval(this.timer);
      this.timer = null;
      this.play.setAttribute('aria-pressed', 'false');
      this.play.firstElementChild.textContent = say('play');
    }

    /** Where the replay is after `elapsedS` of the reader's time: a gap is shown, but takes no longer than a blink. */
    next(elapsedS) {
      const { before, after } = this.around(this.at);
      const hole = before && after && this.isHole(before, after);
      const pace = Number(this.speed.value);
      return this.at + elapsedS * (hole ? Math.max(pace, (after.at - before.at) / (SKIP_MS / 1000)) : pace);
    }

    isHole(before, after) {
      return after.drawn === AFTER_GAP || after.at - before.at > SILENCE_S;
    }

    /** The believed points before and after a moment; the same one at the ends. */
    around(at) {
      let low = 0;
      let high = believed.length - 1;
      while (low < high) {
        const middle = Math.ceil((low + high) / 2);
        if (believed[middle].at <= at) low = middle;
        else high = middle - 1;
      }
      return { before: believed[low], after: believed[low + 1] || believed[low] };
    }

    go(at) {
      this.at = Math.min(Math.max(at, believed[0].at), believed[believed.length - 1].at);
      const { before, after } = this.around(this.at);
      const lost = before !== after && this.at > before.at && this.isHole(before, after);
      const part = before === after || after.at === before.at || lost ? 0 : (this.at - before.at) / (after.at - before.at);
      const here = [before.lat + (after.lat - before.lat) * part, before.lon + (after.lon - before.lon) * part];
      this.marker.setLatLng(here);
      this.marker.getElement().classList.toggle('cursor--lost', lost);
      if (this.timer && !map.getBounds().pad(-0.08).contains(here)) map.panTo(here, { animate: !still.matches });
      this.tell(before, lost);
    }

    tell(point, lost) {
      const fact = lost ? say('no_data') : point.speedMps === null ? '' : say('kmh', { speed: Math.round(point.speedMps * 3.6) });
      this.slider.value = this.at;
      this.slider.setAttribute('aria-valuetext', [hour(this.at), fact].filter(Boolean).join(', '));
      const small = document.createElement('small');
      small.textContent = fact;
      this.now.replaceChildren(hour(this.at), small);
      const x = ((this.at - first) / spanS) * 1000;
      this.charts.forEach(({ now }) => { now.setAttribute('x1', x); now.setAttribute('x2', x); });
      for (const row of this.rows) {
        row.classList.toggle('item--now', Number(row.dataset.from) <= this.at && this.at < Number(row.dataset.to));
      }
    }
  }

  Object.assign(window.ryadom, { showTrack });
  followZone();
  prepareChoice();
  tellDistances();
})();
