import type { PullError } from './pull.ts';

/** Raised when a pull ends, one at a time; cleared when pictures come. */
export const PULL_WARNABLES = ['video-refused', 'video-lost', 'video-stalled', 'unsupported-codec'] as const;

type PullWarning = [code: (typeof PULL_WARNABLES)[number], severity: 'error' | 'warning', text: string];

/** What the end of a pull means to a person. `name`: of the channel's stream. */
export function pullWarning(name: string, end: PullError): PullWarning {
  const stop = 'Video is stopped, so that the device does not lock itself: enter its user name and password again.';
  if (end.code === 'refused') return ['video-refused', 'error', `${name}: ${end.message}. ${stop}`];
  if (end.code === 'unsupported-codec')
    return ['unsupported-codec', 'error', `${name}: ${end.message}. Set this stream of the channel to H.264.`];
  if (end.code === 'stalled') return ['video-stalled', 'warning', `${name}: ${end.message}. It is tried again.`];
  return ['video-lost', 'warning', `${name}: there is no video (${end.message}). It is tried again.`];
}

export const soundWarning = (name: string, encoding: string): string =>
  `${name}: its sound (${encoding.slice(0, 40)}) can neither be recorded nor heard. Set it to AAC or G.711, or switch the microphone off.`;

export const costWarning = (name: string): string =>
  `${name}: the camera sends neither H.264 nor H.265, so the box converts its video, which takes much of its processor. Set this stream of the channel to H.264.`;
