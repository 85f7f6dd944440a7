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

/** The same with the name of what the clock is set to, `02:30:11 CET`: once a year an hour comes twice. */
export const namedClockOf = (ms: number, zone: string | undefined): string => {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'short' });
  const name = format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  return `${clockOf(ms, zone)} ${name}`.trim();
};

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

/** The moment of another day at which the clock shows what it showed then. */
export function sameTime(ms: number, from: string, to: string, zone: string | undefined): number | null {
  const [begun, begins] = [startOf(from, zone), startOf(to, zone)];
  if (begun === null || begins === null) return null;
  const at = begins + ms - begun;
  return at + (offsetMs(ms, zone) - offsetMs(begun, zone)) - (offsetMs(at, zone) - offsetMs(begins, zone));
}

/** Where lines stand on a time line that shows so much: on round times of the zone's clock. */
export function linesOf(fromMs: number, toMs: number, zone: string | undefined, most: number): number[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360].map((minutes) => minutes * MINUTE_MS);
  const step = steps.find((one) => (toMs - fromMs) / one <= most) ?? steps.at(-1)!;
  // The offset of each line: clocks change in the middle of a day.
  const next = (ms: number): number => {
    const on = (offset: number) => Math.ceil((ms + offset) / step) * step - offset;
    const offset = offsetMs(ms, zone);
    const near = on(offset);
    const changed = offsetMs(near, zone);
    if (changed === offset) return near;
    const there = on(changed);
    return there >= ms && offsetMs(there, zone) === changed ? there : next(near);
  };
  const lines: number[] = [];
  for (let at = next(fromMs); at < toMs; at = next(at + 1)) lines.push(at);
  return lines;
}
