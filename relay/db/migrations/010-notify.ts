import type { Migration } from './migration.ts';

/** Messages to people, their wishes about them, and what is still to be delivered. */
export const notify: Migration = {
  name: '010-notify',
  async up(db) {
    const s = db.schema;
    await s
      .createTable('notifications')
      .addColumn('rowId', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('id', 'text', (c) => c.notNull().unique())
      .addColumn('userId', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('category', 'text', (c) => c.notNull())
      .addColumn('code', 'text', (c) => c.notNull())
      .addColumn('args', 'text', (c) => c.notNull())
      .addColumn('link', 'text', (c) => c.notNull())
      .addColumn('siteId', 'text')
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('readMs', 'bigint')
      .execute();
    await s.createIndex('notifications_list').on('notifications').columns(['userId', 'rowId']).execute();
    await s.createIndex('notifications_unread').on('notifications').columns(['userId', 'readMs', 'category']).execute();
    await s.createIndex('notifications_age').on('notifications').column('createdMs').execute();
    await s
      .createTable('notification_settings')
      .addColumn('userId', 'text', (c) => c.primaryKey().references('users.id'))
      .addColumn('document', 'text', (c) => c.notNull())
      .execute();
    await s
      .createTable('push_subscriptions')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('userId', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('sessionId', 'text', (c) => c.notNull())
      .addColumn('endpoint', 'text', (c) => c.notNull().unique())
      .addColumn('p256dh', 'text', (c) => c.notNull())
      .addColumn('auth', 'text', (c) => c.notNull())
      .addColumn('browser', 'text', (c) => c.notNull())
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('deliveredMs', 'bigint')
      .execute();
    await s.createIndex('push_subscriptions_user').on('push_subscriptions').column('userId').execute();
    await s.createIndex('push_subscriptions_session').on('push_subscriptions').column('sessionId').execute();
    await s
      .createTable('outbox')
      .addColumn('rowId', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('id', 'text', (c) => c.notNull().unique())
      .addColumn('channel', 'text', (c) => c.notNull())
      .addColumn('lane', 'text', (c) => c.notNull())
      .addColumn('address', 'text', (c) => c.notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('userId', 'text')
      .addColumn('locale', 'text', (c) => c.notNull())
      .addColumn('code', 'text', (c) => c.notNull())
      .addColumn('args', 'text', (c) => c.notNull())
      .addColumn('link', 'text', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('tries', 'integer', (c) => c.notNull())
      .addColumn('reason', 'text')
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('dueMs', 'bigint', (c) => c.notNull())
      .addColumn('untilMs', 'bigint', (c) => c.notNull())
      .execute();
    await s.createIndex('outbox_due').on('outbox').columns(['channel', 'state', 'dueMs', 'lane']).execute();
    await s.createIndex('outbox_lane').on('outbox').columns(['lane', 'state', 'rowId']).execute();
    await s.createIndex('outbox_end').on('outbox').columns(['state', 'untilMs']).execute();
    await s.createIndex('outbox_user').on('outbox').column('userId').execute();
  },
};
