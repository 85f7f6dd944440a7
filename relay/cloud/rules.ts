import type { CloudTrigger, Term } from '../../protocol/wire/cloud.ts';
import { CLOUD_TRIGGERS } from '../../protocol/wire/cloud.ts';

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
