import type { Migration } from './migration.ts';

/** A joined clip keeps its ETag itself, so that the rows of its fragments can go (`swept` is 2 then). */
export const joinedClips: Migration = {
  name: '035-joined-clips',
  async up(db) {
    await db.schema.alterTable('clips').addColumn('etag', 'text').execute();
  },
};
