import { useRef, useState } from 'preact/hooks';
import type { LibraryClip } from '../../../protocol/wire/clips.ts';
import { codecWord } from '../../components/codec.ts';
import { t } from '../../components/i18n.ts';
import { formatDuration } from '../../components/time.ts';
import { mimeOf } from '../../video/playable.ts';
import { UnlockClip } from '../live/unlock.tsx';
import { refusedClip } from '../site/clip-player.tsx';

/** A clip with its time line: what happened when, and where the picture is missing. */
export function MarkedPlayer({ clip, fromMs = 0 }: { clip: LibraryClip; fromMs?: number }) {
  const video = useRef<HTMLVideoElement>(null);
  const [position, setPosition] = useState(0);
  const [state, setState] = useState<'fine' | 'failed' | 'refused' | 'locked'>('fine');
  const length = Math.max(clip.durationMs, 1);
  const percent = (ms: number) => `${Math.min(100, Math.max(0, (ms / length) * 100))}%`;
  const marks = clip.events.map((event) => ({
    ...event,
    atMs: Math.min(length, Math.max(0, Date.parse(event.occurredAt) - Date.parse(clip.startedAt))),
  }));
  const seek = (ms: number) => {
    if (!video.current) return;
    video.current.currentTime = ms / 1000;
    video.current.play().catch(() => {});
  };
  // A video element does not say why: the relay, and the browser's list of what it plays, do.
  const onError = async () => setState((await refusedClip(clip.id)) ?? 'failed');
  const unplayable = document.createElement('video').canPlayType(mimeOf(clip.codec)) === '';
  const name = clip.deviceName ?? t('clips.goneDevice');
  if (state === 'locked') return <UnlockClip clipId={clip.id} name={name} onOpened={() => setState('fine')} />;
  if (state === 'refused') return <p class="muted">{t('clip.refused')}</p>;
  if (clip.storedFragments === 0)
    return (
      <p class="flex aspect-video w-full items-center justify-center rounded bg-base-200 p-4 text-center">
        {t(`clip.next.${clip.state === 'complete' ? 'incomplete' : clip.state}`)}
      </p>
    );
  return (
    <div class="flex flex-col gap-3">
      {state === 'failed' || unplayable ? (
        <div class="flex aspect-video w-full flex-col items-center justify-center gap-3 rounded bg-base-200 p-4 text-center">
          <p>{t(unplayable ? 'clips.unplayable' : 'clip.failed', { codec: codecWord(clip.codec) })}</p>
          {!unplayable && (
            <button type="button" class="btn" onClick={() => setState('fine')}>
              {t('action.tryAgain')}
            </button>
          )}
        </div>
      ) : (
        // biome-ignore lint/a11y/useMediaCaption: cameras have no captions
        <video
          ref={video}
          class="aspect-video w-full rounded bg-black"
          src={`/api/v1/clips/${clip.id}/video${fromMs > 0 && fromMs < length ? `#t=${(fromMs / 1000).toFixed(3)}` : ''}`}
          controls
          playsInline
          preload="metadata"
          aria-label={t('clip.of', { name })}
          onTimeUpdate={(e) => setPosition(e.currentTarget.currentTime * 1000)}
          onError={() => void onError()}
        />
      )}
      <svg
        class="h-6 w-full"
        role="img"
        aria-label={t('clips.timeline', { count: marks.length, gaps: clip.gaps.length })}
      >
        <rect width="100%" y="10" height="4" rx="2" class="fill-base-300" />
        <rect width={percent(position)} y="10" height="4" rx="2" class="fill-neutral" />
        {clip.gaps.map((gap) => (
          <rect
            key={gap.atMs}
            x={percent(gap.atMs)}
            width={percent(gap.durationMs)}
            y="6"
            height="12"
            class="fill-warning"
          />
        ))}
        {marks.map((mark) => (
          <svg key={mark.id} x={percent(mark.atMs)} overflow="visible" aria-hidden="true">
            <path d="M0 0v24" class="stroke-primary" stroke-width="3" />
            <path d="M-6 0h12l-6 8z" class="fill-primary" />
          </svg>
        ))}
      </svg>
      {(marks.length > 0 || clip.gaps.length > 0) && (
        <ul class="flex flex-wrap gap-2">
          {marks.map((mark) => (
            <li key={mark.id}>
              <button type="button" class="btn" onClick={() => seek(Math.max(0, mark.atMs - 1000))}>
                {t(`eventType.${mark.type}`)} <span class="muted">{formatDuration(mark.atMs)}</span>
              </button>
            </li>
          ))}
          {clip.gaps.map((gap) => (
            <li key={`gap${gap.atMs}`} class="self-center">
              {t('clips.gap', { at: formatDuration(gap.atMs), time: formatDuration(gap.durationMs) })}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
