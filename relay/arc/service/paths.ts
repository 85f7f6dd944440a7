import type { ArcLegs } from '../../../protocol/wire/arc-service.ts';
import { ArcTry } from '../../../protocol/wire/event.ts';
import { ProblemError } from '../../api/problem.ts';
import type { Scope } from '../../auth/scope.ts';
import type { Db } from '../../db/database.ts';
import type { ViewDeps } from './view.ts';

/** Alarms of an account that are looked at for the delays on its legs. */
const LAST = 50;

/** How long the last alarms of each account of a site took on each leg of their way. */
export async function legsOf(db: Db, scope: Scope, siteId: string, { health }: ViewDeps): Promise<ArcLegs[]> {
  await scope.site(siteId);
  if (!(await scope.holds(siteId, null, 'view'))) throw new ProblemError('permission-needed');
  const accounts = await db
    .selectFrom('arc_accounts')
    .select(['id', 'boxSerial'])
    .where('siteId', '=', siteId)
    .where('deletedAt', 'is', null)
    .orderBy('createdAt')
    .limit(1000)
    .execute();
  return Promise.all(
    accounts.map(async ({ id: accountId, boxSerial }): Promise<ArcLegs> => {
      const alarms = await db
        .selectFrom('alarms as m')
        .leftJoin('events as e', (j) => j.onRef('e.id', '=', 'm.eventId').onRef('e.boxSerial', '=', 'm.boxSerial'))
        .select(['m.log', 'm.path', 'm.acknowledgedAt', 'm.queuedAt', 'e.occurredAt', 'e.seenAt'])
        .where('m.accountId', '=', accountId)
        .where('m.boxSerial', '=', boxSerial)
        .orderBy('m.rowId', 'desc')
        .limit(LAST)
        .execute();
      const tries = alarms.flatMap((alarm) => ArcTry.array().parse(JSON.parse(alarm.log)).reverse());
      const took = (path: ArcTry['path']) =>
        tries.find((one) => one.path === path && one.outcome === 'acknowledged')?.tookMs ?? null;
      const attempt = await db
        .selectFrom('arc_attempts')
        .select(['startedMs', 'endedMs'])
        .where('boxSerial', '=', boxSerial)
        .where('accountId', '=', accountId)
        .where('state', '=', 'acknowledged')
        .orderBy('rowId', 'desc')
        .limit(1)
        .executeTakeFirst();
      const seen = alarms.find((alarm) => alarm.seenAt !== null);
      const last = alarms.find((alarm) => alarm.acknowledgedAt !== null);
      const rtt = health(boxSerial)?.tunnelRttMs ?? null;
      return {
        accountId,
        boxSerial,
        deviceToBoxMs: seen ? Math.max(0, Date.parse(seen.seenAt!) - Date.parse(seen.occurredAt!)) : null,
        directMs: took('direct'),
        secondMs: took('second'),
        boxToRelayMs: rtt === null ? null : Math.round(rtt),
        relayToArcMs: attempt?.endedMs == null ? null : Number(attempt.endedMs) - Number(attempt.startedMs),
        last: last
          ? {
              at: last.acknowledgedAt!,
              path: last.path,
              tookMs: Math.max(0, Date.parse(last.acknowledgedAt!) - Date.parse(last.queuedAt)),
            }
          : null,
      };
    }),
  );
}
