import type { Migration } from './migration.ts';

/** The operation log and API keys; what is kept of idempotent requests is sealed. */
export const platform: Migration = {
  name: '011-platform',
  async up(db) {
    const s = db.schema;
    await s
      .createTable('audit_chains')
      .addColumn('companyId', 'text', (c) => c.primaryKey().references('companies.id'))
      .addColumn('seq', 'bigint', (c) => c.notNull())
      .addColumn('hash', 'text', (c) => c.notNull())
      .addColumn('checkpointSeq', 'bigint', (c) => c.notNull())
      .addColumn('checkpointHash', 'text', (c) => c.notNull())
      .execute();
    await s
      .createTable('audit_entries')
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('seq', 'bigint', (c) => c.notNull())
      .addColumn('id', 'text', (c) => c.notNull())
      .addColumn('atMs', 'bigint', (c) => c.notNull())
      .addColumn('operatorCompanyId', 'text', (c) => c.notNull())
      .addColumn('action', 'text', (c) => c.notNull())
      .addColumn('client', 'text', (c) => c.notNull())
      .addColumn('clientName', 'text')
      .addColumn('siteId', 'text')
      .addColumn('targetKind', 'text')
      .addColumn('targetId', 'text')
      .addColumn('result', 'text', (c) => c.notNull())
      .addColumn('operatorHash', 'text', (c) => c.notNull())
      .addColumn('subjectHash', 'text', (c) => c.notNull())
      .addColumn('hash', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('audit_entries_one', ['companyId', 'seq'])
      .execute();
    await s.createIndex('audit_entries_time').on('audit_entries').columns(['companyId', 'atMs']).execute();
    await s.createIndex('audit_entries_age').on('audit_entries').column('atMs').execute();
    await s.createIndex('audit_entries_site').on('audit_entries').columns(['companyId', 'siteId', 'seq']).execute();
    await s.createIndex('audit_entries_target').on('audit_entries').column('targetId').execute();
    await s
      .createTable('audit_people')
      .addColumn('companyId', 'text', (c) => c.notNull())
      .addColumn('seq', 'bigint', (c) => c.notNull())
      .addColumn('operatorSalt', 'text')
      .addColumn('userId', 'text')
      .addColumn('name', 'text')
      .addColumn('email', 'text')
      .addColumn('address', 'text')
      .addColumn('subjectSalt', 'text')
      .addColumn('siteName', 'text')
      .addColumn('targetName', 'text')
      .addColumn('detail', 'text')
      .addColumn('search', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('audit_people_one', ['companyId', 'seq'])
      .execute();
    await s.createIndex('audit_people_user').on('audit_people').columns(['userId', 'companyId', 'seq']).execute();
    await s
      .createTable('audit_pending')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('atMs', 'bigint', (c) => c.notNull())
      .addColumn('entry', 'text', (c) => c.notNull())
      .execute();

    await s
      .createTable('api_keys')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('userId', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('prefix', 'text', (c) => c.notNull())
      .addColumn('tokenHash', 'text', (c) => c.notNull().unique())
      .addColumn('permissions', 'text', (c) => c.notNull())
      .addColumn('readOnly', 'integer', (c) => c.notNull())
      .addColumn('sites', 'text')
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('expiresMs', 'bigint', (c) => c.notNull())
      .addColumn('usedMs', 'bigint')
      .addColumn('revokedMs', 'bigint')
      .execute();
    await s.createIndex('api_keys_company').on('api_keys').columns(['companyId', 'id']).execute();

    // Kept in clear until now; whoever repeats such a request within its day does it again.
    await db.deleteFrom('idempotency_keys').execute();
    await s.createIndex('idempotency_keys_user').on('idempotency_keys').columns(['userId', 'createdMs']).execute();
  },
};
