import { z } from 'zod';
import { page } from './api.ts';
import { ArcPathName, EVENT_TYPES, EventType } from './event.ts';
import { Instant, Serial, Uuid } from './ids.ts';
import { LINE } from './people.ts';
import { DeviceType } from './rights.ts';
import { ArcPathHealth } from './uplink.ts';

/*
 * The ARC service of a site: an installer authorises the site to one centre and enables devices; the centre accepts each.
 *
 *   site      not authorised → authorised → withdrawn
 *   device    off → waiting → active | rejected;  active ⇄ suspended (by the centre);  any → off
 *   changes   of event types (encoding devices), of pictures and clips: asked for → approved | refused
 *
 * Nothing reaches the centre before it has accepted, nor while it is suspended.
 */

/** As a box sends it: hexadecimal digits, leading zeros significant. */
export const AccountNumber = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[0-9A-F]{3,16}$/, 'an account number has 3 to 16 digits 0–9, A–F')
  .meta({ example: '1234' });

const EventTypes = z
  .array(EventType)
  .min(1)
  .max(EVENT_TYPES.length)
  .refine((types) => new Set(types).size === types.length, 'a type stands once');

/** EXC-16: 5 minutes to 24 hours; null: told as soon as the device is given up. */
export const OfflineDelay = z
  .int()
  .min(5 * 60_000)
  .max(24 * 3_600_000)
  .nullable();

/** What an alarm may bring along (ARC-27): the pictures of detectors and events, and the clips. */
export const ArcMedia = z.object({ picture: z.boolean(), clip: z.boolean() });
export type ArcMedia = z.infer<typeof ArcMedia>;

export const ARC_CONNECTIONS = ['direct-or-relay', 'relay'] as const;
export const ArcConnection = z.enum(ARC_CONNECTIONS);
export type ArcConnection = z.infer<typeof ArcConnection>;

export const ARC_SERVICE_STATES = ['waiting', 'active', 'suspended', 'rejected'] as const;
export const ArcServiceState = z.enum(ARC_SERVICE_STATES);
export type ArcServiceState = z.infer<typeof ArcServiceState>;

/** Why a device cannot have the service: how it was added, what it is, its model, or because no box looks after it. */
export const ArcObstacle = z.enum(['not-p2p', 'type', 'model', 'no-box']);
export type ArcObstacle = z.infer<typeof ArcObstacle>;

/** The number under which a receiver hears of a channel. A panel's zones keep their own numbers and have no lines. */
export const ArcZoneLine = z.object({ channel: z.int().min(0).max(9999), zone: z.int().min(0).max(999) });
export type ArcZoneLine = z.infer<typeof ArcZoneLine>;

export const ArcRequestKind = z.enum(['events', 'media']);
/** What a centre wants changed (event types), or an installer asks a customer for (pictures and clips). */
export const ArcRequest = z.object({
  id: Uuid,
  serviceId: Uuid,
  kind: ArcRequestKind,
  state: z.enum(['pending', 'approved', 'refused', 'withdrawn']),
  siteId: Uuid,
  siteName: z.string(),
  deviceId: Uuid,
  deviceName: z.string(),
  arc: z.object({ id: Uuid, name: z.string() }),
  account: z.string(),
  /** Of kind `events`: as they are, and as they would be. */
  events: z.object({ now: z.array(EventType), wanted: z.array(EventType) }).nullable(),
  /** Of kind `media`. */
  media: ArcMedia.nullable(),
  createdAt: Instant,
  decidedAt: Instant.nullable(),
});
export type ArcRequest = z.infer<typeof ArcRequest>;
export const ArcRequestPage = page(ArcRequest);

export const ArcService = z.object({
  id: Uuid,
  siteId: Uuid,
  siteName: z.string(),
  timeZone: z.string(),
  device: z.object({
    id: Uuid,
    name: z.string(),
    type: DeviceType,
    model: z.string(),
    boxSerial: z.string().nullable(),
    online: z.boolean(),
  }),
  arc: z.object({ id: Uuid, name: z.string() }),
  /** Who enabled it. */
  company: z.object({ id: Uuid, name: z.string() }),
  state: ArcServiceState,
  account: z.string(),
  events: z.array(EventType),
  mode: ArcConnection,
  /** What the alarms of the device bring along now. */
  media: ArcMedia,
  offlineDelayMs: OfflineDelay,
  zones: z.array(ArcZoneLine),
  receiver: z.object({ id: Uuid, name: z.string() }).nullable(),
  /** What the centre wrote when it rejected or suspended. */
  note: z.string(),
  /** Event types that wait for an approval. */
  pendingEvents: z.array(EventType).nullable(),
  pendingMedia: ArcMedia.nullable(),
  /** The ways of its account now, with the delay on each leg; null: not sending. */
  path: ArcPathHealth.nullable(),
  createdAt: Instant,
  decidedAt: Instant.nullable(),
});
export type ArcService = z.infer<typeof ArcService>;
export const ArcServicePage = page(ArcService);

/** A device of an authorised site: what it could be given, and what it has. */
export const ArcDevice = z.object({
  deviceId: Uuid,
  name: z.string(),
  type: DeviceType,
  model: z.string(),
  obstacle: ArcObstacle.nullable(),
  service: ArcService.nullable(),
});
export type ArcDevice = z.infer<typeof ArcDevice>;

export const SiteArc = z.object({
  /** null: this site is authorised to no centre. */
  authorization: z.object({ arc: z.object({ id: Uuid, name: z.string() }), since: Instant }).nullable(),
  /** The service is for personal sites. */
  available: z.boolean(),
  /** Empty until the site is authorised. */
  devices: z.array(ArcDevice),
});
export type SiteArc = z.infer<typeof SiteArc>;

export const AuthorizeSite = z.object({ arcId: Uuid });
export const EnableArcDevice = z.object({
  account: AccountNumber,
  events: EventTypes,
  /** Left out: neither. At a customer's site he is asked. */
  media: ArcMedia.default({ picture: false, clip: false }),
  offlineDelayMs: OfflineDelay.default(null),
});
export type EnableArcDevice = z.output<typeof EnableArcDevice>;

const Services = z
  .array(Uuid)
  .min(1)
  .max(200)
  .refine((ids) => new Set(ids).size === ids.length, 'a device stands once');
const Note = z.string().trim().max(200).regex(LINE, 'one line').default('');

/** `receiverId` may be left out by a centre with one receiver. */
export const AcceptArcServices = z.object({ services: Services, receiverId: Uuid.optional() });
export const RejectArcServices = z.object({ services: Services, note: Note });
export const SuspendArcServices = z.object({ services: Services, note: Note });
export const ResumeArcServices = z.object({ services: Services });
export const ChangeArcEvents = z.object({ services: Services, events: EventTypes });
export const ChangeArcAccount = z.object({ account: AccountNumber });
export const ChangeArcConnection = z.object({ mode: ArcConnection });
export const DecideArcRequest = z.object({ approve: z.boolean() });

/** What became of one of several. */
export const ArcServiceDone = z.object({
  serviceId: Uuid,
  done: z.boolean(),
  /** Why not: a problem code, and in words. */
  code: z.string().nullable(),
  text: z.string().nullable(),
});
export type ArcServiceDone = z.infer<typeof ArcServiceDone>;

/** Delays of the last alarms of an account, a leg each; null: nothing went that way yet. */
export const ArcLegs = z.object({
  accountId: Uuid,
  boxSerial: Serial,
  deviceToBoxMs: z.int().nullable(),
  /** Sent to acknowledged. */
  directMs: z.int().nullable(),
  secondMs: z.int().nullable(),
  /** Round trip of the box's tunnel, which goes the same way. */
  boxToRelayMs: z.int().nullable(),
  relayToArcMs: z.int().nullable(),
  /** The last one that was acknowledged: queued to acknowledged. */
  last: z.object({ at: Instant, path: ArcPathName.nullable(), tookMs: z.int() }).nullable(),
});
export type ArcLegs = z.infer<typeof ArcLegs>;
