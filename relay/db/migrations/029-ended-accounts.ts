import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** The name that a site had when an account of it ended: its later ones are no business of that centre. */
export const endedAccounts: Migration = {
  name: '029-ended-accounts',
  async up(db) {
    await db.schema.alterTable('arc_accounts').addColumn('endedSiteName', 'text').execute();
    await sql`update arc_accounts set "endedSiteName" = (select name from sites where id = arc_accounts."siteId")
      where "deletedAt" is not null`.execute(db);
  },
};
