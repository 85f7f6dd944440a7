import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Sites shared with customers, devices that customers give installers, and work with partner companies. */
export const sharing: Migration = {
  name: '009-sharing',
  async up(db) {
    const s = db.schema;
    await s
      .createTable('sharings')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('userId', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('mode', 'text', (c) => c.notNull())
      .addColumn('requests', 'text', (c) => c.notNull())
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('endedMs', 'bigint')
      .execute();
    await sql`create unique index sharings_site on sharings ("siteId") where "endedMs" is null`.execute(db);
    await s
      .createTable('share_customers')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('sharingId', 'text', (c) => c.notNull().references('sharings.id'))
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('customerId', 'text', (c) => c.references('companies.id'))
      .addColumn('email', 'text')
      .addColumn('phone', 'text')
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('remark', 'text', (c) => c.notNull())
      .addColumn('locale', 'text', (c) => c.notNull())
      .addColumn('administrator', 'integer', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('tokenHash', 'text', (c) => c.notNull().unique())
      .addColumn('invitedMs', 'bigint', (c) => c.notNull())
      .addColumn('acceptByMs', 'bigint', (c) => c.notNull())
      .addColumn('answeredMs', 'bigint')
      .addColumn('untilMs', 'bigint')
      .addColumn('sentDay', 'text', (c) => c.notNull())
      .addColumn('sentCount', 'integer', (c) => c.notNull())
      .execute();
    await s.createIndex('share_customers_of').on('share_customers').columns(['sharingId', 'id']).execute();
    await s.createIndex('share_customers_site').on('share_customers').columns(['siteId', 'state']).execute();
    await s.createIndex('share_customers_customer').on('share_customers').column('customerId').execute();
    await s.createIndex('share_customers_email').on('share_customers').column('email').execute();
    await s.createIndex('share_customers_phone').on('share_customers').column('phone').execute();
    await s.createIndex('share_customers_answer').on('share_customers').columns(['state', 'acceptByMs']).execute();
    await s.createIndex('share_customers_end').on('share_customers').columns(['state', 'untilMs']).execute();
    await s
      .createTable('share_resources')
      .addColumn('shareId', 'text', (c) => c.notNull().references('share_customers.id'))
      .addColumn('deviceId', 'text', (c) => c.notNull().references('devices.id'))
      .addColumn('permission', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('share_resources_one', ['shareId', 'deviceId', 'permission'])
      .execute();
    await s.createIndex('share_resources_device').on('share_resources').column('deviceId').execute();

    await s
      .createTable('device_invitations')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('customerId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('deviceId', 'text', (c) => c.notNull().references('devices.id'))
      .addColumn('account', 'text', (c) => c.notNull())
      .addColumn('userId', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('invitedMs', 'bigint', (c) => c.notNull())
      .addColumn('expiresMs', 'bigint', (c) => c.notNull())
      .execute();
    await s.createIndex('device_invitations_customer').on('device_invitations').columns(['customerId', 'id']).execute();
    await s.createIndex('device_invitations_user').on('device_invitations').columns(['userId', 'id']).execute();
    await s.createIndex('device_invitations_end').on('device_invitations').columns(['state', 'expiresMs']).execute();

    await s
      .createTable('collaborations')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('stage', 'text', (c) => c.notNull())
      .addColumn('partnerId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('userId', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('permissions', 'text', (c) => c.notNull())
      .addColumn('remark', 'text', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('partnerAnswer', 'text', (c) => c.notNull())
      .addColumn('customerId', 'text', (c) => c.references('companies.id'))
      .addColumn('customerAnswer', 'text')
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('endedMs', 'bigint')
      .execute();
    await s.createIndex('collaborations_site').on('collaborations').columns(['siteId', 'id']).execute();
    await s.createIndex('collaborations_partner').on('collaborations').columns(['userId', 'id']).execute();
    await s.createIndex('collaborations_customer').on('collaborations').columns(['customerId', 'id']).execute();
  },
};
