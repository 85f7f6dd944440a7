import type { Migration } from './migration.ts';

/** Devices that are spoken to over HTTPS, with the certificate that they were added with. */
export const deviceTls: Migration = {
  name: '042-device-tls',
  async up(db) {
    await db.schema.alterTable('devices').addColumn('certificate', 'text').execute();
    await db.schema
      .alterTable('devices')
      .addColumn('oldTls', 'integer', (c) => c.notNull().defaultTo(0))
      .execute();
  },
};
