import { z } from 'zod';
import { page } from './api.ts';
import { Instant, Uuid } from './ids.ts';

/** Messages to people: what they are about, how they are told. */
export const NOTICE_CATEGORIES = ['business', 'arc', 'site'] as const;
export const NoticeCategory = z.enum(NOTICE_CATEGORIES);
export type NoticeCategory = z.infer<typeof NoticeCategory>;

/** Every message that the relay writes; its words in each language stand in `relay/notify/texts/`. One a line, sorted. */
export const NOTICE_CODES = [
  'account-deleted',
  'account-disabled',
  'account-enabled',
  'account-limited',
  'address-known',
  'administrator-now',
  'arc-account-changed',
  'arc-applied',
  'arc-approved',
  'arc-events-approved',
  'arc-events-refused',
  'arc-events-requested',
  'arc-key',
  'arc-media-approved',
  'arc-media-refused',
  'arc-media-requested',
  'arc-output-stuck',
  'arc-output-works',
  'arc-rejected',
  'arc-service-accepted',
  'arc-service-ended',
  'arc-service-rejected',
  'arc-service-requested',
  'arc-service-resumed',
  'arc-service-suspended',
  'arc-withdrawn',
  'authorization-ended',
  'authorization-requested',
  'cloud-service-ending',
  'cloud-service-over',
  'cloud-setup-done',
  'company-approved',
  'company-rejected',
  'company-submitted',
  'device-invitation',
  'device-invitation-accepted',
  'device-invitation-declined',
  'device-invitation-expired',
  'device-invitation-withdrawn',
  'device-unbound',
  'devices-moved',
  'email-change',
  'email-changed',
  'employee-invitation',
  'join-accepted',
  'join-refused',
  'join-request',
  'limit-removed',
  'new-sign-in',
  'partner-accepted',
  'partner-approval',
  'partner-declined',
  'partner-ended',
  'partner-invited',
  'password-changed',
  'password-forgotten',
  'password-reset-asked',
  'password-reset-done',
  'password-reset-refused',
  'permissions-approved',
  'permissions-decided',
  'permissions-ended',
  'permissions-ended-owner',
  'permissions-refused',
  'permissions-released',
  'permissions-request-cancelled',
  'permissions-requested',
  'permissions-withdrawn',
  'phone-code',
  'registration',
  'roles-changed',
  'share-accepted',
  'share-changed',
  'share-ended',
  'share-expired',
  'share-invitation',
  'share-over',
  'share-rejected',
  'site-assigned',
  'site-assigned-until',
  'site-deleted',
  'site-managers-changed',
  'site-unassigned',
  'site-validity-ended',
  'test-message',
  'transfer-accepted',
  'transfer-cancelled',
  'transfer-expired',
  'transfer-invitation',
  'transfer-message',
  'transfer-received',
  'transfer-rejected',
  'two-factor-off',
  'two-factor-on',
] as const;
export type NoticeCode = (typeof NOTICE_CODES)[number];

export const Notice = z.object({
  id: Uuid,
  category: NoticeCategory,
  code: z.string().meta({ example: 'test-message' }),
  /** In the person's language. */
  title: z.string().meta({ example: 'Test message' }),
  text: z.string(),
  /** Path in the portal, or empty. */
  link: z.string().meta({ example: '/messages' }),
  siteId: Uuid.nullable(),
  createdAt: Instant,
  readAt: Instant.nullable(),
});
export type Notice = z.infer<typeof Notice>;
export const NoticePage = page(Notice);

export const Unread = z.object({
  total: z.int().meta({ example: 3 }),
  business: z.int(),
  arc: z.int(),
  site: z.int(),
});
export type Unread = z.infer<typeof Unread>;

const perCategory = z.object({ business: z.boolean(), arc: z.boolean(), site: z.boolean() });
const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day like 22:00');
export const NotifySettings = z.object({
  /** In the portal everything is shown always. */
  email: perCategory,
  push: perCategory,
  /** E-mail and push wait for its end; null: none. */
  quiet: z
    .object({
      from: TimeOfDay.meta({ example: '22:00' }),
      until: TimeOfDay.meta({ example: '07:00' }),
      timeZone: z.string().min(1).max(64).meta({ example: 'Europe/Berlin' }),
    })
    .nullable(),
});
export type NotifySettings = z.infer<typeof NotifySettings>;

/** As a browser's PushSubscription gives it. */
export const SubscribePush = z.object({
  endpoint: z
    .url({ protocol: /^https?$/ })
    .max(512)
    .meta({ example: 'https://push.example.net/send/abc' }),
  keys: z.object({
    /** Uncompressed P-256 point. */
    p256dh: z
      .string()
      .regex(/^[\w-]{87}=?$/, 'a P-256 public key in base64url')
      .meta({ example: `B${'x'.repeat(86)}` }),
    auth: z
      .string()
      .regex(/^[\w-]{22}(==)?$/, '16 bytes in base64url')
      .meta({ example: 'x'.repeat(22) }),
  }),
});
export type SubscribePush = z.infer<typeof SubscribePush>;
export const PushSubscriptionItem = z.object({
  id: Uuid,
  /** What the browser says it is. */
  browser: z.string(),
  createdAt: Instant,
  /** Told by the session that asks: it ends with it. */
  thisSession: z.boolean(),
  /** When a message was last taken by its push service. */
  deliveredAt: Instant.nullable(),
});
export type PushSubscriptionItem = z.infer<typeof PushSubscriptionItem>;
export const PushState = z.object({
  /** For `applicationServerKey`. */
  publicKey: z.string(),
  items: z.array(PushSubscriptionItem),
});
export type PushState = z.infer<typeof PushState>;

/** What the service worker gets; `link` is a path of the portal. */
export const PushPayload = z.object({ id: z.string(), title: z.string(), text: z.string(), link: z.string() });
export type PushPayload = z.infer<typeof PushPayload>;

/** Messages of GET /notifications/stream. */
export type NotifyMessage =
  | { event: 'hello'; data: Unread }
  | { event: 'notice'; data: { notice: Notice; unread: Unread } }
  | { event: 'unread'; data: Unread };

export const CHANNELS = ['email', 'sms', 'push'] as const;
export const ChannelName = z.enum(CHANNELS);
export type ChannelName = z.infer<typeof ChannelName>;
/** How a way out does, for who runs the relay. */
export const ChannelStatus = z.object({
  channel: ChannelName,
  state: z.enum(['ok', 'not-configured', 'down', 'full']),
  /** Why it is down. */
  reason: z.string().nullable(),
  retryAt: Instant.nullable(),
  waiting: z.int(),
  oldestAt: Instant.nullable(),
  failed: z.int(),
});
export type ChannelStatus = z.infer<typeof ChannelStatus>;
/** One message that waits or was given up; neither its words nor its link are shown. */
export const Delivery = z.object({
  id: Uuid,
  channel: ChannelName,
  /** Address, number, or (push) the person's name. */
  recipient: z.string(),
  code: z.string(),
  state: z.enum(['waiting', 'failed']),
  tries: z.int(),
  reason: z.string().nullable(),
  createdAt: Instant,
  /** Next try, or when it was given up. */
  at: Instant,
});
export type Delivery = z.infer<typeof Delivery>;
