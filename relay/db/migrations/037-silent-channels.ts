import type { Migration } from './migration.ts';

/** What a device said last of its motion detection, for the list of channels with cloud storage. */
export const silentChannels: Migration = {
  name: '037-silent-channels',
  async up(db) {
    await db.schema.alterTable('cloud_channels').addColumn('silent', 'text').execute();
  },
};
