import { z } from 'zod';
import { parseDc09Key } from '../../../protocol/codec/dc09-cipher.ts';
import { OutputConfig } from '../../../protocol/wire/receiver.ts';
import { webhookSecret } from '../outputs/webhook-signature.ts';

/*
 * The configuration file of a receiver alone; docs/receiver.md describes it line by line, receiver.example.json is one. A key
 * or secret may stand in the environment instead: `"env:NAME"`.
 */

const Account = z.string().regex(/^[0-9A-F]{3,16}$/, '3 to 16 digits 0 to 9, A to F');
const Key = z.object({
  key: z.string().max(64).nullable().default(null),
  keyFormat: z.enum(['hex', 'characters']).default('hex'),
});
const How = Key.extend({
  localTime: z.boolean().default(false),
  /** Something must come at least this often. */
  supervisionS: z.int().min(10).max(604_800).nullable().default(null),
});

export const ReceiverConfig = z
  .strictObject({
    listen: z
      .strictObject({
        host: z.string().default('0.0.0.0'),
        port: z.int().min(0).max(65_535).default(12_128),
        transports: z
          .array(z.enum(['tcp', 'udp']))
          .min(1)
          .default(['tcp', 'udp']),
      })
      .prefault({}),
    /** health, metrics and the pull API */
    http: z
      .strictObject({
        host: z.string().default('127.0.0.1'),
        port: z.int().min(0).max(65_535).default(8081),
        /** For the pull API; without it there is none. */
        token: z.string().min(20).max(256).nullable().default(null),
      })
      .prefault({}),
    accounts: z
      .array(How.extend({ account: Account, name: z.string().max(64).default('') }).strict())
      .max(50_000)
      .default([]),
    /** Every account number that is not in the list; null: is refused. */
    otherAccounts: How.omit({ supervisionS: true }).strict().nullable().default(null),
    outputs: z
      .array(
        z.strictObject({
          /** Keeps its place over restarts: an output with another name is another one. */
          name: z.string().regex(/^[a-z0-9-]{1,40}$/, 'lower-case letters, digits and hyphens'),
          config: OutputConfig,
          /** DC-09: a key in hex. Webhook: whsec_… */
          secret: z.string().max(256).nullable().default(null),
          repeats: z.boolean().optional(),
        }),
      )
      .max(10)
      .default([]),
    /** The same account, number and content within it is a repeat. */
    repeatWindowS: z.int().min(0).max(86_400).default(600),
    keepDays: z.int().min(7).max(366).default(30),
  })
  .superRefine((config, c) => {
    const problem = (path: (string | number)[], message: string) => c.addIssue({ code: 'custom', path, message });
    const known = [...config.accounts, ...(config.otherAccounts ? [config.otherAccounts] : [])];
    for (const [i, { key, keyFormat }] of known.entries())
      if (key !== null && !parseDc09Key(key, keyFormat))
        problem(['accounts', i, 'key'], 'a key has 32, 48 or 64 hex digits, or 16, 24 or 32 characters');
    if (new Set(config.accounts.map(({ account }) => account)).size < config.accounts.length)
      problem(['accounts'], 'an account stands once');
    if (new Set(config.outputs.map(({ name }) => name)).size < config.outputs.length)
      problem(['outputs'], 'a name stands once');
    for (const [i, { config: o, secret }] of config.outputs.entries()) {
      if (o.kind === 'webhook' && !webhookSecret(secret ?? ''))
        problem(['outputs', i, 'secret'], 'a webhook needs one: whsec_ and 24 to 64 bytes in base64');
      if (o.kind === 'dc09' && secret !== null && !parseDc09Key(secret, 'hex'))
        problem(['outputs', i, 'secret'], 'a key has 32, 48 or 64 hex digits');
      if (o.kind === 'mlr2' && o.port === null) problem(['outputs', i, 'config', 'port'], 'a port is needed');
      if (o.kind === 'mlr2' && o.mode === 'client' && o.host === null)
        problem(['outputs', i, 'config', 'host'], 'where the automation software is');
      if (o.kind === 'mlr2' && o.mode === 'server' && o.peers.length === 0)
        problem(['outputs', i, 'config', 'peers'], 'from which addresses the automation software connects');
    }
  });
export type ReceiverConfig = z.infer<typeof ReceiverConfig>;

/** Reads the file's text; throws an Error that says what is wrong, and where, in lines for a person. */
export function readConfig(text: string, env: Record<string, string | undefined>): ReceiverConfig {
  let json: unknown;
  try {
    json = JSON.parse(text, (name, value) => {
      if (!['key', 'secret', 'token'].includes(name) || typeof value !== 'string' || !value.startsWith('env:'))
        return value;
      const found = env[value.slice(4)];
      if (found === undefined) throw new Error(`${value.slice(4)} is not in the environment`);
      return found;
    });
  } catch (error) {
    throw new Error(`it cannot be read: ${(error as Error).message}`);
  }
  const parsed = ReceiverConfig.safeParse(json);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`);
  throw new Error(lines.join('\n'));
}
