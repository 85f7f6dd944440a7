import { api } from '../session.ts';

/** Who wants pushes on this device: another person who signs in here is not subscribed unasked. */
const KEY = 'gatepost-push-for';

export type Support =
  | 'ready'
  /** The browser has no push, or only for installed apps or over https. */
  | 'unsupported'
  /** The person told the browser never to ask. */
  | 'denied';

export function support(): Support {
  if (!('serviceWorker' in navigator) || !('PushManager' in globalThis) || !('Notification' in globalThis))
    return 'unsupported';
  return Notification.permission === 'denied' ? 'denied' : 'ready';
}

/** What this browser is subscribed with; null when it is not. */
async function current(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration('/');
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** Whether this person gets pushes on this device. */
export async function subscribedHere(userId: string): Promise<boolean> {
  return support() === 'ready' && localStorage.getItem(KEY) === userId && (await current()) !== null;
}

/** Asks the browser, then tells the relay. Throws what the browser says when the person or the browser refuses. */
export async function subscribe(userId: string): Promise<void> {
  const { publicKey } = await api.get('/notifications/push');
  const registration = await navigator.serviceWorker.ready;
  const key = bytes(publicKey);
  let subscription = await registration.pushManager.getSubscription();
  // Made with a key that the relay no longer has.
  if (subscription && !sameBytes(subscription.options.applicationServerKey, key)) {
    await subscription.unsubscribe();
    subscription = null;
  }
  subscription ??= await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  await tell(subscription);
  localStorage.setItem(KEY, userId);
}

export async function unsubscribe(): Promise<void> {
  localStorage.removeItem(KEY);
  // The relay hears of it from the push service, when it next sends something.
  await (await current())?.unsubscribe();
}

/** Tells the relay again what it forgot when the person signed out, or what the browser has made anew. */
export async function keepSubscribed(userId: string): Promise<void> {
  if (localStorage.getItem(KEY) !== userId) return;
  const subscription = await current();
  if (subscription) await tell(subscription);
}

async function tell(subscription: PushSubscription): Promise<void> {
  const { endpoint, keys } = subscription.toJSON();
  await api.post('/notifications/push', { endpoint: endpoint!, keys: { p256dh: keys!.p256dh!, auth: keys!.auth! } });
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

const sameBytes = (a: ArrayBuffer | null, b: Uint8Array): boolean =>
  a !== null && a.byteLength === b.length && new Uint8Array(a).every((byte, i) => byte === b[i]);
