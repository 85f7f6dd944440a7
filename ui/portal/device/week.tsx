import { useState } from 'preact/hooks';
import type { SettingField } from '../../../protocol/wire/operations.ts';
import { ALWAYS, MINUTES_OF_DAY, readWeek, type WeekSpan, writeWeek } from '../../../protocol/wire/week.ts';
import { locale, t } from '../../components/i18n.ts';

const DAYS = [1, 2, 3, 4, 5, 6, 7];
const USUAL = { from: 8 * 60, to: 18 * 60 };
/** The first of January 2024 was a Monday. */
const dayName = (day: number): string =>
  new Intl.DateTimeFormat(locale(), { weekday: 'long', timeZone: 'UTC' }).format(Date.UTC(2024, 0, day));
const pad = (n: number): string => String(n).padStart(2, '0');
/** As an input for times has it; the end of a day is written as midnight. */
const clockOf = (n: number): string => `${pad(Math.floor((n % MINUTES_OF_DAY) / 60))}:${pad(n % 60)}`;
const minutesOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5));

/** Times of a week at which something counts: ranges of each day. */
export function Week({
  name,
  label,
  field,
}: {
  name: string;
  label: string;
  field: Extract<SettingField, { kind: 'week' }>;
}) {
  const [spans, setSpans] = useState<WeekSpan[]>(() => readWeek(field.value ?? '') ?? []);
  const of = (day: number) => spans.filter((span) => span.day === day);
  const change = (which: WeekSpan, to: WeekSpan | null) =>
    setSpans((old) => old.flatMap((span) => (span === which ? (to ? [to] : []) : [span])));
  const like = (day: number) => setSpans(DAYS.flatMap((other) => of(day).map((span) => ({ ...span, day: other }))));
  // A range that ends before it begins is none; the input says so.
  const good = spans.filter(({ from, to }) => from < to);
  return (
    <fieldset class="flex flex-col gap-3" data-field={name}>
      <legend class="font-semibold">{label}</legend>
      <input type="hidden" name={name} value={writeWeek(good)} />
      <div class="flex flex-wrap gap-3">
        <button type="button" class="btn" onClick={() => setSpans([...ALWAYS])}>
          {t('operations.week.always')}
        </button>
        <button type="button" class="btn" onClick={() => like(1)}>
          {t('operations.week.likeFirst', { day: dayName(1) })}
        </button>
      </div>
      {DAYS.map((day) => (
        <fieldset key={day} aria-label={dayName(day)} class="flex flex-wrap items-center gap-3">
          <span class="w-28">{dayName(day)}</span>
          {of(day).map((span, i) => {
            const what = { day: dayName(day), n: i + 1 };
            return (
              <span key={String(i)} class="flex flex-wrap items-center gap-x-2 gap-y-1">
                <input
                  type="time"
                  required
                  class="input w-32"
                  aria-label={t('operations.week.from', what)}
                  value={clockOf(span.from)}
                  onChange={(e) => change(span, { ...span, from: minutesOf(e.currentTarget.value) })}
                />
                –
                <input
                  type="time"
                  required
                  class="input w-32"
                  aria-label={t('operations.week.to', what)}
                  aria-invalid={span.from >= span.to}
                  value={clockOf(span.to)}
                  onChange={(e) => change(span, { ...span, to: minutesOf(e.currentTarget.value) || MINUTES_OF_DAY })}
                />
                <button type="button" class="link" onClick={() => change(span, null)}>
                  {t('operations.week.remove')}
                  <span class="sr-only">
                    {' '}
                    {dayName(day)} {i + 1}
                  </span>
                </button>
              </span>
            );
          })}
          {of(day).length === 0 && <span class="muted">{t('operations.week.never')}</span>}
          {of(day).length < field.maxRanges && (
            <button type="button" class="link" onClick={() => setSpans((old) => [...old, { day, ...USUAL }])}>
              {t('operations.week.add')}
              <span class="sr-only"> {dayName(day)}</span>
            </button>
          )}
        </fieldset>
      ))}
      {good.length < spans.length && (
        <p role="alert" class="font-semibold">
          {t('operations.week.backwards')}
        </p>
      )}
    </fieldset>
  );
}
