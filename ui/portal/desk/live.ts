import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { DeskAlarm, DeskMessage } from '../../../protocol/wire/arc-desk.ts';
import { api, sessionEnded } from '../session.ts';
import { type LiveState, LiveStream } from '../site/sse.ts';
import { followAlarm } from './follow.ts';
import { AlarmSound, browserSpeaker, type Cause, type SoundState } from './sound.ts';

/** A connection that is gone for so long is heard. */
const LOST_MS = 10_000;
/** More than these are not looked at to know what to sound; they are urgent enough by then. */
const LIMIT = 200;

/** How the desk's live connection does. */
export const deskConnection = signal<LiveState>('connecting');
export const sound = signal<{ state: SoundState; mutedUntil: number | null }>({ state: 'silent', mutedUntil: null });
/** What waits for somebody, most urgent first; the first {@link LIMIT}. */
export const waiting = signal<DeskAlarm[]>([]);

const followers = new Set<(message: DeskMessage) => void>();
let current: AlarmSound | null = null;

export const mute = (): void => current?.mute();
export const unmute = (): void => current?.unmute();
export const allowSound = (): void => current?.pressed();

/** One live connection for the whole portal, with the sound of what waits. Returns its end. */
export function startDesk(): () => void {
  const alarmSound = new AlarmSound(browserSpeaker(), (state, mutedUntil) => {
    sound.value = { state, mutedUntil };
  });
  current = alarmSound;
  let lost: ReturnType<typeof setTimeout> | null = null;
  let isLost = false;
  let known = new Set<string>();
  const apply = () => {
    const [first] = waiting.value.filter((alarm) => alarm.open);
    const cause: Cause | null = first ? (Math.min(2, first.urgency) as Cause) : isLost ? 'lost' : null;
    alarmSound.set(cause);
  };
  const take = (alarms: DeskAlarm[]) => {
    for (const alarm of alarms) {
      if (alarm.open && !known.has(alarm.id)) alarmSound.fresh(alarm.urgency);
    }
    waiting.value = alarms;
    known = new Set(alarms.map((alarm) => alarm.id));
    apply();
  };
  const reload = () =>
    api.get('/arc-desk/alarms', { query: { limit: LIMIT } }).then(
      (page) => take(page.items),
      () => {},
    );
  const stream = new LiveStream<DeskMessage>({
    url: '/api/v1/arc-desk/stream',
    onMessage: (message) => {
      if (message.event === 'hello') void reload();
      if (message.event === 'alarm') take(followAlarm(waiting.value, message.data, {}));
      for (const follower of followers) follower(message);
    },
    onState: (state) => {
      deskConnection.value = state;
      if (lost) clearTimeout(lost);
      lost = null;
      isLost = state === 'live' ? false : isLost;
      if (state === 'lost' && !isLost) {
        lost = setTimeout(() => {
          isLost = true;
          apply();
        }, LOST_MS);
      }
      apply();
    },
    onSignedOut: sessionEnded,
  });
  const pressed = () => alarmSound.pressed();
  addEventListener('pointerdown', pressed);
  addEventListener('keydown', pressed);
  stream.start();
  alarmSound.start();
  return () => {
    removeEventListener('pointerdown', pressed);
    removeEventListener('keydown', pressed);
    if (lost) clearTimeout(lost);
    stream.stop();
    alarmSound.stop();
    current = null;
    waiting.value = [];
  };
}

/** Follows the desk's live connection while a page is shown. */
export function useDesk(fn: (message: DeskMessage) => void): void {
  const latest = useRef(fn);
  latest.current = fn;
  useEffect(() => {
    const follower = (message: DeskMessage) => latest.current(message);
    followers.add(follower);
    return () => void followers.delete(follower);
  }, []);
}
