import { z } from 'zod';
import { DeviceKind, SpokenKind } from './desired.ts';
import { Fingerprint } from './device-tls.ts';
import { AlarmReport, ClipReport, EventType } from './event.ts';
import { Host, Instant, Serial, Uuid, VerificationCode } from './ids.ts';
import {
  CompanyType,
  DevicePermission,
  DeviceType,
  Permission,
  RolePermission,
  SiteOperation,
  SiteStatus,
} from './rights.ts';
import { ArcPathHealth, DeviceHealth, Health } from './uplink.ts';
import { Warnable } from './warnable.ts';

/*
 * Shapes of the portal API under /api/v1: the relay validates and documents with them, the web UI takes its types from
 * them. Paths and statuses stand in the OpenAPI document at /api/v1/openapi.json.
 */

export const page = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });
export type Page<T> = { items: T[]; nextCursor: string | null };
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(256).optional(),
});

// --- sign-in
export const LoginRequest = z.object({
  /** Or the phone number. */
  email: z.string().min(3).max(254),
  password: z.string().min(1).max(128),
  /** Of the second factor, where it is on: six digits, or a recovery code. */
  code: z.string().min(6).max(32).optional(),
});
export const Me = z.object({
  userId: Uuid,
  email: z.string().nullable(),
  emailVerified: z.boolean(),
  phone: z.string().nullable(),
  phoneVerified: z.boolean(),
  name: z.string(),
  locale: z.string(),
  company: z.object({
    id: Uuid,
    name: z.string(),
    type: CompanyType,
    authentication: z.enum(['none', 'submitted', 'approved', 'rejected']),
  }),
  /** Whether signing in needs a code as well. */
  totp: z.boolean(),
  /** The company’s administrator. */
  admin: z.boolean(),
  /** May sign in, but not manage sites and devices. */
  limited: z.boolean(),
  permissions: z.array(RolePermission),
});
export type Me = z.infer<typeof Me>;
export const LoginResponse = z.object({ token: z.string(), expiresAt: Instant, me: Me });

// --- sites and boxes
export const Box = z.object({
  serial: Serial,
  siteId: Uuid,
  state: z.enum(['claimed', 'duplicate', 'revoked']),
  online: z.boolean(),
  /** Since when it is online or gone. */
  since: Instant.nullable(),
  tunnel: z.boolean(),
  version: z.string().nullable(),
  health: Health.nullable(),
});
export type Box = z.infer<typeof Box>;

export const Site = z.object({
  id: Uuid,
  name: z.string(),
  timeZone: z.string(),
  type: z.enum(['personal', 'team']),
  status: SiteStatus,
  /** What the caller holds on the whole site. */
  permissions: z.array(Permission),
  /** What the caller can do with it now. */
  operations: z.array(SiteOperation),
  /** The clock and zone of its devices are set from the site's. */
  syncTime: z.boolean(),
  scene: z.string(),
  address: z.string(),
  city: z.string(),
  region: z.string(),
  country: z.string(),
  latitude: z.number().nullable(),
  longitude: z.number().nullable(),
  /** Null: not the caller's to read. */
  remark: z.string().nullable(),
  /** Of the company that made it; null for others. */
  group: z.object({ id: Uuid, name: z.string() }).nullable(),
  /** Made by the caller's company. */
  own: z.boolean(),
  companyName: z.string(),
  /** The customer that it was handed over to. */
  ownerName: z.string().nullable(),
  /** Those of the caller's company that it is assigned to: how many, and the first few; `until` null is Lifetime. */
  managers: z.object({
    count: z.int(),
    first: z.array(z.object({ userId: Uuid, name: z.string(), until: Instant.nullable() })),
  }),
  deviceCount: z.int(),
  channelCount: z.int(),
  boxes: z.array(Box.omit({ health: true })),
  /** Problems that need attention now. */
  warnables: z.array(Warnable),
});
export type Site = z.infer<typeof Site>;

export const ClaimRequest = z.object({ serial: Serial, code: VerificationCode });

// --- devices
export const Device = z.object({
  id: Uuid,
  siteId: Uuid,
  /** Null: reached by its address, not through a box. */
  boxSerial: Serial.nullable(),
  name: z.string(),
  kind: DeviceKind,
  type: DeviceType,
  accessMode: z.enum(['p2p', 'ip']),
  model: z.string(),
  firmware: z.string(),
  channelCount: z.int(),
  mac: z.string().nullable(),
  serial: z.string().nullable(),
  host: z.string(),
  httpPort: z.int(),
  /** SHA-256 of the certificate that it has to show; null: it is spoken to over plain HTTP. */
  certificate: Fingerprint.nullable(),
  /** It takes TLS 1.1 or weaker at most. */
  oldTls: z.boolean(),
  username: z.string(),
  /** As last reported by the box; null until it has reported, or while the box is gone (state unknown). */
  health: DeviceHealth.nullable(),
  /** What who asks holds on it; told where the devices of a site are listed. */
  permissions: z.array(DevicePermission).optional(),
});
export type Device = z.infer<typeof Device>;
/** A device in the list over all sites. */
export const DeviceItem = Device.omit({ certificate: true, oldTls: true, health: true, permissions: true }).extend({
  siteName: z.string(),
  timeZone: z.string(),
  /** `offline`: its box says that it does not work; `unknown`: nobody says anything of it now. */
  state: z.enum(['online', 'offline', 'unknown']),
});
export type DeviceItem = z.infer<typeof DeviceItem>;
export const AddDevice = z.object({
  boxSerial: Serial,
  name: z.string().trim().min(1).max(64),
  mac: z
    .string()
    .regex(/^([0-9a-f]{2}-){5}[0-9a-f]{2}$/)
    .nullable()
    .default(null),
  serial: z.string().max(64).nullable().default(null),
  host: Host,
  httpPort: z.int().min(1).max(65535).default(80),
  username: z.string().min(1).max(64),
  /** Left out: the one that the relay kept when it was activated. */
  password: z.string().min(1).max(128).optional(),
  /** What it is spoken to in; `auto`: the box finds out. */
  kind: z.enum(['auto', ...SpokenKind.options]).optional(),
  /** Record a clip for these events on every channel; empty: record nothing. */
  recordOn: z.array(EventType).default(['motion', 'lineCrossing', 'intrusion', 'regionEntrance', 'tamper']),
});
export type AddDevice = z.input<typeof AddDevice>;
export const SetCredentials = z.object({ username: z.string().min(1).max(64), password: z.string().min(1).max(128) });

// --- events, clips, alarms
export const Alarm = AlarmReport.omit({ linkId: true }).extend({
  siteId: Uuid,
  deviceId: Uuid.nullable(),
  receiverName: z.string(),
  /** `relay`: the relay said it itself, on its own line of the account; there is no event to it. */
  origin: z.enum(['box', 'relay']),
});
export type Alarm = z.infer<typeof Alarm>;

export const Clip = ClipReport.omit({ state: true }).extend({
  siteId: Uuid,
  /** `uploading`: recorded, but not all of it has arrived. */
  state: z.enum(['recording', 'uploading', 'complete', 'incomplete', 'held']),
  /** When it is deleted; null: never by itself. */
  expiresAt: Instant.nullable(),
  storedFragments: z.int(),
  sizeBytes: z.int(),
});
export type Clip = z.infer<typeof Clip>;

export const EventItem = z.object({
  id: Uuid,
  siteId: Uuid,
  boxSerial: Serial,
  type: EventType,
  deviceId: Uuid.nullable(),
  deviceName: z.string().nullable(),
  channel: z.int().nullable(),
  occurredAt: Instant,
  /** When the relay stored it. */
  receivedAt: Instant,
  endedAt: Instant.nullable(),
  text: z.string().nullable(),
  sourceRef: z.string().nullable(),
  clip: z.object({ id: Uuid, state: Clip.shape.state, durationMs: z.int() }).nullable(),
  alarms: z.array(
    Alarm.pick({ id: true, state: true, kind: true, path: true, tries: true, occurredAt: true, acknowledgedAt: true }),
  ),
});
export type EventItem = z.infer<typeof EventItem>;
/** With `from` and `to` those of a time, earliest first: of the site, of a device or of one of its channels. */
export const EventQuery = PageQuery.extend({
  type: EventType.optional(),
  from: Instant.optional(),
  to: Instant.optional(),
  deviceId: Uuid.optional(),
  channel: z.coerce.number().int().min(0).max(65535).optional(),
});
export type EventQuery = z.infer<typeof EventQuery>;
export const EventDetail = EventItem.extend({ clip: Clip.nullable(), alarms: z.array(Alarm) });
export type EventDetail = z.infer<typeof EventDetail>;

// --- alarm receiving centre
export const Receiver = z.object({
  id: Uuid,
  name: z.string().min(1).max(64),
  /** What boxes dial. */
  direct: z.object({ host: Host, port: z.int().min(1).max(65535) }),
  /** What the relay dials. */
  relay: z.object({ host: Host, port: z.int().min(1).max(65535) }),
  transport: z.enum(['tcp', 'udp']).default('tcp'),
});
export type Receiver = z.infer<typeof Receiver>;
export const CreateReceiver = Receiver.omit({ id: true });

export const ArcAccount = z.object({
  id: Uuid,
  siteId: Uuid,
  boxSerial: Serial,
  receiverId: Uuid,
  receiverName: z.string(),
  /** The centre on the platform whose accepted devices send as it; null: entered by hand. */
  arcId: Uuid.nullable(),
  account: z.string(),
  protocol: z.enum(['SIA-DCS', 'ADM-CID']),
  encrypted: z.boolean(),
  mode: z.enum(['direct-or-relay', 'relay']),
  events: z.array(EventType),
  zones: z.array(z.object({ deviceId: Uuid, channel: z.int().nullable(), zone: z.int() })),
  supervision: z.object({ kind: z.enum(['null', 'test', 'off']), intervalMs: z.int() }),
  /** null while the box has not reported. */
  health: ArcPathHealth.nullable(),
});
export type ArcAccount = z.infer<typeof ArcAccount>;
export const CreateArcAccount = z.object({
  boxSerial: Serial,
  receiverId: Uuid,
  account: z
    .string()
    .regex(/^[0-9A-F]{3,16}$/, 'an account number has 3 to 16 digits 0–9, A–F')
    .meta({ example: '1234' }),
  protocol: z.enum(['SIA-DCS', 'ADM-CID']),
  key: z.string().max(64).nullable().default(null),
  keyFormat: z.enum(['hex', 'characters']).default('hex'),
  mode: z.enum(['direct-or-relay', 'relay']).default('direct-or-relay'),
  events: z.array(EventType).min(1),
  zones: z
    .array(z.object({ deviceId: Uuid, channel: z.int().min(0).max(9999).nullable(), zone: z.int().min(0).max(999) }))
    .max(1000)
    .default([]),
  supervision: z
    .object({ kind: z.enum(['null', 'test', 'off']), intervalMs: z.int().min(5_000).max(86_400_000) })
    .default({ kind: 'test', intervalMs: 86_400_000 }),
});
export type CreateArcAccount = z.input<typeof CreateArcAccount>;

/**
 * Server-sent events of `GET /api/v1/sites/{siteId}/stream`: the event name says what changed, the data is the item as
 * the lists give it. `hello` comes first and after every reconnect: reload the lists then.
 */
export type StreamMessage =
  | { event: 'hello'; data: Record<string, never> }
  | { event: 'event'; data: EventItem }
  | { event: 'alarm'; data: Alarm }
  | { event: 'clip'; data: Clip }
  | { event: 'box'; data: Box }
  | { event: 'device'; data: Device };

// --- the box's set-up page: served by the box under /api/setup
export const SetupState = z.object({
  serial: Serial,
  /** No password was set yet: the first visitor sets it. */
  firstUse: z.boolean(),
  signedIn: z.boolean(),
});
export type SetupState = z.infer<typeof SetupState>;
/** Streams that the box gives out on its LAN. */
export const RestreamInfo = z.object({
  port: z.int(),
  username: z.string(),
  password: z.string(),
  /** How many watch now. */
  viewers: z.int(),
  /** What stands behind `rtsp://address:port`. */
  streams: z.array(z.object({ name: z.string(), path: z.string() })),
});
export type RestreamInfo = z.infer<typeof RestreamInfo>;
export const SetupStatus = z.object({
  serial: Serial,
  version: z.string(),
  relayUrl: z.string(),
  /** null once claimed: the code is hidden then. */
  claim: z.object({ code: VerificationCode, qrSvg: z.string(), text: z.string() }).nullable(),
  claimed: z.boolean(),
  relay: z.object({
    mqtt: z.boolean(),
    tunnel: z.boolean(),
    since: Instant.nullable(),
    lastError: z.string().nullable(),
  }),
  interfaces: z.array(z.object({ name: z.string(), address: z.string() })),
  /** Whether people may open pages of devices through the tunnel. */
  remoteConfiguration: z.boolean(),
  /** null: it gives out none. */
  restream: RestreamInfo.nullable(),
  health: Health,
});
export type SetupStatus = z.infer<typeof SetupStatus>;
export const SetupPassword = z.object({ password: z.string().min(8).max(128) });
