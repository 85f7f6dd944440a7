import { locale } from './i18n.ts';

export interface DayMark {
  /** Under the number; short. */
  mark: string;
  /** The same in words. */
  words: string;
}

const pad = (n: number) => String(n).padStart(2, '0');
export const monthOf = (day: string) => day.slice(0, 7);

/** The month so many months later. */
export function monthAfter(month: string, months: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number);
  const at = new Date(Date.UTC(year, number - 1 + months, 1));
  return `${at.getUTCFullYear()}-${pad(at.getUTCMonth() + 1)}`;
}

const named = (day: string, parts: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat(locale() === 'en' ? 'en-GB' : locale(), { ...parts, timeZone: 'UTC' }).format(
    Date.parse(`${day}T12:00:00Z`),
  );

/** A month of days, each with what there is of it; weeks begin on Monday. */
export function Calendar({
  month,
  day,
  today,
  days,
  words,
  choose,
  turn,
}: {
  month: string;
  day: string | null;
  today: string;
  /** Undefined while it is loaded. */
  days: ReadonlyMap<number, DayMark> | undefined;
  /** What it is called, what its arrows do, and what a day is of which there is nothing. */
  words: { label: string; before: string; after: string; none: string };
  choose: (day: string | null) => void;
  turn: (month: string) => void;
}) {
  const [year = 0, number = 1] = month.split('-').map(Number);
  const count = new Date(Date.UTC(year, number, 0)).getUTCDate();
  const before = (new Date(Date.UTC(year, number - 1, 1)).getUTCDay() + 6) % 7;
  const label = named(`${month}-01`, { month: 'long', year: 'numeric' });
  return (
    <section aria-label={words.label}>
      <div class="mb-2 flex items-center justify-between gap-2">
        <button type="button" class="btn" aria-label={words.before} onClick={() => turn(monthAfter(month, -1))}>
          ‹
        </button>
        <p class="font-semibold" aria-live="polite">
          {label}
        </p>
        <button
          type="button"
          class="btn"
          aria-label={words.after}
          aria-disabled={month >= monthOf(today)}
          onClick={() => month < monthOf(today) && turn(monthAfter(month, 1))}
        >
          ›
        </button>
      </div>
      <ol class="grid grid-cols-7 gap-1" aria-busy={days === undefined}>
        {Array.from({ length: 7 }, (_, i) => (
          <li key={`w${i}`} aria-hidden="true" class="muted small text-center">
            {named(`2024-01-0${i + 1}`, { weekday: 'narrow' })}
          </li>
        ))}
        {Array.from({ length: count }, (_, i) => {
          const date = `${month}-${pad(i + 1)}`;
          const found = days?.get(i + 1);
          const said = [named(date, { day: 'numeric', month: 'long' }), found?.words ?? (days && words.none)];
          return (
            <li key={date} style={i === 0 ? { gridColumnStart: before + 1 } : undefined}>
              <button
                type="button"
                class={`flex min-h-11 w-full flex-col items-center justify-center rounded border ${
                  date === day ? 'border-primary bg-primary text-primary-content' : 'border-transparent'
                } ${date === today && date !== day ? 'underline' : ''} ${found ? 'bg-base-200 font-semibold' : ''}`}
                aria-pressed={date === day}
                onClick={() => choose(date === day ? null : date)}
              >
                <span aria-hidden="true">{i + 1}</span>
                <span class="sr-only">{said.filter(Boolean).join(', ')}</span>
                <span aria-hidden="true" class="small h-4 leading-4">
                  {found?.mark}
                </span>
              </button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
