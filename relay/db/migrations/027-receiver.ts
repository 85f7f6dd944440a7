import type { Migration } from './migration.ts';

/** The receiving centre: what it took, and what became of it at each output. Also the whole database of a receiver alone. */
export const receiver: Migration = {
  name: '027-receiver',
  async up(db) {
    await db.schema
      .createTable('receiver_messages')
      .addColumn('rowId', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('id', 'text', (c) => c.notNull().unique())
      .addColumn('owner', 'text', (c) => c.notNull())
      .addColumn('receiverId', 'text', (c) => c.notNull())
      .addColumn('accountId', 'text')
      .addColumn('account', 'text', (c) => c.notNull())
      .addColumn('source', 'text', (c) => c.notNull())
      .addColumn('protocol', 'text', (c) => c.notNull())
      .addColumn('sequence', 'integer', (c) => c.notNull())
      .addColumn('line', 'text')
      .addColumn('encrypted', 'integer', (c) => c.notNull())
      .addColumn('data', 'text', (c) => c.notNull())
      .addColumn('xdata', 'text', (c) => c.notNull())
      .addColumn('events', 'text', (c) => c.notNull())
      .addColumn('pictures', 'text', (c) => c.notNull())
      .addColumn('occurredMs', 'bigint')
      .addColumn('receivedMs', 'bigint', (c) => c.notNull())
      .addColumn('repeatOf', 'text')
      .addColumn('peer', 'text', (c) => c.notNull())
      .addColumn('frame', 'text', (c) => c.notNull())
      .execute();
    await index('receiver_messages', ['owner', 'rowId']);
    // Of an account's numbers only the last ones are asked for.
    await index('receiver_messages', ['receiverId', 'account', 'sequence', 'rowId']);
    await index('receiver_messages', ['receivedMs']);
    await db.schema
      .createTable('receiver_outputs')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('owner', 'text', (c) => c.notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('config', 'text', (c) => c.notNull())
      .addColumn('sealed', 'text')
      .addColumn('enabled', 'integer', (c) => c.notNull())
      .addColumn('repeats', 'integer', (c) => c.notNull())
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('cursor', 'integer', (c) => c.notNull())
      .addColumn('acknowledgedMs', 'bigint')
      .execute();
    await index('receiver_outputs', ['owner']);
    await db.schema
      .createTable('receiver_deliveries')
      .addColumn('outputId', 'text', (c) => c.notNull())
      .addColumn('messageRowId', 'integer', (c) => c.notNull())
      .addColumn('account', 'text', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('tries', 'integer', (c) => c.notNull())
      .addColumn('sequence', 'integer')
      .addColumn('endedMs', 'bigint')
      .addColumn('reason', 'text')
      .addPrimaryKeyConstraint('receiver_deliveries_one', ['outputId', 'messageRowId'])
      .execute();
    await index('receiver_deliveries', ['outputId', 'state', 'messageRowId']);
    await index('receiver_deliveries', ['messageRowId']);
    await db.schema
      .createTable('receiver_sequences')
      .addColumn('outputId', 'text', (c) => c.notNull())
      .addColumn('account', 'text', (c) => c.notNull())
      .addColumn('last', 'integer', (c) => c.notNull())
      .addPrimaryKeyConstraint('receiver_sequences_one', ['outputId', 'account'])
      .execute();
    await db.schema
      .createTable('receiver_senders')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('owner', 'text', (c) => c.notNull())
      .addColumn('receiverId', 'text', (c) => c.notNull())
      .addColumn('account', 'text', (c) => c.notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('sealed', 'text')
      .addColumn('keyFormat', 'text', (c) => c.notNull())
      .addColumn('localTime', 'integer', (c) => c.notNull())
      .addColumn('supervisionMs', 'bigint')
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addUniqueConstraint('receiver_senders_one', ['receiverId', 'account'])
      .execute();
    await index('receiver_senders', ['owner']);
    await db.schema
      .createTable('receiver_heard')
      .addColumn('receiverId', 'text', (c) => c.notNull())
      .addColumn('account', 'text', (c) => c.notNull())
      .addColumn('lastMs', 'bigint', (c) => c.notNull())
      .addColumn('silentMs', 'bigint')
      .addColumn('protocol', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('receiver_heard_one', ['receiverId', 'account'])
      .execute();
    await db.schema
      .createTable('receiver_ports')
      .addColumn('port', 'integer', (c) => c.primaryKey())
      .addColumn('receiverId', 'text', (c) => c.notNull().unique())
      .execute();

    function index(table: string, columns: string[]) {
      return db.schema
        .createIndex(`${table}_${columns.join('_')}`)
        .on(table)
        .columns(columns)
        .execute();
    }
  },
};
