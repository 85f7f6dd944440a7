/*
 * Zones as devices write them (isapi.md §5): POSIX-like, the sign turned round, letters without meaning, seconds written.
 *
 *   CST-3:00:00                                                         UTC+3, no summer time
 *   CST-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00             UTC+1, in summer one hour more
 *                                                                       month.week.day (5 = last, 0 = Sunday) / wall clock
 */
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A rule that holds for so many years is one. */
const YEARS = 5;

/** Whether this machine knows the zone, e.g. `Europe/Berlin`. */
export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** By how much the zone is ahead of UTC at that moment. */
export function offsetMinutes(zone: string, ms: number): number {
  return offsetsOf(zone)(ms);
}

/** `2026-07-13T19:14:08` on a wall clock in that zone. */
export function wallClock(zone: string, ms: number): string {
  return new Date(ms + offsetMinutes(zone, ms) * MINUTE_MS).toISOString().slice(0, 19);
}

/**
 * The zone as a device takes it, with the summer time rules that hold this year. A zone whose rules no such text can tell
 * (several changes a year, as in a month of fasting) comes as its present offset.
 */
export function posixZone(zone: string, nowMs: number): string {
  const offset = offsetsOf(zone);
  const year = new Date(nowMs).getUTCFullYear();
  const changes = changesOf(offset, year);
  const start = changes.find((c) => c.after > c.before);
  const end = changes.find((c) => c.after < c.before);
  if (changes.length !== 2 || !start || !end || start.before !== end.after) return `CST${hms(-offset(nowMs))}`;
  const years = Array.from({ length: YEARS }, (_, i) => changesOf(offset, year + i));
  const rule = (up: boolean) => {
    const days = years.flatMap((of) => of.filter((c) => c.after > c.before === up)).map(localOf);
    const [first] = days as [Local, ...Local[]];
    const last = days.every((d) => d.day + 7 > d.daysInMonth);
    const { month, weekday, time } = first;
    return `M${month}.${last ? 5 : Math.ceil(first.day / 7)}.${weekday}/${time}`;
  };
  return `CST${hms(-start.before)}DST${clock(start.after - start.before)},${rule(true)},${rule(false)}`;
}

interface Change {
  ms: number;
  before: number;
  after: number;
}
interface Local {
  month: number;
  day: number;
  weekday: number;
  daysInMonth: number;
  time: string;
}

function offsetsOf(zone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  return (ms) => {
    const name = format.formatToParts(ms).find((p) => p.type === 'timeZoneName')?.value ?? '';
    const [, sign, hours, minutes] = /^GMT([+-])(\d\d):(\d\d)/.exec(name) ?? [];
    return hours ? (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) : 0;
  };
}

function changesOf(offset: (ms: number) => number, year: number): Change[] {
  const changes: Change[] = [];
  const end = Date.UTC(year + 1, 0, 1);
  let before = offset(Date.UTC(year, 0, 1));
  for (let ms = Date.UTC(year, 0, 1); ms < end; ms += DAY_MS) {
    const after = offset(ms + DAY_MS);
    if (after === before) continue;
    // The minute within that day.
    let [low, high] = [ms, ms + DAY_MS];
    while (high - low > MINUTE_MS) {
      const middle = low + Math.floor((high - low) / 2 / MINUTE_MS) * MINUTE_MS;
      if (offset(middle) === before) low = middle;
      else high = middle;
    }
    changes.push({ ms: high, before, after });
    before = after;
  }
  return changes;
}

/** The change on the wall clock that holds until it. */
function localOf({ ms, before }: Change): Local {
  const at = new Date(ms + before * MINUTE_MS);
  return {
    month: at.getUTCMonth() + 1,
    day: at.getUTCDate(),
    weekday: at.getUTCDay(),
    daysInMonth: new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate(),
    time: at.toISOString().slice(11, 19),
  };
}

const pad = (n: number) => String(n).padStart(2, '0');
const clock = (minutes: number) => `${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}:00`;
const hms = (minutes: number) => {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${Math.floor(size / 60)}:${pad(size % 60)}:00`;
};
