import { useEffect } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { t } from '../../components/i18n.ts';
import { Glyph } from '../../components/icons.tsx';
import { me } from '../session.ts';
import { followMessages, unread } from './live.ts';

/** In the head of every page: the way to the messages, with how many are unread. Keeps the live connection. */
export function Bell() {
  const { path } = useLocation();
  const userId = me.value?.userId;
  useEffect(() => {
    if (!userId) return;
    const stop = followMessages();
    // Only where this person wants pushes on this device; the code for it is not for everybody.
    if (globalThis.Notification?.permission === 'granted')
      import('./push.ts').then(({ keepSubscribed }) => keepSubscribed(userId)).catch(() => {});
    return stop;
  }, [userId]);
  const count = unread.value?.total ?? 0;
  const label = count > 0 ? t('messages.bell', { count }) : t('messages.bellNone');
  return (
    <a
      class="btn btn-ghost relative px-2"
      href="/messages"
      aria-label={label}
      title={label}
      aria-current={path === '/messages' ? 'page' : undefined}
    >
      <Glyph icon="messages" />
      {count > 0 && (
        <span
          aria-hidden="true"
          class="absolute top-0 right-0 min-w-5 rounded-full bg-error px-1 text-center text-xs leading-5 text-base-100"
        >
          {count > 99 ? '99+' : count}
        </span>
      )}
    </a>
  );
}
