import type { Migration } from './migration.ts';

/** Every alarm with its last tries: what was sent, over which path, and what came back. */
export const alarmLog: Migration = {
  name: '023-alarm-log',
  async up(db) {
    await db.schema
      .alterTable('alarms')
      .addColumn('log', 'text', (c) => c.notNull().defaultTo('[]'))
      .execute();
  },
};
