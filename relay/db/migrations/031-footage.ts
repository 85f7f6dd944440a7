import type { Migration } from './migration.ts';

/** Keys that footage is encrypted with, links by which a clip is shared, what a site's footage takes. */
export const footage: Migration = {
  name: '031-footage',
  async up(db) {
    await db.schema
      .createTable('site_keys')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('siteId', 'text', (c) => c.notNull().unique())
      .addColumn('sealed', 'text', (c) => c.notNull())
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .execute();
    await db.schema
      .createTable('site_storage')
      .addColumn('siteId', 'text', (c) => c.primaryKey())
      .addColumn('bytes', 'bigint', (c) => c.notNull())
      .execute();
    await db.schema.alterTable('clips').addColumn('deletedMs', 'bigint').execute();
    await db.schema.createIndex('clips_of_kind').on('clips').columns(['siteId', 'kind', 'startedAt']).execute();
    await db.schema
      .createTable('clip_shares')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('tokenHash', 'text', (c) => c.notNull().unique())
      .addColumn('clipId', 'text', (c) => c.notNull())
      .addColumn('companyId', 'text', (c) => c.notNull())
      .addColumn('userId', 'text', (c) => c.notNull())
      .addColumn('note', 'text', (c) => c.notNull())
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('untilMs', 'bigint', (c) => c.notNull())
      .addColumn('revokedMs', 'bigint')
      .addColumn('views', 'integer', (c) => c.notNull())
      .addColumn('viewedMs', 'bigint')
      .execute();
    await db.schema.createIndex('clip_shares_clip').on('clip_shares').column('clipId').execute();
    await db.schema.createIndex('clip_shares_until').on('clip_shares').column('untilMs').execute();
  },
};
