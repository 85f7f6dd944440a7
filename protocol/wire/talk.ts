import { z } from 'zod';
import { Uuid } from './ids.ts';

/*
 * Speaking to a camera or a door station. Sound is G.711 µ-law, 8 kHz, mono (ITU-T G.711) from the browser to the box, which
 * makes what the device takes of it.
 *
 *   browser → relay   WebSocket, each binary message a frame of 10 to 60 ms
 *   relay → box       POST /v1/talk?TalkQuery, the frames one after the other as its body, for as long as somebody speaks
 *   box → relay       NDJSON of TalkLine, while the body still comes; before `ready` a problem instead of it
 *   relay → browser   each TalkLine as a text message
 */
export const TALK_RATE = 8_000;
export const TALK_CONTENT_TYPE = 'application/x-gatepost-talk';
export const TALK_FRAME_BYTES = { least: 80, usual: 160, most: 480 } as const;
/** Sound under way beyond this (half a second) is left out: what is late is of no use to who stands at the door. */
export const MAX_TALK_WAITING_BYTES = TALK_RATE / 2;
export const MAX_TALK_MS = 10 * 60_000;
/** µ-law of no sound. */
export const TALK_SILENCE = 0xff;

export const TalkQuery = z.object({ deviceId: Uuid, channel: z.coerce.number().int().min(1).max(9999) });
export type TalkQuery = z.infer<typeof TalkQuery>;

export const TalkLine = z.discriminatedUnion('type', [
  /** The device has opened its loudspeaker. `codec`: what is sent to it, for people. */
  z.object({ type: z.literal('ready'), codec: z.string().max(32) }),
  /** `taken`: bytes of the body that have been used up; `heardMs`: how much sound the device took of them. */
  z.object({ type: z.literal('heard'), taken: z.int().min(0), heardMs: z.int().min(0) }),
  z.object({ type: z.literal('ended'), code: z.string().max(40), text: z.string().max(400) }),
]);
export type TalkLine = z.infer<typeof TalkLine>;

/** Whether a channel can be spoken to. */
export const TalkChance = z.object({
  /**
   * `codec`: it has a loudspeaker, and takes sound only in a way that the box cannot make; `unknown`: the device has not
   * said yet.
   */
  can: z.enum(['yes', 'no', 'codec', 'unknown']),
  /** What the device takes, in its own word. */
  codec: z.string().max(32).nullable(),
  /** It is the recorder's loudspeaker, not one of the camera. */
  recorder: z.boolean().default(false),
});
export type TalkChance = z.infer<typeof TalkChance>;
