import { z } from 'zod';
import { Instant, Uuid } from './ids.ts';
import { StreamName } from './video.ts';

/**
 * Normalised event types. Device spellings (`VMD`, `linedetection`, …) are mapped by the drivers; nothing past a driver
 * knows them. `other` keeps the device's own word in `text`.
 */
export const EVENT_TYPES = [
  'motion',
  'lineCrossing',
  'intrusion',
  'regionEntrance',
  'regionExiting',
  'tamper',
  'videoLoss',
  'alarmInput',
  'pirDetected',
  'faceDetection',
  // of a panel's zones, and of buttons and detectors of other devices
  'zoneAlarm',
  'panic',
  'duress',
  'fire',
  'gas',
  'waterLeak',
  'temperature',
  'medical',
  'zoneBypassed',
  // of a panel's areas
  'areaArmedAway',
  'areaArmedStay',
  'areaDisarmed',
  'armFailed',
  // of a panel as a whole, or of a device
  'panelTamper',
  'deviceTamper',
  'mainsFail',
  'batteryLow',
  'panelFault',
  'panelTest',
  'networkDisconnected',
  // of doors and who stands before them
  'doorOpened',
  'doorForced',
  'doorHeldOpen',
  'doorUnlocked',
  'call',
  // of radars
  'fallDetected',
  'outOfBed',
  'heartRateHigh',
  'heartRateLow',
  'respirationHigh',
  'respirationLow',
  'presence',
  'diskError',
  'diskFull',
  'illegalLogin',
  'deviceOffline',
  'boxRestarted',
  'eventsLost',
  'clipLost',
  'other',
] as const;
export const EventType = z.enum(EVENT_TYPES, { error: 'no type of event that is known here' });
export type EventType = z.infer<typeof EventType>;

/** The beginning of something that happened. Its end, if it has one, is an {@link EventEnd}. */
export const Event = z.object({
  id: Uuid,
  type: EventType,
  /** The device's id in Gatepost; null for events of the box itself. */
  deviceId: Uuid.nullable(),
  /** 1-based video channel, alarm input, door, area or zone of the device (as its panel shows it); null where none applies. */
  channel: z.int().min(0).max(9999).nullable(),
  /** When it happened, by the box's clock (the device's own clock is in `deviceTime`). */
  occurredAt: Instant,
  /** When the box saw it. */
  seenAt: Instant,
  /** The device's own time, as it wrote it. */
  deviceTime: z.string().max(64).nullable(),
  /** The device's own identifier of this event, where it gives one. */
  sourceRef: z.string().max(128).nullable(),
  text: z.string().max(512).nullable(),
  /** Contact ID as the panel itself would report it, with qualifier (`1131`, `3401`). */
  cid: z
    .string()
    .regex(/^[13]\d{3}$/)
    .optional(),
  /** The panel's area that it happened in. */
  area: z.int().min(1).max(99).optional(),
});
export type Event = z.infer<typeof Event>;

export const EventEnd = z.object({ eventId: Uuid, endedAt: Instant });
export type EventEnd = z.infer<typeof EventEnd>;

/** State of a clip as the box sees it; each report replaces the former one of the same id. */
export const ClipReport = z.object({
  id: Uuid,
  deviceId: Uuid,
  channel: z.int().min(1).max(9999),
  /** `continuous`: a piece of 24/7 recording. */
  kind: z.enum(['event', 'continuous']).default('event'),
  stream: StreamName.default('main'),
  /** Events this clip shows; the first one started it. Empty for continuous recording in which nothing happened. */
  eventIds: z.array(Uuid).max(1000),
  /** `held`: recorded whole and kept on the box; it is sent when somebody asks for it. */
  state: z.enum(['recording', 'ended', 'incomplete', 'held']),
  /** The clip of the other stream that shows the same. */
  twinId: Uuid.nullable().default(null),
  /** Key that its fragments are encrypted with (`protocol/codec/object-cipher.ts`); null: they are not. */
  keyId: z.string().max(64).nullable().default(null),
  /** Wall time of the first picture. */
  startedAt: Instant,
  /** First picture to first event, in milliseconds. */
  preRollMs: z.int().min(0),
  /** Length so far (or in all, once ended), in milliseconds. */
  durationMs: z.int().min(0),
  /** RFC 6381 codec string, e.g. `avc1.64001f`. */
  codec: z.string().max(64),
  /** The same for sound, `mp4a.40.2`; null: it has none. */
  audioCodec: z.string().max(64).nullable().default(null),
  /** Where the picture is missing, in the clip's own time. */
  gaps: z
    .array(z.object({ atMs: z.int().min(0), durationMs: z.int().min(1) }))
    .max(100)
    .default([]),
  width: z.int().min(0),
  height: z.int().min(0),
  /** Number of media fragments; null while recording. */
  fragments: z.int().min(0).nullable(),
  /** Why it is incomplete. */
  reason: z.string().max(512).nullable(),
});
export type ClipReport = z.infer<typeof ClipReport>;

/** Ways of an alarm: straight to the receiver, through the relay, or straight over the box's second interface. */
export const ArcPathName = z.enum(['direct', 'relay', 'second']);
export type ArcPathName = z.infer<typeof ArcPathName>;

/** One transmission of a message. */
export const ArcTry = z.object({
  at: Instant,
  path: ArcPathName,
  /** Of the receiver, as it was dialled: `host:port`. */
  receiver: z.string().max(300),
  outcome: z.enum([
    'acknowledged',
    'nak',
    'duh',
    'other-key',
    'refused',
    'timeout',
    'reset',
    'unreachable',
    'not-allowed',
    'invalid',
    'busy',
  ]),
  tookMs: z.int().min(0),
  /** As sent, without LF and CR, keys redacted; bytes that are no ASCII as `?`. */
  frame: z.string().max(1024),
  reply: z.string().max(512).nullable(),
});
export type ArcTry = z.infer<typeof ArcTry>;

/** What became of one message to an alarm receiving centre; each report replaces the former one of the same id. */
export const AlarmReport = z.object({
  id: Uuid,
  eventId: Uuid,
  kind: z.enum(['alarm', 'restore', 'test']),
  accountId: Uuid,
  /** Account number as sent, leading zeros significant. */
  account: z.string().max(16),
  receiverId: Uuid,
  protocol: z.enum(['SIA-DCS', 'ADM-CID']),
  /** `BA`, `1130`, … without zone. */
  code: z.string().max(8),
  zone: z.string().max(8),
  /** DC-09 sequence number 1–9999; kept over all tries. */
  sequence: z.int().min(1).max(9999),
  state: z.enum(['waiting', 'acknowledged', 'failed']),
  path: ArcPathName.nullable(),
  tries: z.int().min(0),
  /** The last of them; absent in reports of earlier versions. */
  log: z.array(ArcTry).max(8).default([]),
  occurredAt: Instant,
  queuedAt: Instant,
  acknowledgedAt: Instant.nullable(),
  /** Under this id the address in `[V…]` was asked for, before there was an event for it to show; absent: none was sent. */
  linkId: Uuid.optional(),
  /** True when an earlier try may have reached the receiver although no acknowledgement came back. */
  possibleRepeat: z.boolean(),
  reason: z.string().max(512).nullable(),
});
export type AlarmReport = z.infer<typeof AlarmReport>;

const recordBase = {
  /** Position in the journal, 1-based, without gaps within one journal id. */
  seq: z.int().min(1),
  /** UUIDv7; the key by which every consumer is idempotent. For `event` it is the event's id. */
  id: Uuid,
  /** When it was written. */
  at: Instant,
};

/** One line of the box's journal, the single ordered account of what happened there. */
export const JournalRecord = z.discriminatedUnion('kind', [
  z.object({ ...recordBase, kind: z.literal('event'), body: Event }),
  z.object({ ...recordBase, kind: z.literal('eventEnd'), body: EventEnd }),
  z.object({ ...recordBase, kind: z.literal('clip'), body: ClipReport }),
  z.object({ ...recordBase, kind: z.literal('alarm'), body: AlarmReport }),
]);
export type JournalRecord = z.infer<typeof JournalRecord>;

/** What a producer hands to the journal; the journal adds `seq`, `id` and `at`. */
export type NewRecord =
  | { kind: 'event'; body: Event }
  | { kind: 'eventEnd'; body: EventEnd }
  | { kind: 'clip'; body: ClipReport }
  | { kind: 'alarm'; body: AlarmReport };
