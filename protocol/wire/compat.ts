import { z } from 'zod';
import { PageQuery } from './api.ts';
import { Instant, Uuid } from './ids.ts';

/*
 * The compatibility list: what is known of models of devices. The operator keeps it, everybody reads it; a model that
 * does not stand in it can be used all the same.
 */

/** Its tabs: cloud storage by kind of device, devices behind the box, old firmware that only the box can use, brands on devices. */
export const COMPAT_LISTS = ['cloud-nvr', 'cloud-dvr', 'cloud-camera', 'box', 'old-firmware', 'co-branding'] as const;
export const CompatList = z.enum(COMPAT_LISTS);
export type CompatList = z.infer<typeof CompatList>;

/** What else is told of a model: yes or no; what is left out is not known. */
export const COMPAT_FEATURES = [
  'video',
  'remoteUpgrade',
  'remoteConfiguration',
  'health',
  'coBranding',
  'arc',
  'linkage',
] as const;
export const CompatFeature = z.enum(COMPAT_FEATURES);
export type CompatFeature = z.infer<typeof CompatFeature>;

export const CompatEntry = z.object({
  list: CompatList,
  deviceType: z.string().trim().min(1).max(64),
  series: z.string().trim().max(64).default(''),
  model: z.string().trim().min(1).max(64),
  /** What it says holds from this version on. */
  firmware: z.string().trim().max(64).default(''),
  /** Channels that cloud storage may be on for; null: the list does not say. */
  maxChannels: z.int().min(0).max(256).nullable().default(null),
  maxWidth: z.int().min(16).max(16_384).nullable().default(null),
  maxHeight: z.int().min(16).max(16_384).nullable().default(null),
  maxKbps: z.int().min(16).max(1_000_000).nullable().default(null),
  features: z.partialRecord(CompatFeature, z.boolean()).default({}),
  remarks: z.string().trim().max(256).default(''),
});
export type CompatEntry = z.infer<typeof CompatEntry>;

export const CompatRow = CompatEntry.extend({ id: Uuid });
export type CompatRow = z.infer<typeof CompatRow>;

const number = (least: number, most: number) => z.coerce.number().int().min(least).max(most).optional();
export const CompatFilter = z.object({
  list: CompatList.optional(),
  /** Words of model, series or remarks. */
  q: z.string().trim().max(100).optional(),
  deviceType: z.string().max(64).optional(),
  /** At least so many channels. */
  channels: number(0, 256),
  /** At least so many lines of picture. */
  height: number(16, 16_384),
  /** At least such a bit rate. */
  kbps: number(16, 1_000_000),
});
export type CompatFilter = z.infer<typeof CompatFilter>;
/** 50 a page, unless something else is asked for. */
export const CompatQuery = PageQuery.extend(CompatFilter.shape);
export type CompatQuery = z.infer<typeof CompatQuery>;

export const CompatSummary = z.object({
  /** Rows of each tab. */
  counts: z.record(CompatList, z.int()),
  deviceTypes: z.array(z.string()),
  /** When the operator replaced it last; null: as it came with the relay. */
  changedAt: Instant.nullable(),
});
export type CompatSummary = z.infer<typeof CompatSummary>;

/** A request is at most 256 KB: what this leaves is room for the words around the file. */
export const MAX_COMPAT_CSV = 240_000;
export const ImportCompat = z.object({
  /** The whole list as CSV with the columns of the download; it takes the place of what is there. */
  csv: z.string().min(1).max(MAX_COMPAT_CSV),
});
export const ImportedCompat = z.object({ rows: z.int(), added: z.int(), removed: z.int() });
export type ImportedCompat = z.infer<typeof ImportedCompat>;

/** What the compatibility list allows a device of one model and firmware. */
export interface CloudLimit {
  /** As it stands in the list. */
  model: string;
  firmware: string;
  channels: number;
  maxWidth: number | null;
  maxHeight: number | null;
  maxKbps: number | null;
}
