import type { Migration } from './migration.ts';

/** Owners of sites are asked to set new passwords of devices. */
export const passwordRequests: Migration = {
  name: '019-password-requests',
  async up(db) {
    const s = db.schema;
    await s
      .createTable('password_requests')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('deviceId', 'text', (c) => c.notNull().references('devices.id'))
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('userId', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('deciderId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('atSite', 'integer', (c) => c.notNull())
      .addColumn('remark', 'text', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('decidedMs', 'bigint')
      .execute();
    await s.createIndex('password_requests_decider').on('password_requests').columns(['deciderId', 'id']).execute();
    await s.createIndex('password_requests_device').on('password_requests').columns(['deviceId', 'state']).execute();
  },
};
