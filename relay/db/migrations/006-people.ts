import type { Migration } from './migration.ts';

/** Registration, verification, second factors, invitations and requests to join, authentication of companies. */
export const people: Migration = {
  name: '006-people',
  async up(db) {
    const s = db.schema;
    await s
      .createTable('verifications')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('userId', 'text', (c) => c.references('users.id'))
      .addColumn('target', 'text', (c) => c.notNull())
      .addColumn('secretHash', 'text', (c) => c.notNull().unique())
      .addColumn('document', 'text', (c) => c.notNull())
      .addColumn('triesLeft', 'integer', (c) => c.notNull())
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('expiresMs', 'bigint', (c) => c.notNull())
      .execute();
    await s.createIndex('verifications_user').on('verifications').columns(['userId', 'kind']).execute();
    await s.createIndex('verifications_expiry').on('verifications').column('expiresMs').execute();

    /** What was sent to an address: how often more may be sent. */
    await s
      .createTable('secret_sends')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('target', 'text', (c) => c.notNull())
      .addColumn('atMs', 'bigint', (c) => c.notNull())
      .execute();
    await s.createIndex('secret_sends_target').on('secret_sends').columns(['target', 'atMs']).execute();
    await s.createIndex('secret_sends_age').on('secret_sends').column('atMs').execute();

    await s
      .createTable('sign_in_failures')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('limiter', 'text', (c) => c.notNull())
      .addColumn('keyHash', 'text', (c) => c.notNull())
      .addColumn('atMs', 'bigint', (c) => c.notNull())
      .execute();
    await s.createIndex('sign_in_failures_age').on('sign_in_failures').column('atMs').execute();
    await s.createIndex('sign_in_failures_key').on('sign_in_failures').columns(['limiter', 'keyHash']).execute();
    /** Addresses a person has signed in from. */
    await s
      .createTable('known_addresses')
      .addColumn('userId', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('addressHash', 'text', (c) => c.notNull())
      .addColumn('seenMs', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('known_addresses_one', ['userId', 'addressHash'])
      .execute();

    await s
      .createTable('totp')
      .addColumn('userId', 'text', (c) => c.primaryKey().references('users.id'))
      /** Sealed by the relay's vault. */
      .addColumn('secret', 'text', (c) => c.notNull())
      .addColumn('confirmedMs', 'bigint')
      .addColumn('lastCounter', 'bigint', (c) => c.notNull())
      .execute();
    await s
      .createTable('recovery_codes')
      .addColumn('userId', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('codeHash', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('recovery_codes_one', ['userId', 'codeHash'])
      .execute();

    await s
      .createTable('employee_invitations')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('email', 'text', (c) => c.notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('roles', 'text', (c) => c.notNull())
      .addColumn('locale', 'text', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('secretHash', 'text', (c) => c.unique())
      .addColumn('invitedBy', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('sentMs', 'bigint', (c) => c.notNull())
      .addColumn('expiresMs', 'bigint', (c) => c.notNull())
      .execute();
    await s
      .createIndex('employee_invitations_company')
      .on('employee_invitations')
      .columns(['companyId', 'id'])
      .execute();

    await s
      .createTable('join_requests')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('email', 'text', (c) => c.notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('locale', 'text', (c) => c.notNull())
      .addColumn('passwordHash', 'text', (c) => c.notNull())
      .addColumn('message', 'text', (c) => c.notNull())
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('expiresMs', 'bigint', (c) => c.notNull())
      .addUniqueConstraint('join_requests_one', ['companyId', 'email'])
      .execute();

    await s
      .createTable('company_authentications')
      .addColumn('companyId', 'text', (c) => c.primaryKey().references('companies.id'))
      .addColumn('fields', 'text', (c) => c.notNull())
      .addColumn('reason', 'text', (c) => c.notNull())
      .addColumn('submittedMs', 'bigint', (c) => c.notNull())
      .addColumn('submittedBy', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('decidedMs', 'bigint')
      .addColumn('decidedBy', 'text', (c) => c.references('users.id'))
      .execute();
  },
};
