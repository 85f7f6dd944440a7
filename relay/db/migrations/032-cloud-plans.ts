import type { Migration } from './migration.ts';

/** Packages, services and set-ups of cloud storage. */
export const cloudPlans: Migration = {
  name: '032-cloud-plans',
  async up(db) {
    const s = db.schema;
    await s
      .createTable('cloud_stock')
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('retentionDays', 'integer', (c) => c.notNull())
      .addColumn('term', 'text', (c) => c.notNull())
      .addColumn('purchased', 'integer', (c) => c.notNull())
      .addColumn('used', 'integer', (c) => c.notNull())
      .addPrimaryKeyConstraint('cloud_stock_key', ['companyId', 'retentionDays', 'term'])
      .execute();
    await s
      .createTable('cloud_channels')
      .addColumn('deviceId', 'text', (c) => c.notNull().references('devices.id'))
      .addColumn('channel', 'integer', (c) => c.notNull())
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('enabled', 'integer', (c) => c.notNull())
      .addColumn('mode', 'text', (c) => c.notNull())
      .addColumn('stream', 'text', (c) => c.notNull())
      .addColumn('definition', 'text')
      .addColumn('triggers', 'text', (c) => c.notNull())
      .addColumn('audio', 'integer', (c) => c.notNull())
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('cloud_channels_key', ['deviceId', 'channel'])
      .execute();
    await s.createIndex('cloud_channels_site').on('cloud_channels').columns(['siteId']).execute();
    await s
      .createTable('cloud_services')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('deviceId', 'text', (c) => c.notNull().references('devices.id'))
      .addColumn('channel', 'integer', (c) => c.notNull())
      .addColumn('retentionDays', 'integer', (c) => c.notNull())
      .addColumn('term', 'text', (c) => c.notNull())
      .addColumn('activatedMs', 'bigint', (c) => c.notNull())
      .addColumn('untilMs', 'bigint', (c) => c.notNull())
      .addColumn('endedMs', 'bigint')
      .addColumn('ended', 'text')
      .addColumn('toldDays', 'integer')
      .addColumn('fromId', 'text')
      .execute();
    await s.createIndex('cloud_services_channel').on('cloud_services').columns(['deviceId', 'channel']).execute();
    await s.createIndex('cloud_services_company').on('cloud_services').columns(['companyId', 'untilMs']).execute();
    await s.createIndex('cloud_services_until').on('cloud_services').columns(['untilMs']).execute();
    await s
      .createTable('cloud_setups')
      .addColumn('jobId', 'text', (c) => c.notNull())
      .addColumn('deviceId', 'text', (c) => c.notNull().references('devices.id'))
      .addColumn('channel', 'integer', (c) => c.notNull())
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('boxSerial', 'text', (c) => c.notNull())
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('userId', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('retentionDays', 'integer')
      .addColumn('term', 'text')
      .addColumn('mode', 'text', (c) => c.notNull())
      .addColumn('stream', 'text', (c) => c.notNull())
      .addColumn('definition', 'text')
      .addColumn('audio', 'integer', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('code', 'text')
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('settledMs', 'bigint')
      .addPrimaryKeyConstraint('cloud_setups_key', ['jobId', 'deviceId', 'channel'])
      .execute();
    await s.createIndex('cloud_setups_state').on('cloud_setups').columns(['state', 'companyId']).execute();
    await s.alterTable('service_keys').addColumn('retentionDays', 'integer').execute();
    await s.alterTable('service_keys').addColumn('term', 'text').execute();
  },
};
