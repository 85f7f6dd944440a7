import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { t } from '../../components/i18n.ts';
import { Mark, State } from '../../components/icons.tsx';
import { allowSound, deskConnection, mute, sound, startDesk, unmute, waiting } from './live.ts';
import { eventWords } from './words.tsx';

/** Whether alarms are heard now, and the one button about that. */
export function SoundState() {
  const { state, mutedUntil } = sound.value;
  if (state === 'blocked') {
    return (
      <span class="flex flex-wrap items-center gap-3">
        <State level="attention">{t('desk.sound.blocked')}</State>
        <button type="button" class="btn" onClick={allowSound}>
          {t('desk.sound.allow')}
        </button>
      </span>
    );
  }
  if (state === 'muted' && mutedUntil !== null) {
    return (
      <span class="flex flex-wrap items-center gap-3">
        <State level="attention">
          {t('desk.sound.muted')} <Countdown until={mutedUntil} />
        </State>
        <button type="button" class="btn" onClick={unmute} aria-keyshortcuts="m">
          {t('desk.sound.unmute')}
        </button>
      </span>
    );
  }
  return (
    <span class="flex flex-wrap items-center gap-3">
      <State level="well">{t('desk.sound.on')}</State>
      <button type="button" class="btn" onClick={mute} aria-keyshortcuts="m">
        {t('desk.sound.mute')}
      </button>
    </span>
  );
}

function Countdown({ until }: { until: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  return (
    <span class="mono" role="timer">
      {Math.floor(seconds / 60)}:{String(seconds % 60).padStart(2, '0')}
    </span>
  );
}

/** Whether new alarms come by themselves. */
export function Connection() {
  const state = deskConnection.value;
  if (state === 'live') return <State level="well">{t('desk.live')}</State>;
  if (state === 'connecting') return <State level="working">{t('desk.connecting')}</State>;
  return (
    <div role="alert" class="flex gap-3 rounded-box border-2 border-error bg-base-100 px-4 py-2">
      <span class="mt-1 shrink-0">
        <Mark level="problem" size={18} />
      </span>
      <span>
        <span class="font-semibold">{t('desk.lost')}</span> {t('desk.lostNext')}
      </span>
    </div>
  );
}

/** On every page of a centre's people: listens, sounds, and says on other pages that something waits. */
export function DeskWatch() {
  const { path } = useLocation();
  useEffect(() => startDesk(), []);
  if (path === '/alarms') return null;
  const open = waiting.value.filter((alarm) => alarm.open);
  const [first] = open;
  const lost = deskConnection.value === 'lost';
  if (!first && !lost) return null;
  return (
    <aside
      aria-label={t('desk.title')}
      class="sticky top-0 z-10 flex flex-wrap items-center gap-x-6 gap-y-2 rounded-box border-2 border-error bg-base-100 px-4 py-2"
    >
      {lost && <State level="problem">{t('desk.lost')}</State>}
      {first && (
        <>
          <State level="problem">
            <a class="link font-semibold" href="/alarms">
              {t('desk.wait', { count: open.length })}
            </a>{' '}
            {eventWords(first)}, <span class="mono">{first.account}</span>
            {first.site && `, ${first.site.name}`}
          </State>
          <SoundState />
        </>
      )}
    </aside>
  );
}
