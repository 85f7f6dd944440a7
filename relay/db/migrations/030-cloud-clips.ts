import type { Migration } from './migration.ts';

/** What a clip is of: the stream, the kind of recording, its sound, its key, its gaps; and when it is deleted. */
export const cloudClips: Migration = {
  name: '030-cloud-clips',
  async up(db) {
    const column = (name: string, fallback: string | null) =>
      db.schema
        .alterTable('clips')
        .addColumn(name, 'text', (c) => (fallback === null ? c : c.notNull().defaultTo(fallback)))
        .execute();
    await column('kind', 'event');
    await column('stream', 'main');
    await column('twinId', null);
    await column('keyId', null);
    await column('audioCodec', null);
    await column('gaps', '[]');
    await db.schema.alterTable('clips').addColumn('expiresMs', 'bigint').execute();
    await db.schema.createIndex('clips_expires').on('clips').columns(['expiresMs']).execute();
    await db.schema.createIndex('clips_of_site').on('clips').columns(['siteId', 'startedAt']).execute();
  },
};
