import { z } from 'zod';
import { ShownTls } from './device-tls.ts';
import { ArcPathName, type JournalRecord } from './event.ts';
import { Instant, Uuid } from './ids.ts';
import { Warnable } from './warnable.ts';

/*
 * MQTT (3.1.1 over WebSocket at /mqtt). A box may touch `box/{its serial}/…` only.
 *
 *   box → relay
 *     box/{serial}/journal    QoS 1  JournalBatch   committed by the relay before PUBACK; window 4
 *     box/{serial}/health     QoS 1  Health         every 15 s and on change
 *     box/{serial}/reported   QoS 1  ReportedState  after a desired state was applied
 *     box/{serial}/status     QoS 1  Status         last will: {online:false}
 *     box/{serial}/allow-claim QoS 1 {}             a person at the box ends the pause after wrong claim codes
 *   relay → box
 *     box/{serial}/hello      QoS 1  Hello          on subscribing
 *     box/{serial}/desired    QoS 1  DesiredState   on subscribing and on change
 */
export const topics = (serial: string) => ({
  journal: `box/${serial}/journal`,
  health: `box/${serial}/health`,
  reported: `box/${serial}/reported`,
  status: `box/${serial}/status`,
  allowClaim: `box/${serial}/allow-claim`,
  hello: `box/${serial}/hello`,
  desired: `box/${serial}/desired`,
});

export const MAX_BATCH_RECORDS = 64;
export const MAX_MQTT_BYTES = 256 * 1024;

/** Records are validated one by one, so that one bad record is quarantined alone. */
export const JournalBatch = z.object({
  /** Identity of the journal file; a new one after a loss of the file. Sequences are compared within one id only. */
  journalId: Uuid,
  records: z.array(z.unknown()).min(1).max(MAX_BATCH_RECORDS),
});
export type JournalBatch = { journalId: string; records: JournalRecord[] };

/** What the relay holds of a box: the box sends what comes after. `journalId` null: nothing yet. */
export const Hello = z.object({ journalId: Uuid.nullable(), seq: z.int().min(0), claimed: z.boolean() });
export type Hello = z.infer<typeof Hello>;

export const Status = z.object({
  online: z.boolean(),
  /** Only with `online: false`, said by the box itself before it stops: a restart or an update, back in about so long. */
  backMs: z.int().min(0).max(600_000).optional(),
});

export const DeviceHealth = z.object({
  id: Uuid,
  /** `refused`: the device refused the login; nothing is tried again until a person enters credentials. */
  state: z.enum(['connecting', 'online', 'offline', 'refused', 'locked', 'notActivated']),
  since: Instant,
  model: z.string().max(64).nullable(),
  firmware: z.string().max(64).nullable(),
  serial: z.string().max(64).nullable(),
  /** What it shows instead of what it was added with; nothing is sent to it until somebody accepts that. */
  shows: ShownTls.optional(),
  channels: z
    .array(
      z.object({
        channel: z.int().min(1).max(9999),
        name: z.string().max(128),
        video: z.enum(['none', 'connecting', 'streaming', 'stalled', 'refused']),
        codec: z.string().max(64).nullable(),
        /** Distance of key frames as measured, in milliseconds. */
        keyFrameIntervalMs: z.int().min(0).nullable(),
      }),
    )
    .max(256),
});
export type DeviceHealth = z.infer<typeof DeviceHealth>;

/** A change of one path, as the box saw it: down at the first failure, up at the first answer after it. */
export const ArcPathChange = z.object({ at: Instant, path: ArcPathName, up: z.boolean() });
export type ArcPathChange = z.infer<typeof ArcPathChange>;

export const ArcPathHealth = z.object({
  accountId: Uuid,
  /** The path in use now. */
  path: z.enum(['direct', 'relay', 'second', 'none']),
  since: Instant,
  direct: z.enum(['up', 'down', 'unknown']),
  relay: z.enum(['up', 'down', 'unknown']),
  /** `absent`: the box has one interface only. */
  second: z.enum(['up', 'down', 'unknown', 'absent']).default('absent'),
  waiting: z.int().min(0),
  /** The last ones, oldest first, so that the relay learns what happened while it was out of reach; absent: earlier versions. */
  changes: z.array(ArcPathChange).max(64).optional(),
});
export type ArcPathHealth = z.infer<typeof ArcPathHealth>;

export const Health = z.object({
  at: Instant,
  version: z.string().max(32),
  uptimeMs: z.int().min(0),
  rssBytes: z.int().min(0),
  diskFreeBytes: z.int().min(0),
  diskTotalBytes: z.int().min(0),
  tunnelRttMs: z.number().min(0).nullable(),
  queues: z.object({
    uplink: z.int().min(0),
    upload: z.int().min(0),
    uploadBytes: z.int().min(0),
    arc: z.int().min(0),
  }),
  devices: z.array(DeviceHealth).max(2000),
  arc: z.array(ArcPathHealth).max(200),
  warnables: z.array(Warnable).max(500),
});
export type Health = z.infer<typeof Health>;
