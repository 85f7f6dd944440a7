import type { Migration } from './migration.ts';

/** Packages of firmware; the files are in the object store. */
export const firmware: Migration = {
  name: '016-firmware',
  async up(db) {
    await db.schema
      .createTable('firmware')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('companyId', 'text', (c) => c.references('companies.id'))
      .addColumn('deviceId', 'text', (c) => c.references('devices.id'))
      .addColumn('fileName', 'text', (c) => c.notNull())
      .addColumn('version', 'text', (c) => c.notNull())
      .addColumn('models', 'text', (c) => c.notNull())
      .addColumn('note', 'text', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('reason', 'text')
      .addColumn('size', 'bigint', (c) => c.notNull())
      .addColumn('firmwareSize', 'bigint')
      .addColumn('sha256', 'text')
      .addColumn('tokenHash', 'text')
      .addColumn('tokenUntilMs', 'bigint')
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('userId', 'text', (c) => c.notNull())
      .execute();
    await db.schema.createIndex('firmware_device').on('firmware').columns(['deviceId', 'state']).execute();
    await db.schema.createIndex('firmware_company').on('firmware').columns(['companyId', 'state']).execute();
  },
};
