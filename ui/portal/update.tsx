import { signal } from '@preact/signals';
import { t } from '../components/i18n.ts';

/** A new version of the portal that waits to take over. */
const waiting = signal<ServiceWorker | null>(null);

/** How often an open portal looks for a new version. */
const LOOK_MS = 60 * 60_000;

/** Puts the service worker in place, after the page has what it needs; on plain http to another machine there is none. */
export function installWorker(): void {
  if (!('serviceWorker' in navigator)) return;
  const { serviceWorker } = navigator;
  const register = async () => {
    const registration = await serviceWorker.register('/worker.js', { updateViaCache: 'none' });
    const follow = (worker: ServiceWorker | null) => {
      // The first one takes over from nobody.
      const look = () => {
        if (worker?.state === 'installed' && serviceWorker.controller) waiting.value = worker;
      };
      look();
      worker?.addEventListener('statechange', look);
    };
    follow(registration.waiting);
    registration.addEventListener('updatefound', () => follow(registration.installing));
    setInterval(() => registration.update().catch(() => {}), LOOK_MS);
  };
  const soon = () => setTimeout(() => register().catch(() => {}), 2_000);
  if (document.readyState === 'complete') soon();
  else addEventListener('load', soon, { once: true });
}

function takeOver(worker: ServiceWorker): void {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
  worker.postMessage('take-over');
}

/** Says that a new version is there; whoever is in the middle of something reloads when it suits. */
export function UpdateBar() {
  const worker = waiting.value;
  return (
    <div role="status" class="empty:hidden">
      {worker && (
        <p class="flex flex-wrap items-center justify-center gap-4 border-b border-base-300 bg-base-100 px-4 py-2">
          {t('update.there')}
          <button type="button" class="btn" onClick={() => takeOver(worker)}>
            {t('update.reload')}
          </button>
        </p>
      )}
    </div>
  );
}
