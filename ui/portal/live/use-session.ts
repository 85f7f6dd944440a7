import { useEffect, useRef, useState } from 'preact/hooks';
import type { StreamName } from '../../../protocol/wire/video.ts';
import { LiveSession, type LiveState } from '../../video/live-session.ts';
import { iceServers, liveAddress } from './options.ts';

/** Out of sight for so long, a window stops: a tab in the background costs no line. */
const AWAY_MS = 20_000;
/** Words about a break wait: mostly the other way is there before. */
const PATIENCE_MS = 1_500;

const AT_FIRST: LiveState = { state: 'connecting', path: null, error: null, slow: false, init: null };

/** Whether the page is seen, or was a moment ago. */
export function usePageSeen(): boolean {
  const [seen, setSeen] = useState(!document.hidden);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const changed = () => {
      clearTimeout(timer);
      if (!document.hidden) setSeen(true);
      else timer = setTimeout(() => setSeen(false), AWAY_MS);
    };
    document.addEventListener('visibilitychange', changed);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', changed);
    };
  }, []);
  return seen;
}

/** Whether an element is in sight, or nearly. */
export function useInSight(element: Element | null): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (!element) return;
    const observer = new IntersectionObserver((entries) => setSeen(entries.at(-1)!.isIntersecting), {
      rootMargin: '120px',
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return seen;
}

interface Wanted {
  deviceId: string;
  channel: number;
  stream: StreamName;
  /** Left running only while it is seen. */
  on: boolean;
  sound: boolean;
}

/** A live session in this component's elements, for as long as it is wanted. */
export function useSession({ deviceId, channel, stream, on, sound }: Wanted) {
  const direct = useRef<HTMLVideoElement>(null);
  const relay = useRef<HTMLVideoElement>(null);
  const still = useRef<HTMLCanvasElement>(null);
  const session = useRef<LiveSession | null>(null);
  const [state, setState] = useState<LiveState>(AT_FIRST);
  const [turn, setTurn] = useState(0);
  const [patient, setPatient] = useState(true);
  useEffect(() => {
    if (!on) return;
    setState(AT_FIRST);
    const running = new LiveSession({
      address: liveAddress(deviceId, channel),
      stream,
      iceServers: () => iceServers(deviceId, channel, stream),
      videos: { direct: direct.current!, relay: relay.current! },
      still: still.current!,
      onChange: setState,
    });
    session.current = running;
    running.start();
    const hurry = () => running.hurry();
    // A page that is left says so at once; one that comes back from the browser's memory begins anew.
    const left = () => running.stop();
    const back = ({ persisted }: PageTransitionEvent) => persisted && setTurn((n) => n + 1);
    addEventListener('online', hurry);
    addEventListener('pagehide', left);
    addEventListener('pageshow', back);
    return () => {
      removeEventListener('online', hurry);
      removeEventListener('pagehide', left);
      removeEventListener('pageshow', back);
      session.current = null;
      running.stop();
    };
  }, [deviceId, channel, stream, on, turn]);
  useEffect(() => session.current?.setSound(sound), [sound, state.path, on, turn]);
  const stalled = state.state === 'stalled' || (state.state === 'connecting' && state.error !== null);
  useEffect(() => {
    setPatient(true);
    if (!stalled) return;
    const timer = setTimeout(() => setPatient(false), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [stalled]);
  return {
    refs: { direct, relay, still },
    session,
    state,
    /** What is wrong has lasted long enough to be said. */
    said: stalled ? !patient : state.state === 'refused',
    again: () => setTurn((n) => n + 1),
  };
}
