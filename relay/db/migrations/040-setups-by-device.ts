import type { Migration } from './migration.ts';

/** Set-ups of cloud storage are looked for by the devices of a site. */
export const setupsByDevice: Migration = {
  name: '040-setups-by-device',
  async up(db) {
    await db.schema.createIndex('cloud_setups_device').on('cloud_setups').columns(['deviceId']).execute();
  },
};
