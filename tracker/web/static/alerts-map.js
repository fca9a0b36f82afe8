/* The map of one alert: the fence as it was, the positions that told it with their accuracy, numbered. Needs map.js. */
(function () {
  'use strict';

  const { text, fenceLayer } = window.ryadom;
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const COLOUR = { in: '--brand', out: '--alert', unsure: '--muted' };

  /** `why`: { fence or null, fixes [{lat, lon, accuracy_m, side, label}], disc {lat, lon, radius_m} or null }. */
  function showWhy(map, why) {
    const container = map.getContainer();
    container.setAttribute('role', 'region');
    container.setAttribute('aria-label', text.say('map'));
    map.attributionControl.setPrefix(false);
    L.control.zoom({ position: 'topright', zoomInTitle: text.say('zoom_in'), zoomOutTitle: text.say('zoom_out') }).addTo(map);
    L.control.scale({ imperial: false, position: 'bottomleft' }).addTo(map);
    const shown = L.featureGroup().addTo(map);
    if (why.fence) fenceLayer(why.fence, { color: css('--brand'), fillColor: css('--brand'), weight: 2, fillOpacity: 0.12, interactive: false }).addTo(shown);
    if (why.disc) L.circle([why.disc.lat, why.disc.lon], { radius: why.disc.radius_m, color: css('--alert'), fillColor: css('--alert'), weight: 2, dashArray: '6 6', fillOpacity: 0.1, interactive: false }).addTo(shown);
    if (why.fixes.length > 1) L.polyline(why.fixes.map((fix) => [fix.lat, fix.lon]), { color: css('--ink'), weight: 2, dashArray: '2 6', interactive: false }).addTo(shown);
    why.fixes.forEach((fix, index) => {
      const colour = css(COLOUR[fix.side] || '--muted');
      if (fix.accuracy_m) L.circle([fix.lat, fix.lon], { radius: fix.accuracy_m, color: colour, fillColor: colour, weight: 1, fillOpacity: 0.07, interactive: false }).addTo(shown);
      L.marker([fix.lat, fix.lon], { icon: L.divIcon({ className: `fix-mark fix-mark--${fix.side}`, html: String(index + 1), iconSize: [24, 24] }), alt: fix.label, title: fix.label, keyboard: false }).addTo(shown);
    });
    const bounds = shown.getBounds();
    if (bounds.isValid()) map.fitBounds(bounds, { padding: [28, 28], maxZoom: 17, animate: false });
  }

  Object.assign(window.ryadom, { showWhy });
})();
