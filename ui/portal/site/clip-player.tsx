import { useEffect, useRef, useState } from 'preact/hooks';
import type { Clip } from '../../../protocol/wire/api.ts';
import { codecWord } from '../../components/codec.ts';
import { ApiError, errorOf } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { Facts } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { formatBytes, formatDuration } from '../../components/time.ts';
import { Time } from '../../components/time.tsx';
import { UnlockClip } from '../live/unlock.tsx';
import { ClipLine } from './alarm-words.tsx';

interface Props {
  clip: Clip;
  event: { deviceName: string | null; occurredAt: string };
}

/** Why the relay refuses this person the pictures: a clip can be listed for who may not see it. null: it does not. */
export async function refusedClip(clipId: string, signal?: AbortSignal): Promise<'refused' | 'locked' | null> {
  const asked = (method: string) => fetch(videoOf(clipId), { method, signal }).catch(() => null);
  if ((await asked('HEAD'))?.status !== 403) return null;
  const said = (await (await asked('GET'))?.json().catch(() => null)) as { code?: string } | null;
  return said?.code === 'verification-code-needed' ? 'locked' : 'refused';
}
const videoOf = (clipId: string) => `/api/v1/clips/${clipId}/video`;

/** The clip with its own timeline: where the event is, and how far the recording has come. */
export function ClipPlayer({ clip, event }: Props) {
  const video = useRef<HTMLVideoElement>(null);
  const [position, setPosition] = useState(0);
  const [failed, setFailed] = useState(false);
  const [refused, setRefused] = useState<'refused' | 'locked' | null>(null);
  const address = videoOf(clip.id);
  const whole = (clip.state === 'complete' || clip.state === 'incomplete') && clip.storedFragments > 0;
  const part = usePart(address);
  const source = part.url ?? (whole ? address : null);
  useEffect(() => {
    // What could not be played of a part says nothing of the whole.
    if (failed && whole) part.drop();
    setFailed(false);
  }, [source, whole]);

  const eventAtMs = Math.max(0, Date.parse(event.occurredAt) - Date.parse(clip.startedAt));
  const lengthMs = Math.max(clip.durationMs, clip.state === 'recording' ? eventAtMs + 30_000 : 1);
  const percent = (ms: number) => `${Math.min(100, (ms / lengthMs) * 100)}%`;
  const seek = (ms: number) => {
    if (!video.current) return;
    video.current.currentTime = ms / 1000;
    video.current.play().catch(() => {});
  };
  // A video element does not say why: the relay does.
  const onError = async () => {
    setRefused(await refusedClip(clip.id));
    setFailed(true);
  };
  if (refused === 'locked' || part.error?.code === 'verification-code-needed') {
    const opened = () => {
      setRefused(null);
      setFailed(false);
      if (part.error) void part.load();
    };
    return <UnlockClip clipId={clip.id} name={event.deviceName ?? t('path.box')} onOpened={opened} />;
  }
  if (refused || part.error?.status === 403) return <p class="muted">{t('clip.refused')}</p>;
  return (
    <div class="flex flex-col gap-3">
      <div>
        <p role="status">
          <ClipLine clip={clip} />
        </p>
        {clip.state !== 'complete' && <p class="muted pl-6">{t(`clip.next.${clip.state}`)}</p>}
        {clip.reason && <p class="pl-6">{clip.reason}</p>}
      </div>
      <ProblemPanel error={part.error} what={t('clip.partFailed')} />
      {source && !failed ? (
        // biome-ignore lint/a11y/useMediaCaption: cameras have no captions
        <video
          key={source}
          ref={video}
          class="aspect-video w-full rounded bg-black"
          src={source}
          controls
          playsInline
          preload="metadata"
          aria-label={t('clip.of', { name: event.deviceName ?? t('path.box') })}
          onTimeUpdate={(e) => setPosition(e.currentTarget.currentTime * 1000)}
          onError={() => void onError()}
        />
      ) : (
        <div class="flex aspect-video w-full flex-col items-center justify-center gap-3 rounded bg-base-200 p-4 text-center">
          <p>{failed ? t('clip.failed') : t('clip.arrived', { count: clip.storedFragments })}</p>
          {failed ? (
            <button type="button" class="btn" onClick={() => setFailed(false)}>
              {t('action.tryAgain')}
            </button>
          ) : (
            clip.storedFragments > 0 && (
              <button type="button" class="btn" onClick={part.load} aria-disabled={part.busy}>
                {t('clip.playPart')}
              </button>
            )
          )}
        </div>
      )}
      <figure>
        <svg class="h-6 w-full" role="img" aria-label={t('clip.timeline', { time: formatDuration(eventAtMs) })}>
          <rect width="100%" y="10" height="4" rx="2" class="fill-base-300" />
          <rect width={percent(position)} y="10" height="4" rx="2" class="fill-neutral" />
          <svg x={percent(eventAtMs)} overflow="visible" aria-hidden="true">
            <path d="M0 0v24" class="stroke-primary" stroke-width="3" />
            <path d="M-6 0h12l-6 8z" class="fill-primary" />
          </svg>
        </svg>
        <figcaption class="muted small flex flex-wrap justify-between gap-x-4">
          <span>{t('clip.preRoll', { time: formatDuration(eventAtMs) })}</span>
          <span>{clip.durationMs > 0 && formatDuration(clip.durationMs)}</span>
        </figcaption>
      </figure>
      {source && !failed && (
        <div class="flex flex-wrap gap-3">
          <button type="button" class="btn btn-primary" onClick={() => seek(0)}>
            {t('clip.fromStart')}
          </button>
          <button type="button" class="btn" onClick={() => seek(eventAtMs)}>
            {t('clip.toEvent')}
          </button>
          {part.url && (
            <button type="button" class="btn" onClick={whole ? part.drop : part.load} aria-disabled={part.busy}>
              {t(whole ? 'clip.showWhole' : 'clip.showMore')}
            </button>
          )}
          {whole && (
            <a class="btn" href={`${address}?download=1`} download>
              {t('clip.download', { size: formatBytes(clip.sizeBytes) })}
            </a>
          )}
        </div>
      )}
      <Facts
        items={[
          [t('clip.started'), <Time key="s" at={clip.startedAt} />],
          clip.width > 0 && [
            t('clip.picture'),
            t('clip.pictureText', { width: clip.width, height: clip.height, codec: codecWord(clip.codec) }),
          ],
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

/**
 * What has arrived of a clip that still grows, fetched in one piece: a file that changes while the browser reads it by
 * ranges cannot be played.
 */
function usePart(address: string) {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => () => void (url && URL.revokeObjectURL(url)), [url]);
  const fetching = useAction(async () => {
    const response = await fetch(address).catch(() => {
      throw new ApiError('network', 0);
    });
    if (!response.ok) throw await errorOf(response);
    setUrl(URL.createObjectURL(await response.blob()));
  });
  return { url, load: () => fetching.run(), drop: () => setUrl(null), busy: fetching.busy, error: fetching.error };
}
