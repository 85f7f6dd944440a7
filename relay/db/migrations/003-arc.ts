import type { Migration } from './migration.ts';

export const arc: Migration = {
  name: '003-arc',
  async up(db) {
    const s = db.schema;
    await s
      .createTable('arc_receivers')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('directHost', 'text', (c) => c.notNull())
      .addColumn('directPort', 'integer', (c) => c.notNull())
      .addColumn('relayHost', 'text', (c) => c.notNull())
      .addColumn('relayPort', 'integer', (c) => c.notNull())
      .addColumn('transport', 'text', (c) => c.notNull())
      .addColumn('createdAt', 'text', (c) => c.notNull())
      .addUniqueConstraint('arc_receivers_name', ['companyId', 'name'])
      .execute();
    await s
      .createTable('arc_accounts')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('boxSerial', 'text', (c) => c.notNull().references('boxes.serial'))
      .addColumn('receiverId', 'text', (c) => c.notNull().references('arc_receivers.id'))
      .addColumn('account', 'text', (c) => c.notNull())
      .addColumn('protocol', 'text', (c) => c.notNull())
      .addColumn('encrypted', 'integer', (c) => c.notNull())
      .addColumn('mode', 'text', (c) => c.notNull())
      .addColumn('events', 'text', (c) => c.notNull())
      .addColumn('zones', 'text', (c) => c.notNull())
      .addColumn('supervisionKind', 'text', (c) => c.notNull())
      .addColumn('supervisionIntervalMs', 'bigint', (c) => c.notNull())
      .addColumn('createdAt', 'text', (c) => c.notNull())
      .addColumn('deletedAt', 'text')
      .execute();
    await s.createIndex('arc_accounts_site').on('arc_accounts').columns(['siteId']).execute();
    await s.createIndex('arc_accounts_receiver').on('arc_accounts').columns(['receiverId', 'account']).execute();
    await s
      .createTable('arc_attempts')
      .addColumn('rowId', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('boxSerial', 'text', (c) => c.notNull())
      .addColumn('accountId', 'text', (c) => c.notNull())
      .addColumn('messageId', 'text', (c) => c.notNull())
      .addColumn('attempt', 'integer', (c) => c.notNull())
      .addColumn('startedMs', 'bigint', (c) => c.notNull())
      .addColumn('endedMs', 'bigint')
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('code', 'text')
      .addColumn('reply', 'text')
      .execute();
    await s.createIndex('arc_attempts_message').on('arc_attempts').columns(['boxSerial', 'messageId']).execute();
    await s.createIndex('arc_attempts_started').on('arc_attempts').columns(['startedMs']).execute();
    await s
      .createTable('alarms')
      .addColumn('rowId', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('id', 'text', (c) => c.notNull().unique())
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('boxSerial', 'text', (c) => c.notNull().references('boxes.serial'))
      .addColumn('eventId', 'text', (c) => c.notNull())
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('accountId', 'text', (c) => c.notNull())
      .addColumn('receiverId', 'text', (c) => c.notNull())
      .addColumn('account', 'text', (c) => c.notNull())
      .addColumn('protocol', 'text', (c) => c.notNull())
      .addColumn('code', 'text', (c) => c.notNull())
      .addColumn('zone', 'text', (c) => c.notNull())
      .addColumn('sequence', 'integer', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('path', 'text')
      .addColumn('tries', 'integer', (c) => c.notNull())
      .addColumn('occurredAt', 'text', (c) => c.notNull())
      .addColumn('queuedAt', 'text', (c) => c.notNull())
      .addColumn('acknowledgedAt', 'text')
      .addColumn('possibleRepeat', 'integer', (c) => c.notNull())
      .addColumn('reason', 'text')
      .execute();
    await s.createIndex('alarms_site').on('alarms').columns(['siteId', 'rowId']).execute();
    await s.createIndex('alarms_event').on('alarms').columns(['eventId']).execute();
  },
};
