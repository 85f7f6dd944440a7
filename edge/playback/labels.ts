import { document } from '../isapi/answer.ts';
import type { IsapiClient } from '../isapi/client.ts';
import { text } from '../isapi/xml.ts';

/*
 * How a device writes the time of a recording. `Z` stands behind all of them, and yet most firmware means its own wall clock
 * (isapi.md §12). The wall clock may be wrong as well: a recording that was made then carries the wrong time.
 */

/** Between what a device's labels say and the box's clock, in ms, at a moment of the box's clock. */
export type LabelOffset = (ms: number) => number;

export interface DeviceWallClock {
  /** Wall clock minus UTC now, in ms. */
  offsetMs: number;
  /** By how much its idea of UTC is wrong: what its wall clock is ahead by, without its zone. */
  wrongMs: number;
  /** The zone's summer time, when the device has one. */
  summer: SummerTime | null;
}

/** As in `CST-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00`. */
interface SummerTime {
  shiftMs: number;
  start: Rule;
  end: Rule;
}
interface Rule {
  month: number;
  week: number;
  weekday: number;
  timeMs: number;
}

const QUARTER_MS = 15 * 60_000;
/** A clock that is this near to a whole offset is right. */
const RIGHT_MS = 20_000;

/** The device's wall clock, measured; null: it does not say. */
export async function readWallClock(
  client: IsapiClient,
  nowMs: () => number,
  signal?: AbortSignal,
): Promise<DeviceWallClock | null> {
  const result = await client.get('/System/time', { signal });
  if (!result.ok) return null;
  const node = document(result.value.body, 'Time') ?? '';
  return wallClockOf(text(node, 'localTime'), text(node, 'timeZone'), nowMs());
}

export function wallClockOf(localTime: string, timeZone: string, nowMs: number): DeviceWallClock | null {
  const written = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)/.exec(localTime.trim());
  const wall = written ? Date.parse(`${written[1]}Z`) : Number.NaN;
  if (Number.isNaN(wall)) return null;
  // It was read to whole seconds, half a second ago on average.
  const measured = wall + 500 - nowMs;
  const whole = Math.round(measured / QUARTER_MS) * QUARTER_MS;
  const offsetMs = Math.abs(measured - whole) <= RIGHT_MS ? whole : Math.round(measured / 1000) * 1000;
  const summer = summerTime(timeZone);
  const zoneMs = zoneOf(localTime, timeZone, summer && isSummer(summer, wall - summer.shiftMs) ? summer.shiftMs : 0);
  const wrongMs = zoneMs === null ? 0 : offsetMs - zoneMs;
  return { offsetMs, wrongMs: Math.abs(wrongMs) <= RIGHT_MS ? 0 : wrongMs, summer };
}

/** What the device's clock is set to, against its own UTC: as it writes it, or `CST-1:00:00` (POSIX: west is positive). */
function zoneOf(localTime: string, timeZone: string, summerMs: number): number | null {
  const written = /([+-])(\d{1,2}):?(\d\d)$/.exec(localTime.trim().slice(19));
  const posix = /^[A-Za-z]+([+-]?)(\d{1,2})(?::(\d\d))?/.exec(timeZone.trim());
  const ms = (hours = '0', minutes = '0') => (Number(hours) * 60 + Number(minutes)) * 60_000;
  if (written) return (written[1] === '-' ? -1 : 1) * ms(written[2], written[3]);
  return posix ? (posix[1] === '-' ? 1 : -1) * ms(posix[2], posix[3]) + summerMs : null;
}

/** The wall clock at another moment: summer time may have begun or ended since. */
export function localOffset(clock: Pick<DeviceWallClock, 'offsetMs' | 'summer'>, nowMs: number): LabelOffset {
  const { summer, offsetMs } = clock;
  if (!summer) return () => offsetMs;
  const standardMs = offsetMs - (isSummer(summer, nowMs + offsetMs) ? summer.shiftMs : 0);
  return (ms) => standardMs + (isSummer(summer, ms + standardMs) ? summer.shiftMs : 0);
}

function summerTime(zone: string): SummerTime | null {
  const found = /DST(\d{1,2}):(\d\d)(?::\d\d)?,([^,]+),([^,]+)$/.exec(zone.trim());
  if (!found) return null;
  const [, hours, minutes, from, to] = found;
  const [start, end] = [rule(from!), rule(to!)];
  return start && end ? { shiftMs: (Number(hours) * 60 + Number(minutes)) * 60_000, start, end } : null;
}

function rule(text: string): Rule | null {
  const found = /^M(\d{1,2})\.([1-5])\.([0-6])(?:\/(\d{1,2}):(\d\d))?/.exec(text.trim());
  if (!found) return null;
  const [month, week, weekday, hours = 2, minutes = 0] = found.slice(1).map((n) => Number(n ?? 0));
  return { month: month!, week: week!, weekday: weekday!, timeMs: (hours * 60 + minutes) * 60_000 };
}

/** `wallMs`: of the wall clock without summer time, as if it were UTC. */
function isSummer({ start, end, shiftMs }: SummerTime, wallMs: number): boolean {
  const year = new Date(wallMs).getUTCFullYear();
  const from = at(start, year);
  const to = at(end, year) - shiftMs;
  return from < to ? wallMs >= from && wallMs < to : wallMs >= from || wallMs < to;
}

function at({ month, week, weekday, timeMs }: Rule, year: number): number {
  const first = Date.UTC(year, month - 1, 1);
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  let day = 1 + ((weekday - new Date(first).getUTCDay() + 7) % 7) + (week - 1) * 7;
  if (day > days) day -= 7;
  return first + (day - 1) * 86_400_000 + timeMs;
}

/** `2026-11-22T10:15:00Z`; devices want whole seconds. */
export function writeLabel(ms: number, offset: LabelOffset): string {
  return `${new Date(Math.floor((ms + offset(ms)) / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

/** null for what is no time. An offset that is written counts. */
export function readLabel(label: string, offset: LabelOffset): number | null {
  const found = /^(\d{4})-?(\d\d)-?(\d\d)[T ](\d\d):?(\d\d):?(\d\d)(?:\.\d+)?\s*(Z|[+-]\d{1,2}:?\d\d)?$/i.exec(
    label.trim(),
  );
  if (!found) return null;
  const [y, mo, d, h, mi, s] = found.slice(1, 7).map(Number);
  const wall = Date.UTC(y!, mo! - 1, d, h, mi, s);
  const zone = /^([+-])(\d{1,2}):?(\d\d)$/.exec(found[7] ?? '');
  if (zone) return wall - (zone[1] === '-' ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3])) * 60_000;
  // The offset stands for the moment, and that is what is asked for: near enough, and then exactly.
  return wall - offset(wall - offset(wall));
}
