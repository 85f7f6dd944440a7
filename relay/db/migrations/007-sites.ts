import { type Kysely, sql } from 'kysely';
import { isPostgres } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** Words that sites and devices are found by, order of the list of devices, and credentials of devices added by address. */
export const sites: Migration = {
  name: '007-sites',
  async up(db) {
    const s = db.schema;
    await s
      .createTable('search_terms')
      /** The company that made the site. */
      .addColumn('companyId', 'text', (c) => c.notNull())
      .addColumn('term', 'text', (c) => c.notNull())
      /** Of the site: what has a word comes in the order of lists. */
      .addColumn('sortName', 'text', (c) => c.notNull())
      .addColumn('siteId', 'text', (c) => c.notNull())
      /** Empty: of the site itself. */
      .addColumn('deviceId', 'text', (c) => c.notNull())
      /** 1: what only that company may search for. */
      .addColumn('private', 'integer', (c) => c.notNull())
      .addPrimaryKeyConstraint('search_terms_one', ['companyId', 'term', 'sortName', 'siteId', 'deviceId'])
      .modifyEnd(isPostgres(db) ? sql`` : sql`without rowid`)
      .execute();
    await s.createIndex('search_terms_site').on('search_terms').columns(['siteId', 'term', 'deviceId']).execute();
    /** What changed since its words were written; filled by triggers, whoever makes the change. */
    await s
      .createTable('search_changes')
      .addColumn('siteId', 'text', (c) => c.notNull())
      .addColumn('deviceId', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('search_changes_one', ['siteId', 'deviceId'])
      .execute();
    await sql`insert into search_changes ("siteId", "deviceId") select id, '' from sites`.execute(db);
    await sql`insert into search_changes ("siteId", "deviceId") select "siteId", id from devices`.execute(db);

    /** 1: on a site of another company. Few beside a company's own, and listed apart from them. */
    await s
      .alterTable('grants')
      .addColumn('guest', 'integer', (c) => c.notNull().defaultTo(0))
      .execute();
    const foreign = sql`(select s."companyId" from sites s where s.id = grants."siteId")`;
    await sql`update grants set guest = 1 where "companyId" <> ${foreign}`.execute(db);
    await sql`create index grants_guest on grants ("companyId", "siteId") where guest = 1`.execute(db);

    if (isPostgres(db)) await postgresTriggers(db);
    else await sqliteTriggers(db);

    await s.createIndex('sites_by_status').on('sites').columns(['companyId', 'status', 'sortName', 'id']).execute();
    await s.createIndex('sites_by_group').on('sites').columns(['companyId', 'groupId', 'sortName', 'id']).execute();
    await s.createIndex('sites_by_type').on('sites').columns(['companyId', 'type', 'sortName', 'id']).execute();
    await s.createIndex('sites_owner').on('sites').column('ownerId').execute();
    await s.createIndex('devices_order').on('devices').columns(['siteId', 'name', 'id']).execute();
    await s.createIndex('devices_serial').on('devices').column('serial').execute();
    await s.createIndex('site_managers_end').on('site_managers').column('untilMs').execute();

    await s
      .createTable('device_secrets')
      .addColumn('deviceId', 'text', (c) => c.primaryKey().references('devices.id'))
      /** Sealed by the relay's vault for `device:{id}`. */
      .addColumn('password', 'text', (c) => c.notNull())
      .execute();
  },
};

// biome-ignore lint/suspicious/noExplicitAny: as in every migration
type AnyDb = Kysely<any>;

/** Columns whose words are searched; `devices` also when a device changes its site. */
const WATCHED = {
  sites: ['companyId', 'name', 'sortName', 'address', 'city', 'region', 'remark', 'ownerId', 'deletedAt'],
  devices: ['name', 'serial', 'model', 'siteId', 'deletedAt'],
  boxes: ['siteId'],
} as const;
const CHANGED = {
  sites: [`new.id`, `''`],
  devices: [`new."siteId"`, `new.id`],
  boxes: [`new."siteId"`, `''`],
} as const;
const tables = ['sites', 'devices', 'boxes'] as const;

const note = (site: string, device: string) =>
  `insert into search_changes ("siteId", "deviceId") select ${site}, ${device} where ${site} is not null and not exists
    (select 1 from search_changes where "siteId" = ${site} and "deviceId" = ${device});`;
/** Words of devices stand below the company, and in the order of the site's name. */
const RENAMED = `insert into search_changes ("siteId", "deviceId") select d."siteId", d.id from devices d
  where d."siteId" = new.id and d."deletedAt" is null and (old."sortName" <> new."sortName" or old."companyId" <> new."companyId") and not exists
    (select 1 from search_changes c where c."siteId" = d."siteId" and c."deviceId" = d.id);`;
/** What a change touches besides: where a device or a box was before it moved, the devices of a renamed site. */
const ALSO = { sites: RENAMED, devices: note('old."siteId"', 'new.id'), boxes: note('old."siteId"', `''`) };
const columns = (table: (typeof tables)[number]) => WATCHED[table].map((name) => `"${name}"`).join(', ');
const IS_GUEST = `new."companyId" <> (select "companyId" from sites where id = new."siteId")`;

async function sqliteTriggers(db: AnyDb): Promise<void> {
  for (const table of tables) {
    const body = note(CHANGED[table][0], CHANGED[table][1]);
    await sql.raw(`create trigger search_${table}_new after insert on ${table} begin ${body} end`).execute(db);
    const when = `after update of ${columns(table)} on ${table}`;
    await sql.raw(`create trigger search_${table}_changed ${when} begin ${ALSO[table]} ${body} end`).execute(db);
  }
  await sql
    .raw(`create trigger grants_guest after insert on grants when ${IS_GUEST} begin
      update grants set guest = 1 where id = new.id; end`)
    .execute(db);
}

async function postgresTriggers(db: AnyDb): Promise<void> {
  for (const table of tables) {
    const body = note(CHANGED[table][0], CHANGED[table][1]);
    const left = `if tg_op = 'UPDATE' then ${ALSO[table]} end if;`;
    await sql
      .raw(`create function search_${table}() returns trigger language plpgsql as
        $$ begin ${left} ${body} return null; end $$`)
      .execute(db);
    const when = `after insert or update of ${columns(table)} on ${table}`;
    await sql.raw(`create trigger search_${table} ${when} for each row execute function search_${table}()`).execute(db);
  }
  await sql
    .raw(`create function grants_guest() returns trigger language plpgsql as
      $$ begin if ${IS_GUEST} then new.guest := 1; end if; return new; end $$`)
    .execute(db);
  await sql
    .raw(`create trigger grants_guest before insert on grants for each row execute function grants_guest()`)
    .execute(db);
}
