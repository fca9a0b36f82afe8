/* Hands a file in with a progress bar, and shows how far files are read. The form works without it. */
(function () {
  'use strict';

  const words = JSON.parse(document.getElementById('import-words').textContent);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name]);

  function prepareForm(form) {
    const sending = form.querySelector('[data-sending]');
    const bar = sending.querySelector('progress');
    const percent = sending.querySelector('[data-percent]');
    const failed = form.querySelector('[data-failed]');
    const button = form.querySelector('button[type="submit"]');

    function fail(text) {
      sending.hidden = true;
      button.disabled = false;
      failed.textContent = text;
      failed.hidden = false;
    }

    function send(file, deviceId) {
      const request = new XMLHttpRequest();
      const query = new URLSearchParams({ device_id: deviceId, name: file.name.slice(-200) });
      request.open('POST', '/api/v1/imports?' + query);
      request.setRequestHeader('X-CSRF-Token', form.elements.csrf_token.value);
      request.setRequestHeader('Content-Type', 'application/octet-stream');
      request.upload.addEventListener('progress', (event) => {
        if (!event.lengthComputable) return;
        bar.value = (100 * event.loaded) / event.total;
        percent.textContent = Math.floor(bar.value) + '%';
      });
      request.addEventListener('load', () => {
        if (request.status === 201) {
          window.location.assign('/imports');
          return;
        }
        let text = words.broken_off;
        try {
          const problem = JSON.parse(request.responseText);
          const said = problem.errors && problem.errors[0] ? problem.errors[0].message : problem.detail;
          text = said || text;
        } catch (unreadable) {
          // A proxy's own page: the general text stays.
        }
        fail(text);
      });
      request.addEventListener('error', () => fail(words.broken_off));
      request.addEventListener('abort', () => { sending.hidden = true; button.disabled = false; });
      sending.querySelector('[data-abort]').onclick = () => request.abort();
      failed.hidden = true;
      sending.hidden = false;
      button.disabled = true;
      bar.value = 0;
      request.send(file);
    }

    form.addEventListener('submit', (event) => {
      const file = form.elements.file.files[0];
      const deviceId = form.elements.device_id.value;
      // What is missing is said by the server, in the form.
      if (!file || !deviceId) return;
      event.preventDefault();
      if (file.size > Number(form.dataset.limit)) fail(words.too_large);
      else send(file, deviceId);
    });
  }

  async function follow(item) {
    const bar = item.querySelector('progress');
    const percent = item.querySelector('[data-percent]');
    const counts = item.querySelector('[data-counts]');
    const state = item.querySelector('[data-state]');
    const said = document.querySelector('[data-said]');
    for (;;) {
      await new Promise((resolve) => { setTimeout(resolve, 1000); });
      let one;
      try {
        const answer = await fetch('/api/v1/imports/' + item.dataset.importId);
        if (!answer.ok) continue;
        one = await answer.json();
      } catch (offline) {
        continue;
      }
      const share = Math.min(100, Math.floor((100 * one.read_bytes) / Math.max(1, one.size_bytes)));
      bar.value = share;
      percent.textContent = share + '%';
      counts.textContent = fill(words.counts, { read: one.positions_read, new: one.positions_new })
        + (one.refused ? ', ' + fill(words.refused, { count: one.refused }) : '');
      state.textContent = words.states[one.state];
      if (one.state !== 'queued' && one.state !== 'reading') {
        said.textContent = item.querySelector('b').textContent + ': ' + words.states[one.state];
        window.location.reload();
        return;
      }
    }
  }

  document.querySelectorAll('form[data-import]').forEach(prepareForm);
  document.querySelectorAll('[data-unfinished]').forEach(follow);
}());
