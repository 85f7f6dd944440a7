import type { Migration } from './migration.ts';

/** The relay's own line to receivers: its messages stand among the alarms; its numbers and what it has told are kept here. */
export const ownLine: Migration = {
  name: '026-own-line',
  async up(db) {
    const s = db.schema;
    await s
      .alterTable('alarms')
      .addColumn('origin', 'text', (c) => c.notNull().defaultTo('box'))
      .execute();
    await s.createIndex('alarms_origin').on('alarms').columns(['origin', 'state']).execute();
    await s
      .createTable('arc_lines')
      .addColumn('receiverId', 'text', (c) => c.notNull())
      .addColumn('account', 'text', (c) => c.notNull())
      .addColumn('line', 'text', (c) => c.notNull())
      .addColumn('last', 'integer', (c) => c.notNull())
      .addPrimaryKeyConstraint('arc_lines_key', ['receiverId', 'account', 'line'])
      .execute();
    await s
      .createTable('arc_losses')
      .addColumn('accountId', 'text', (c) => c.primaryKey().references('arc_accounts.id'))
      .addColumn('eventId', 'text', (c) => c.notNull())
      .addColumn('sinceMs', 'bigint', (c) => c.notNull())
      .execute();
  },
};
