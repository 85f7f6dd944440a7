import type { Clock } from '../../protocol/clock.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import { type KeepAliveMemory, PullError } from './pull.ts';
import { RtspSession } from './rtsp-session.ts';

export interface LookOptions {
  url: string;
  username: string;
  password: string;
  tls?: DeviceTls;
  keepAlive: KeepAliveMemory;
  clock: Clock;
  /** Whether pictures come, not only whether they are described. */
  play: boolean;
}

/**
 * Beside a pull through ffmpeg: whether the box's own client could do it by now. Returns why the pull ends; null: nothing
 * has changed, or the camera says nothing now.
 */
export async function lookAgain(o: LookOptions, signal: AbortSignal): Promise<PullError | null> {
  const { url, username, password, tls, clock } = o;
  const enough = new AbortController();
  const onAbort = () => enough.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  let takes = false;
  const onDescribed = () => {
    takes = true;
  };
  const packet = () => {
    takes = true;
    enough.abort();
  };
  // Sound is no reason to stay with ffmpeg, and what is found out here is of a session that was never meant to last.
  const keepAlive = { ...o.keepAlive, soundFailures: 2 };
  const session = new RtspSession({
    url,
    username,
    password,
    tls,
    keepAlive,
    clock,
    handlers: { track: () => {}, packet },
    ...(o.play ? {} : { onDescribed }),
  });
  const end = await session.run(enough.signal);
  signal.removeEventListener('abort', onAbort);
  if (takes) return new PullError('closed', 'the camera sends what the box takes as it is now');
  return end.code === 'refused' ? end : null;
}
