import { type Element, first, numberAt, textAt } from './tree.ts';

/** What GetSystemDateAndTime says; times in ms, null where it says nothing that is a time. */
export interface DeviceTime {
  utcMs: number | null;
  /** Its wall clock, read as if it were UTC. */
  localMs: number | null;
  /** By how much its zone is ahead of UTC, summer time of now included as far as the name tells. */
  zoneMs: number | null;
  zone: string;
  byNtp: boolean;
  daylight: boolean;
}

export function readDeviceTime(response: Element): DeviceTime {
  const time = first(response, 'SystemDateAndTime');
  const daylight = /^true|1$/i.test(textAt(time, 'DaylightSavings'));
  const zone = textAt(time, 'TimeZone', 'TZ');
  return {
    utcMs: momentOf(first(time, 'UTCDateTime')),
    localMs: momentOf(first(time, 'LocalDateTime')),
    zoneMs: zoneOf(zone),
    zone,
    byNtp: /^NTP$/i.test(textAt(time, 'DateTimeType')),
    daylight,
  };
}

function momentOf(element: Element | undefined): number | null {
  const at = (...path: string[]) => numberAt(element, ...path);
  const [y, mo, d] = [at('Date', 'Year'), at('Date', 'Month'), at('Date', 'Day')];
  const [h, mi, s] = [at('Time', 'Hour'), at('Time', 'Minute'), at('Time', 'Second')];
  if (y === null || mo === null || d === null || h === null || mi === null || s === null) return null;
  if (y < 1970 || y > 2200 || mo < 1 || mo > 12 || d < 1 || d > 31 || h > 24 || mi > 59 || s > 61) return null;
  return Date.UTC(y, mo - 1, d, h, mi, s);
}

/** POSIX names count west of Greenwich: `CST-8` is UTC+8. */
function zoneOf(zone: string): number | null {
  const match = /^(?:<[^>]*>|[A-Za-z]+)\s*([+-]?)(\d{1,2})(?::(\d{1,2}))?/.exec(zone);
  if (!match || Number(match[2]) > 14) return null;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  return (match[1] === '-' ? 1 : -1) * minutes * 60_000;
}

const NEAR_MS = 120_000;
const HOUR_MS = 3_600_000;

/**
 * By how much the device's clock may be ahead of ours, the likeliest first. Several, because some write local time where
 * UTC belongs while they check logins against real UTC; what differs by exactly their zone is taken for that.
 */
export function offsets(time: DeviceTime, nowMs: number): number[] {
  const { utcMs, localMs, zoneMs } = time;
  const measured =
    utcMs !== null ? utcMs - nowMs : localMs !== null && zoneMs !== null ? localMs - zoneMs - nowMs : null;
  if (measured === null) return [];
  const zones = zoneMs ? [zoneMs, zoneMs + HOUR_MS] : [];
  const mislabelled = zones.find((z) => z !== 0 && Math.abs(measured - z) < NEAR_MS);
  if (mislabelled !== undefined) return [measured - mislabelled, measured];
  return Math.abs(measured) < 5_000 ? [measured] : [measured, 0];
}
