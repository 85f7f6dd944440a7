import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** What the home page asks for, however many sites there are: boxes by when they were heard, permissions by their end. */
export const home: Migration = {
  name: '013-home',
  async up(db) {
    await db.schema.createIndex('boxes_seen').on('boxes').columns(['state', 'seenMs']).execute();
    await sql`create index grants_holder_end on grants ("companyId", "untilMs") where "untilMs" is not null`.execute(
      db,
    );
  },
};
