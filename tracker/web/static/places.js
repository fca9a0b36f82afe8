/* The places on the map, drawing a place by hand, and choosing from a file. The forms work without it. Needs map.js. */
(function () {
  'use strict';

  const { text, fenceLayer, showFences } = window.ryadom;
  const still = window.matchMedia('(prefers-reduced-motion: reduce)');
  const block = document.getElementById('place-words');
  const words = block ? JSON.parse(block.textContent) : {};
  const say = (key, values) => (words[key] || key).replace(/\{(\w+)\}/g, (whole, name) => (values && name in values ? values[name] : whole));
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const SEVEN = 6; // decimals: a tenth of a metre
  const GUESS_M = { home: 100, school: 150, yard: 60 };

  /* ---- The list and the map beside it ---- */

  function showPlaces(map, fences) {
    const list = document.querySelector('[data-places]');
    const choose = (id) => {
      for (const row of list ? list.children : []) {
        const chosen = row.dataset.placeId === id;
        row.querySelector('[data-show]').setAttribute('aria-pressed', String(chosen));
        if (chosen) row.scrollIntoView({ block: 'nearest' });
      }
    };
    const drawn = showFences(map, fences, { onChoose: choose });
    const sheet = window.matchMedia('(max-width: 899px)').matches && document.querySelector('.family');
    const padding = { paddingTopLeft: [32, 64], paddingBottomRight: [32, 32 + (sheet ? sheet.offsetHeight : 0)] };
    if (fences.length) map.fitBounds(drawn.bounds(), { ...padding, maxZoom: 16, animate: false });
    if (!list) return;
    list.addEventListener('click', (event) => {
      const button = event.target.closest('[data-show]');
      if (!button) return;
      const id = button.closest('[data-place-id]').dataset.placeId;
      choose(id);
      drawn.fit(id, padding);
    });
  }

  /* ---- Drawing ---- */

  const pair = (at) => `${at.lat.toFixed(SEVEN)}, ${at.lng.toFixed(SEVEN)}`;

  /** The places in a text of lines "latitude, longitude"; null if a line is none. */
  function placesIn(typed) {
    const found = [];
    for (const line of typed.split('\n')) {
      if (!line.trim()) continue;
      const numbers = line.trim().split(/[\s,;]+/).map(Number);
      if (numbers.length !== 2 || numbers.some((each) => !Number.isFinite(each))) return null;
      if (Math.abs(numbers[0]) > 90) return null;
      found.push(L.latLng(numbers[0], numbers[1]));
    }
    return found;
  }

  /** One place being drawn: the form's fields and the layer on the map say the same. */
  class Drawing {
    constructor(map, form, given) {
      this.map = map;
      this.form = form;
      this.layer = null;
      this.hint = document.querySelector('[data-draw-hint]');
      this.kept = given;
      map.pm.setLang(text.locale === 'ru' ? 'ru' : 'en');
      map.pm.setGlobalOptions({ allowSelfIntersection: false, snappable: false, pathOptions: this.style(), templineStyle: this.style(), hintlineStyle: { ...this.style(), dashArray: '5 5' }, tooltips: false });
      this.prepareButtons();
      map.on('pm:create', ({ layer }) => this.take(layer));
      map.on('pm:drawstart', ({ workingLayer }) => workingLayer.on('pm:vertexadded', () => this.tellButtons()));
      map.on('zoomend', () => this.widen());
      map.on('click', (event) => this.placeCircle(event.latlng));
      form.addEventListener('input', (event) => this.typed(event.target));
      form.addEventListener('change', (event) => this.chosen(event.target));
      this.read(true);
      this.tell();
    }

    get shape() {
      const chosen = this.form.querySelector('input[name="shape"]:checked');
      return chosen ? chosen.value : 'circle';
    }

    field(name) { return this.form.elements[name]; }

    number(name) {
      const value = Number(this.field(name).value.replace(',', '.'));
      return this.field(name).value.trim() && Number.isFinite(value) ? value : null;
    }

    style() { return { color: css('--brand'), fillColor: css('--brand'), weight: 3, fillOpacity: 0.15 }; }

    prepareButtons() {
      this.buttons = {};
      for (const button of document.querySelectorAll('[data-draw]')) {
        this.buttons[button.dataset.draw] = button;
        button.addEventListener('click', () => this[button.dataset.draw]());
      }
      document.querySelector('[data-draw-bar]').hidden = false;
      document.querySelectorAll('[data-centre]').forEach((button) => {
        button.hidden = false;
        button.addEventListener('click', () => {
          const [lat, lon] = button.dataset.centre.split(',').map(Number);
          this.centre(L.latLng(lat, lon));
        });
      });
    }

    /** Put the place at a spot: a circle goes there; for the others the map does. */
    centre(at) {
      if (this.shape === 'circle') {
        this.field('lat').value = at.lat.toFixed(SEVEN);
        this.field('lon').value = at.lng.toFixed(SEVEN);
        this.read(true);
      } else this.map.setView(at, Math.max(this.map.getZoom(), 16), { animate: !still.matches });
    }

    placeCircle(at) {
      if (this.shape !== 'circle' || this.layer) return;
      this.centre(at);
    }

    /* The buttons */

    start() {
      this.clear();
      if (this.shape === 'circle') {
        this.centre(this.map.getCenter());
        return;
      }
      this.field('points').value = '';
      this.map.pm.enableDraw(this.shape === 'polygon' ? 'Polygon' : 'Line', { finishOn: null });
      this.tell();
    }

    undo() {
      const draw = this.map.pm.Draw[this.map.pm.Draw.getActiveShape()];
      if (draw) draw._removeLastVertex();
      this.tellButtons();
    }

    finish() {
      const draw = this.map.pm.Draw[this.map.pm.Draw.getActiveShape()];
      if (draw) draw._finishShape();
      this.tell();
    }

    take(layer) {
      this.layer = layer;
      this.edit();
      this.write();
      this.tell();
    }

    edit() {
      this.layer.pm.enable({ allowSelfIntersection: false, limitMarkersToCount: 200, hintlineStyle: { ...this.style(), weight: 2, dashArray: '5 5' } });
      this.nameHandles();
      this.layer.on('pm:edit pm:markerdragend pm:vertexremoved pm:vertexadded pm:centerplaced pm:drag', () => this.write());
    }

    /** What is pulled with a pointer has a name for who hears the page; the fields say the same. */
    nameHandles() {
      this.map.getContainer().querySelectorAll('.marker-icon').forEach((handle) => handle.setAttribute('aria-label', say('handle')));
    }

    clear() {
      this.map.pm.disableDraw();
      if (this.layer) {
        this.layer.pm.disable();
        this.layer.remove();
      }
      if (this.wide) this.wide.remove();
      this.layer = this.wide = null;
    }

    /* Fields and layer */

    /** Write what is drawn into the fields. */
    write() {
      if (!this.layer) return;
      if (this.shape === 'circle') {
        const at = this.layer.getLatLng();
        this.field('lat').value = at.lat.toFixed(SEVEN);
        this.field('lon').value = at.lng.toFixed(SEVEN);
        this.field('radius_m').value = Math.max(5, Math.round(this.layer.getRadius()));
      } else {
        const drawn = this.layer.getLatLngs();
        this.field('points').value = (this.shape === 'polygon' ? drawn[0] : drawn).map(pair).join('\n');
      }
      this.widen();
      this.nameHandles();
    }

    /** Draw what the fields say. */
    read(fit) {
      this.clear();
      if (this.shape === 'kept' && this.kept) this.layer = fenceLayer(this.kept, this.style());
      else if (this.shape === 'circle') {
        const [lat, lon] = [this.number('lat'), this.number('lon')];
        if (lat !== null && lon !== null && Math.abs(lat) <= 90) this.layer = L.circle([lat, lon], { ...this.style(), radius: this.number('radius_m') || 100 });
      } else {
        const places = placesIn(this.field('points').value);
        const least = this.shape === 'polygon' ? 3 : 2;
        if (places && places.length >= least) this.layer = this.shape === 'polygon' ? L.polygon(places, this.style()) : L.polyline(places, this.style());
      }
      if (this.layer) {
        this.layer.addTo(this.map);
        if (this.shape !== 'kept') this.edit();
        if (fit) this.map.fitBounds(this.layer.getBounds(), { padding: [56, 56], maxZoom: 17, animate: false });
      }
      this.widen();
      this.tell();
    }

    /** A route is as wide on the map as it is said to be. */
    widen() {
      if (this.wide) this.wide.remove();
      this.wide = null;
      if (!this.layer || this.shape !== 'corridor') return;
      const at = this.layer.getBounds().getCenter();
      const a = this.map.latLngToContainerPoint(at);
      const metresPerPixel = this.map.distance(at, this.map.containerPointToLatLng([a.x + 1, a.y]));
      const weight = Math.max(3, (this.number('width_m') || 50) / metresPerPixel);
      this.wide = L.polyline(this.layer.getLatLngs(), { ...this.style(), weight, opacity: 0.25, interactive: false, pmIgnore: true, lineCap: 'round', lineJoin: 'round' }).addTo(this.map);
    }

    typed(target) {
      if (target.name === 'width_m') this.widen();
      else if (target.name === 'radius_m' && this.layer && this.shape === 'circle' && this.number('radius_m') > 0) {
        target.dataset.chosen = '';
        this.layer.pm.disable();
        this.layer.setRadius(this.number('radius_m'));
        this.edit();
      } else if (['lat', 'lon', 'points'].includes(target.name)) this.read(true);
    }

    chosen(target) {
      if (target.name === 'shape') {
        this.group();
        this.read(true);
        if (!this.layer && this.shape !== 'circle') this.start();
      }
      if (target.name === 'template') this.guess(target);
    }

    /** A template proposes a name and a size; what was typed stays. */
    guess(target) {
      const name = this.field('name');
      const own = [...this.form.querySelectorAll('input[name="template"]')].map((each) => each.dataset.name);
      if (target.dataset.name && (!name.value || own.includes(name.value))) name.value = target.dataset.name;
      const radius = this.field('radius_m');
      if (GUESS_M[target.value] && !('chosen' in radius.dataset) && this.form.dataset.isNew !== undefined) {
        radius.value = GUESS_M[target.value];
        if (this.shape === 'circle' && this.layer) this.read(true);
      }
    }

    group() {
      for (const part of this.form.querySelectorAll('[data-of-shape]')) part.hidden = !part.dataset.ofShape.split(' ').includes(this.shape);
    }

    tellButtons() {
      const shape = this.map.pm.Draw.getActiveShape();
      const drawing = Boolean(shape) && this.map.pm.globalDrawModeEnabled();
      const count = drawing ? this.map.pm.Draw[shape]._layer.getLatLngs().length : 0;
      this.buttons.start.hidden = drawing || this.shape === 'kept';
      this.buttons.undo.hidden = this.buttons.finish.hidden = !drawing;
      this.buttons.undo.disabled = count === 0;
      this.buttons.finish.disabled = count < (this.shape === 'polygon' ? 3 : 2);
      return drawing;
    }

    tell() {
      this.group();
      const drawing = this.tellButtons();
      const label = this.layer ? 'again' : this.shape === 'circle' ? 'put' : 'draw';
      this.buttons.start.querySelector('span').textContent = say(label);
      const state = drawing ? `drawing_${this.shape}` : this.layer ? (this.shape === 'kept' ? 'kept' : 'drawn') : `empty_${this.shape}`;
      this.hint.textContent = say(state);
    }
  }

  function draw(map) {
    const form = document.querySelector('form[data-drawing]');
    const others = JSON.parse(document.getElementById('other-fences').textContent);
    const given = JSON.parse(document.getElementById('drawn-fence').textContent);
    if (others.length) showFences(map, others);
    map.getContainer().classList.add('drawing');
    window.ryadom.drawing = new Drawing(map, form, given);
  }

  Object.assign(window.ryadom, { showPlaces, draw });
})();
