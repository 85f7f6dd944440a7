import { locale, t } from './i18n.ts';

const formats = new Map<string, Intl.DateTimeFormat>();
function format(zone: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale()} ${zone} ${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(dialect(), { hourCycle: 'h23', ...options, timeZone: zone });
    formats.set(key, found);
  }
  return found;
}
/** English dates are written day first; other languages as they do. */
const dialect = () => (locale() === 'en' ? 'en-GB' : locale());

const DAY = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
const CLOCK = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;

/** The browser's own time zone. */
export const viewerZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A time in a zone as short as it can be unmistaken: `14:02:11` today, `21 Nov, 14:02:11`, else with the year. */
export function formatTime(at: string, zone: string | undefined, now = Date.now()): string {
  const date = new Date(at);
  const day = format(zone, DAY);
  if (day.format(date) === day.format(now)) return format(zone, CLOCK).format(date);
  const sameYear = format(zone, { year: 'numeric' }).format(date) === format(zone, { year: 'numeric' }).format(now);
  const parts = { day: 'numeric', month: 'short', year: sameYear ? undefined : 'numeric', ...CLOCK } as const;
  return format(zone, parts).format(date);
}

/** A time in full, with its zone's name: `Sunday 22 November 2026 at 14:02:11 GMT+1`. */
export function formatFull(at: string, zone: string | undefined): string {
  const parts = { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', ...CLOCK } as const;
  return format(zone, { ...parts, timeZoneName: 'short' }).format(new Date(at));
}

/** A length of time in words: `84 ms`, `1.4 s`, `2 min 5 s`, `3 h 2 min`, `2 d 1 h`. */
export function formatDuration(ms: number): string {
  const number = (value: number, digits = 0) =>
    new Intl.NumberFormat(dialect(), { maximumFractionDigits: digits }).format(value);
  if (ms < 0) return `−${formatDuration(-ms)}`;
  if (ms < 999.5) return t('unit.ms', { n: number(ms) });
  if (ms < 9_950) return t('unit.s', { n: number(ms / 1000, 1) });
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return t('unit.s', { n: number(seconds) });
  const two = (
    a: number,
    first: 'unit.d' | 'unit.h' | 'unit.min',
    b: number,
    second: 'unit.h' | 'unit.min' | 'unit.s',
  ) => (b === 0 ? t(first, { n: number(a) }) : `${t(first, { n: number(a) })} ${t(second, { n: number(b) })}`);
  if (seconds < 3600) return two(Math.floor(seconds / 60), 'unit.min', seconds % 60, 'unit.s');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1440) return two(Math.floor(minutes / 60), 'unit.h', minutes % 60, 'unit.min');
  const hours = Math.floor(minutes / 60);
  return two(Math.floor(hours / 24), 'unit.d', hours % 24, 'unit.h');
}

/** Milliseconds from one time to another. */
export const between = (from: string, to: string) => Date.parse(to) - Date.parse(from);

/** `4.2 MB`: decimal units. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3));
  const digits = power === 0 || bytes / 1000 ** power >= 100 ? 0 : 1;
  return `${new Intl.NumberFormat(dialect(), { maximumFractionDigits: digits }).format(bytes / 1000 ** power)} ${units[power]}`;
}
