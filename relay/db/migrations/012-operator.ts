import type { Migration } from './migration.ts';

/** Keys that the operator gives to companies, and what the console's lists are ordered by. */
export const operator: Migration = {
  name: '012-operator',
  async up(db) {
    const s = db.schema;
    await s
      .createTable('service_keys')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('keyHash', 'text', (c) => c.notNull().unique())
      /** Its last group. */
      .addColumn('ending', 'text', (c) => c.notNull())
      .addColumn('content', 'text', (c) => c.notNull())
      .addColumn('quantity', 'integer', (c) => c.notNull())
      .addColumn('note', 'text', (c) => c.notNull())
      .addColumn('issuedMs', 'bigint', (c) => c.notNull())
      .addColumn('expiresMs', 'bigint', (c) => c.notNull())
      .addColumn('withdrawnMs', 'bigint')
      .addColumn('redeemedMs', 'bigint')
      .addColumn('companyId', 'text', (c) => c.references('companies.id'))
      .addColumn('userId', 'text', (c) => c.references('users.id'))
      .execute();
    await s.createIndex('service_keys_company').on('service_keys').columns(['companyId', 'id']).execute();
    await s.createIndex('companies_type').on('companies').columns(['type', 'id']).execute();
    await s.createIndex('companies_authentication').on('companies').columns(['authentication', 'id']).execute();
    await s.createIndex('boxes_company').on('boxes').columns(['companyId', 'state', 'seenMs']).execute();
  },
};
