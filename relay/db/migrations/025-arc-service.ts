import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Sites authorised to centres, the service of each device, and what waits for somebody's approval. */
export const arcService: Migration = {
  name: '025-arc-service',
  async up(db) {
    const s = db.schema;
    await s
      .createTable('arc_authorizations')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('arcId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('endedMs', 'bigint')
      .execute();
    // One centre a site at a time.
    await sql`create unique index arc_authorizations_site on arc_authorizations ("siteId") where "endedMs" is null`.execute(
      db,
    );
    await s.createIndex('arc_authorizations_arc').on('arc_authorizations').column('arcId').execute();
    await s
      .createTable('arc_services')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('deviceId', 'text', (c) => c.notNull().references('devices.id'))
      .addColumn('boxSerial', 'text', (c) => c.notNull().references('boxes.serial'))
      .addColumn('arcId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('receiverId', 'text', (c) => c.references('arc_receivers.id'))
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('account', 'text', (c) => c.notNull())
      .addColumn('events', 'text', (c) => c.notNull())
      .addColumn('mode', 'text', (c) => c.notNull())
      .addColumn('picture', 'integer', (c) => c.notNull())
      .addColumn('clip', 'integer', (c) => c.notNull())
      .addColumn('offlineDelayMs', 'bigint')
      .addColumn('zones', 'text', (c) => c.notNull())
      .addColumn('note', 'text', (c) => c.notNull())
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('decidedMs', 'bigint')
      .addColumn('endedMs', 'bigint')
      .execute();
    await sql`create unique index arc_services_device on arc_services ("deviceId") where "endedMs" is null`.execute(db);
    await s.createIndex('arc_services_arc').on('arc_services').columns(['arcId', 'id']).execute();
    await s.createIndex('arc_services_site').on('arc_services').column('siteId').execute();
    await s.createIndex('arc_services_box').on('arc_services').column('boxSerial').execute();
    await s
      .createTable('arc_requests')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('serviceId', 'text', (c) => c.notNull().references('arc_services.id'))
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('events', 'text')
      .addColumn('picture', 'integer', (c) => c.notNull())
      .addColumn('clip', 'integer', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('decidedMs', 'bigint')
      .addColumn('decidedBy', 'text', (c) => c.references('companies.id'))
      .execute();
    await sql`create unique index arc_requests_pending on arc_requests ("serviceId", kind) where state = 'pending'`.execute(
      db,
    );
    await s.createIndex('arc_requests_service').on('arc_requests').columns(['serviceId', 'id']).execute();
    // Accounts that stand for accepted services: of which centre. Null: entered by hand.
    await s
      .alterTable('arc_accounts')
      .addColumn('arcId', 'text', (c) => c.references('companies.id'))
      .execute();
    await s.createIndex('arc_accounts_arc').on('arc_accounts').column('arcId').execute();
  },
};
