import type { PushPayload } from '../../protocol/wire/notify.ts';
import type { WorkerScope } from './scope.ts';

/** What the relay sent; whatever else may have come, something is shown: browsers insist on it. */
function read(data: { json(): unknown } | null): PushPayload {
  let found: Partial<PushPayload> = {};
  try {
    found = (data?.json() ?? {}) as Partial<PushPayload>;
  } catch {
    // Not JSON: nothing of it can be shown.
  }
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return { id: text(found.id), title: text(found.title) || 'Gatepost', text: text(found.text), link: text(found.link) };
}

/** Shows pushes, and opens what they are about: a page of the portal, in a window that is open already if there is one. */
export function showPushes(scope: WorkerScope): void {
  const { origin } = scope.location;

  scope.addEventListener('push', (event) => {
    const { id, title, text, link } = read(event.data);
    // The same message again takes the place of the first.
    const options = { body: text, tag: id, data: { link }, icon: '/icons/icon-192.png' };
    event.waitUntil(scope.registration.showNotification(title, options));
  });

  scope.addEventListener('notificationclick', (event) => {
    event.notification.close();
    const { link } = (event.notification.data ?? {}) as { link?: unknown };
    const wanted = new URL(typeof link === 'string' && link !== '' ? link : '/messages', origin);
    const target = wanted.origin === origin ? wanted.href : `${origin}/messages`;
    const open = async () => {
      const pages = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true });
      const page = pages.find(({ url }) => url === target) ?? pages[0];
      if (!page) return scope.clients.openWindow(target);
      const focused = await page.focus();
      if (focused.url === target) return focused;
      // A page that this worker does not control cannot be led elsewhere.
      return focused.navigate(target).catch(() => scope.clients.openWindow(target));
    };
    event.waitUntil(open());
  });
}
