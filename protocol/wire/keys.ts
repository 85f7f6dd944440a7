import { z } from 'zod';
import { Instant, Uuid } from './ids.ts';
import { ROLE_PERMISSIONS } from './rights.ts';

/*
 * API keys: how programs of a company use the portal API, as `Authorization: Bearer gp_live_…`.
 */

/** What a key may hold: never accounts. People, keys and sign-in are for people. */
export const KEY_PERMISSIONS = ROLE_PERMISSIONS.filter((permission) => permission !== 'manage-accounts');
export const KEY_MAX_DAYS = 366;
export const KEY_MAX_SITES = 100;
/** Of a company, not counting ended ones. */
export const MAX_KEYS = 50;

export const ApiKey = z.object({
  id: Uuid,
  name: z.string().meta({ example: 'Central station' }),
  /** Its first characters. */
  prefix: z.string().meta({ example: 'gp_live_7Hx2' }),
  permissions: z.array(z.enum(KEY_PERMISSIONS)),
  /** It changes nothing, whatever its permissions are. */
  readOnly: z.boolean(),
  /** Only these sites; null: every site. */
  sites: z.array(z.object({ id: Uuid, name: z.string() })).nullable(),
  /** Who made it. */
  createdBy: z.object({ userId: Uuid, name: z.string() }),
  createdAt: Instant,
  expiresAt: Instant,
  lastUsedAt: Instant.nullable(),
});
export type ApiKey = z.infer<typeof ApiKey>;

export const CreateApiKey = z.object({
  name: z
    .string()
    .trim()
    .min(1)
    .max(64)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, 'one line')
    .meta({ example: 'Central station' }),
  permissions: z
    .array(z.enum(KEY_PERMISSIONS))
    .min(1)
    .max(KEY_PERMISSIONS.length)
    .meta({ example: ['manage-all-sites', 'live-view'] }),
  readOnly: z.boolean().default(true),
  sites: z.array(Uuid).min(1).max(KEY_MAX_SITES).nullable().default(null),
  /** How many days it is valid. */
  days: z.int().min(1).max(KEY_MAX_DAYS).meta({ example: 90 }),
});
export type CreateApiKey = z.input<typeof CreateApiKey>;

export const CreatedApiKey = ApiKey.extend({
  /** Shown this once. */
  token: z.string().meta({ example: 'gp_live_7Hx2…' }),
});
export type CreatedApiKey = z.infer<typeof CreatedApiKey>;

/** How long an access token is good. */
export const ACCESS_TOKEN_DAYS = 7;
/** Id of a key and its token; of an alarm receiving centre its ARC ID and ARC key (API-02). */
export const ExchangeKey = z.object({
  apiKey: z.uuid().meta({ example: '0197a3f0-0000-7000-8000-000000000001' }),
  apiSecret: z.string().min(1).max(128).meta({ example: 'gp_live_7Hx2…' }),
});
export const AccessToken = z.object({
  /** For `Authorization: Bearer`. */
  accessToken: z.string().meta({ example: 'gp_access_7Hx2…' }),
  expiresAt: Instant,
});
export type AccessToken = z.infer<typeof AccessToken>;
