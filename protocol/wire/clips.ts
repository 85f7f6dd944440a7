import { z } from 'zod';
import { Clip, PageQuery } from './api.ts';
import { EventType } from './event.ts';
import { Instant, Uuid } from './ids.ts';

/*
 * The library of a site's clips: lists by day, device, kind and what happened; days that have some; shared links.
 */

/** What happened while it was recorded, for marks on its timeline. */
export const ClipEvent = z.object({
  id: Uuid,
  type: EventType,
  occurredAt: Instant,
  endedAt: Instant.nullable(),
});
export type ClipEvent = z.infer<typeof ClipEvent>;

export const LibraryClip = Clip.omit({ eventIds: true }).extend({
  /** Null: the device is not there any more. */
  deviceName: z.string().nullable(),
  /** The first few. */
  events: z.array(ClipEvent),
});
export type LibraryClip = z.infer<typeof LibraryClip>;

const Channel = z.coerce.number().int().min(1).max(9999);
export const ClipQuery = PageQuery.extend({
  from: Instant.optional(),
  to: Instant.optional(),
  deviceId: Uuid.optional(),
  channel: Channel.optional(),
  kind: Clip.shape.kind.removeDefault().optional(),
  type: EventType.optional(),
});
export type ClipQuery = z.infer<typeof ClipQuery>;

export const ClipDaysQuery = z.object({
  /** Of the site's own days. */
  month: z
    .string()
    .regex(/^20\d\d-(0[1-9]|1[0-2])$/)
    .meta({ example: '2026-03' }),
  deviceId: Uuid.optional(),
  channel: Channel.optional(),
});
export const ClipDays = z.object({
  /** Days of the month that have footage. */
  days: z.array(
    z.object({
      day: z.int().min(1).max(31),
      /** Clips of events. */
      events: z.int(),
      /** Something of continuous recording is there. */
      continuous: z.boolean(),
    }),
  ),
});
export type ClipDays = z.infer<typeof ClipDays>;

export const ClipStorage = z.object({
  /** What the site's footage takes where it is stored. */
  bytes: z.int(),
  /** The oldest that is there. */
  oldestAt: Instant.nullable(),
});
export type ClipStorage = z.infer<typeof ClipStorage>;

/** How long a shared link is good for. */
export const SHARE_HOURS = [1, 24, 72, 168, 720] as const;
export const NewClipShare = z.object({
  hours: z.union(SHARE_HOURS.map((hours) => z.literal(hours))),
  /** For whom it is; shown to those who may see the clip. */
  note: z.string().trim().max(64).default(''),
});
export const ClipShare = z.object({
  id: Uuid,
  note: z.string(),
  createdAt: Instant,
  expiresAt: Instant,
  /** Who made it. */
  by: z.string(),
  views: z.int(),
  viewedAt: Instant.nullable(),
});
export type ClipShare = z.infer<typeof ClipShare>;
/** The address is shown this once. */
export const MadeClipShare = ClipShare.extend({ path: z.string(), url: z.string().nullable() });
export type MadeClipShare = z.infer<typeof MadeClipShare>;

/** What stands behind a shared link, for who has no account: `GET /s/{token}/about`. */
export interface SharedClip {
  deviceName: string | null;
  channel: number;
  startedAt: string;
  durationMs: number;
  timeZone: string;
  codec: string;
  /** Until when the link is good. */
  expiresAt: string;
  /** Nothing of it can be played yet. */
  empty: boolean;
}
