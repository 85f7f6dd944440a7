import type { ComponentChildren } from 'preact';
import type { DeskView } from '../../../protocol/wire/arc-desk.ts';
import { ApiError, errorOf } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { Logo } from '../../components/icons.tsx';
import { Facts, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { Time, Zone } from '../../components/time.tsx';
import { me } from '../session.ts';

/** What stands behind a short address: for whoever has it, without an account. */
export function ViewPage({ params }: { params?: { token?: string } }) {
  const token = params?.token ?? '';
  const base = `/v/${encodeURIComponent(token)}`;
  const found = useResource(
    async (signal): Promise<DeskView> => {
      const response = await fetch(`${base}/about`, { signal }).catch((error) => {
        if (signal.aborted) throw error;
        throw new ApiError('network', 0);
      });
      if (!response.ok) throw await errorOf(response);
      return response.json();
    },
    [token],
  );
  const view = found.data;
  return (
    <Alone>
      <Title>
        {view ? [t(`eventType.${view.eventType}`), view.deviceName].filter(Boolean).join(', ') : t('desk.pictures')}
      </Title>
      <ProblemPanel error={found.error} what={t('desk.viewFailed')} retry={found.reload} />
      {!view && !found.error && <Skeleton lines={6} />}
      {view && (
        <Zone.Provider value={view.timeZone}>
          {view.clip ? (
            // biome-ignore lint/a11y/useMediaCaption: cameras have no captions
            <video
              class="aspect-video w-full rounded bg-black"
              src={`${base}/video`}
              controls
              playsInline
              preload="metadata"
              aria-label={t('desk.clip')}
            />
          ) : (
            <p class="muted">{t('desk.noClip')}</p>
          )}
          <Facts
            items={[
              [t('desk.site'), view.siteName],
              [t('desk.when'), <Time key="w" at={view.occurredAt} full />],
              view.text !== null && [t('desk.text'), say(view.text)],
              [t('desk.linkUntil'), <Time key="u" at={view.expiresAt} full />],
            ]}
          />
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
