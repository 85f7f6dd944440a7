import { iso } from '../../protocol/clock.ts';
import type { Db } from '../db/database.ts';
import type { PersonalData } from '../people/own-data.ts';

/** What is kept of the pictures that a person looked at. */
export function looksAtPictures(db: Db): PersonalData {
  return {
    name: 'viewings',
    export: async (userId) => {
      const rows = await db
        .selectFrom('viewings')
        .select(['deviceName', 'channel', 'kind', 'path', 'fromAt', 'toAt', 'startedMs', 'endedMs'])
        .where('userId', '=', userId)
        .orderBy('id')
        .execute();
      return rows.map(({ startedMs, endedMs, ...row }) => ({
        at: iso(Number(startedMs)),
        until: endedMs === null ? null : iso(Number(endedMs)),
        ...row,
      }));
    },
    // That somebody looked is the owner's to know; who it was is not kept beyond the person's own account.
    erase: async (trx, ids) => {
      if (ids.length === 0) return;
      await trx
        .updateTable('viewings')
        .set({ userId: null })
        .where('userId', 'in', [...ids])
        .execute();
    },
  };
}
