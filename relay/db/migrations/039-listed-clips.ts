import type { Migration } from './migration.ts';

/** Parts of clips in an object store as one row a clip; and where clips were put other than the folder. */
export const listedClips: Migration = {
  name: '039-listed-clips',
  async up(db) {
    await db.schema
      .createTable('clip_lists')
      .addColumn('clipId', 'text', (c) => c.primaryKey())
      .addColumn('parts', 'text', (c) => c.notNull())
      .execute();
    await db.schema
      .createTable('clip_buckets')
      .addColumn('endpoint', 'text', (c) => c.notNull())
      .addColumn('bucket', 'text', (c) => c.notNull())
      .addColumn('untilMs', 'bigint')
      .addPrimaryKeyConstraint('clip_buckets_key', ['endpoint', 'bucket'])
      .execute();
  },
};
