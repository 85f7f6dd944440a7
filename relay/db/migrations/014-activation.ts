import type { Migration } from './migration.ts';

/** First passwords of devices, sealed. */
export const activation: Migration = {
  name: '014-activation',
  async up(db) {
    await db.schema
      .createTable('device_passwords')
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('mac', 'text', (c) => c.notNull())
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('sealed', 'text', (c) => c.notNull())
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('activatedMs', 'bigint')
      .addPrimaryKeyConstraint('device_passwords_one', ['companyId', 'mac'])
      .execute();
    await db.schema.createIndex('device_passwords_site').on('device_passwords').column('siteId').execute();
    await db.schema
      .createTable('device_defaults')
      .addColumn('companyId', 'text', (c) => c.primaryKey().references('companies.id'))
      .addColumn('sealed', 'text', (c) => c.notNull())
      .execute();
  },
};
