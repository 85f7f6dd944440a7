import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { SharedClip } from '../../../protocol/wire/clips.ts';
import { codecWord } from '../../components/codec.ts';
import { ApiError, errorOf } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { Logo } from '../../components/icons.tsx';
import { Facts, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { formatDuration } from '../../components/time.ts';
import { Time, Zone } from '../../components/time.tsx';
import { me } from '../session.ts';

/** A link to a clip is good any number of times, unlike others. */
const endedLink = (error: ApiError | null): ApiError | null =>
  error?.code === 'link-invalid' ? new ApiError('clip-link-over', error.status) : error;

/** A clip that somebody shared: for whoever has the link, without an account. */
export function SharedClipPage({ params }: { params?: { token?: string } }) {
  const token = params?.token ?? '';
  const base = `/s/${encodeURIComponent(token)}`;
  const [failed, setFailed] = useState(false);
  const found = useResource(
    async (signal): Promise<SharedClip> => {
      const response = await fetch(`${base}/about`, { signal }).catch((error) => {
        if (signal.aborted) throw error;
        throw new ApiError('network', 0);
      });
      if (!response.ok) throw await errorOf(response);
      return response.json();
    },
    [token],
  );
  const clip = found.data;
  return (
    <Alone>
      <Title>{clip?.deviceName ?? t('clips.clip')}</Title>
      <ProblemPanel error={endedLink(found.error)} what={t('clips.sharedFailed')} retry={found.reload} />
      {!clip && !found.error && <Skeleton lines={6} />}
      {clip && (
        <Zone.Provider value={clip.timeZone}>
          {clip.empty || failed ? (
            <p class="flex aspect-video w-full items-center justify-center rounded bg-base-200 p-4 text-center">
              {failed ? t('clips.unplayable', { codec: codecWord(clip.codec) }) : t('clips.sharedEmpty')}
            </p>
          ) : (
            // biome-ignore lint/a11y/useMediaCaption: cameras have no captions
            <video
              class="aspect-video w-full rounded bg-black"
              src={`${base}/video`}
              controls
              playsInline
              preload="metadata"
              aria-label={t('clips.clip')}
              onError={() => setFailed(true)}
            />
          )}
          <Facts
            items={[
              [t('clip.started'), <Time key="s" at={clip.startedAt} full />],
              [t('clips.length'), formatDuration(clip.durationMs)],
              [t('clips.share.linkUntil'), <Time key="u" at={clip.expiresAt} full />],
            ]}
          />
          <p class="muted">{t('clips.sharedText')}</p>
        </Zone.Provider>
      )}
    </Alone>
  );
}

/** A page of its own for who is not signed in. */
function Alone({ children }: { children: ComponentChildren }) {
  if (me.value) return <div class="flex max-w-3xl flex-col gap-4">{children}</div>;
  return (
    <main id="main" class="mx-auto flex max-w-3xl flex-col gap-4 p-4">
      <p class="flex items-center gap-2 font-semibold">
        <Logo />
        Gatepost
      </p>
      {children}
    </main>
  );
}
