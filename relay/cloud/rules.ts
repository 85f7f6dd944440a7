import type { Selectable } from 'kysely';
import type { CloudTrigger, ServiceState, Term } from '../../protocol/wire/cloud.ts';
import { CLOUD_TRIGGERS } from '../../protocol/wire/cloud.ts';
import type { CloudTables } from './schema.ts';

/** A month or a year later: the same day and time, the last day where that month is shorter (CLOUD-21). In UTC. */
export function termEnd(fromMs: number, term: Term): number {
  const from = new Date(fromMs);
  const months = from.getUTCMonth() + (term === 'year' ? 12 : 1);
  const first = Date.UTC(from.getUTCFullYear(), months, 1);
  const days = new Date(Date.UTC(from.getUTCFullYear(), months + 1, 0)).getUTCDate();
  const ofDay = fromMs - Date.UTC(from.getUTCFullYear(), from.getUTCMonth(), from.getUTCDate());
  return first + (Math.min(from.getUTCDate(), days) - 1) * 86_400_000 + ofDay;
}

/** Cameras that live on a solar panel and a SIM card: only motion may have them send footage (CLOUD-07). */
export const isSolar = (model: string): boolean => /^DS-2XS/i.test(model);

export const triggersFor = (model: string): CloudTrigger[] => (isSolar(model) ? ['motion'] : [...CLOUD_TRIGGERS]);

const DAY_MS = 86_400_000;
/** A month that has just begun does not end soon. */
const EXPIRING_DAYS = { year: 30, month: 7 };
type Service = Selectable<CloudTables['cloud_services']>;

export function stateOf(row: Pick<Service, 'endedMs' | 'untilMs' | 'term'>, now: number): ServiceState {
  if (row.endedMs !== null) return 'ended';
  if (row.untilMs <= now) return 'expired';
  return row.untilMs - now <= EXPIRING_DAYS[row.term] * DAY_MS ? 'expiring' : 'active';
}

/** Whether its time can go to another channel. */
export const transferable = (row: Pick<Service, 'endedMs' | 'ended' | 'untilMs'>, now: number): boolean =>
  row.untilMs > now && (row.endedMs === null || row.ended === 'left');
