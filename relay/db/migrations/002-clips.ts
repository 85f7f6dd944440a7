import type { Migration } from './migration.ts';

export const clips: Migration = {
  name: '002-clips',
  async up(db) {
    const s = db.schema;
    await s
      .createTable('clips')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('boxSerial', 'text', (c) => c.notNull().references('boxes.serial'))
      .addColumn('deviceId', 'text', (c) => c.notNull())
      .addColumn('channel', 'integer', (c) => c.notNull())
      .addColumn('eventIds', 'text', (c) => c.notNull())
      .addColumn('boxState', 'text', (c) => c.notNull())
      .addColumn('startedAt', 'text', (c) => c.notNull())
      .addColumn('preRollMs', 'bigint', (c) => c.notNull())
      .addColumn('durationMs', 'bigint', (c) => c.notNull())
      .addColumn('codec', 'text', (c) => c.notNull())
      .addColumn('width', 'integer', (c) => c.notNull())
      .addColumn('height', 'integer', (c) => c.notNull())
      .addColumn('fragments', 'integer')
      .addColumn('reason', 'text')
      .addColumn('seq', 'bigint', (c) => c.notNull())
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .addColumn('reportedMs', 'bigint', (c) => c.notNull())
      .addColumn('joinedSize', 'bigint')
      .addColumn('swept', 'integer', (c) => c.notNull().defaultTo(0))
      .execute();
    await s.createIndex('clips_swept').on('clips').columns(['swept', 'boxState']).execute();
    await s.createIndex('clips_reported').on('clips').columns(['reportedMs']).execute();
    await s
      .createTable('clip_events')
      .addColumn('eventId', 'text', (c) => c.notNull())
      .addColumn('clipId', 'text', (c) => c.notNull().references('clips.id').onDelete('cascade'))
      .addPrimaryKeyConstraint('clip_events_one', ['eventId', 'clipId'])
      .execute();
    await s.createIndex('clip_events_clip').on('clip_events').columns(['clipId']).execute();
    await s
      .createTable('clip_fragments')
      .addColumn('clipId', 'text', (c) => c.notNull())
      .addColumn('n', 'integer', (c) => c.notNull())
      .addColumn('boxSerial', 'text', (c) => c.notNull().references('boxes.serial'))
      .addColumn('size', 'bigint', (c) => c.notNull())
      .addColumn('sha256', 'text', (c) => c.notNull())
      .addColumn('durationMs', 'integer', (c) => c.notNull())
      .addColumn('keyFrame', 'integer', (c) => c.notNull())
      .addColumn('storedMs', 'bigint', (c) => c.notNull())
      .addColumn('decodeTime', 'bigint')
      .addColumn('ticks', 'bigint')
      .addPrimaryKeyConstraint('clip_fragments_one', ['clipId', 'n'])
      .execute();
    await s.createIndex('clip_fragments_stored').on('clip_fragments').columns(['storedMs']).execute();
  },
};
