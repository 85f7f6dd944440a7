import type { DesiredStorage } from '../../protocol/wire/desired.ts';

type Window = NonNullable<DesiredStorage['window']>;

/** Whether it is time to send continuous recording: `fromMinute` to `toMinute` of the day, over midnight where it is less. */
export function isOpen(window: Window | null, nowMs: number): boolean {
  if (!window || window.fromMinute === window.toMinute) return true;
  const minute = minuteOfDay(nowMs, window.timeZone);
  const { fromMinute: from, toMinute: to } = window;
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

/** In a zone that this system does not know: UTC. */
function minuteOfDay(nowMs: number, timeZone: string): number {
  const format = (zone: string) =>
    new Intl.DateTimeFormat('en', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  let formatter: Intl.DateTimeFormat;
  try {
    formatter = format(timeZone);
  } catch {
    formatter = format('UTC');
  }
  const parts = formatter.formatToParts(nowMs);
  const part = (type: string) => Number(parts.find((p) => p.type === type)?.value ?? 0);
  return part('hour') * 60 + part('minute');
}
