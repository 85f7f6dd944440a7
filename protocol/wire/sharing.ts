import { z } from 'zod';
import { Instant, Uuid } from './ids.ts';
import { Email, LINE, Locale, Phone } from './people.ts';
import { Validity } from './rights.ts';

/*
 * Handover by sharing: the devices stay with who installed them, customers (tenants) use some of them while their service
 * period lasts. Mode A: the installer asks the customers' administrator for live view and playback. Mode B: he has all
 * device permissions and asks for nothing.
 */

export const ShareMode = z.enum(['A', 'B']).meta({ description: 'A: apply to the customer administrator. B: all.' });
export type ShareMode = z.infer<typeof ShareMode>;

/** `expired`: not answered in time, or the service period is over. */
export const ShareState = z.enum(['to-be-accepted', 'accepted', 'rejected', 'expired', 'cancelled']);
export type ShareState = z.infer<typeof ShareState>;

/** How long a customer has to accept. */
export const SHARE_ACCEPT_DAYS = 7;
/** A device is shared with as many customers at most. */
export const CUSTOMERS_PER_DEVICE = 10;
/** An invitation to one customer is sent as often in a day (UTC). */
export const SHARE_SENDS_PER_DAY = 5;

/** What a customer may do with a device: see its state and alarms, watch, play back. */
export const SharedPermission = z.enum(['view', 'live', 'playback']);
export type SharedPermission = z.infer<typeof SharedPermission>;
export const ShareResource = z.object({
  deviceId: Uuid,
  permissions: z
    .array(SharedPermission)
    .min(1)
    .max(3)
    .meta({ example: ['live', 'playback'] }),
});
export type ShareResource = z.infer<typeof ShareResource>;
const Resources = z.array(ShareResource).max(500);

/** No control characters: these texts stand in mails. Of a remark, lines may break. */
const Name = z.string().trim().min(1).max(64).regex(LINE, 'one line');
export const ShareRemark = z
  .string()
  .trim()
  .max(500)
  .regex(/^[^\p{Cc}]*(\n[^\p{Cc}]*)*$/u, 'text without control characters')
  .default('');
const Until = Instant.nullable().meta({ description: 'End of the service period; null: no end.' });

/** Whom something is shared with. Neither e-mail nor phone: by the QR code of the link in the answer. */
const Person = z.object({
  email: Email.nullable().default(null),
  phone: Phone.nullable().default(null),
  name: Name.meta({ example: 'Clara' }),
  remark: ShareRemark.meta({ example: 'The camera at the gate, as agreed.' }),
  locale: Locale.default('en'),
  until: Until.default(null),
});
export const NewShareCustomer = Person.extend({
  administrator: z.boolean().default(false).meta({ description: 'Mode A: decides what the installer asks for.' }),
  resources: Resources.default([]),
});
export const EditShareCustomer = Person;

/** Parts of live view and playback that alarms to an ARC bring along, asked for when the ARC service is on. */
export const AlarmExtra = z.enum(['pircam-gif', 'video-clips']);
/** What the installer asks the customer administrator for (mode A). */
export const ShareRequest = z.object({
  permission: z.enum(['live', 'playback']),
  validity: Validity,
  extras: z.array(AlarmExtra).max(2).default([]),
});
export type ShareRequest = z.infer<typeof ShareRequest>;

export const CreateSharing = z.object({
  mode: ShareMode,
  customers: z.array(NewShareCustomer).min(1).max(100),
  requests: z.array(ShareRequest).max(2).default([]),
});

export const ShareCustomer = z.object({
  id: Uuid,
  email: z.string().nullable(),
  phone: z.string().nullable(),
  name: z.string(),
  remark: z.string(),
  locale: Locale,
  administrator: z.boolean(),
  state: ShareState,
  registered: z.boolean(),
  invitedAt: Instant,
  acceptBy: Instant,
  answeredAt: Instant.nullable(),
  until: Instant.nullable(),
  resources: z.array(ShareResource),
  /** Only in the answer that made it, and only for who has neither e-mail nor phone: the link, and its QR code. */
  qr: z.object({ url: z.string(), svg: z.string() }).optional(),
});
export type ShareCustomer = z.infer<typeof ShareCustomer>;

export const Sharing = z.object({
  id: Uuid,
  siteId: Uuid,
  mode: ShareMode,
  createdAt: Instant,
  requests: z.array(ShareRequest),
  customers: z.array(ShareCustomer),
});
export type Sharing = z.infer<typeof Sharing>;

/** The card of one customer: what he may use and until when. Needs no new acceptance. */
export const ShareCard = z.object({ resources: Resources, until: Until });
export const BatchShare = z.object({
  deviceIds: z.array(Uuid).min(1).max(500),
  customerIds: z.array(Uuid).min(1).max(100),
  permissions: ShareResource.shape.permissions,
});
export const BatchShareResult = z.object({
  items: z.array(
    z.object({ deviceId: Uuid, customerId: Uuid, result: z.enum(['shared', 'shared-before', 'limit-reached']) }),
  ),
});
export type BatchShareResult = z.infer<typeof BatchShareResult>;
/** Who reviews requests after the one who leaves. */
export const CancelShare = z.object({ administratorId: Uuid.nullable().default(null) });

/** What a customer sees of what is shared with him. */
export const Share = z.object({
  id: Uuid,
  siteId: Uuid,
  /** Empty, as `devices` is, once it was rejected or has ended. */
  siteName: z.string(),
  timeZone: z.string(),
  company: z.object({ name: z.string(), phone: z.string() }),
  mode: ShareMode,
  administrator: z.boolean(),
  state: ShareState,
  remark: z.string(),
  acceptBy: Instant,
  until: Instant.nullable(),
  devices: z.array(z.object({ id: Uuid, name: z.string(), permissions: z.array(SharedPermission) })),
  /** What the installer will ask the customer administrator for. */
  requests: z.array(ShareRequest),
});
export type Share = z.infer<typeof Share>;

/** The secret of an invitation's link. */
export const ShareLink = z.object({
  token: z
    .string()
    .regex(/^[\w-]{43}$/, 'the secret of a link')
    .meta({ example: 'mBnXb0b4tS4mZkQ0pV3JcO5x9Yh1sA7uQeWzR2tLkDg' }),
});
