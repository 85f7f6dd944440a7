import { z } from 'zod';
import { Site } from './api.ts';
import { Instant, Uuid } from './ids.ts';

/* What a person sees first: what needs attention now, and the sites they were at last. Shapes of the portal API. */

export const HOME_KINDS = [
  'box-duplicate',
  'box-gone',
  'device-trouble',
  'problem',
  'join-request',
  'partner-invitation',
  'permission-request',
  'permission-asked',
  'transfer-open',
  'assignment-ends',
  'permission-ends',
  'company-unproven',
] as const;
export type HomeKind = (typeof HOME_KINDS)[number];

/** At most so many of a kind are told one by one. */
export const HOME_SHOWN = 5;

export const HomeItem = z.object({
  kind: z.enum(HOME_KINDS),
  /** The box's serial, the device, the person or the company. */
  name: z.string().meta({ example: '3467ACDEF' }),
  site: z.object({ id: Uuid, name: z.string(), timeZone: z.string() }).nullable(),
  deviceId: Uuid.nullable(),
  /** A problem in words. */
  text: z.string().nullable(),
  /** Since when; of what ends: when. */
  at: Instant.nullable(),
});
export type HomeItem = z.infer<typeof HomeItem>;

export const Home = z.object({
  /** The most urgent kind first, its oldest first; at most five of a kind. */
  items: z.array(HomeItem),
  /** Kinds of which there are more than are told here. */
  more: z.array(z.enum(HOME_KINDS)),
  /** The sites that were asked for, in their order; else the newest. */
  sites: z.array(Site),
  /** False: no site is in reach at all. */
  anySite: z.boolean(),
});
export type Home = z.infer<typeof Home>;

/** `sites`: ids of the sites that this person opened last, with commas between. */
export const HomeQuery = z.object({
  sites: z
    .string()
    .max(8 * 37)
    .default('')
    .transform((text) => text.split(',').filter((id) => Uuid.safeParse(id).success))
    .pipe(z.array(Uuid).max(8)),
});
