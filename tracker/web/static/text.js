/* Words and numbers of the page, in its language. The strings come from the JSON block of base.html. */
(function () {
  'use strict';

  const locale = document.documentElement.lang || 'en';
  const block = document.getElementById('strings');
  const strings = block ? JSON.parse(block.textContent) : {};
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'always' });
  const moment = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' });
  const serverNow = Date.parse(document.body.dataset.now || '');
  const clockOffsetMs = Number.isNaN(serverNow) ? 0 : serverNow - Date.now();

  /** The string of this key with {names} replaced. */
  function say(key, values) {
    const text = strings[key] || key;
    return text.replace(/\{(\w+)\}/g, (whole, name) => (values && name in values ? values[name] : whole));
  }

  /** Milliseconds since `recordedAt` by the server's clock, never negative. */
  function ageMs(recordedAt) {
    return Math.max(0, Date.now() + clockOffsetMs - Date.parse(recordedAt));
  }

  /** "2 minutes ago" in the page's language; under 10 seconds "just now". */
  function age(recordedAt) {
    const seconds = Math.floor(ageMs(recordedAt) / 1000);
    if (seconds < 10) return say('just_now');
    if (seconds < 60) return relative.format(-seconds, 'second');
    if (seconds < 3600) return relative.format(-Math.floor(seconds / 60), 'minute');
    if (seconds < 86400) return relative.format(-Math.floor(seconds / 3600), 'hour');
    return relative.format(-Math.floor(seconds / 86400), 'day');
  }

  /** Speed, accuracy and battery as a list of short texts; unknown ones are left out. */
  function facts(position) {
    const found = [];
    if (position.speed_mps !== null && position.speed_mps >= 0.5) {
      found.push(say('speed', { speed: Math.round(position.speed_mps * 3.6) }));
    }
    if (position.accuracy_m !== null) found.push(say('accuracy', { metres: Math.round(position.accuracy_m) }));
    if (position.battery_pct !== null) {
      found.push(say(position.charging ? 'charging' : 'battery', { percent: Math.round(position.battery_pct) }));
    }
    return found;
  }

  window.ryadom = {
    text: { locale, say, ageMs, age, facts, moment: (time) => moment.format(new Date(time)) },
  };
})();
