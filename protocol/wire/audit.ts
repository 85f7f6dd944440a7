import { z } from 'zod';
import { Instant, Uuid } from './ids.ts';

/*
 * The operation log: who did what, when, where, with what result. Kept for 90 days.
 */

/** What an operation was done with. */
export const LogClient = z.enum(['portal', 'mobile-ios', 'mobile-android', 'api-key', 'api']);
export type LogClient = z.infer<typeof LogClient>;

export const LogEntry = z.object({
  id: Uuid,
  /** Its number in the company’s chain. */
  seq: z.int().meta({ example: 4711 }),
  at: Instant,
  operator: z.object({
    /** Null: an account that was deleted since. */
    userId: Uuid.nullable(),
    name: z.string().nullable().meta({ example: 'Ines Keller' }),
    email: z.string().nullable().meta({ example: 'ines@keller.example' }),
    companyId: Uuid,
    companyName: z.string().meta({ example: 'Keller Security' }),
  }),
  client: LogClient,
  /** Of an API key. */
  clientName: z.string().nullable().meta({ example: null }),
  /** Network address; only of the company’s own people. */
  address: z.string().nullable().meta({ example: '203.0.113.9' }),
  site: z.object({ id: Uuid, name: z.string().nullable() }).nullable(),
  target: z.object({ kind: z.string(), id: z.string().nullable(), name: z.string().nullable() }).nullable(),
  /** The operation’s id in this document. */
  action: z.string().meta({ example: 'addDevice' }),
  detail: z.string().nullable(),
  /** `ok`, `interrupted` (a crash of the relay: it may have been done or not), or the problem’s code. */
  result: z.string().meta({ example: 'ok' }),
  /** SHA-256 over the hash of the entry before and this entry. */
  hash: z.string().meta({ example: '9f2c4e…' }),
});
export type LogEntry = z.infer<typeof LogEntry>;

export const LogFilter = z.object({
  /** Operations of this employee. */
  userId: Uuid.optional(),
  siteId: Uuid.optional(),
  /** From this moment on. */
  from: Instant.optional(),
  /** Before this moment. */
  to: Instant.optional(),
  /** In names, addresses, targets, contents. */
  text: z.string().trim().min(1).max(64).optional(),
});
export type LogFilter = z.infer<typeof LogFilter>;

export const LogOperator = z.object({ userId: Uuid, name: z.string(), email: z.string().nullable() });
export type LogOperator = z.infer<typeof LogOperator>;

export const LogVerdict = z.object({
  /** Entries checked, from the oldest that is kept to the newest. */
  entries: z.int().meta({ example: 1204 }),
  /** Of these, entries whose words about a person were erased. */
  erased: z.int().meta({ example: 0 }),
  /** The newest entry. Who keeps it elsewhere can tell later that nothing before it was rewritten. */
  head: z.object({ seq: z.int(), hash: z.string() }),
  /** Where the chain breaks; null: it holds. */
  broken: z.object({ seq: z.int(), reason: z.string() }).nullable(),
});
export type LogVerdict = z.infer<typeof LogVerdict>;
