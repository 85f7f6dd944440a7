import { z } from 'zod';
import { Instant, Uuid } from './ids.ts';
import { TalkChance } from './talk.ts';

/*
 * Live view and playback. The box's API, asked through the tunnel:
 *
 *   POST /v1/live/webrtc  LiveOffer   → NDJSON of LiveLine; open for as long as the view may last: closing it ends the view
 *   PATCH /v1/live/webrtc/{viewId}    → 204; body: candidates of the viewer as an SDP fragment (RFC 8840)
 *   GET  /v1/live/stream?MediaQuery   → media messages (media.ts)
 *   GET  /v1/live/options?deviceId&channel → LiveOptions
 *   POST /v1/playback/search  RecordingQuery → RecordingList
 *   POST /v1/playback/days  {deviceId, channel, month: 'YYYY-MM'} → {days: number[]}
 *   GET  /v1/playback/stream?PlaybackQuery → media messages
 *   GET  /v1/playback/file?PlaybackQuery   → video/mp4, streamed
 */
export const StreamName = z.enum(['main', 'sub']);
export type StreamName = z.infer<typeof StreamName>;

/** What a viewer can decode; the box sends nothing else, by a capped transcode where it must. */
export const VideoKind = z.enum(['h264', 'h265']);
export type VideoKind = z.infer<typeof VideoKind>;

export const MAX_LIVE_WINDOWS = 16;
export const MAX_PLAYBACK_WINDOWS = 4;

export const IceServer = z.object({
  /** `stun:host:port`, `turn:host:port?transport=udp`, `turns:…` */
  urls: z.array(z.string().max(255)).min(1).max(8),
  username: z.string().max(255).optional(),
  credential: z.string().max(255).optional(),
});
export type IceServer = z.infer<typeof IceServer>;

const Channel = z.int().min(1).max(9999);
export const LiveOffer = z.object({
  /** Of the viewing, given by the relay. */
  viewId: Uuid,
  deviceId: Uuid,
  channel: Channel,
  stream: StreamName,
  sdp: z.string().min(1).max(65_536),
  iceServers: z.array(IceServer).max(8),
});
export type LiveOffer = z.infer<typeof LiveOffer>;
export const LiveLine = z.discriminatedUnion('type', [
  z.object({ type: z.literal('answer'), sdp: z.string().max(65_536) }),
  z.object({
    type: z.literal('state'),
    state: z.enum(['connecting', 'connected', 'disconnected']),
    /** When connected: through a TURN server it is not direct. */
    path: z.enum(['direct', 'relay']).optional(),
  }),
  /** Of the stream's state: it broke off, it is another one now. */
  z.object({ type: z.literal('note'), code: z.string().max(40), text: z.string().max(400) }),
  z.object({ type: z.literal('ended'), code: z.string().max(40), text: z.string().max(400) }),
]);
export type LiveLine = z.infer<typeof LiveLine>;

export const MediaQuery = z.object({
  deviceId: Uuid,
  channel: z.coerce.number().pipe(Channel),
  stream: StreamName,
  /** What the viewer plays, by comma. */
  accept: z
    .string()
    .max(32)
    .transform((text) => text.split(','))
    .pipe(z.array(VideoKind).min(1)),
  /** `aac`: sound is to stand in the MP4, whatever the camera sends; the box makes it for as long as it is asked for. */
  sound: z.enum(['aac']).optional(),
});
export type MediaQuery = z.infer<typeof MediaQuery>;

export const StreamInfo = z.object({
  stream: StreamName,
  /** RFC 6381; null: not known before it was pulled once. */
  codec: z.string().max(64).nullable(),
  width: z.int().nullable(),
  height: z.int().nullable(),
  /** Encoding name of its sound, e.g. `PCMU`; null: none or not known. */
  audio: z.string().max(32).nullable(),
});
export const LiveOptions = z.object({
  streams: z.array(StreamInfo).min(1),
  /** Its owner wants a verification code entered before its pictures are seen (LIVE-04); the relay knows. */
  encrypted: z.boolean(),
  /** It has recordings of its own that can be played. */
  playback: z.boolean(),
  /** Whether somebody can speak there (talk.ts); boxes of before do not say. */
  talk: TalkChance.default({ can: 'no', codec: null, recorder: false }),
});
export type LiveOptions = z.infer<typeof LiveOptions>;

/** `to` at most 31 days after `from`. */
export const RecordingQuery = z.object({
  deviceId: Uuid,
  channel: Channel,
  stream: StreamName.default('main'),
  from: Instant,
  to: Instant,
});
export type RecordingQuery = z.infer<typeof RecordingQuery>;
export const RecordingDays = z.object({
  deviceId: Uuid,
  channel: Channel,
  /** `2026-11`, of the device's own calendar. */
  month: z.string().regex(/^20\d\d-(0[1-9]|1[0-2])$/),
});
export type RecordingDays = z.infer<typeof RecordingDays>;
export const Recording = z.object({
  from: Instant,
  to: Instant,
  kind: z.enum(['continuous', 'motion', 'alarm', 'manual', 'other']),
  sizeBytes: z.int().nullable(),
});
export type Recording = z.infer<typeof Recording>;
/** In order of time; `complete` false: there are more than were listed. */
export const RecordingList = z.object({ items: z.array(Recording).max(2000), complete: z.boolean() });
export type RecordingList = z.infer<typeof RecordingList>;

export const PlaybackQuery = MediaQuery.extend({
  from: Instant,
  to: Instant,
  /**
   * 1: as it was; more: faster, in key frames only where the device does not do better. Below zero: backward from `to`, in
   * key frames.
   */
  speed: z.coerce
    .number()
    .min(-8)
    .max(16)
    .refine((speed) => speed >= 0.25 || speed <= -1, '0.25 to 16, or -1 to -8')
    .default(1),
}).omit({ sound: true });
export type PlaybackQuery = z.infer<typeof PlaybackQuery>;

/** One look at pictures, or somebody speaking there: who, at what, when, by which way. */
export const Viewing = z.object({
  id: Uuid,
  siteId: Uuid,
  deviceId: Uuid,
  deviceName: z.string(),
  channel: Channel,
  kind: z.enum(['live', 'playback', 'clip', 'download', 'snapshot', 'talk']),
  /** `direct`: from the box to the viewer; `relay`: through the relay. */
  path: z.enum(['direct', 'relay']).nullable(),
  user: z.object({ id: Uuid.nullable(), name: z.string(), company: z.string() }),
  /** Of what was recorded: the time that was looked at. */
  from: Instant.nullable(),
  to: Instant.nullable(),
  startedAt: Instant,
  /** null: still looking. */
  endedAt: Instant.nullable(),
});
export type Viewing = z.infer<typeof Viewing>;
