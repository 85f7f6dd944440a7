import { signal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext, useEffect } from 'preact/hooks';
import { t } from './i18n.ts';
import { between, formatDuration, formatFull, formatTime, viewerZone } from './time.ts';

/** The zone in which times are shown: the site's; undefined is the viewer's. */
export const Zone = createContext<string | undefined>(undefined);

/** The present, in steps fine enough for "since" texts; the page's frame keeps it going. */
const now = signal(Date.now());
export function useClock(): void {
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = Date.now();
    }, 5_000);
    return () => clearInterval(timer);
  }, []);
}

/** A time in the site's zone; on hover in full, and in the viewer's zone where that is another. */
export function Time({ at, full }: { at: string; full?: boolean }) {
  const zone = useContext(Zone);
  const own = viewerZone();
  const title = [formatFull(at, zone)];
  if (zone && formatFull(at, zone) !== formatFull(at, own)) title.push(t('time.yours', { time: formatFull(at, own) }));
  return (
    <time dateTime={at} title={title.join('\n')} class={full ? undefined : 'whitespace-nowrap'}>
      {full ? formatFull(at, zone) : formatTime(at, zone, now.value)}
    </time>
  );
}

/** How long ago something began: "for 3 min". */
export function Since({ at }: { at: string }) {
  const zone = useContext(Zone);
  return (
    <time dateTime={at} title={formatFull(at, zone)} class="muted">
      {t('time.for', { duration: formatDuration(Math.max(1000, between(at, new Date(now.value).toISOString()))) })}
    </time>
  );
}
