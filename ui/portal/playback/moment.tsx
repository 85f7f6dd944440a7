import { t } from '../../components/i18n.ts';
import { clockOf } from './day.ts';
import type { CloudClip, Marker } from './footage.ts';
import { BEFORE_MS } from './link.ts';

interface Props {
  /** Of the chosen window, and what happened elsewhere on the site. */
  markers: readonly Marker[];
  clips: readonly CloudClip[];
  headMs: number;
  /** Address of the site's pages. */
  base: string;
  zone: string | undefined;
  onSeek: (ms: number) => void;
}

/** So long after an event it is still the one that is being watched. */
const DURING_MS = 30_000;
/** Of a day that has more, those around the moment. */
const LISTED = 100;

/** Where else this moment is: its clip in the cloud, what happened then, and all that happened that day. */
export function Moment({ markers, clips, headMs, base, zone, onSeek }: Props) {
  const clip = clips.find(({ fromMs, toMs }) => headMs >= fromMs && headMs < toMs);
  const event = markers.findLast(({ atMs }) => atMs <= headMs + BEFORE_MS + 1_000);
  const now = event && headMs - event.atMs < DURING_MS ? event : null;
  const first = Math.max(0, markers.findIndex(({ atMs }) => atMs >= headMs) - LISTED / 2);
  const listed = markers.length > LISTED ? markers.slice(first, first + LISTED) : markers;
  return (
    <div class="flex flex-col gap-2">
      <p class="flex min-h-11 flex-wrap items-center gap-x-4 gap-y-1">
        {now && (
          <span>
            {clockOf(now.atMs, zone)} {nameOf(now)}
            {now.eventId && (
              <a class="link ml-2" href={`${base}/events/${now.eventId}`}>
                {t('playback.moment.event')}
              </a>
            )}
          </span>
        )}
        {clip ? (
          <a class="link" href={`${base}/clips/${clip.id}?at=${new Date(headMs).toISOString()}`}>
            {t('playback.moment.clip')}
          </a>
        ) : (
          <span class="muted">{t('playback.moment.noClip')}</span>
        )}
      </p>
      {markers.length > 0 && (
        <details>
          <summary class="cursor-pointer">{t('playback.moment.events', { count: markers.length })}</summary>
          <ul class="mt-2 flex max-h-72 flex-wrap gap-2 overflow-y-auto">
            {listed.map((marker) => (
              <li key={marker.eventId ?? `${marker.clipId}-${marker.atMs}`}>
                <button type="button" class="btn" onClick={() => onSeek(marker.atMs - BEFORE_MS)}>
                  {clockOf(marker.atMs, zone)} {nameOf(marker)}
                </button>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function nameOf({ type, name }: Marker): string {
  const what = type ? t(`eventType.${type}`) : t('playback.moment.recorded');
  return name ? `${what}, ${name}` : what;
}
