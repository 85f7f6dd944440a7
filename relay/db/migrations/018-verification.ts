import type { Migration } from './migration.ts';

/** The default verification code of new devices, sealed; managed apart from the default password. */
export const verification: Migration = {
  name: '018-verification',
  async up(db) {
    await db.schema
      .createTable('device_default_codes')
      .addColumn('companyId', 'text', (c) => c.primaryKey().references('companies.id'))
      .addColumn('sealed', 'text', (c) => c.notNull())
      .execute();
  },
};
