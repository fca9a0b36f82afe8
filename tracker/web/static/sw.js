/* The service worker: shows the messages that the service pushes, and opens their alert. It keeps no copy of any page. */
'use strict';

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

/** Only a path of this service: a message must not lead elsewhere. */
function ownAddress(address) {
  try {
    const url = new URL(address || '/alerts', self.location.origin);
    return url.origin === self.location.origin ? url.href : new URL('/alerts', self.location.origin).href;
  } catch (broken) {
    return new URL('/alerts', self.location.origin).href;
  }
}

self.addEventListener('push', (event) => {
  let told = {};
  try {
    told = event.data ? event.data.json() : {};
  } catch (unreadable) {
    told = {}; // something has happened: the feed tells what
  }
  const isUrgent = told.urgency === 'urgent' || told.urgency === 'alarm';
  event.waitUntil(self.registration.showNotification(told.title || 'Ryadom', {
    body: told.body || '', tag: told.tag || undefined, renotify: Boolean(told.tag) && isUrgent, requireInteraction: isUrgent,
    icon: '/static/icons/icon-192.png', badge: '/static/icons/icon-192.png', data: { url: ownAddress(told.url) },
  }));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const url = ownAddress(event.notification.data && event.notification.data.url);
  event.waitUntil((async () => {
    const tabs = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
    for (const tab of tabs) {
      try {
        await tab.navigate(url);
        return await tab.focus();
      } catch (refused) {
        // A tab that this worker does not control: try the next one.
      }
    }
    return self.clients.openWindow(url);
  })());
});
