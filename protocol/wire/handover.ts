import { z } from 'zod';
import { Instant, Uuid } from './ids.ts';
import { Email, LINE, Locale, Phone } from './people.ts';
import { CompanyType, DeviceType, Permission, SiteStatus, Validity } from './rights.ts';

/*
 * Handing a site over to its customer by transfer, and what the installer may do there afterwards: permissions that are
 * asked for, given, run out, are released and taken back.
 */

/** No control characters: the text stands in mails. Lines may break. */
const Remark = z
  .string()
  .trim()
  .max(500)
  .regex(/^[^\p{Cc}]*(\n[^\p{Cc}]*)*$/u, 'text without control characters')
  .default('')
  .meta({ example: 'The panel in the hall is armed with your old code.' });

/**
 * What can be asked of the owner of a site. Personal sites: `manage` (managing site information: the site authorisation)
 * and the three device permissions. Team sites: `services` (Service Management) and `system` (System Access).
 */
export const ASKABLE = ['manage', 'configure', 'live', 'playback', 'services', 'system'] as const;
export const Askable = z.enum(ASKABLE);
export type Askable = z.infer<typeof Askable>;
/** Over the whole site. The others are held device by device. */
export const SITE_WIDE: readonly Askable[] = ['manage', 'services', 'system'];
/** What a site's owner is asked for when his installer wants to manage it again. */
export const authorizationOf = (type: 'personal' | 'team'): 'manage' | 'services' =>
  type === 'team' ? 'services' : 'manage';

// --- transfer
export const TransferMethod = z.enum(['email', 'phone', 'qr']);
export type TransferMethod = z.infer<typeof TransferMethod>;
export const TransferState = z.enum(['sent', 'accepted', 'rejected', 'cancelled', 'superseded', 'expired']);
export type TransferState = z.infer<typeof TransferState>;
/** Resends of one site in one day of its time zone. */
export const RESENDS_PER_DAY = 5;

export const TransferAsk = z.object({
  permission: Askable,
  /** Null: the whole site; for device permissions every device that is there when the customer accepts. */
  deviceIds: z.array(Uuid).min(1).max(200).nullable().default(null),
  /** Counted from the acceptance. */
  validity: Validity,
});
export type TransferAsk = z.infer<typeof TransferAsk>;

const transferCommon = {
  customerName: z.string().trim().max(64).regex(LINE, 'one line').default('').meta({ example: 'Mara Winter' }),
  remark: Remark,
  /** Of the message to the customer. */
  locale: Locale.default('en'),
  requests: z
    .array(TransferAsk)
    .max(16)
    .default([])
    .meta({ example: [{ permission: 'manage', deviceIds: null, validity: 'permanent' }] }),
};
export const CreateTransfer = z.discriminatedUnion('method', [
  z.object({ method: z.literal('email'), email: Email, ...transferCommon }),
  z.object({ method: z.literal('phone'), phone: Phone, ...transferCommon }),
  z.object({ method: z.literal('qr'), ...transferCommon }),
]);
export type CreateTransfer = z.infer<typeof CreateTransfer>;

const NamedDevice = z.object({ id: Uuid, name: z.string() });
export const AskedPermission = z.object({
  permission: Askable,
  /** Null: the whole site, or every device. */
  devices: z.array(NamedDevice).nullable(),
  validity: Validity,
});
export type AskedPermission = z.infer<typeof AskedPermission>;

export const Transfer = z.object({
  id: Uuid,
  siteId: Uuid,
  method: TransferMethod,
  /** E-mail address or phone number; null for a QR code. */
  recipient: z.string().nullable(),
  customerName: z.string(),
  remark: z.string(),
  requests: z.array(AskedPermission),
  sentAt: Instant,
  expiresAt: Instant,
  state: TransferState,
  decidedAt: Instant.nullable(),
});
export type Transfer = z.infer<typeof Transfer>;

/** What is in the way of a transfer. `ip-device`: reached by address or domain; to be added again as P2P or taken away. */
export const Obstacle = z.object({
  code: z.enum(['no-device', 'ip-device', 'device-type']),
  device: NamedDevice.nullable(),
});
export type Obstacle = z.infer<typeof Obstacle>;

export const TransferStatus = z.object({
  siteId: Uuid,
  type: z.enum(['personal', 'team']),
  status: SiteStatus,
  /** The newest one. */
  transfer: Transfer.nullable(),
  /** Today, in the site's zone. */
  resendsLeft: z.int(),
  obstacles: z.array(Obstacle),
  /** The owner, once it was accepted. */
  owner: z.object({ name: z.string() }).nullable(),
});
export type TransferStatus = z.infer<typeof TransferStatus>;

/** Of a QR code the secret is told once, when it is made. */
export const SentTransfer = TransferStatus.extend({
  qr: z.object({ url: z.string(), svg: z.string() }).nullable(),
});
export type SentTransfer = z.infer<typeof SentTransfer>;

// --- the customer's side of a transfer
/** Who serves a site: never a partner that only helps. */
export const Provider = z.object({
  id: Uuid,
  name: z.string(),
  phone: z.string(),
  address: z.string(),
  email: z.string().nullable(),
});
export type Provider = z.infer<typeof Provider>;

export const Handover = z.object({
  id: Uuid,
  siteId: Uuid,
  siteName: z.string(),
  siteType: z.enum(['personal', 'team']),
  timeZone: z.string(),
  provider: Provider,
  customerName: z.string(),
  remark: z.string(),
  requests: z.array(AskedPermission),
  devices: z.array(NamedDevice.extend({ type: DeviceType })),
  sentAt: Instant,
  expiresAt: Instant,
  state: TransferState,
});
export type Handover = z.infer<typeof Handover>;

export const HandoverToken = z
  .string()
  .regex(/^[\w-]{43}$/, 'the secret of a handover link')
  .meta({ example: 'mBnXb0b4tS4mZkQ0pV3JcO5x9Yh1sA7uQeWzR2tLkDg' });
export const OpenHandover = z.object({ token: HandoverToken });
/** `token`: needed for a QR code, that is for no address. */
export const DecideHandover = z.object({ token: HandoverToken.optional() });

// --- permissions
export const ApplicationState = z.enum(['pending', 'approved', 'refused', 'withdrawn']);
export type ApplicationState = z.infer<typeof ApplicationState>;

const SiteOrDevice = { deviceId: Uuid.nullable().default(null), permission: Askable };
export const ApplyAuthorization = z.object({ validity: Validity.default('permanent'), remark: Remark });
export const ApplyPermissions = z.object({
  items: z
    .array(z.object({ ...SiteOrDevice, validity: Validity }))
    .min(1)
    .max(200),
  remark: Remark,
});
export type ApplyPermissions = z.infer<typeof ApplyPermissions>;

export const ApplicationItem = z.object({
  id: Uuid,
  deviceId: Uuid.nullable(),
  deviceName: z.string().nullable(),
  permission: Askable,
  /** As asked for; as given once approved. */
  validity: Validity,
  state: ApplicationState,
  decidedAt: Instant.nullable(),
});
export const PermissionApplication = z.object({
  id: Uuid,
  siteId: Uuid,
  siteName: z.string(),
  timeZone: z.string(),
  applicant: z.object({ companyId: Uuid, name: z.string() }),
  remark: z.string(),
  createdAt: Instant,
  /** Something of it waits for a decision. */
  open: z.boolean(),
  items: z.array(ApplicationItem),
});
export type PermissionApplication = z.infer<typeof PermissionApplication>;

export const DecideApplication = z.object({
  items: z
    .array(
      z.object({
        id: Uuid,
        approve: z.boolean(),
        /** Another one than was asked for. */
        validity: Validity.optional(),
      }),
    )
    .min(1)
    .max(200),
});
export type DecideApplication = z.infer<typeof DecideApplication>;

/** One permission on the site or on a device, as a tenant sees his own. */
export const HeldPermission = z.object({
  deviceId: Uuid.nullable(),
  deviceName: z.string().nullable(),
  permission: Askable,
  state: z.enum(['none', 'applied', 'granted']),
  /** Null: permanent, or not granted. */
  until: Instant.nullable(),
  /** It may be asked for now. */
  mayApply: z.boolean(),
  /** It can be given back. */
  mayRelease: z.boolean(),
});
export type HeldPermission = z.infer<typeof HeldPermission>;
export const SitePermissions = z.object({
  siteId: Uuid,
  type: z.enum(['personal', 'team']),
  status: SiteStatus,
  owner: z.object({ name: z.string() }).nullable(),
  items: z.array(HeldPermission),
});
export type SitePermissions = z.infer<typeof SitePermissions>;

export const PermissionRef = z.object(SiteOrDevice);
export const ReleasePermissions = z.object({ items: z.array(PermissionRef).min(1).max(200) });
export const WithdrawPermissions = z.object({ companyId: Uuid, items: z.array(PermissionRef).min(1).max(200) });

/** Who may do what at a site of the owner now. */
export const SiteAccess = z.object({
  siteId: Uuid,
  items: z.array(
    z.object({
      company: z.object({ id: Uuid, name: z.string(), type: CompanyType }),
      permission: Permission,
      deviceId: Uuid.nullable(),
      deviceName: z.string().nullable(),
      until: Instant.nullable(),
      /** The owner can take it back. */
      mayWithdraw: z.boolean(),
    }),
  ),
});
export type SiteAccess = z.infer<typeof SiteAccess>;
