import { z } from 'zod';
import { PageQuery } from './api.ts';
import { CloudPackage } from './cloud.ts';
import { Instant, Serial, Uuid } from './ids.ts';
import { CompanyType } from './rights.ts';

/* The console of whoever runs the relay, and the service keys that it gives to companies. */

const Search = z.string().trim().max(100).optional();
/** In a query: `true` or `false`. */
const Flag = z.enum(['true', 'false']).optional();

export const AUTHENTICATION_STATES = ['none', 'submitted', 'approved', 'rejected'] as const;
export const OperatorCompanyQuery = PageQuery.extend({
  /** Part of the name, or of the e-mail address of its administrator. */
  q: Search.meta({ example: 'müller' }),
  type: CompanyType.optional(),
  authentication: z.enum(AUTHENTICATION_STATES).optional(),
  suspended: Flag,
});
export type OperatorCompanyQuery = z.output<typeof OperatorCompanyQuery>;

export const OperatorCompany = z.object({
  id: Uuid,
  name: z.string().meta({ example: 'Müller Sicherheit' }),
  type: CompanyType,
  country: z.string().meta({ example: 'DE' }),
  createdAt: Instant,
  authentication: z.enum(AUTHENTICATION_STATES),
  suspendedAt: Instant.nullable(),
  /** Address of the administrator. */
  email: z.string().nullable(),
});
export type OperatorCompany = z.infer<typeof OperatorCompany>;

export const OperatorCompanyDetail = OperatorCompany.extend({
  address: z.string(),
  phone: z.string(),
  channelPartner: z.boolean(),
  people: z.int(),
  sites: z.int(),
  boxes: z.int(),
  slots: z.int(),
  slotsUsed: z.int(),
  /** What it sent for its authentication, in the words of its country. */
  submitted: z.record(z.string(), z.string()),
  submittedAt: Instant.nullable(),
  decidedAt: Instant.nullable(),
  reason: z.string(),
});
export type OperatorCompanyDetail = z.infer<typeof OperatorCompanyDetail>;

export const Decision = z.discriminatedUnion('approved', [
  z.object({ approved: z.literal(true) }),
  z.object({ approved: z.literal(false), reason: z.string().trim().min(1).max(500) }),
]);
export type Decision = z.infer<typeof Decision>;
export const SetSuspended = z.object({ suspended: z.boolean() });

/** What a key gives: more employees' accounts without limit, or packages of cloud storage. */
export const KEY_CONTENTS = ['employee-slots', 'cloud-storage'] as const;
export const KeyContent = z.enum(KEY_CONTENTS);
export const KEY_STATES = ['open', 'redeemed', 'withdrawn', 'expired'] as const;
export const ServiceKeyState = z.enum(KEY_STATES);
export type ServiceKeyState = z.infer<typeof ServiceKeyState>;
/** As it is written on paper: four groups of five letters and digits; read without regard to case, blanks and hyphens. */
export const ServiceKeyText = z.string().max(64).meta({ example: '3GA7K-XN4PQ-R6TUV-9WYCD' });

export const IssueKeys = z.object({
  content: KeyContent,
  /** Of `cloud-storage`: which; left out otherwise. */
  package: CloudPackage.optional(),
  quantity: z.int().min(1).max(1000).meta({ example: 5 }),
  /** How many keys, each for this quantity. */
  count: z.int().min(1).max(100).default(1),
  /** For whom, or on which order: only the operator sees it. */
  note: z.string().trim().max(200).default(''),
  validDays: z.int().min(1).max(3650).default(365),
});
export type IssueKeys = z.input<typeof IssueKeys>;
export const IssuedKeys = z.object({
  /** Shown this once: only their hashes are kept. */
  keys: z.array(z.object({ id: Uuid, key: ServiceKeyText })),
});
export type IssuedKeys = z.infer<typeof IssuedKeys>;

export const ServiceKeyQuery = PageQuery.extend({
  /** The last group of the key, or part of the note. */
  q: Search,
  state: ServiceKeyState.optional(),
  companyId: Uuid.optional(),
});
export type ServiceKeyQuery = z.output<typeof ServiceKeyQuery>;
export const ServiceKey = z.object({
  id: Uuid,
  content: KeyContent,
  /** Of `cloud-storage`: which. */
  package: CloudPackage.nullable(),
  quantity: z.int(),
  /** The last group, to tell keys apart. */
  ending: z.string().meta({ example: '9WYCD' }),
  note: z.string(),
  state: ServiceKeyState,
  issuedAt: Instant,
  expiresAt: Instant,
  redeemedAt: Instant.nullable(),
  withdrawnAt: Instant.nullable(),
  company: z.object({ id: Uuid, name: z.string() }).nullable(),
});
export type ServiceKey = z.infer<typeof ServiceKey>;

/** What a company enters: keys, separated by commas or blanks. */
export const RedeemKeys = z.object({
  keys: z.string().trim().min(1).max(2000).meta({ example: '3GA7K-XN4PQ-R6TUV-9WYCD' }),
});
export const Redeemed = z.object({
  /** By content: how much was added. */
  added: z.array(z.object({ content: KeyContent, package: CloudPackage.nullable(), quantity: z.int() })),
  slots: z.int(),
  slotsUsed: z.int(),
});
export type Redeemed = z.infer<typeof Redeemed>;
/** What a company redeemed. */
export const RedeemedKey = ServiceKey.pick({
  id: true,
  content: true,
  package: true,
  quantity: true,
  ending: true,
}).extend({
  redeemedAt: Instant,
});
export type RedeemedKey = z.infer<typeof RedeemedKey>;

export const BOX_STATES = ['unclaimed', 'claimed', 'duplicate', 'revoked'] as const;
export const OperatorBoxQuery = PageQuery.extend({
  /** Beginning of the serial, or part of the site's or company's name. */
  q: Search,
  state: z.enum(BOX_STATES).optional(),
  companyId: Uuid.optional(),
  online: Flag,
});
export type OperatorBoxQuery = z.output<typeof OperatorBoxQuery>;
export const OperatorBox = z.object({
  serial: Serial,
  state: z.enum(BOX_STATES),
  online: z.boolean(),
  version: z.string().nullable(),
  enrolledAt: Instant,
  /** When it was last heard. */
  seenAt: Instant.nullable(),
  site: z.object({ id: Uuid, name: z.string() }).nullable(),
  company: z.object({ id: Uuid, name: z.string() }).nullable(),
});
export type OperatorBox = z.infer<typeof OperatorBox>;

export const SystemState = z.object({
  version: z.string(),
  startedAt: Instant,
  database: z.object({ kind: z.enum(['sqlite', 'postgres']), bytes: z.int() }),
  memoryBytes: z.int(),
  companies: z.int(),
  /** Companies that wait for a decision. */
  waiting: z.int(),
  sites: z.int(),
  devices: z.int(),
  boxes: z.array(z.object({ state: z.enum(BOX_STATES), count: z.int() })),
  boxesOnline: z.int(),
  tunnels: z.int(),
  arcPaths: z.int(),
  /** Where footage is kept; of a bucket, why it cannot be used. */
  clips: z.discriminatedUnion('place', [
    z.object({ place: z.literal('folder') }),
    z.object({
      place: z.literal('bucket'),
      endpoint: z.string(),
      bucket: z.string(),
      /** Nothing new is put into it. */
      retired: z.boolean(),
      /** What is in it is taken back into the folder. */
      takeBack: z.boolean(),
      problem: z.object({ text: z.string(), since: Instant }).nullable(),
    }),
  ]),
  /** Messages that wait to be delivered, and since when the oldest does. */
  outbox: z.object({ waiting: z.int(), failed: z.int(), oldestAt: Instant.nullable() }),
  /** What boxes sent and the relay could not understand: how many are kept, and the newest. */
  quarantine: z.object({
    kept: z.int(),
    newest: z.array(z.object({ serial: Serial, reason: z.string(), topic: z.string(), receivedAt: Instant })),
  }),
});
export type SystemState = z.infer<typeof SystemState>;
