import { z } from 'zod';
import { page } from './api.ts';
import { Instant, Uuid } from './ids.ts';
import { AuthenticationState, Country, Email, LINE, Phone } from './people.ts';

/*
 * How a company becomes an alarm receiving centre of the platform (ARC-08 to ARC-12), and the list that installers choose
 * from. States: entities.md 2.8.
 */

export const ARC_JOINING_STATES = ['none', 'submitted', 'approved', 'listed', 'rejected', 'withdrawn'] as const;
/** `approved`: ID and key were sent; `listed`: the centre has entered them and said so. */
export const ArcJoiningState = z.enum(ARC_JOINING_STATES).exclude(['none']);
export type ArcJoiningState = z.infer<typeof ArcJoiningState>;

/** The agreement on joining as it stands now; its words are the pages' (`arc-joining.json`). */
export const ARC_AGREEMENT = '2026-11';

const line = (min: number, max: number) => z.string().trim().min(min).max(max).regex(LINE, 'one line');
/** What installers read about a centre, and how it is reached. */
export const ArcInformation = z.object({
  contactName: line(1, 64).meta({ example: 'Rita Wachter' }),
  email: Email.meta({ example: 'service@centre.example' }),
  phone: Phone,
  /** This and what follows may be empty. */
  website: z
    .union([z.literal(''), z.url({ protocol: /^https?$/ }).max(256)])
    .meta({ example: 'https://centre.example' }),
  address: line(1, 256).meta({ example: 'Hafenstr. 1, 20457 Hamburg' }),
  /** Certificates, like EN 50518. */
  certificates: line(0, 256).meta({ example: 'EN 50518, VdS 3138' }),
  about: z.string().trim().max(2_000),
  /** Where it serves sites (ARC-01). */
  countries: z
    .array(Country)
    .min(1, 'one country at least')
    .max(250)
    .transform((list) => [...new Set(list)].sort()),
});
export type ArcInformation = z.output<typeof ArcInformation>;

export const ApplyAsArc = z.object({
  information: ArcInformation,
  /** The version of the agreement that was read and agreed to. */
  agreement: z.literal(ARC_AGREEMENT, 'agree to the agreement on joining as it is now'),
});
export type ApplyAsArc = z.input<typeof ApplyAsArc>;
export const ChangeArcInformation = z.object({ information: ArcInformation });

/** Of one's own company. */
export const ArcJoining = z.object({
  /** Only companies of this type join. */
  offered: z.boolean(),
  state: z.enum(ARC_JOINING_STATES),
  /** As given last; null: never. Then `proposed` holds what the company has already told. */
  information: ArcInformation.nullable(),
  proposed: ArcInformation.partial(),
  company: z.object({ name: z.string(), country: z.string(), authentication: AuthenticationState }),
  /** Who helps with joining; the agreement names it. */
  helpEmail: z.string().nullable(),
  agreement: z.string(),
  appliedAt: Instant.nullable(),
  decidedAt: Instant.nullable(),
  reason: z.string(),
  /** The ARC ID, and of the key only its first characters. */
  arcId: z.string().nullable(),
  keyPrefix: z.string().nullable(),
  keySentTo: z.string().nullable(),
  keyUsedAt: Instant.nullable(),
  configuredAt: Instant.nullable(),
  receivers: z.int(),
  /** Accounts of sites at its receivers. */
  accounts: z.int(),
});
export type ArcJoining = z.infer<typeof ArcJoining>;

/** A listed centre as installers see it. */
export const Arc = z.object({
  id: Uuid,
  name: z.string(),
  country: z.string(),
  information: ArcInformation,
  listedAt: Instant,
});
export type Arc = z.infer<typeof Arc>;
/** With a site: the centres that serve it. */
export const ArcQuery = z.object({ siteId: Uuid.optional() });

/** For the operator. */
export const ArcApplication = z.object({
  companyId: Uuid,
  name: z.string(),
  country: z.string(),
  state: ArcJoiningState,
  authentication: AuthenticationState,
  suspended: z.boolean(),
  information: ArcInformation,
  appliedBy: z.string(),
  appliedAt: Instant,
  decidedAt: Instant.nullable(),
  decidedBy: z.string().nullable(),
  reason: z.string(),
  configuredAt: Instant.nullable(),
  accounts: z.int(),
});
export type ArcApplication = z.infer<typeof ArcApplication>;
export const ArcApplicationQuery = z.object({
  state: ArcJoiningState.optional(),
  cursor: z.string().max(64).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export type ArcApplicationQuery = z.output<typeof ArcApplicationQuery>;
export const ArcApplicationPage = page(ArcApplication);
