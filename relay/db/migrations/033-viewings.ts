import type { Migration } from './migration.ts';

/** Who looked at whose pictures, when, by which way; and codes that are asked for before. */
export const viewings: Migration = {
  name: '033-viewings',
  async up(db) {
    await db.schema
      .createTable('viewings')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('siteId', 'text', (c) => c.notNull())
      .addColumn('deviceId', 'text', (c) => c.notNull())
      .addColumn('deviceName', 'text', (c) => c.notNull())
      .addColumn('channel', 'integer', (c) => c.notNull())
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('path', 'text')
      .addColumn('userId', 'text')
      .addColumn('companyId', 'text')
      .addColumn('link', 'text')
      .addColumn('fromAt', 'text')
      .addColumn('toAt', 'text')
      .addColumn('startedMs', 'bigint', (c) => c.notNull())
      .addColumn('seenMs', 'bigint', (c) => c.notNull())
      .addColumn('endedMs', 'bigint')
      .execute();
    await db.schema.createIndex('viewings_of_site').on('viewings').columns(['siteId', 'startedMs']).execute();
    await db.schema.createIndex('viewings_of_user').on('viewings').columns(['userId']).execute();
    await db.schema.createIndex('viewings_open').on('viewings').columns(['endedMs', 'startedMs']).execute();
    await db.schema
      .createTable('picture_locks')
      .addColumn('deviceId', 'text', (c) => c.primaryKey())
      .addColumn('codeHash', 'text', (c) => c.notNull())
      .addColumn('setMs', 'bigint', (c) => c.notNull())
      .execute();
  },
};
