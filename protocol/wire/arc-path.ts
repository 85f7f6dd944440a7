import { z } from 'zod';
import { Uuid } from './ids.ts';

/*
 * /arc-path: WebSocket, one JSON text message a request, ≤ 16 KiB, several in flight, answered by `id`.
 *
 *   box → relay   ArcAttempt   "send this frame, once, to the receiver of this account"
 *   relay → box   ArcOutcome   the receiver's reply, or why there is none
 *
 * The relay records the attempt before it sends; an event id that has been acknowledged already gets its stored reply
 * and nothing is sent. The relay never retries by itself: the box keeps the responsibility and rebuilds the frame.
 */
export const ArcAttempt = z.object({
  type: z.literal('attempt'),
  id: z.int().min(1),
  accountId: Uuid,
  /** Unique per message to the receiver: the alarm report's id (an event and its restore differ). */
  messageId: Uuid,
  attempt: z.int().min(1),
  /** The whole DC-09 frame, LF to CR, base64. */
  frame: z.string().max(8192),
  timeoutMs: z.int().min(500).max(30_000),
});
export type ArcAttempt = z.infer<typeof ArcAttempt>;

export const ArcOutcome = z.discriminatedUnion('result', [
  z.object({
    type: z.literal('outcome'),
    id: z.int(),
    result: z.literal('reply'),
    /** The receiver's frame, base64. */
    frame: z.string().max(8192),
    /** True when this is the stored reply to an earlier attempt. */
    stored: z.boolean(),
  }),
  z.object({
    type: z.literal('outcome'),
    id: z.int(),
    result: z.literal('failed'),
    code: z.enum(['refused', 'timeout', 'reset', 'unreachable', 'not-allowed', 'invalid', 'busy']),
    /** True when the frame had left: the receiver may have it. */
    sent: z.boolean(),
    text: z.string().max(512),
  }),
]);
export type ArcOutcome = z.infer<typeof ArcOutcome>;
