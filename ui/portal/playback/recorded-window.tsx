import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../components/i18n.ts';
import { describe } from '../../components/problem.tsx';
import { type VideoMessage, VideoWindow } from '../../video/video-window.tsx';
import { FirstPicture } from '../clips/first-picture.tsx';
import { reasonOf } from '../live/reasons.tsx';
import type { LiveTarget } from '../live/targets.ts';
import { Unlock } from '../live/unlock.tsx';
import { clockOf } from './day.ts';
import type { InStep } from './in-step.ts';
import { RecordedSession, type RecordedState } from './recorded-session.ts';

interface Props {
  target: LiveTarget;
  may: boolean;
  group: InStep;
  headMs: number;
  sound: boolean;
  /** A clip in the cloud of about this moment, whose first picture stands until the device's own come. */
  poster: string | null;
  /** Keys and buttons act on this one. */
  chosen: boolean;
  onChosen: () => void;
  onVideo: (video: HTMLVideoElement | null) => void;
}

/** What is shown is further than this from the others: nothing was recorded in between. */
const AHEAD_MS = 3_000;

/** A short wait is not worth a word. */
const STALLED_MS = 1_500;

/** The picture waits for what is under way: the line is slower than what is played. */
function useStalled(video: { current: HTMLVideoElement | null }): boolean {
  const [stalled, setStalled] = useState(false);
  useEffect(() => {
    const element = video.current!;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => setStalled(true), STALLED_MS);
    };
    const go = () => {
      clearTimeout(timer);
      setStalled(false);
    };
    const on = { waiting: wait, playing: go, timeupdate: go, pause: go };
    for (const [name, fn] of Object.entries(on)) element.addEventListener(name, fn);
    return () => {
      clearTimeout(timer);
      for (const [name, fn] of Object.entries(on)) element.removeEventListener(name, fn);
    };
  }, []);
  return stalled;
}

/** One channel of what was recorded. */
export function RecordedWindow({ target, may, group, headMs, sound, poster, chosen, onChosen, onVideo }: Props) {
  const { device, channel, name, site } = target;
  const video = useRef<HTMLVideoElement>(null);
  const still = useRef<HTMLCanvasElement>(null);
  const session = useRef<RecordedSession | null>(null);
  const [state, setState] = useState<RecordedState>({ state: 'idle', error: null, speed: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (!may) return;
    const running = new RecordedSession({
      address: `/api/v1/devices/${device.id}/channels/${channel}/playback/socket`,
      video: video.current!,
      still: still.current!,
      onChange: setState,
    });
    session.current = running;
    group.add(target.key, running);
    return () => {
      group.remove(target.key);
      session.current = null;
      running.stop();
    };
  }, [target.key, group, may, turn]);
  useEffect(() => session.current?.setSound(sound), [sound, state.state]);
  useEffect(() => {
    if (!chosen) return;
    onVideo(video.current);
    return () => onVideo(null);
  }, [chosen]);
  const stalled = useStalled(video);
  const aheadMs = session.current?.wallMs ?? 0;
  const { speed } = group.state;
  const apartMs = (aheadMs - headMs) * (speed < 0 ? -1 : 1);
  const waits = state.state === 'playing' && apartMs > AHEAD_MS * Math.max(1, Math.abs(speed));
  let message: VideoMessage | null = null;
  if (!may) message = { level: 'info', title: t('playback.notAllowed') };
  else if (state.error?.code === 'verification-code-needed') {
    const action = <Unlock target={target} onOpened={() => setTurn((n) => n + 1)} />;
    message = { level: 'attention', title: t('liveView.code.title'), action };
  } else if (state.error?.code === 'not-found' || (state.state === 'over' && session.current?.wallMs == null)) {
    message = { level: 'info', title: t('playback.nothing'), next: t('playback.nothingNext') };
  } else if (state.error) {
    const { title, next } = describe(state.error);
    message = { level: 'problem', title, next };
    const again = () => {
      group.again();
      setTurn((n) => n + 1);
    };
    message.action = (
      <button type="button" class="btn mt-2" onClick={again}>
        {t('action.tryAgain')}
      </button>
    );
  } else if (waits) {
    message = {
      level: 'working',
      title: t(speed < 0 ? 'playback.gapBack' : 'playback.gapUntil', { time: clockOf(aheadMs, site.timeZone) }),
    };
  } else if (state.state === 'loading' && target.state !== 'unknown') {
    // It is tried all the same: what is known of the device may be old.
    message = reasonOf(target.state);
  } else if (stalled && state.state === 'playing') message = { level: 'working', title: t('playback.stalled') };
  const moves = state.state === 'playing' || state.state === 'over';
  return (
    <VideoWindow
      label={name}
      state={state.state}
      covered={state.state === 'loading'}
      poster={null}
      message={message}
      marks={
        <>
          {chosen && <span class="video-mark">{t('playback.chosen')}</span>}
          {state.speed !== null && <span class="video-mark">{t('playback.plays', { speed: state.speed })}</span>}
        </>
      }
    >
      {poster && state.state === 'loading' && <FirstPicture clipId={poster} class="video-fill" />}
      <canvas ref={still} class="video-fill" hidden={moves} />
      <video ref={video} muted playsInline tabIndex={-1} aria-label={name} data-shown={moves} data-key={target.key} />
      <button type="button" class="video-open" aria-pressed={chosen} onClick={onChosen}>
        <span class="sr-only">{t('playback.choose', { name })}</span>
      </button>
    </VideoWindow>
  );
}
