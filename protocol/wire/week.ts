/** From one minute of a day to another; `day` 1 is Monday, `to` up to 1440. */
export interface WeekSpan {
  day: number;
  from: number;
  to: number;
}

export const MINUTES_OF_DAY = 24 * 60;
const pad = (n: number): string => String(n).padStart(2, '0');
const clockOf = (minutes: number): string => `${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
const minutesOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));

/** `1 08:00-18:00, 2 00:00-24:00`: in order of time, what touches or overlaps joined. */
export function writeWeek(spans: readonly WeekSpan[]): string {
  const joined: WeekSpan[] = [];
  for (const span of spans.toSorted((a, b) => a.day - b.day || a.from - b.from)) {
    const last = joined.at(-1);
    if (last?.day === span.day && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else joined.push({ ...span });
  }
  return joined.map(({ day, from, to }) => `${day} ${clockOf(from)}-${clockOf(to)}`).join(', ');
}

/** The spans of such a text; null when it is none. */
export function readWeek(text: string): WeekSpan[] | null {
  if (text === '') return [];
  const spans: WeekSpan[] = [];
  for (const part of text.split(', ')) {
    const found = /^([1-7]) (\d\d:[0-5]\d)-(\d\d:[0-5]\d)$/.exec(part);
    if (!found) return null;
    const span = { day: Number(found[1]), from: minutesOf(found[2]!), to: minutesOf(found[3]!) };
    if (span.from >= span.to || span.to > MINUTES_OF_DAY) return null;
    spans.push(span);
  }
  return spans;
}

/** All of every day. */
export const ALWAYS: readonly WeekSpan[] = [1, 2, 3, 4, 5, 6, 7].map((day) => ({ day, from: 0, to: MINUTES_OF_DAY }));
