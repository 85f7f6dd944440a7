import { z } from 'zod';
import { PageQuery } from './api.ts';
import { Instant, Uuid } from './ids.ts';
import { DeviceType, SiteStatus } from './rights.ts';

/* Sites, their groups and managers, and the lists of sites and devices: shapes of the portal API. */

export const MAX_SITE_MANAGERS = 100;
/** Sites, or people, named in one request. */
export const MAX_BATCH = 200;

/** What can be said of a site; everything but the time zone can be changed later. */
const SiteText = {
  name: z.string().trim().min(1).max(64).meta({ example: 'Jewelry Müller' }),
  /** Set clock and zone of the devices from the site's. */
  syncTime: z.boolean(),
  scene: z.string().trim().max(32).meta({ example: 'shop' }),
  address: z.string().trim().max(200).meta({ example: 'Hauptstraße 5' }),
  city: z.string().trim().max(64).meta({ example: 'Berlin' }),
  region: z.string().trim().max(64),
  /** ISO 3166 alpha-2, or empty. */
  country: z
    .string()
    .regex(/^([A-Z]{2})?$/, 'two capital letters like DE, or nothing')
    .meta({ example: 'DE' }),
  latitude: z.number().min(-90).max(90).nullable().meta({ example: 52.52 }),
  longitude: z.number().min(-180).max(180).nullable().meta({ example: 13.4 }),
  /** What the installer notes of the customer; never shown to others. */
  remark: z.string().trim().max(500),
};

/** A group by its id, or a new one by its name. */
const InGroup = z.union([
  z.object({ id: Uuid }).strict(),
  z.object({ name: z.string().trim().min(1).max(64) }).strict(),
]);

export const CreateSite = z.object({
  name: SiteText.name,
  timeZone: z.string().min(1).max(64).meta({ example: 'Europe/Berlin' }),
  type: z.enum(['personal', 'team']).default('personal'),
  syncTime: SiteText.syncTime.default(true),
  scene: SiteText.scene.default(''),
  address: SiteText.address.default(''),
  city: SiteText.city.default(''),
  region: SiteText.region.default(''),
  country: SiteText.country.default(''),
  latitude: SiteText.latitude.default(null),
  longitude: SiteText.longitude.default(null),
  remark: SiteText.remark.default(''),
  group: InGroup.nullable().default(null),
});
export type CreateSite = z.input<typeof CreateSite>;

/** Only what is sent is changed. The time zone is refused by its name, so that nobody thinks it was taken. */
export const EditSite = z.object(SiteText).partial().extend({ timeZone: z.unknown().optional() });
export type EditSite = z.input<typeof EditSite>;

export const SiteManager = z.object({
  userId: Uuid,
  name: z.string(),
  email: z.string().nullable(),
  /** Null: Lifetime. */
  until: Instant.nullable(),
  /** Holds Manage All Sites: Lifetime, and cannot be changed. */
  fixed: z.boolean(),
});
export type SiteManager = z.infer<typeof SiteManager>;

const Until = z.iso.datetime().nullable();
/** Assigns each of the sites to each of the people; who has one already gets the new end. */
export const AssignSites = z.object({
  siteIds: z.array(Uuid).min(1).max(MAX_BATCH),
  managers: z
    .array(z.object({ userId: Uuid, until: Until.default(null) }))
    .min(1)
    .max(MAX_SITE_MANAGERS),
});
export type AssignSites = z.input<typeof AssignSites>;
export const SetValidity = z.object({ until: Until });

export const SiteGroup = z.object({ id: Uuid, name: z.string(), siteCount: z.int() });
export type SiteGroup = z.infer<typeof SiteGroup>;
export const SaveGroup = z.object({ name: SiteText.name });
/** `group` null: out of their group. */
export const MoveToGroup = z.object({ siteIds: z.array(Uuid).min(1).max(MAX_BATCH), group: InGroup.nullable() });
export type MoveToGroup = z.input<typeof MoveToGroup>;

/** What a batch did: the sites that were changed, and why others were not. */
export const BatchResult = z.object({
  done: z.array(Uuid),
  failed: z.array(z.object({ siteId: Uuid, code: z.string(), detail: z.string() })),
});
export type BatchResult = z.infer<typeof BatchResult>;

const Search = PageQuery.extend({
  cursor: z.string().max(1024).optional(),
  /** Words, each the beginning of a word of the site or its devices, or of the end of a serial. */
  q: z.string().trim().max(100).optional().meta({ example: 'müller 3G21' }),
});
export const SiteQuery = Search.extend({
  status: SiteStatus.optional(),
  type: z.enum(['personal', 'team']).optional(),
  /** A group's id, or `none`. */
  group: z.union([Uuid, z.literal('none')]).optional(),
});
export type SiteQuery = z.output<typeof SiteQuery>;

export const DEVICE_STATES = ['online', 'offline', 'unknown'] as const;
export const DeviceQuery = Search.extend({
  type: DeviceType.optional(),
  accessMode: z.enum(['p2p', 'ip']).optional(),
  /** `offline`: its box says that it does not work; `unknown`: nobody says anything of it now. */
  state: z.enum(DEVICE_STATES).optional(),
});
export type DeviceQuery = z.output<typeof DeviceQuery>;
