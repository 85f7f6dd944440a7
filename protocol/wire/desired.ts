import { z } from 'zod';
import { DeviceTls } from './device-tls.ts';
import { EventType } from './event.ts';
import { Uuid } from './ids.ts';
import { SealedSecret } from './secret.ts';
import { StreamName } from './video.ts';

/** What a device is spoken to in. `snmp`: a switch; its password is the community, unless the user name is one of SNMPv3. */
export const SpokenKind = z.enum(['isapi', 'onvif', 'snmp']);
export type SpokenKind = z.infer<typeof SpokenKind>;
/** `dc09`: an alarm panel that is not spoken to; it sends to the box. */
export const DeviceKind = z.enum([...SpokenKind.options, 'dc09']);
export type DeviceKind = z.infer<typeof DeviceKind>;

/** How a panel of kind `dc09` sends. Its password is the AES key in hexadecimal, empty: it sends in clear. */
export const DesiredPanel = z.object({
  /** As it sends it; leading zeros are significant. */
  account: z.string().regex(/^[0-9A-F]{3,16}$/),
  /** Its clock shows local time, not UTC. */
  localTime: z.boolean().default(false),
  /** It is to send something at least so often; null: it is not watched. */
  supervisionMs: z.int().min(10_000).max(86_400_000).nullable().default(null),
});
export type DesiredPanel = z.infer<typeof DesiredPanel>;

/** A device the box looks after. It is recognised by MAC or serial and followed when its address changes. */
export const DesiredDevice = z.object({
  id: Uuid,
  kind: DeviceKind,
  name: z.string().min(1).max(64),
  mac: z
    .string()
    .regex(/^([0-9a-f]{2}-){5}[0-9a-f]{2}$/)
    .nullable(),
  /** The device's own long serial number. */
  serial: z.string().max(64).nullable(),
  host: z.string().min(1).max(255),
  httpPort: z.int().min(1).max(65535),
  /** Left out: `httpPort` is spoken to in plain HTTP. */
  tls: DeviceTls.optional(),
  username: z.string().min(1).max(64),
  password: SealedSecret,
  /** Grows when a person enters credentials (again): the box forgets a refused login and tries once. */
  credentialVersion: z.int().min(1),
  /** Of kind `dc09`; what stands in `host` and `httpPort` then says nothing. */
  panel: DesiredPanel.optional(),
});
export type DesiredDevice = z.infer<typeof DesiredDevice>;

export const DesiredRecording = z.object({
  deviceId: Uuid,
  channel: z.int().min(1).max(9999),
  triggers: z.array(EventType),
  mode: z.enum(['event', 'continuous', 'both']).default('event'),
  /** `adaptive`: both are recorded, the sub-stream is sent at once, the main stream when somebody asks for it. */
  stream: z.enum([...StreamName.options, 'adaptive']).default('main'),
  audio: z.boolean().default(true),
  /** What its fragments are encrypted with before they touch a disk (`siteKeyText`); null: they are not. */
  key: z
    .object({ id: z.string().min(1).max(64), secret: SealedSecret })
    .nullable()
    .default(null),
  preRollMs: z.int().min(0).max(30_000).default(5_000),
  postRollMs: z.int().min(1_000).max(120_000).default(30_000),
  maxClipMs: z.int().min(10_000).max(600_000).default(300_000),
});
export type DesiredRecording = z.infer<typeof DesiredRecording>;

export const ArcZone = z.object({
  deviceId: Uuid,
  /** null: every channel of the device that has no line of its own. */
  channel: z.int().min(0).max(9999).nullable(),
  zone: z.int().min(0).max(999),
});
export type ArcZone = z.infer<typeof ArcZone>;

/** What a receiver wants an event called instead of the usual (`arc-codes.ts`); absent: as usual. */
export const ArcCode = z.object({
  type: EventType,
  /** Contact ID event, three digits. */
  cid: z
    .string()
    .regex(/^[1-9A-F]\d{2}$/)
    .optional(),
  sia: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .optional(),
  /** null: its end is not told. */
  siaEnd: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .nullable()
    .optional(),
});
export type ArcCode = z.infer<typeof ArcCode>;

/** Extended data (DC-09 §5.5.1.10). Many receivers break on more than one block, so everything but `H` is asked for. */
export const ArcExtended = z.object({
  /** How many blocks a message may carry. */
  blocks: z.int().min(1).max(4).default(1),
  /** `[I…]`, in SIA `|A…`: what the device wrote. */
  text: z.boolean().default(false),
  /** `[V…]`: a short signed address of picture and clip. */
  picture: z.boolean().default(false),
  /** `[J1]` direct, `[J2]` through the relay, `[J3]` over the second interface. */
  path: z.boolean().default(false),
});
export type ArcExtended = z.infer<typeof ArcExtended>;

/** A test message of its own beside the supervision: every `intervalMs`, at `atMinute` of the day (UTC) where given. */
export const ArcPeriodicTest = z.object({
  intervalMs: z
    .int()
    .min(60_000)
    .max(7 * 86_400_000),
  atMinute: z.int().min(0).max(1439).nullable().default(null),
});
export type ArcPeriodicTest = z.infer<typeof ArcPeriodicTest>;

/** An account at a receiver of an alarm receiving centre (ARC-15, ARC-24, ARC-25, ARC-32). */
export const DesiredArcAccount = z.object({
  id: Uuid,
  receiverId: Uuid,
  /** 3–16 hexadecimal digits; leading zeros are significant to receivers. */
  account: z.string().regex(/^[0-9A-F]{3,16}$/),
  protocol: z.enum(['SIA-DCS', 'ADM-CID']),
  /** AES-128/192/256 key: hex digits (32, 48, 64) or characters (16, 24, 32) as `keyFormat` says; null = plain. */
  key: SealedSecret.nullable(),
  keyFormat: z.enum(['hex', 'characters']).default('hex'),
  /** `direct-or-relay`: ARC-24. `relay`: ARC-25, always through the relay. */
  mode: z.enum(['direct-or-relay', 'relay']),
  direct: z.object({ host: z.string().min(1).max(255), port: z.int().min(1).max(65535) }),
  transport: z.enum(['tcp', 'udp']).default('tcp'),
  partition: z.int().min(0).max(99).default(1),
  events: z.array(EventType),
  /** Only these devices, each with its own types; null: all of the box, with `events`. */
  devices: z
    .array(
      z.object({
        deviceId: Uuid,
        events: z.array(EventType),
        /** EXC-16: a device that comes back within this time was never told to be offline. */
        offlineDelayMs: z.int().min(0).max(86_400_000).default(0),
      }),
    )
    .max(1000)
    .nullable()
    .default(null),
  zones: z.array(ArcZone).max(1000),
  /** ARC-32 "impulse counting time": how long the receiver may take to acknowledge. */
  ackTimeoutMs: z.int().min(1_000).max(20_000).default(5_000),
  /** ARC-32: tries on one path before the next one. */
  attempts: z.int().min(1).max(5).default(2),
  codes: z.array(ArcCode).max(200).default([]),
  extended: ArcExtended.default({ blocks: 1, text: false, picture: false, path: false }),
  periodicTest: ArcPeriodicTest.nullable().default(null),
  /** Supervision (DC-09 §5.5.2): NULL messages, or periodic test RP/E602 for receivers that refuse NULL. */
  supervision: z.object({ kind: z.enum(['null', 'test', 'off']), intervalMs: z.int().min(5_000).max(86_400_000) }),
});
export type DesiredArcAccount = z.infer<typeof DesiredArcAccount>;

/** How a box spends its uplink and its disk; one item. */
export const DesiredStorage = z.object({
  id: z.literal('box'),
  /** Most that uploads may take, beside the pacer; null: what the pacer lets through. */
  uploadKbps: z.int().min(64).max(10_000_000).nullable().default(null),
  /** Minutes of the day (of `timeZone`) between which continuous recording is sent; event clips go always. */
  window: z
    .object({
      fromMinute: z.int().min(0).max(1439),
      toMinute: z.int().min(0).max(1439),
      timeZone: z.string().max(64),
    })
    .nullable()
    .default(null),
  /** Disk for footage that waits; null: what is there, but a tenth. */
  diskBytes: z.int().min(67_108_864).nullable().default(null),
});
export type DesiredStorage = z.infer<typeof DesiredStorage>;

const section = <T extends z.ZodType>(item: T) => z.object({ version: z.int().min(0), items: z.array(item).max(2000) });

/**
 * The one versioned document a box follows, owned by the relay. Sections are applied one by one: an error in one never
 * holds up another.
 */
export const DesiredState = z.object({
  version: z.int().min(0),
  sections: z.object({
    devices: section(DesiredDevice),
    recording: section(DesiredRecording),
    arc: section(DesiredArcAccount),
    storage: section(DesiredStorage).default({ version: 0, items: [] }),
  }),
});
export type DesiredState = z.infer<typeof DesiredState>;
export type DesiredSection = keyof DesiredState['sections'];

export const ReportedState = z.object({
  version: z.int().min(0),
  sections: z.partialRecord(
    z.enum(['devices', 'recording', 'arc', 'storage']),
    z.object({
      version: z.int().min(0),
      errors: z
        .array(z.object({ id: z.string().max(128), code: z.string().max(64), text: z.string().max(512) }))
        .max(2000),
    }),
  ),
});
export type ReportedState = z.infer<typeof ReportedState>;
