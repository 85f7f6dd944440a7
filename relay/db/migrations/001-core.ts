import { sql } from 'kysely';
import type { Migration } from './migration.ts';

export const core: Migration = {
  name: '001-core',
  async up(db) {
    const s = db.schema;
    await s
      .createTable('companies')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('name', 'text', (c) => c.notNull().unique())
      .addColumn('createdAt', 'text', (c) => c.notNull())
      .execute();
    await s
      .createTable('users')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('email', 'text', (c) => c.notNull().unique())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('passwordHash', 'text', (c) => c.notNull())
      .addColumn('createdAt', 'text', (c) => c.notNull())
      .execute();
    await s
      .createTable('sessions')
      .addColumn('tokenHash', 'text', (c) => c.primaryKey())
      .addColumn('userId', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('expiresMs', 'bigint', (c) => c.notNull())
      .execute();
    await s
      .createTable('sites')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('companyId', 'text', (c) => c.notNull().references('companies.id'))
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('timeZone', 'text', (c) => c.notNull())
      .addColumn('createdAt', 'text', (c) => c.notNull())
      .addUniqueConstraint('sites_name', ['companyId', 'name'])
      .execute();
    await s
      .createTable('grants')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('userId', 'text', (c) => c.notNull().references('users.id'))
      .addColumn('companyId', 'text', (c) => c.references('companies.id'))
      .addColumn('siteId', 'text', (c) => c.references('sites.id'))
      .addColumn('permission', 'text', (c) => c.notNull())
      .addColumn('untilMs', 'bigint')
      .addCheckConstraint('grants_one_resource', sql`("companyId" is null) <> ("siteId" is null)`)
      .execute();
    await s.createIndex('grants_user').on('grants').columns(['userId']).execute();
    await s
      .createView('user_sites')
      .as(
        db
          .selectFrom('grants as g')
          .innerJoin('sites as s', (j) =>
            j.on((e) => e.or([e('g.siteId', '=', e.ref('s.id')), e('g.companyId', '=', e.ref('s.companyId'))])),
          )
          .select(['g.userId as userId', 's.id as siteId', 'g.permission as permission', 'g.untilMs as untilMs']),
      )
      .execute();
    await s
      .createTable('boxes')
      .addColumn('serial', 'text', (c) => c.primaryKey())
      .addColumn('publicKey', 'text', (c) => c.notNull())
      .addColumn('sealKey', 'text', (c) => c.notNull())
      .addColumn('codeHash', 'text', (c) => c.notNull())
      .addColumn('version', 'text')
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('siteId', 'text', (c) => c.references('sites.id'))
      .addColumn('companyId', 'text', (c) => c.references('companies.id'))
      .addColumn('boot', 'text')
      .addColumn('epoch', 'bigint')
      .addColumn('enrolledMs', 'bigint', (c) => c.notNull())
      .addColumn('seenMs', 'bigint')
      .execute();
    await s.createIndex('boxes_site').on('boxes').columns(['siteId']).execute();
    await s.createIndex('boxes_state').on('boxes').columns(['state', 'seenMs']).execute();
    const ofBox = (name: string) =>
      s.createTable(name).addColumn('serial', 'text', (c) => c.primaryKey().references('boxes.serial'));
    await ofBox('box_health')
      .addColumn('document', 'text', (c) => c.notNull())
      .addColumn('receivedMs', 'bigint', (c) => c.notNull())
      .execute();
    await ofBox('box_journals')
      .addColumn('journalId', 'text', (c) => c.notNull())
      .addColumn('seq', 'bigint', (c) => c.notNull())
      .execute();
    await ofBox('desired_states')
      .addColumn('version', 'bigint', (c) => c.notNull())
      .addColumn('document', 'text', (c) => c.notNull())
      .addColumn('reported', 'text')
      .execute();
    await s
      .createTable('devices')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('boxSerial', 'text', (c) => c.notNull().references('boxes.serial'))
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('mac', 'text')
      .addColumn('serial', 'text')
      .addColumn('host', 'text', (c) => c.notNull())
      .addColumn('httpPort', 'integer', (c) => c.notNull())
      .addColumn('username', 'text', (c) => c.notNull())
      .addColumn('createdAt', 'text', (c) => c.notNull())
      .addColumn('deletedAt', 'text')
      .execute();
    await s.createIndex('devices_site').on('devices').columns(['siteId']).execute();
    await s
      .createTable('events')
      .addColumn('rowId', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('id', 'text', (c) => c.notNull().unique())
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('boxSerial', 'text', (c) => c.notNull().references('boxes.serial'))
      .addColumn('type', 'text', (c) => c.notNull())
      .addColumn('deviceId', 'text')
      .addColumn('channel', 'integer')
      .addColumn('occurredAt', 'text', (c) => c.notNull())
      .addColumn('seenAt', 'text', (c) => c.notNull())
      .addColumn('deviceTime', 'text')
      .addColumn('receivedAt', 'text', (c) => c.notNull())
      .addColumn('endedAt', 'text')
      .addColumn('text', 'text')
      .addColumn('sourceRef', 'text')
      .execute();
    await s.createIndex('events_site').on('events').columns(['siteId', 'rowId']).execute();
    await s.createIndex('events_site_type').on('events').columns(['siteId', 'type', 'rowId']).execute();
    await s
      .createTable('quarantine')
      .addColumn('rowId', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('serial', 'text', (c) => c.notNull().references('boxes.serial'))
      .addColumn('hash', 'text', (c) => c.notNull())
      .addColumn('topic', 'text', (c) => c.notNull())
      .addColumn('reason', 'text', (c) => c.notNull())
      .addColumn('payload', 'text', (c) => c.notNull())
      .addColumn('receivedAt', 'text', (c) => c.notNull())
      .addUniqueConstraint('quarantine_once', ['serial', 'hash'])
      .execute();
    await s
      .createTable('warnables')
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('code', 'text', (c) => c.notNull())
      .addColumn('subject', 'text', (c) => c.notNull())
      .addColumn('severity', 'text', (c) => c.notNull())
      .addColumn('text', 'text', (c) => c.notNull())
      .addColumn('since', 'text', (c) => c.notNull())
      .addColumn('untilMs', 'bigint')
      .addPrimaryKeyConstraint('warnables_one', ['siteId', 'code', 'subject'])
      .execute();
  },
};
