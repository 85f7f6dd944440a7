import type { Migration } from './migration.ts';

/** Recorders whose channels were put in order, or have none that could be. */
export const recorderOrders: Migration = {
  name: '021-recorder-orders',
  async up(db) {
    await db.schema
      .createTable('recorder_orders')
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id').onDelete('cascade'))
      .addColumn('mac', 'text', (c) => c.notNull())
      .addColumn('atMs', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('recorder_orders_pk', ['siteId', 'mac'])
      .execute();
  },
};
