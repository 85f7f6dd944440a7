import type { Db } from '../db/database.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { OutputNews } from './output-watch.ts';

/** ARC Message to the administrators of the centre. */
export async function tellOfOutput(
  { db, notifier }: { db: Db; notifier: Notifier },
  { owner, name, stuck, waiting }: OutputNews,
): Promise<void> {
  await db.transaction().execute((trx) =>
    notifier.toCompany(trx, owner, {
      category: 'arc',
      code: stuck ? 'arc-output-stuck' : 'arc-output-works',
      values: { output: name, waiting: String(waiting) },
      link: '/arc/outputs',
    }),
  );
  notifier.kick();
}
