import { z } from 'zod';
import { EventType } from './event.ts';
import { Instant, Serial, Uuid } from './ids.ts';
import { SILENCES } from './silence.ts';

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
  .regex(/^\d{2,5}x\d{2,5}$/)
  .meta({ example: '1920x1080' });

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

/** `expiring`: 30 days or less are left, of a month 7. */
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
  /** Why it is no more: its time went to another channel; its device left the site, and the time can go to another. */
  ended: z.enum(['transferred', 'left']).nullable(),
  /** Its time can go to another channel. */
  transferable: z.boolean(),
});
export type CloudService = z.infer<typeof CloudService>;

/**
 * How the last set-up of a channel went; `never`: it got the time of another channel, and no box has prepared it yet. `code`:
 * what failed.
 */
export const CloudSetUp = z.object({
  state: z.enum(['done', 'running', 'failed', 'never']),
  code: z.string().nullable(),
  jobId: Uuid.nullable(),
});
export type CloudSetUp = z.infer<typeof CloudSetUp>;

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
  setUp: CloudSetUp,
  /** Events that make no clips of it, as the device said when it was asked last (CLOUD-09). */
  silent: z.array(z.object({ trigger: CloudTrigger, why: z.enum(SILENCES) })),
});
export type CloudChannel = z.infer<typeof CloudChannel>;

/** What cloud storage a device has room for, and set-ups of its channels that run or failed. */
export const CloudDevice = z.object({
  deviceId: Uuid,
  deviceName: z.string(),
  model: z.string(),
  /** What the compatibility list allows the model; null: it sets no limit. */
  maxChannels: z.int().nullable(),
  maxWidth: z.int().nullable(),
  maxHeight: z.int().nullable(),
  /** Only motion may have it send footage: a solar camera (CLOUD-07). */
  motionOnly: z.boolean(),
  /** Channels whose service is good now, whoever paid it. */
  paid: z.array(Channel),
  setups: z.array(CloudSetUp.extend({ channel: Channel, at: Instant })),
});
export type CloudDevice = z.infer<typeof CloudDevice>;
export const CloudChannels = z.object({
  items: z.array(CloudChannel),
  devices: z.array(CloudDevice),
  /** Whether it is offered in the country of the company and of this site. */
  offered: z.boolean(),
});
export type CloudChannels = z.infer<typeof CloudChannels>;

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

/** Services of the company's packages, the first to end first; and the packages that it has. */
export const CloudServices = z.object({
  items: z.array(CloudService),
  stock: z.array(CloudStock),
  /** Whether it is offered in the company's country. */
  offered: z.boolean(),
});
export type CloudServices = z.infer<typeof CloudServices>;

/** For who renews: another year, another month (CLOUD-24). */
export const RenewService = z.object({ term: Term });
/** To which channel the time that is left goes. */
export const TransferService = z.object({ deviceId: Uuid, channel: Channel });

/** What a channel is to get. `package` left out: it has a service already, which goes on. */
export const CloudSetupChannel = z.object({
  channel: Channel,
  package: CloudPackage.optional(),
  definition: Definition.nullable().default(null),
  mode: CloudMode.default('event'),
  stream: CloudStream.default('main'),
  audio: z.boolean().default(true),
});
export type CloudSetupChannel = z.infer<typeof CloudSetupChannel>;
const Login = z.object({ username: z.string().min(1).max(64), password: z.string().min(1).max(64) });
/** A device that its site has, or one of the box's LAN that is linked now (BOX-05). */
export const CloudSetupDevice = z.object({
  device: z.union([
    /** With a login, that is tried first and kept. */
    z.object({ deviceId: Uuid, login: Login.optional() }),
    Login.extend({
      name: z.string().trim().min(1).max(64),
      host: z.string().min(1).max(255),
      httpPort: z.int().min(1).max(65_535).default(80),
    }),
  ]),
  channels: z.array(CloudSetupChannel).min(1).max(64),
});
export type CloudSetupDevice = z.infer<typeof CloudSetupDevice>;
export const StartCloudSetup = z.object({
  boxSerial: Serial,
  devices: z.array(CloudSetupDevice).min(1).max(32),
});
export type StartCloudSetup = z.input<typeof StartCloudSetup>;
export const CloudSetupStarted = z.object({
  /** Of the box that works now; null: no device could be begun. */
  jobId: Uuid.nullable(),
  /** Devices that are left out: what each was, and why. */
  refused: z.array(z.object({ index: z.int(), name: z.string(), code: z.string(), detail: z.string() })),
});
export type CloudSetupStarted = z.infer<typeof CloudSetupStarted>;

/** Steps of a channel, in this order: through the box (BOX-06), or with a device of the compatibility list (CLOUD-18). */
export const CLOUD_STEPS = {
  box: ['link', 'svc', 'capability', 'events', 'activate'],
  device: ['encoding', 'capability', 'events', 'activate'],
} as const;
export type CloudStep = (typeof CLOUD_STEPS)[keyof typeof CLOUD_STEPS][number];
/** One channel of the job `cloud`, as the box is told. */
export const CloudItem = z.strictObject({
  jobId: Uuid,
  deviceId: Uuid,
  deviceName: z.string().max(64),
  channel: Channel,
  variant: z.enum(['box', 'device']),
  definition: Definition.nullable(),
  stream: CloudStream,
  mode: CloudMode,
});
export type CloudItem = z.infer<typeof CloudItem>;

/*
 * POST /box/v1/cloud  CloudSettle → CloudSettled: the box says what became of a channel; where all went well, the relay
 * activates its service, which is the job's last step. Asked again it answers the same.
 */
export const CloudSettle = z.object({
  jobId: Uuid,
  deviceId: Uuid,
  channel: Channel,
  ok: z.boolean(),
  /** What failed. */
  code: z.string().max(40).nullable(),
});
export type CloudSettle = z.infer<typeof CloudSettle>;
export const CloudSettled = z.object({
  /** End of the service; null: there is none. */
  until: Instant.nullable(),
});
export type CloudSettled = z.infer<typeof CloudSettled>;
