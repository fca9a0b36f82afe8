/* The base map and the family's dots. Needs leaflet, protomaps-leaflet and text.js before it. */
(function () {
  'use strict';

  const { text } = window.ryadom;
  const SEA = { light: '#b9d6dc', dark: '#16262c' };
  const GLIDE_MS = 900;
  const MOVING_MPS = 0.7;
  const CLOSEST_ZOOM = 16;
  const FACE_PX = 44;
  const TAG_OFFSET_PX = 44;
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const still = window.matchMedia('(prefers-reduced-motion: reduce)');
  const narrow = window.matchMedia('(max-width: 899px)');

  const number = (value) => (typeof value === 'number' && Number.isFinite(value) ? value : null);

  /* ---- Base map ---- */

  /** Colours of the vector map by the names of the Protomaps flavour. */
  function flavor(night) {
    const land = night ? '#20302d' : '#f1ecdf';
    const park = night ? '#2a4636' : '#d6e4c6';
    const built = night ? '#2d3f3b' : '#e4dccb';
    const road = night ? '#566b67' : '#ffffff';
    const edge = night ? '#16201f' : '#d8cdb8';
    const words = night ? '#c9d6d1' : '#4f5b55';
    const halo = night ? '#141d1c' : '#fbf8f1';
    const sea = night ? SEA.dark : SEA.light;
    const colours = {
      background: sea, earth: land, water: sea, buildings: built, pier: built, railway: night ? '#4d5b59' : '#b9b0a0',
      boundaries: night ? '#5d7470' : '#9d927f', ocean_label: night ? '#7ea3ad' : '#4a7480',
      subplace_label: words, subplace_label_halo: halo, city_label: words, city_label_halo: halo,
      state_label: words, state_label_halo: halo, country_label: words, address_label: words, address_label_halo: halo,
      roads_label_minor: words, roads_label_minor_halo: halo, roads_label_major: words, roads_label_major_halo: halo,
    };
    const parks = ['park_a', 'park_b', 'wood_a', 'wood_b', 'scrub_a', 'scrub_b', 'zoo'];
    const grounds = ['hospital', 'industrial', 'school', 'pedestrian', 'glacier', 'sand', 'beach', 'aerodrome', 'military'];
    const ways = ['other', 'minor_service', 'minor_a', 'minor_b', 'link', 'major', 'highway', 'runway'];
    for (const name of parks) colours[name] = park;
    for (const name of grounds) colours[name] = night ? '#1f2c2a' : '#ebe4d4';
    for (const name of ways) colours[name] = road;
    for (const name of ['minor_service_casing', 'minor_casing', 'link_casing', 'major_casing_late',
      'major_casing_early', 'highway_casing_late', 'highway_casing_early']) colours[name] = edge;
    for (const kind of ['other', 'minor', 'link', 'major', 'highway']) {
      colours[`tunnel_${kind}`] = built;
      colours[`bridges_${kind}`] = road;
      colours[`tunnel_${kind}_casing`] = edge;
      colours[`bridges_${kind}_casing`] = edge;
    }
    return colours;
  }

  /** Label rules without the names that a finer map below covers, which would be cut at its edge. */
  function labels(colours, covered) {
    return protomapsL.labelRules(colours, text.locale).map((rule) => ({
      ...rule,
      filter: (zoom, feature) =>
        (!rule.filter || rule.filter(zoom, feature)) && !(zoom > 9 && covered.includes(feature.props.name)),
    }));
  }

  function vectorLayers(sources) {
    const colours = flavor(dark.matches);
    return sources.map((source) => protomapsL.leafletLayer({
      url: source.url,
      maxDataZoom: source.max_data_zoom,
      paintRules: protomapsL.paintRules(colours),
      labelRules: labels(colours, source.covered_names || []),
      backgroundColor: source.bounds ? undefined : colours.background,
      minZoom: source.min_zoom,
      bounds: source.bounds ? L.latLngBounds(source.bounds) : undefined,
      attribution: source.attribution,
      lang: text.locale,
    }));
  }

  /** Draw the vector maps, coarse first, in the colours of the system's theme; redraw when it changes. */
  function baseMap(map, sources) {
    let layers = [];
    const draw = () => {
      layers.forEach((layer) => layer.remove());
      map.getContainer().style.setProperty('--sea', dark.matches ? SEA.dark : SEA.light);
      layers = vectorLayers(sources);
      layers.forEach((layer) => layer.addTo(map));
    };
    draw();
    dark.addEventListener('change', draw);
  }

  /* ---- Dots ---- */

  function icon(name) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('class', 'icon');
    svg.setAttribute('aria-hidden', 'true');
    const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
    use.setAttribute('href', `/static/icons.svg#${name}`);
    svg.append(use);
    return svg;
  }

  function span(className, content) {
    const element = document.createElement('span');
    element.className = className;
    if (content) element.append(content);
    return element;
  }

  function face(dot) {
    const box = document.createElement('div');
    const tag = span('dot__tag', span('dot__name', dot.name));
    tag.append(span('dot__age'));
    box.append(span('dot__pulse'), span('dot__course'), span('dot__face', icon(dot.kind)), tag);
    return box;
  }

  const box = (x, y, width, height) => ({ x, y, width, height });
  const meet = (one, other) =>
    Math.abs(one.x - other.x) * 2 < one.width + other.width && Math.abs(one.y - other.y) * 2 < one.height + other.height;

  /** The dots of one map: `add`, `move`, `remove`, `choose`, `refresh`, `fit`; `onChoose(subject_id)` when one is pressed. */
  class Family {
    constructor(map, ages) {
      this.map = map;
      this.ages = ages;
      this.dots = new Map();
      this.chosen = null;
      this.onChoose = () => {};
      map.on('zoomend moveend', () => this.declutter());
      map.on('dragstart', () => { this.following = false; });
    }

    /** How fresh a position of this time is now, by the product's own limits. */
    freshness(recordedAt) {
      const ageMs = text.ageMs(recordedAt);
      if (ageMs <= this.ages.live_for_s * 1000) return 'live';
      return ageMs <= this.ages.stale_for_s * 1000 ? 'stale' : 'silent';
    }

    add(dot) {
      const at = L.latLng(dot.lat, dot.lon);
      const marker = L.marker(at, {
        icon: L.divIcon({ className: `dot dot--${dot.kind}`, html: face(dot), iconSize: [FACE_PX, FACE_PX] }),
        keyboard: true, riseOnHover: true,
      }).addTo(this.map);
      const circle = L.circle(at, { radius: 0, weight: 1.5, fillOpacity: 0.12, interactive: false }).addTo(this.map);
      const known = { ...dot, marker, circle };
      this.dots.set(dot.subject_id, known);
      marker.on('click', () => this.choose(dot.subject_id, true));
      marker.on('keypress', (event) => {
        if (event.originalEvent.key === 'Enter') this.choose(dot.subject_id, true);
      });
      const colour = getComputedStyle(document.documentElement).getPropertyValue(`--${dot.kind}`).trim();
      circle.setStyle({ color: colour, fillColor: colour });
      this.show(known);
      this.declutter();
    }

    /** Take a newer position of a subject: its attributes change at once, the dot glides there. */
    move(subjectId, position) {
      const dot = this.dots.get(subjectId);
      Object.assign(dot, position);
      this.show(dot);
      this.glide(dot, L.latLng(position.lat, position.lon));
      const element = dot.marker.getElement();
      element.classList.remove('dot--moved');
      void element.offsetWidth; // restarts the animation
      element.classList.add('dot--moved');
    }

    /** Take a subject off the map, if it is there. */
    remove(subjectId) {
      const dot = this.dots.get(subjectId);
      if (!dot) return;
      cancelAnimationFrame(dot.frame);
      dot.marker.remove();
      dot.circle.remove();
      this.dots.delete(subjectId);
      if (this.chosen === subjectId) this.chosen = null;
      this.declutter();
    }

    glide(dot, target) {
      cancelAnimationFrame(dot.frame);
      const start = dot.marker.getLatLng();
      const place = (at) => {
        dot.marker.setLatLng(at);
        dot.circle.setLatLng(at);
      };
      const far = this.map.latLngToLayerPoint(start).distanceTo(this.map.latLngToLayerPoint(target)) > 2000;
      if (still.matches || document.hidden || far) {
        place(target);
        this.arrived(dot, target);
        return;
      }
      let began = null;
      const step = (time) => {
        began = began === null ? time : began;
        const part = Math.min(1, (time - began) / GLIDE_MS);
        const eased = part * (2 - part);
        place([start.lat + (target.lat - start.lat) * eased, start.lng + (target.lng - start.lng) * eased]);
        if (part < 1) dot.frame = requestAnimationFrame(step);
        else this.arrived(dot, target);
      };
      dot.frame = requestAnimationFrame(step);
    }

    arrived(dot, target) {
      this.declutter();
      if (this.following && this.chosen === dot.subject_id) this.centre(target, this.map.getZoom());
    }

    show(dot) {
      const element = dot.marker.getElement();
      const freshness = this.freshness(dot.recorded_at);
      Object.assign(element.dataset, {
        subjectId: dot.subject_id, lat: dot.lat, lon: dot.lon, recordedAt: dot.recorded_at, freshness,
      });
      const moving = number(dot.course_deg) !== null && number(dot.speed_mps) !== null && dot.speed_mps >= MOVING_MPS;
      if (moving) element.dataset.course = dot.course_deg;
      else delete element.dataset.course;
      element.querySelector('.dot__course').style.transform = moving ? `rotate(${dot.course_deg}deg)` : '';
      dot.circle.setRadius(number(dot.accuracy_m) ?? 0);
      dot.circle.setStyle({ opacity: dot.accuracy_m ? 0.7 : 0, dashArray: freshness === 'live' ? null : '4 6' });
      this.tell(dot);
    }

    tell(dot) {
      const element = dot.marker.getElement();
      const age = text.age(dot.recorded_at);
      element.querySelector('.dot__age').textContent = age;
      element.setAttribute('aria-label', [dot.name, age, ...text.facts(dot)].join(', '));
    }

    /** Bring every dot's age and freshness up to now. */
    refresh() {
      for (const dot of this.dots.values()) {
        if (this.freshness(dot.recorded_at) !== dot.marker.getElement().dataset.freshness) this.show(dot);
        else this.tell(dot);
      }
    }

    /** Put each name below its dot, or above where something is in the way, or hide it if both are taken. */
    declutter() {
      const dots = [...this.dots.values()].map((dot) => ({
        dot, element: dot.marker.getElement(), at: this.map.latLngToContainerPoint(dot.marker.getLatLng()),
      }));
      const faces = dots.map(({ at }) => box(at.x, at.y, FACE_PX, FACE_PX));
      const tags = [];
      const chosenFirst = (one, other) => (other.dot.subject_id === this.chosen) - (one.dot.subject_id === this.chosen);
      for (const { element, at } of [...dots].sort(chosenFirst)) {
        element.classList.remove('dot--crowded', 'dot--above');
        const tag = element.querySelector('.dot__tag');
        const side = [1, -1].find((down) => {
          const place = box(at.x, at.y + down * TAG_OFFSET_PX, tag.offsetWidth, tag.offsetHeight);
          const own = (face) => face.x === at.x && face.y === at.y;
          if (tags.some((other) => meet(place, other)) || faces.some((face) => !own(face) && meet(place, face))) return false;
          tags.push(place);
          return true;
        });
        if (side === -1) element.classList.add('dot--above');
        if (side === undefined) element.classList.add('dot--crowded');
      }
    }

    /** Mark a subject and follow it; `quietly` leaves the map where it is. */
    choose(subjectId, quietly) {
      this.chosen = subjectId;
      this.following = true;
      for (const dot of this.dots.values()) {
        dot.marker.getElement().classList.toggle('dot--chosen', dot.subject_id === subjectId);
      }
      const dot = this.dots.get(subjectId);
      if (dot && !quietly) this.centre(L.latLng(dot.lat, dot.lon), Math.max(this.map.getZoom(), 14));
      this.declutter();
      this.onChoose(subjectId);
    }

    coveredPx() {
      const sheet = narrow.matches && document.querySelector('.family');
      return sheet ? sheet.offsetHeight : 0;
    }

    centre(at, zoom) {
      const point = this.map.project(at, zoom).add([0, this.coveredPx() / 2]);
      this.map.setView(this.map.unproject(point, zoom), zoom, { animate: !still.matches });
    }

    /** The most dots that lie within 30 km of one of them: somebody far away must not shrink a town to a point. */
    mostTogether() {
      const all = [...this.dots.values()];
      const near = (one) => all.filter((dot) => this.map.distance([one.lat, one.lon], [dot.lat, dot.lon]) < 30000);
      return all.map(near).reduce((most, group) => (group.length > most.length ? group : most), []);
    }

    /** Show these dots at once; all of them if none are named. */
    fit(dots = [...this.dots.values()]) {
      if (!dots.length) return;
      const bounds = L.latLngBounds(dots.map((dot) => [dot.lat, dot.lon]));
      this.following = false;
      this.map.fitBounds(bounds, {
        paddingTopLeft: [48, 72], paddingBottomRight: [48, 56 + this.coveredPx()],
        maxZoom: CLOSEST_ZOOM, animate: !still.matches,
      });
      this.declutter();
    }
  }

  function everyoneControl(family) {
    const control = L.control({ position: 'topright' });
    control.onAdd = () => {
      const box = L.DomUtil.create('div', 'leaflet-bar');
      const button = L.DomUtil.create('button', '', box);
      button.type = 'button';
      button.title = text.say('everyone');
      button.setAttribute('aria-label', button.title);
      button.append(icon('everyone'));
      L.DomEvent.disableClickPropagation(box);
      button.addEventListener('click', () => family.fit());
      return box;
    };
    return control;
  }

  /* ---- Fences and the chase ---- */

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  /** The layer of one fence: { geometry, radius_m, outline } as the server tells it. */
  function fenceLayer(fence, style) {
    if (fence.geometry.type === 'Point') {
      const [lon, lat] = fence.geometry.coordinates;
      return L.circle([lat, lon], { radius: fence.radius_m, ...style });
    }
    return L.geoJSON(fence.outline || fence.geometry, { style: () => style });
  }

  /** Draw fences under the dots; each has id, name, template. Returns { layers, bounds(), fit(id) }. */
  function showFences(map, fences, { names = true, onChoose = null } = {}) {
    const pane = map.getPane('fences') || map.createPane('fences');
    pane.style.zIndex = 350;
    const above = map.getPane('fence-names') || map.createPane('fence-names');
    above.style.zIndex = 590; // below the dots
    above.style.pointerEvents = 'none';
    const layers = new Map();
    const tips = new Map();
    const nameOf = (fence, layer) => {
      const box = layer.getBounds();
      const text = document.createElement('span');
      text.textContent = fence.name;
      return L.tooltip({ permanent: true, direction: 'top', className: 'fence-name', pane: 'fence-names', offset: [0, 4] })
        .setLatLng([box.getNorth(), box.getCenter().lng]).setContent(text);
    };
    const draw = () => {
      [...layers.values(), ...tips.values()].forEach((each) => each.remove());
      layers.clear();
      tips.clear();
      const style = { pane: 'fences', color: css('--brand'), fillColor: css('--brand'), weight: 2, fillOpacity: 0.12, className: 'fence', interactive: Boolean(onChoose) };
      for (const fence of fences) {
        const layer = fenceLayer(fence, style).addTo(map);
        if (names) tips.set(fence.id, nameOf(fence, layer).addTo(map));
        if (onChoose) layer.on('click', () => onChoose(fence.id));
        layers.set(fence.id, layer);
      }
      declutter();
    };
    /** A name is shown where its fence is wide enough on the screen for it. */
    const declutter = () => {
      for (const [id, layer] of layers) {
        const element = tips.has(id) && tips.get(id).getElement();
        if (!element) continue;
        const box = layer.getBounds();
        const width = map.latLngToLayerPoint(box.getNorthEast()).x - map.latLngToLayerPoint(box.getSouthWest()).x;
        element.classList.toggle('fence-name--hidden', width < Math.min(64, element.offsetWidth * 0.6));
      }
    };
    map.on('zoomend', declutter);
    dark.addEventListener('change', draw);
    draw();
    const bounds = () => [...layers.values()].reduce((all, layer) => all.extend(layer.getBounds()), L.latLngBounds([]));
    const fit = (id, padding = { padding: [48, 48] }) => {
      const layer = layers.get(id);
      if (layer) map.fitBounds(layer.getBounds(), { ...padding, maxZoom: 17, animate: !still.matches });
    };
    return { layers, bounds, fit };
  }

  const CHASE_EVERY_MS = 10000;
  const GROW_MS = 1000;

  /** Follow a chase until it ends: a disc around the last position that grows as the device may have run on. */
  function showChase(map, eventId) {
    const disc = L.circle([0, 0], { radius: 0, color: css('--alert'), fillColor: css('--alert'), weight: 2, dashArray: '6 6', fillOpacity: 0.08, interactive: false });
    map.getContainer().setAttribute('data-chase', eventId);
    let told = null;
    let toldAt = 0;
    const grow = () => {
      if (!told) return;
      const more = told.speed_mps ? (told.speed_mps * (performance.now() - toldAt)) / 1000 : 0;
      disc.setRadius(Math.min(told.disc.properties.radius_m + more, 5000));
    };
    const growing = setInterval(grow, GROW_MS);
    const ask = async () => {
      try {
        const answer = await fetch(`/api/v1/chases/${encodeURIComponent(eventId)}`, { headers: { Accept: 'application/json' } });
        if (answer.status === 404) return end();
        if (answer.ok) take(await answer.json());
      } catch (offline) {
        // The disc goes on growing: that is what is known.
      }
      return undefined;
    };
    const take = (chase) => {
      if (chase.state !== 'running') return end();
      if (!chase.disc) return undefined;
      told = chase;
      toldAt = performance.now();
      const [lon, lat] = chase.disc.geometry.coordinates;
      disc.setLatLng([lat, lon]);
      if (!map.hasLayer(disc)) disc.addTo(map);
      disc.getElement().classList.add('chase');
      grow();
      return undefined;
    };
    const asking = setInterval(ask, CHASE_EVERY_MS);
    const end = () => {
      clearInterval(growing);
      clearInterval(asking);
      disc.remove();
      map.getContainer().removeAttribute('data-chase');
    };
    ask();
    return { end, ask };
  }

  /** Put dots on the map and return the Family that moves them; `ages` are the limits of freshness in seconds. */
  function showFamily(map, dots, ages) {
    const container = map.getContainer();
    container.setAttribute('role', 'region');
    container.setAttribute('aria-label', text.say('map'));
    map.attributionControl.setPrefix(false);
    L.control.zoom({ position: 'topright', zoomInTitle: text.say('zoom_in'), zoomOutTitle: text.say('zoom_out') }).addTo(map);
    L.control.scale({ imperial: false, position: 'topleft' }).addTo(map);
    const family = new Family(map, ages);
    dots.forEach((dot) => family.add(dot));
    everyoneControl(family).addTo(map);
    family.fit(family.mostTogether());
    window.ryadom.family = family;
    return family;
  }

  Object.assign(window.ryadom, { baseMap, showFamily, showFences, showChase, fenceLayer, icon });
})();
