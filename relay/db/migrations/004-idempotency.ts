import type { Migration } from './migration.ts';

export const idempotency: Migration = {
  name: '004-idempotency',
  async up(db) {
    await db.schema
      .createTable('idempotency_keys')
      .addColumn('userId', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('key', 'text', (c) => c.notNull())
      .addColumn('requestHash', 'text', (c) => c.notNull())
      .addColumn('status', 'integer', (c) => c.notNull())
      .addColumn('body', 'text', (c) => c.notNull())
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('idempotency_keys_one', ['userId', 'key'])
      .execute();
    await db.schema.createIndex('idempotency_keys_age').on('idempotency_keys').columns(['createdMs']).execute();
  },
};
