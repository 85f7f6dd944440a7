import type { DeskAlarm, DeskFilter } from '../../../protocol/wire/arc-desk.ts';

/** How long an alarm that somebody has acknowledged stays where it was: it must not slip away under a finger. */
const STAYS_MS = 60_000;

type Wanted = Partial<Pick<DeskFilter, 'show' | 'urgency' | 'siteId' | 'account' | 'accountId'>>;

/** Most urgent first, then newest first; without `open`, newest first. */
export function inOrder(items: DeskAlarm[], show: DeskFilter['show']): DeskAlarm[] {
  const later = (a: DeskAlarm, b: DeskAlarm) => (a.takenAt < b.takenAt ? 1 : a.takenAt > b.takenAt ? -1 : 0);
  return [...items].sort((a, b) => (show === 'open' ? a.urgency - b.urgency : 0) || later(a, b));
}

export function fits(alarm: DeskAlarm, { show = 'open', urgency, siteId, account, accountId }: Wanted): boolean {
  return (
    (show === 'all' || (show === 'open' ? alarm.open : alarm.test)) &&
    (urgency === undefined || alarm.urgency === urgency) &&
    (siteId === undefined || alarm.site?.id === siteId) &&
    (account === undefined || alarm.account === account) &&
    (accountId === undefined || alarm.accountId === accountId)
  );
}

/** A list with an alarm that is new or has changed. What stands in it already stays, whatever became of it. */
export function followAlarm(items: DeskAlarm[], alarm: DeskAlarm, wanted: Wanted, now = Date.now()): DeskAlarm[] {
  const there = items.some((one) => one.id === alarm.id);
  if (!there && !fits(alarm, wanted)) return items;
  const next = there ? items.map((one) => (one.id === alarm.id ? alarm : one)) : [...items, alarm];
  const show = wanted.show ?? 'open';
  const kept = next.filter(
    (one) => show !== 'open' || one.open || (one.handled && now - Date.parse(one.handled.at) < STAYS_MS),
  );
  return inOrder(kept, show);
}

/** The next one that waits, after the one that was dealt with: below it, else the first. */
export function nextOpen(items: DeskAlarm[], id: string): string | null {
  const at = items.findIndex((one) => one.id === id);
  const rest = [...items.slice(at + 1), ...items.slice(0, Math.max(0, at))];
  return rest.find((one) => one.open)?.id ?? null;
}
