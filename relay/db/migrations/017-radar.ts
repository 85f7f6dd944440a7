import type { Migration } from './migration.ts';

/** The camera linked to a radar. */
export const radar: Migration = {
  name: '017-radar',
  async up(db) {
    await db.schema
      .createTable('radar_cameras')
      .addColumn('radarId', 'text', (c) => c.primaryKey().references('devices.id').onDelete('cascade'))
      .addColumn('cameraId', 'text', (c) => c.notNull().references('devices.id').onDelete('cascade'))
      .addColumn('channel', 'integer', (c) => c.notNull())
      .addColumn('createdMs', 'bigint', (c) => c.notNull())
      .execute();
    await db.schema.createIndex('radar_cameras_camera').on('radar_cameras').column('cameraId').execute();
  },
};
