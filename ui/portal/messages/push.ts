import { api } from '../session.ts';

/**
 * What this browser was told to the relay as, and for whom: another person who signs in here is not subscribed unasked.
 * JSON of {@link Told}.
 */
const KEY = 'gatepost-push';
interface Told {
  userId: string;
  subscriptionId: string;
  endpoint: string;
}

function told(userId: string): Told | null {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? 'null') as Told | null;
    return found?.userId === userId ? found : null;
  } catch {
    return null;
  }
}

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
  return support() === 'ready' && told(userId) !== null && (await current()) !== null;
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
  await tell(userId, subscription);
}

export async function unsubscribe(userId: string): Promise<void> {
  const known = told(userId);
  localStorage.removeItem(KEY);
  await (await current())?.unsubscribe();
  // Gone already is as good.
  if (known) await forget(known.subscriptionId);
}

const forget = (subscriptionId: string) =>
  api.delete('/notifications/push/{subscriptionId}', { params: { subscriptionId } }).catch(() => {});

/** Tells the relay again what it forgot when the person signed out, and what the browser has made anew. */
export async function keepSubscribed(userId: string): Promise<void> {
  const known = told(userId);
  const subscription = known && (await current());
  if (!known || !subscription) return;
  const { items } = await api.get('/notifications/push');
  const there = items.some((item) => item.id === known.subscriptionId && item.thisSession);
  if (!there || known.endpoint !== subscription.endpoint) await tell(userId, subscription);
}

async function tell(userId: string, subscription: PushSubscription): Promise<void> {
  const { endpoint, keys } = subscription.toJSON();
  const { id } = await api.post('/notifications/push', {
    endpoint: endpoint!,
    keys: { p256dh: keys!.p256dh!, auth: keys!.auth! },
  });
  localStorage.setItem(KEY, JSON.stringify({ userId, subscriptionId: id, endpoint: endpoint! } satisfies Told));
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

const sameBytes = (a: ArrayBuffer | null, b: Uint8Array): boolean =>
  a !== null && a.byteLength === b.length && new Uint8Array(a).every((byte, i) => byte === b[i]);
