import type { Migration } from './migration.ts';

/** Transfers of sites to customers, and permissions that are asked for. */
export const handover: Migration = {
  name: '008-handover',
  async up(db) {
    const s = db.schema;
    await s
      .createTable('transfers')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('sentBy', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('method', 'text', (c) => c.notNull())
      .addColumn('recipient', 'text')
      .addColumn('customerName', 'text', (c) => c.notNull())
      .addColumn('remark', 'text', (c) => c.notNull())
      .addColumn('locale', 'text', (c) => c.notNull())
      .addColumn('requests', 'text', (c) => c.notNull())
      .addColumn('tokenHash', 'text', (c) => c.notNull().unique())
      .addColumn('sentMs', 'bigint', (c) => c.notNull())
      .addColumn('expiresMs', 'bigint', (c) => c.notNull())
      .addColumn('day', 'text', (c) => c.notNull())
      .addColumn('resend', 'integer', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('decidedMs', 'bigint')
      .addColumn('ownerId', 'text', (c) => c.references('companies.id'))
      .execute();
    await s.createIndex('transfers_site').on('transfers').columns(['siteId', 'sentMs']).execute();
    await s.createIndex('transfers_recipient').on('transfers').columns(['recipient', 'state']).execute();
    await s.createIndex('transfers_end').on('transfers').columns(['state', 'expiresMs']).execute();

    await s
      .createTable('permission_applications')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('userId', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('deciderId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('remark', 'text', (c) => c.notNull())
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .execute();
    await s.createIndex('applications_decider').on('permission_applications').columns(['deciderId', 'id']).execute();
    await s.createIndex('applications_company').on('permission_applications').columns(['companyId', 'id']).execute();
    await s
      .createTable('permission_application_items')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('applicationId', 'text', (c) => c.notNull().references('permission_applications.id'))
      .addColumn('deviceId', 'text', (c) => c.references('devices.id'))
      .addColumn('permission', 'text', (c) => c.notNull())
      .addColumn('validity', 'text', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('decidedMs', 'bigint')
      .execute();
    await s
      .createIndex('application_items_of')
      .on('permission_application_items')
      .columns(['applicationId', 'state'])
      .execute();

    await s.createIndex('grants_end').on('grants').column('untilMs').execute();
  },
};
