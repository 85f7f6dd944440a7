import type { ArcTry } from '../../protocol/wire/event.ts';
import type { QueuedMessage } from './queue.ts';

/** How many tries of a message are remembered: its last ones. */
const KEEP = 8;
const MAX_FRAME = 1024;
const MAX_REPLY = 512;

/** Notes a try with its message. */
export function addTry(m: Pick<QueuedMessage, 'log'>, one: ArcTry): void {
  m.log = JSON.stringify([...triesOf(m), one].slice(-KEEP));
}

export function triesOf(m: Pick<QueuedMessage, 'log'>): ArcTry[] {
  return JSON.parse(m.log);
}

/**
 * A frame for people's eyes: without LF and CR, what is no ASCII as `?`. Whatever opens something is left out: keys, which
 * some receivers send along (`[K…]`), and the token of a picture's address (`[V…/v/…]`).
 */
function readable(frame: Buffer, max: number): string {
  return frame
    .toString('latin1')
    .replace(/^\n/, '')
    .replace(/\r?\0*$/, '')
    .replace(/\[K[^\]]*/gi, '[K***')
    .replace(/(\/v\/)[A-Za-z0-9_-]+/g, '$1***')
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, max);
}

export const sentFrame = (frame: Buffer): string => readable(frame, MAX_FRAME);
export const replyFrame = (frame: Buffer | null): string | null => frame && readable(frame, MAX_REPLY);
