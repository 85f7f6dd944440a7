import { sql } from 'kysely';
import { isPostgres, rebuildTable } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** Companies of every type, people with roles, sites that are handed over, and grants that bind them. */
export const tenancy: Migration = {
  name: '005-tenancy',
  async up(db) {
    const s = db.schema;
    await s.dropView('user_sites').execute();
    if (isPostgres(db)) {
      await sql`alter table companies drop constraint companies_name_key`.execute(db);
      await sql`alter table users alter column email drop not null`.execute(db);
      await sql`alter table devices alter column "boxSerial" drop not null`.execute(db);
      await sql`alter table sites drop constraint sites_name`.execute(db);
    } else {
      await rebuildTable(db, 'companies', (text) => text.replace(/("name" text not null) unique/, '$1'));
      await rebuildTable(db, 'users', (text) => text.replace(/("email" text) not null/, '$1'));
      await rebuildTable(db, 'devices', (text) => text.replace(/("boxSerial" text) not null/, '$1'));
      await rebuildTable(db, 'sites', (text) => text.replace(/,\s*constraint "sites_name" unique \([^)]*\)/, ''));
    }

    const companies = s.alterTable('companies');
    await companies.addColumn('type', 'text', (c) => c.notNull().defaultTo('installer')).execute();
    await companies.addColumn('country', 'text', (c) => c.notNull().defaultTo('')).execute();
    await companies.addColumn('address', 'text', (c) => c.notNull().defaultTo('')).execute();
    await companies.addColumn('phone', 'text', (c) => c.notNull().defaultTo('')).execute();
    await companies.addColumn('authentication', 'text', (c) => c.notNull().defaultTo('none')).execute();
    await companies.addColumn('channelPartner', 'integer', (c) => c.notNull().defaultTo(0)).execute();
    await companies.addColumn('slots', 'integer', (c) => c.notNull().defaultTo(0)).execute();
    await companies.addColumn('suspendedMs', 'bigint').execute();

    const users = s.alterTable('users');
    await users.addColumn('phone', 'text').execute();
    await users.addColumn('locale', 'text', (c) => c.notNull().defaultTo('en')).execute();
    await users.addColumn('admin', 'integer', (c) => c.notNull().defaultTo(0)).execute();
    await users.addColumn('enabled', 'integer', (c) => c.notNull().defaultTo(1)).execute();
    await users.addColumn('limited', 'integer', (c) => c.notNull().defaultTo(0)).execute();
    await users.addColumn('emailVerifiedMs', 'bigint').execute();
    await users.addColumn('phoneVerifiedMs', 'bigint').execute();
    await users.addColumn('deletedAt', 'text').execute();
    await s.createIndex('users_phone').on('users').column('phone').unique().execute();
    await s.createIndex('users_company').on('users').column('companyId').execute();
    await sql`update users set admin = 1 where id in (select "userId" from grants where "companyId" is not null)`.execute(
      db,
    );

    await s
      .createTable('roles')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('permissions', 'text', (c) => c.notNull())
      .addUniqueConstraint('roles_name', ['companyId', 'name'])
      .execute();
    await s
      .createTable('user_roles')
      .addColumn('userId', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('roleId', 'text', (c) => c.notNull().references('roles.id'))
      .addPrimaryKeyConstraint('user_roles_one', ['userId', 'roleId'])
      .execute();

    await s.dropTable('sessions').execute();
    await s
      .createTable('sessions')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('tokenHash', 'text', (c) => c.notNull().unique())
      .addColumn('userId', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('expiresMs', 'bigint', (c) => c.notNull())
      .addColumn('seenMs', 'bigint', (c) => c.notNull())
      .addColumn('remote', 'text', (c) => c.notNull())
      .addColumn('userAgent', 'text', (c) => c.notNull())
      .execute();
    await s.createIndex('sessions_user').on('sessions').column('userId').execute();

    await s
      .createTable('site_groups')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('name', 'text', (c) => c.notNull())
      .addUniqueConstraint('site_groups_name', ['companyId', 'name'])
      .execute();
    const sites = s.alterTable('sites');
    await sites.addColumn('type', 'text', (c) => c.notNull().defaultTo('personal')).execute();
    await sites.addColumn('status', 'text', (c) => c.notNull().defaultTo('not-handed-over')).execute();
    /** The customer's tenant, after a transfer. */
    await sites.addColumn('ownerId', 'text', (c) => c.references('companies.id')).execute();
    await sites.addColumn('groupId', 'text', (c) => c.references('site_groups.id')).execute();
    await sites.addColumn('syncTime', 'integer', (c) => c.notNull().defaultTo(1)).execute();
    for (const name of ['scene', 'address', 'city', 'region', 'country', 'remark'] as const)
      await sites.addColumn(name, 'text', (c) => c.notNull().defaultTo('')).execute();
    await sites.addColumn('latitude', 'double precision').execute();
    await sites.addColumn('longitude', 'double precision').execute();
    /** The name as lists order it: lower case. */
    await sites.addColumn('sortName', 'text', (c) => c.notNull().defaultTo('')).execute();
    await sites.addColumn('deletedAt', 'text').execute();
    await sql`update sites set "sortName" = lower(name)`.execute(db);
    await sql`create unique index sites_name on sites ("companyId", name) where "deletedAt" is null`.execute(db);
    await s.createIndex('sites_order').on('sites').columns(['companyId', 'sortName', 'id']).execute();

    await s
      .createTable('site_managers')
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('userId', 'text', (c) => c.notNull().references('users.id'))
      /** Null: Lifetime. */
      .addColumn('untilMs', 'bigint')
      .addPrimaryKeyConstraint('site_managers_one', ['siteId', 'userId'])
      .execute();
    await s.createIndex('site_managers_user').on('site_managers').columns(['userId', 'siteId']).execute();

    await s.dropTable('grants').execute();
    await s
      .createTable('grants')
      .addColumn('id', 'text', (c) => c.primaryKey())
      /** Who holds it. */
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      /** Null: the whole site. */
      .addColumn('deviceId', 'text', (c) => c.references('devices.id'))
      .addColumn('permission', 'text', (c) => c.notNull())
      /** Null: permanent. */
      .addColumn('untilMs', 'bigint')
      .addColumn('source', 'text', (c) => c.notNull())
      .addColumn('sourceId', 'text')
      .execute();
    await s.createIndex('grants_holder').on('grants').columns(['companyId', 'siteId', 'deviceId']).execute();
    await s.createIndex('grants_site').on('grants').columns(['siteId', 'companyId']).execute();
    await s.createIndex('grants_source').on('grants').columns(['source', 'sourceId']).execute();
    await sql`insert into grants (id, "companyId", "siteId", permission, source)
      select id, "companyId", id, 'all', 'site' from sites`.execute(db);

    const devices = s.alterTable('devices');
    await devices.addColumn('accessMode', 'text', (c) => c.notNull().defaultTo('p2p')).execute();
    await devices.addColumn('type', 'text', (c) => c.notNull().defaultTo('encoding')).execute();
    await devices.addColumn('model', 'text', (c) => c.notNull().defaultTo('')).execute();
    await devices.addColumn('firmware', 'text', (c) => c.notNull().defaultTo('')).execute();
    await devices.addColumn('channelCount', 'integer', (c) => c.notNull().defaultTo(1)).execute();
    await s.createIndex('devices_box').on('devices').column('boxSerial').execute();
  },
};
