import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** The desk of an alarm receiving centre. Its lists are long and each is read along an index of its own. */
export const arcDesk: Migration = {
  name: '028-arc-desk',
  async up(db) {
    const s = db.schema;
    await s
      .createTable('desk_alarms')
      .addColumn('rowId', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('id', 'text', (c) => c.notNull().unique())
      .addColumn('companyId', 'text', (c) => c.notNull())
      .addColumn('receiverId', 'text', (c) => c.notNull())
      .addColumn('accountId', 'text')
      .addColumn('account', 'text', (c) => c.notNull())
      .addColumn('siteId', 'text')
      .addColumn('boxSerial', 'text')
      .addColumn('deviceId', 'text')
      .addColumn('channel', 'integer')
      .addColumn('eventId', 'text')
      .addColumn('eventType', 'text')
      .addColumn('text', 'text')
      .addColumn('source', 'text', (c) => c.notNull())
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('protocol', 'text', (c) => c.notNull())
      .addColumn('code', 'text', (c) => c.notNull())
      .addColumn('zone', 'text', (c) => c.notNull())
      .addColumn('sequence', 'integer', (c) => c.notNull())
      .addColumn('urgency', 'integer', (c) => c.notNull())
      .addColumn('open', 'integer', (c) => c.notNull())
      .addColumn('test', 'integer', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('path', 'text')
      .addColumn('tries', 'integer', (c) => c.notNull())
      .addColumn('log', 'text', (c) => c.notNull())
      .addColumn('possibleRepeat', 'integer', (c) => c.notNull())
      .addColumn('reason', 'text')
      .addColumn('occurredAt', 'text', (c) => c.notNull())
      .addColumn('queuedAt', 'text', (c) => c.notNull())
      .addColumn('acknowledgedAt', 'text')
      .addColumn('takenMs', 'bigint', (c) => c.notNull())
      .addColumn('handledMs', 'bigint')
      .addColumn('handledBy', 'text')
      .addColumn('handledName', 'text')
      .addColumn('notes', 'integer', (c) => c.notNull())
      .addColumn('restoredAt', 'text')
      .execute();
    const index = (name: string, ...columns: string[]) =>
      s.createIndex(`desk_alarms_${name}`).on('desk_alarms').columns(columns);
    // Whole, not partial: without statistics SQLite takes the index of most equalities, and would pass partial ones by.
    await index('open', 'companyId', 'open', 'urgency', 'rowId').execute();
    await index('tests', 'companyId', 'test', 'rowId').execute();
    await index('all', 'companyId', 'rowId').execute();
    await index('urgency', 'companyId', 'urgency', 'rowId').execute();
    await index('site', 'companyId', 'siteId', 'rowId').execute();
    await index('account', 'companyId', 'account', 'rowId').execute();
    await index('taken', 'companyId', 'takenMs', 'rowId').execute();
    await index('of_account', 'accountId', 'occurredAt').execute();
    await index('event', 'eventId').execute();

    await s
      .createTable('desk_notes')
      .addColumn('rowId', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('alarmId', 'text', (c) => c.notNull())
      .addColumn('userId', 'text', (c) => c.notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('atMs', 'bigint', (c) => c.notNull())
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('text', 'text', (c) => c.notNull())
      .execute();
    await s.createIndex('desk_notes_alarm').on('desk_notes').columns(['alarmId', 'rowId']).execute();

    await s
      .createTable('desk_tests')
      .addColumn('rowId', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('id', 'text', (c) => c.notNull().unique())
      .addColumn('accountId', 'text', (c) => c.notNull())
      .addColumn('companyId', 'text', (c) => c.notNull())
      .addColumn('startedMs', 'bigint', (c) => c.notNull())
      .addColumn('startedBy', 'text', (c) => c.notNull())
      .addColumn('untilMs', 'bigint', (c) => c.notNull())
      .addColumn('endedMs', 'bigint')
      .addColumn('endedBy', 'text')
      .addColumn('note', 'text', (c) => c.notNull())
      .addColumn('beginTold', 'text', (c) => c.notNull())
      .addColumn('endTold', 'text', (c) => c.notNull())
      .execute();
    await s.createIndex('desk_tests_account').on('desk_tests').columns(['accountId', 'rowId']).execute();
    await s
      .createIndex('desk_tests_unfinished')
      .on('desk_tests')
      .column('rowId')
      .where(sql.ref('endTold'), '=', sql.lit('waiting'))
      .execute();

    await s
      .createTable('desk_paths')
      .addColumn('rowId', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('accountId', 'text', (c) => c.notNull())
      .addColumn('path', 'text', (c) => c.notNull())
      .addColumn('atMs', 'bigint', (c) => c.notNull())
      .addColumn('up', 'integer', (c) => c.notNull())
      .addUniqueConstraint('desk_paths_one', ['accountId', 'path', 'atMs'])
      .execute();
    await s
      .createTable('desk_heard')
      .addColumn('accountId', 'text', (c) => c.primaryKey())
      .addColumn('sinceMs', 'bigint', (c) => c.notNull())
      .addColumn('heardMs', 'bigint', (c) => c.notNull())
      .execute();

    await s
      .createTable('desk_links')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('companyId', 'text', (c) => c.notNull())
      .addColumn('eventId', 'text', (c) => c.notNull())
      .addColumn('boxSerial', 'text')
      .addColumn('madeMs', 'bigint', (c) => c.notNull())
      .addColumn('expiresMs', 'bigint', (c) => c.notNull())
      .addColumn('opened', 'integer', (c) => c.notNull())
      .addColumn('openedMs', 'bigint')
      .execute();
    await s
      .createTable('desk_keys')
      .addColumn('name', 'text', (c) => c.primaryKey())
      .addColumn('sealed', 'text', (c) => c.notNull())
      .execute();
    await s.createIndex('desk_links_event').on('desk_links').columns(['eventId', 'companyId']).execute();
    await s.createIndex('desk_links_expires').on('desk_links').column('expiresMs').execute();
  },
};
