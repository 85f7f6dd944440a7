import type { Migration } from './migration.ts';

/** When a package of firmware was last of use: what nobody needs any more makes room. */
export const firmwareUsed: Migration = {
  name: '022-firmware-used',
  async up(db) {
    await db.schema.alterTable('firmware').addColumn('usedMs', 'bigint').execute();
    await db
      .updateTable('firmware')
      .set((e) => ({ usedMs: e.ref('createdMs') }))
      .execute();
  },
};
