import type { Kysely } from 'kysely';

/** One step of the schema. Never changed once released; a correction is a further step. */
export interface Migration {
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: a migration sees the schema of its own time, not today's
  up(db: Kysely<any>): Promise<void>;
}
