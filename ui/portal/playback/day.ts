const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();
function formatOf(zone: string | undefined): Intl.DateTimeFormat {
  const key = zone ?? '';
  const found = formats.get(key);
  if (found) return found;
  const parts = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
  const made = new Intl.DateTimeFormat('en-GB', { ...parts, second: '2-digit', hourCycle: 'h23', timeZone: zone });
  formats.set(key, made);
  return made;
}

/** By how much a zone's clock is ahead of UTC at that moment. */
function offsetMs(ms: number, zone: string | undefined): number {
  const of = Object.fromEntries(
    formatOf(zone)
      .formatToParts(ms)
      .map(({ type, value }) => [type, Number(value)]),
  ) as Record<string, number>;
  const wall = Date.UTC(of.year!, of.month! - 1, of.day!, of.hour!, of.minute!, of.second!);
  return wall - Math.floor(ms / 1000) * 1000;
}

/** `2026-11-23`, of the zone's own calendar. */
export const dayOf = (ms: number, zone: string | undefined): string =>
  new Date(ms + offsetMs(ms, zone)).toISOString().slice(0, 10);

/** `14:02:11` on the zone's clock. */
export const clockOf = (ms: number, zone: string | undefined): string =>
  new Date(ms + offsetMs(ms, zone)).toISOString().slice(11, 19);

/** When that day begins there; null for what is no day. */
export function startOf(day: string, zone: string | undefined): number | null {
  const utc = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(utc)) return null;
  // The offset of the moment itself, which is not that of midnight in UTC where clocks change.
  const near = utc - offsetMs(utc, zone);
  return utc - offsetMs(near, zone);
}

/** The day so many days later; a day may have 23 or 25 hours. */
export const dayAfter = (day: string, days: number): string =>
  new Date(Date.parse(`${day}T12:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);

/** Where lines stand on a time line that shows so much: on round times of the zone's clock. */
export function linesOf(fromMs: number, toMs: number, zone: string | undefined, most: number): number[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360].map((minutes) => minutes * MINUTE_MS);
  const step = steps.find((one) => (toMs - fromMs) / one <= most) ?? steps.at(-1)!;
  const offset = offsetMs(fromMs, zone);
  const lines: number[] = [];
  for (let at = Math.ceil((fromMs + offset) / step) * step - offset; at < toMs; at += step) lines.push(at);
  return lines;
}
