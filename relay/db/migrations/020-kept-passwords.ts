import type { Migration } from './migration.ts';

/**
 * A kept password belongs to its site: what is done at another site of the company neither moves it nor overwrites it. And
 * which cameras a person gave to a recorder.
 */
export const keptPasswords: Migration = {
  name: '020-kept-passwords',
  async up(db) {
    await db.schema
      .createTable('device_passwords_next')
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('mac', 'text', (c) => c.notNull())
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('sealed', 'text', (c) => c.notNull())
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('activatedMs', 'bigint')
      .addPrimaryKeyConstraint('device_passwords_key', ['companyId', 'siteId', 'mac'])
      .execute();
    const columns = ['companyId', 'mac', 'siteId', 'sealed', 'createdMs', 'activatedMs'] as const;
    await db
      .insertInto('device_passwords_next')
      .columns([...columns])
      .expression(db.selectFrom('device_passwords').select([...columns]))
      .execute();
    await db.schema.dropTable('device_passwords').execute();
    await db.schema.alterTable('device_passwords_next').renameTo('device_passwords').execute();
    await db.schema.createIndex('device_passwords_of_site').on('device_passwords').column('siteId').execute();
    await db.schema
      .createTable('recorder_cameras')
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('recorderMac', 'text', (c) => c.notNull())
      .addColumn('cameraMac', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('recorder_cameras_key', ['siteId', 'recorderMac', 'cameraMac'])
      .execute();
  },
};
