import { useEffect, useRef, useState } from 'preact/hooks';
import { Calendar, monthOf } from '../../components/calendar.tsx';
import { locale, t } from '../../components/i18n.ts';
import { useResource } from '../../components/resource.ts';
import type { LiveTarget } from '../live/targets.ts';
import { dayAfter, dayOf } from './day.ts';
import { recordedDays } from './footage.ts';

interface Props {
  day: string;
  zone: string | undefined;
  /** The channels that are seen: a day counts if any of them was recorded. */
  targets: readonly LiveTarget[];
  choose: (day: string) => void;
}

/** A calendar day as people write it. */
const inWords = (day: string): string =>
  new Intl.DateTimeFormat(locale() === 'en' ? 'en-GB' : locale(), {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    timeZone: 'UTC',
  }).format(Date.parse(day));

/** The day: one on, one back, or any of a calendar that shows which have recordings. */
export function DayChoice({ day, zone, targets, choose }: Props) {
  const [open, setOpen] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const today = dayOf(Date.now(), zone);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  useEffect(() => {
    if (!open) return;
    const onDown = (event: PointerEvent) => !frame.current?.contains(event.target as Node) && setOpen(false);
    const onKey = (event: KeyboardEvent) => event.key === 'Escape' && close();
    document.addEventListener('pointerdown', onDown);
    document.addEventListener('keydown', onKey);
    return () => {
      document.removeEventListener('pointerdown', onDown);
      document.removeEventListener('keydown', onKey);
    };
  }, [open]);
  return (
    <div ref={frame} class="relative flex flex-wrap items-end gap-2">
      <button type="button" class="btn" onClick={() => choose(dayAfter(day, -1))}>
        {t('playback.day.before')}
      </button>
      <button ref={button} type="button" class="btn" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span class="sr-only">{t('playback.day.label')} </span>
        <time dateTime={day}>{inWords(day)}</time>
        <span aria-hidden="true">▾</span>
      </button>
      <button type="button" class="btn" disabled={day === today} onClick={() => choose(dayAfter(day, 1))}>
        {t('playback.day.after')}
      </button>
      {open && (
        <div class="playback-days panel">
          <Month
            key={targets.map(({ key }) => key).join()}
            {...{ day, today, targets }}
            choose={(next) => {
              close();
              if (next) choose(next);
            }}
          />
        </div>
      )}
    </div>
  );
}

function Month({
  day,
  today,
  targets,
  choose,
}: {
  day: string;
  today: string;
  targets: readonly LiveTarget[];
  choose: (day: string | null) => void;
}) {
  const [month, setMonth] = useState(monthOf(day));
  const days = useResource((signal) => recordedDays(targets, month, signal), [month]);
  const mark = { mark: '●', words: t('playback.day.recorded') };
  return (
    <>
      <Calendar
        month={month}
        day={day}
        today={today}
        days={days.data === undefined ? undefined : new Map([...(days.data ?? [])].map((one) => [one, mark]))}
        words={{
          label: t('playback.day.calendar'),
          none: days.data ? t('playback.day.none') : '',
          before: t('playback.day.monthBefore'),
          after: t('playback.day.monthAfter'),
        }}
        choose={(next) => choose(next && next <= today ? next : null)}
        turn={setMonth}
      />
      {days.data === null && <p class="muted small">{t('playback.day.unknown')}</p>}
    </>
  );
}
