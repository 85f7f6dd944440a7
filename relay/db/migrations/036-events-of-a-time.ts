import type { Migration } from './migration.ts';

/** What happened at a site on a day, as the time line of playback asks. */
export const eventsOfATime: Migration = {
  name: '036-events-of-a-time',
  async up(db) {
    await db.schema.createIndex('events_time').on('events').columns(['siteId', 'occurredAt']).execute();
  },
};
