import { iso } from '../../protocol/clock.ts';
import type { OperationLog } from '../audit/operation-log.ts';
import type { Db } from '../db/database.ts';
import type { PersonalData } from './own-data.ts';

/** What the operation log holds of a person: what they did, and from where. */
export function loggedOperations(db: Db, operationLog: OperationLog): PersonalData {
  return {
    name: 'operations',
    export: async (userId) => {
      const rows = await db
        .selectFrom('audit_entries as a')
        .innerJoin('audit_people as p', (j) => j.onRef('p.companyId', '=', 'a.companyId').onRef('p.seq', '=', 'a.seq'))
        .select(['a.atMs', 'a.action', 'a.client', 'a.result', 'p.address', 'p.siteName', 'p.targetName', 'p.detail'])
        .where('p.userId', '=', userId)
        .whereRef('a.companyId', '=', 'a.operatorCompanyId')
        .orderBy('a.seq')
        .execute();
      return rows.map(({ atMs, ...row }) => ({ at: iso(atMs), ...row }));
    },
    erase: async (trx, ids) => {
      for (const id of ids) await operationLog.erase(trx, id);
    },
  };
}
