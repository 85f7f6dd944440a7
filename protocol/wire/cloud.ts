import { z } from 'zod';
import { EventType } from './event.ts';
import { Instant, Serial, Uuid } from './ids.ts';

/*
 * Cloud storage: packages that a company has in stock, the service of a channel that one of them pays, what is recorded of
 * it, and the set-up that a box does by itself (a job of the kind `cloud`, one item a channel).
 */

export const RETENTION_DAYS = [7, 30, 90, 180, 365] as const;
export const RetentionDays = z.union(RETENTION_DAYS.map((days) => z.literal(days)));
export type RetentionDays = (typeof RETENTION_DAYS)[number];
export const TERMS = ['month', 'year'] as const;
export const Term = z.enum(TERMS);
export type Term = z.infer<typeof Term>;

/** How long footage is kept, and how long the service lasts from its activation (CLOUD-19). */
export const CloudPackage = z.object({ retentionDays: RetentionDays, term: Term });
export type CloudPackage = z.infer<typeof CloudPackage>;

/** What makes a clip (CLOUD-06). */
export const CLOUD_TRIGGERS = ['motion', 'intrusion', 'lineCrossing'] as const;
export const CloudTrigger = EventType.extract(CLOUD_TRIGGERS);
export type CloudTrigger = z.infer<typeof CloudTrigger>;

/** `event`: what triggers show; `continuous`: 24/7; `both` (CLOUD-01). */
export const CloudMode = z.enum(['event', 'continuous', 'both']);
export type CloudMode = z.infer<typeof CloudMode>;
/** Of which stream; `adaptive`: the sub-stream at once, the main stream when somebody asks for it. */
export const CloudStream = z.enum(['main', 'sub', 'adaptive']);
export type CloudStream = z.infer<typeof CloudStream>;
/** As devices write it; null: as the device is set. */
export const Definition = z
  .string()
  .regex(/^\d{2,5}\*\d{2,5}$/)
  .meta({ example: '1920*1080' });

export const Channel = z.int().min(1).max(9999);

/** One kind of package of a company, with what it has left (CLOUD-24). */
export const CloudStock = CloudPackage.extend({
  purchased: z.int(),
  used: z.int(),
  /** Taken by set-ups that are under way. */
  reserved: z.int(),
  remaining: z.int(),
});
export type CloudStock = z.infer<typeof CloudStock>;

/** `expiring`: 30 days or less are left. */
export const ServiceState = z.enum(['active', 'expiring', 'expired', 'ended']);
export type ServiceState = z.infer<typeof ServiceState>;
export const CloudService = CloudPackage.extend({
  id: Uuid,
  siteId: Uuid,
  siteName: z.string(),
  deviceId: Uuid,
  deviceName: z.string(),
  channel: Channel,
  state: ServiceState,
  activatedAt: Instant,
  /** The last instant it is good for. */
  until: Instant,
  /** Why it is no more: its time went to another channel, its device was moved or deleted. */
  ended: z.enum(['transferred', 'moved', 'removed']).nullable(),
});
export type CloudService = z.infer<typeof CloudService>;

/** What is recorded of a channel, and whether it is now. */
export const CloudChannel = z.object({
  siteId: Uuid,
  deviceId: Uuid,
  deviceName: z.string(),
  boxSerial: Serial.nullable(),
  channel: Channel,
  /** The switch (CLOUD-10). */
  enabled: z.boolean(),
  mode: CloudMode,
  stream: CloudStream,
  definition: Definition.nullable(),
  triggers: z.array(CloudTrigger),
  audio: z.boolean(),
  /** Only motion may trigger it: a solar camera (CLOUD-07). */
  motionOnly: z.boolean(),
  /** The service that pays it, or the last one. */
  service: CloudService.nullable(),
  /** It is switched on and paid. */
  recording: z.boolean(),
});
export type CloudChannel = z.infer<typeof CloudChannel>;
export const CloudChannels = z.object({ items: z.array(CloudChannel) });

export const EditCloudChannel = z
  .object({
    enabled: z.boolean().optional(),
    mode: CloudMode.optional(),
    stream: CloudStream.optional(),
    definition: Definition.nullable().optional(),
    triggers: z.array(CloudTrigger).min(1).optional(),
    audio: z.boolean().optional(),
  })
  .refine((set) => Object.keys(set).length > 0, 'nothing to change');
export type EditCloudChannel = z.infer<typeof EditCloudChannel>;

/** For who renews: another year, another month (CLOUD-24). */
export const RenewService = z.object({ term: Term });
/** To which channel the time that is left goes. */
export const TransferService = z.object({ deviceId: Uuid, channel: Channel });
