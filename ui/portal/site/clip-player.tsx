import { useEffect, useRef, useState } from 'preact/hooks';
import type { Clip } from '../../../protocol/wire/api.ts';
import { t } from '../../components/i18n.ts';
import { Facts } from '../../components/page.tsx';
import { formatBytes, formatDuration } from '../../components/time.ts';
import { Time } from '../../components/time.tsx';
import { ClipLine } from './alarm-words.tsx';

/** The clip with its own timeline: where the event is, and how far the recording has come. */
export function ClipPlayer({ clip, event }: { clip: Clip; event: { deviceName: string | null; occurredAt: string } }) {
  const video = useRef<HTMLVideoElement>(null);
  const [position, setPosition] = useState(0);
  const [failed, setFailed] = useState(false);
  const ready = clip.storedFragments > 0;
  // A clip that grows is read anew only when it is complete, so that playing it is not disturbed meanwhile.
  const source = `/api/v1/clips/${clip.id}/video`;
  const version = clip.state === 'complete' || clip.state === 'incomplete' ? 'whole' : 'part';
  useEffect(() => setFailed(false), [clip.id, version, ready]);

  const eventAtMs = Math.max(0, Date.parse(event.occurredAt) - Date.parse(clip.startedAt));
  const seek = (ms: number) => {
    const element = video.current;
    if (!element) return;
    element.currentTime = ms / 1000;
    element.play().catch(() => {});
  };
  const lengthMs = Math.max(clip.durationMs, 1);
  const percent = (ms: number) => `${Math.min(100, (ms / lengthMs) * 100)}%`;
  return (
    <div class="flex flex-col gap-3">
      <p role="status">
        <ClipLine clip={clip} />
      </p>
      {clip.state !== 'complete' && <p class="muted -mt-2 pl-6">{t(`clip.next.${clip.state}`)}</p>}
      {clip.reason && <p class="pl-6">{clip.reason}</p>}
      {ready && !failed ? (
        // biome-ignore lint/a11y/useMediaCaption: cameras have no captions
        <video
          key={version}
          ref={video}
          class="aspect-video w-full rounded bg-black"
          src={`${source}?${version}`}
          controls
          playsInline
          preload="metadata"
          aria-label={t('clip.of', { name: event.deviceName ?? t('path.box') })}
          onTimeUpdate={(e) => setPosition(e.currentTarget.currentTime * 1000)}
          onError={() => setFailed(true)}
        />
      ) : (
        <div class="flex aspect-video w-full flex-col items-center justify-center gap-2 rounded bg-base-200 p-4 text-center">
          <p class="muted">{failed ? t('clip.failed') : t('clip.nothingYet')}</p>
          {failed && (
            <button type="button" class="btn" onClick={() => setFailed(false)}>
              {t('action.tryAgain')}
            </button>
          )}
        </div>
      )}
      <figure>
        <svg class="h-6 w-full" role="img" aria-label={t('clip.timeline', { time: formatDuration(clip.preRollMs) })}>
          <rect width="100%" y="10" height="4" rx="2" class="fill-base-300" />
          <rect width={percent(position)} y="10" height="4" rx="2" class="fill-neutral" />
          <svg x={percent(eventAtMs)} overflow="visible" aria-hidden="true">
            <path d="M0 0v24" class="stroke-primary" stroke-width="3" />
            <path d="M-6 0h12l-6 8z" class="fill-primary" />
          </svg>
        </svg>
        <figcaption class="muted small flex flex-wrap justify-between gap-x-4">
          <span>{t('clip.preRoll', { time: formatDuration(clip.preRollMs) })}</span>
          <span>{formatDuration(clip.durationMs)}</span>
        </figcaption>
      </figure>
      <div class="flex flex-wrap gap-3">
        <button type="button" class="btn btn-primary" onClick={() => seek(0)} disabled={!ready || failed}>
          {t('clip.fromStart')}
        </button>
        <button type="button" class="btn" onClick={() => seek(eventAtMs)} disabled={!ready || failed}>
          {t('clip.toEvent')}
        </button>
        {ready && (
          <a class="btn" href={source} download>
            {t('clip.download', { size: formatBytes(clip.sizeBytes) })}
          </a>
        )}
      </div>
      <Facts
        items={[
          [t('clip.started'), <Time key="s" at={clip.startedAt} />],
          [t('clip.picture'), t('clip.pictureText', { width: clip.width, height: clip.height, codec: clip.codec })],
          [
            t('clip.parts'),
            clip.fragments === null
              ? String(clip.storedFragments)
              : t('clip.partsOf', { stored: clip.storedFragments, of: clip.fragments }),
          ],
          clip.eventIds.length > 1 && [t('clip.events'), String(clip.eventIds.length)],
        ]}
      />
    </div>
  );
}
