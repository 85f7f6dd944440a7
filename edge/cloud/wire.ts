import type { Clock } from '../../protocol/clock.ts';
import type { StreamName } from '../../protocol/wire/video.ts';
import type { Consumer } from '../video/channel-source.ts';
import type { AccessUnit } from '../video/receiver.ts';

/** What is needed of a channel's video. */
export interface Pull {
  acquire(consumer: Consumer): () => void;
}
export interface Seen {
  codec: string;
  width: number;
  height: number;
  /** Longest distance between two key frames; null: there was but one in that time. */
  keyFrameMs: number | null;
}

/** A recording can only be cut at key frames, so they are wanted so close; what an encoder rounds is let through. */
export const MOST_KEY_FRAME_MS = 2_000;
export const ROUNDING_MS = 150;
/** A session may have to wait for the old one to end at the camera. */
const FIRST_PICTURE_MS = 45_000;
const GROUPS = 3;

/**
 * Pulls a stream and looks at what really comes: whether pictures come at all, their size, and how far key frames are apart.
 * Devices say "OK" to settings that they do not follow. null: no picture in time.
 */
export async function look(pull: Pull, clock: Clock, signal: AbortSignal): Promise<Seen | null> {
  let keys: AccessUnit[] = [];
  let last: AccessUnit | null = null;
  let wake = () => {};
  const release = pull.acquire({
    preRollMs: 0,
    accessUnit: (unit) => {
      last = unit;
      if (!unit.keyFrame) return;
      if (keys.at(-1)?.epoch !== unit.epoch) keys = [];
      keys.push(unit);
      wake();
    },
    lost: () => {
      keys = [];
    },
  });
  const enough = new AbortController();
  try {
    const timeUp = AbortSignal.any([signal, enough.signal]);
    wake = () => keys.length > 0 && enough.abort();
    await clock.sleep(FIRST_PICTURE_MS, timeUp);
    if (signal.aborted || keys.length === 0) return null;
    const groups = new AbortController();
    wake = () => keys.length > GROUPS && groups.abort();
    // So long three groups of the wanted length take, and a little more.
    await clock.sleep((GROUPS + 1) * MOST_KEY_FRAME_MS, AbortSignal.any([signal, groups.signal]));
  } finally {
    release();
  }
  const seen = last as AccessUnit | null;
  if (!seen || keys.length === 0) return null;
  const distances = keys.slice(1).map((key, i) => (key.time - keys[i]!.time) / 90);
  const { codec, width, height } = seen.codec;
  return { codec, width, height, keyFrameMs: distances.length > 0 ? Math.round(Math.max(...distances)) : null };
}

/** Which streams of a channel are recorded. */
export const streamsOf = (stream: 'main' | 'sub' | 'adaptive'): StreamName[] =>
  stream === 'adaptive' ? ['sub', 'main'] : [stream];
