import { z } from 'zod';

/*
 * Who may do what: the words that the relay, its API and the pages share. A tenant is a company: an installer's, an alarm
 * receiving centre's, a customer's household, or whoever runs the relay. What a tenant may reach stands in grants; what
 * an employee may do of that, in roles.
 */

export const COMPANY_TYPES = ['installer', 'integrator', 'distributor', 'reseller', 'arc', 'oem'] as const;
/** Types a company registers as; `customer` is an end user's own tenant, `operator` the one that runs the relay. */
export const RegisteredType = z.enum(COMPANY_TYPES);
export const CompanyType = z.enum([
  'installer',
  'integrator',
  'distributor',
  'reseller',
  'arc',
  'oem',
  'customer',
  'operator',
]);
export type CompanyType = z.infer<typeof CompanyType>;

/** What a role may hold. The first account of a company (its administrator) holds all of them. */
export const ROLE_PERMISSIONS = [
  'manage-all-sites',
  'manage-assigned-sites',
  'manage-accounts',
  'manage-devices',
  'configure-devices',
  'live-view',
  'playback',
] as const;
export const RolePermission = z.enum(ROLE_PERMISSIONS);
export type RolePermission = z.infer<typeof RolePermission>;

/**
 * What a grant gives on a site, or on one device of it:
 * - `list`: that it is there, its name and status;
 * - `view`: its state, events and alarms;
 * - `manage`: change the site and what belongs to it (after a transfer: the site authorisation);
 * - `configure`, `live`, `playback`: the three device permissions;
 * - `services`, `system`: of a team site instead: Service Management, and System Access, which is to all its devices;
 * - `all`: of who made the site and has not handed it over; `own`: of its owner after a transfer.
 */
export const PERMISSIONS = [
  'list',
  'view',
  'manage',
  'configure',
  'live',
  'playback',
  'services',
  'system',
  'own',
  'all',
] as const;
export const Permission = z.enum(PERMISSIONS);
export type Permission = z.infer<typeof Permission>;

/** Which grants are enough for a permission. */
export const GIVEN_BY: Record<Permission, readonly Permission[]> = {
  list: ['list', 'view', 'manage', 'configure', 'live', 'playback', 'services', 'system', 'own', 'all'],
  view: ['view', 'manage', 'configure', 'live', 'playback', 'services', 'system', 'own', 'all'],
  manage: ['manage', 'services', 'all'],
  configure: ['configure', 'system', 'own', 'all'],
  live: ['live', 'system', 'own', 'all'],
  playback: ['playback', 'system', 'own', 'all'],
  services: ['services', 'all'],
  system: ['system', 'own', 'all'],
  own: ['own'],
  all: ['all'],
};

export const DevicePermission = z.enum(['configure', 'live', 'playback']);
export type DevicePermission = z.infer<typeof DevicePermission>;

export const SITE_STATUSES = [
  'not-handed-over',
  'not-registered',
  'to-be-accepted',
  'not-authorized',
  'authorized',
  'shared',
  'disbanded',
] as const;
export const SiteStatus = z.enum(SITE_STATUSES);
export type SiteStatus = z.infer<typeof SiteStatus>;

export const SITE_OPERATIONS = [
  'search',
  'assign',
  'transfer',
  'share',
  'manage-devices',
  'edit',
  'delete',
  'apply-authorization',
  'apply-permissions',
  'collaborate',
  'batch-share',
  'group',
  'resend-transfer',
] as const;
export const SiteOperation = z.enum(SITE_OPERATIONS);
export type SiteOperation = z.infer<typeof SiteOperation>;

/**
 * What can be done with a site in each status (Hik-Partner Pro manual, table 3-12). Sending a transfer again is an
 * operation of its own: the table's row means the first one.
 */
export const STATUS_ALLOWS: Record<SiteOperation, readonly SiteStatus[]> = {
  search: SITE_STATUSES,
  assign: ['not-handed-over', 'not-registered', 'to-be-accepted', 'not-authorized', 'authorized', 'shared'],
  transfer: ['not-handed-over'],
  share: ['not-handed-over'],
  'manage-devices': ['not-handed-over', 'not-registered', 'to-be-accepted', 'authorized', 'shared'],
  edit: ['not-handed-over', 'not-registered', 'to-be-accepted', 'authorized', 'shared'],
  delete: SITE_STATUSES,
  'apply-authorization': ['not-authorized'],
  'apply-permissions': ['not-authorized', 'authorized', 'shared'],
  collaborate: ['not-handed-over', 'authorized'],
  'batch-share': ['shared'],
  group: ['not-handed-over', 'not-registered', 'to-be-accepted', 'not-authorized', 'authorized', 'shared'],
  'resend-transfer': ['not-registered', 'to-be-accepted'],
};

/** What must be held on the site for each operation. */
export const OPERATION_NEEDS: Record<SiteOperation, Permission> = {
  search: 'list',
  assign: 'list',
  transfer: 'manage',
  share: 'manage',
  'manage-devices': 'manage',
  edit: 'manage',
  delete: 'list',
  'apply-authorization': 'list',
  'apply-permissions': 'list',
  collaborate: 'manage',
  'batch-share': 'manage',
  group: 'list',
  'resend-transfer': 'manage',
};

export const VALIDITIES = ['permanent', '1h', '2h', '4h', '8h'] as const;
/** How long a device permission is asked for. */
export const Validity = z.enum(VALIDITIES);
export type Validity = z.infer<typeof Validity>;

/** Kinds of devices, as adding methods, transfer and linkage tell them apart. `box`: the edge box itself. */
export const DEVICE_TYPES = [
  'encoding',
  'panel',
  'access',
  'intercom',
  'network',
  'radar',
  'audio',
  'doorbell',
  'box',
] as const;
export const DeviceType = z.enum(DEVICE_TYPES);
export type DeviceType = z.infer<typeof DeviceType>;
