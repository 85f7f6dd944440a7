import type { Migration } from './migration.ts';

/** How centres join the platform, what their receivers want, and access tokens for keys with a secret. */
export const arcJoining: Migration = {
  name: '024-arc-joining',
  async up(db) {
    const s = db.schema;
    // SQLite adds one column at a time.
    const add = (column: string, initial: string) =>
      s
        .alterTable('arc_receivers')
        .addColumn(column, 'text', (c) => c.notNull().defaultTo(initial))
        .execute();
    await add('kind', 'external');
    await add('settings', '{}');
    await add('keyFormat', 'hex');
    await s.alterTable('arc_receivers').addColumn('key', 'text').execute();
    await s
      .createTable('arc_profiles')
      .addColumn('companyId', 'text', (c) => c.primaryKey().references('companies.id'))
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('information', 'text', (c) => c.notNull())
      .addColumn('agreement', 'text', (c) => c.notNull())
      .addColumn('appliedBy', 'text', (c) => c.notNull())
      .addColumn('appliedMs', 'bigint', (c) => c.notNull())
      .addColumn('decidedMs', 'bigint')
      .addColumn('decidedBy', 'text')
      .addColumn('reason', 'text', (c) => c.notNull())
      .addColumn('keyId', 'text')
      .addColumn('configuredMs', 'bigint')
      .execute();
    await s.createIndex('arc_profiles_state').on('arc_profiles').columns(['state', 'appliedMs']).execute();
    await s
      .alterTable('api_keys')
      .addColumn('purpose', 'text', (c) => c.notNull().defaultTo('program'))
      .execute();
    await s
      .createTable('api_access_tokens')
      .addColumn('tokenHash', 'text', (c) => c.primaryKey())
      .addColumn('keyId', 'text', (c) => c.notNull().references('api_keys.id'))
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('expiresMs', 'bigint', (c) => c.notNull())
      .execute();
    await s.createIndex('api_access_tokens_key').on('api_access_tokens').columns(['keyId', 'createdMs']).execute();
  },
};
