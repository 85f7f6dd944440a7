const MAX_ZONES = 500;
const formats = new Map<string, Intl.DateTimeFormat>();

/** When footage goes that is kept for so many days: at the beginning of day n+1 of the site's own days (CLOUD-20). */
export function expiryOf(startedMs: number, days: number, timeZone: string): number {
  const { year, month, day } = localTime(startedMs, timeZone);
  return startOfDay(year, month, day + days, timeZone);
}

/** First instant of a day in a zone; days beyond the month's are of the next one. `month` is 1-based. */
export function startOfDay(year: number, month: number, day: number, timeZone: string): number {
  const wanted = Date.UTC(year, month - 1, day);
  // What the zone's clock shows differs from UTC by less than a day, and not by the same on either side of a change.
  let at = wanted;
  for (let i = 0; i < 3; i++) at -= localTime(at, timeZone).asUtc - wanted;
  // A day whose clock skips midnight begins when it has skipped it.
  for (let i = 0; i < 8 && localTime(at, timeZone).asUtc < wanted; i++) at += 15 * 60_000;
  return at;
}

/** What a clock in the zone shows. */
export function localTime(ms: number, timeZone: string): { year: number; month: number; day: number; asUtc: number } {
  let format = formats.get(timeZone);
  if (!format) {
    if (formats.size >= MAX_ZONES) formats.clear();
    const parts = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
    format = new Intl.DateTimeFormat('en', {
      timeZone,
      ...parts,
      second: 'numeric',
      hourCycle: 'h23',
      calendar: 'gregory',
    });
    formats.set(timeZone, format);
  }
  const of = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = of;
  return { year, month, day, asUtc: Date.UTC(year, month - 1, day, hour, minute, second) + (ms % 1000) };
}
