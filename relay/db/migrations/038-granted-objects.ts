import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** What boxes may put into an object store and have not said to be there, so that it can be deleted when they never do. */
export const grantedObjects: Migration = {
  name: '038-granted-objects',
  async up(db) {
    await db.schema
      .createTable('clip_grants')
      .addColumn('clipId', 'text', (c) => c.notNull())
      .addColumn('n', 'integer', (c) => c.notNull())
      .addColumn('grantedMs', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('clip_grants_pk', ['clipId', 'n'])
      .execute();
    await db.schema.createIndex('clip_grants_by_time').on('clip_grants').column('grantedMs').execute();
    // The few that were deleted lately are looked for every ten minutes.
    await db.schema
      .createIndex('clips_deleted')
      .on('clips')
      .column('deletedMs')
      .where(sql.ref('deletedMs'), 'is not', null)
      .execute();
  },
};
