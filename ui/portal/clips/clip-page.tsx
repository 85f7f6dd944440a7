import { useLocation } from 'preact-iso';
import type { LibraryClip } from '../../../protocol/wire/clips.ts';
import { codecWord } from '../../components/codec.ts';
import { t } from '../../components/i18n.ts';
import { Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { formatBytes, formatDuration } from '../../components/time.ts';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { BEFORE_MS, playbackLink } from '../playback/link.ts';
import { api } from '../session.ts';
import { ClipLine } from '../site/alarm-words.tsx';
import { useLive, useSite } from '../site/context.ts';
import { happened, leaving } from './card.tsx';
import { MarkedPlayer } from './player.tsx';
import { ClipSharePanel } from './share-panel.tsx';

/** One clip: played, saved, shared, deleted; fetched from its box where it is kept there. */
export function ClipPage({ params }: { params?: { clipId?: string } }) {
  const { base, site } = useSite();
  const clipId = params?.clipId ?? '';
  const found = useResource((signal) => api.get('/clips/{clipId}/about', { params: { clipId }, signal }), [clipId]);
  useLive((message) => {
    if (message.event === 'hello') return found.reload();
    if (message.event !== 'clip' || message.data.id !== clipId) return;
    const { eventIds: _, ...clip } = message.data;
    found.set((old) => ({ ...old, ...clip }));
  });
  const clip = found.data;
  const asked = Date.parse(useLocation().query.at ?? '');
  const back = `${base}/clips`;
  return (
    <>
      <p class="-mb-4">
        <a class="link small" href={back}>
          {t('clips.back')}
        </a>
      </p>
      <Title suffix={`${site.data!.name} · Gatepost`}>
        {clip ? `${happened(clip)}, ${clip.deviceName ?? t('clips.goneDevice')}` : t('clips.clip')}
      </Title>
      <ProblemPanel error={found.error} what={t('clips.clipFailed')} retry={found.reload} />
      {!clip && !found.error && <Skeleton lines={8} />}
      {clip && (
        <div class="grid items-start gap-6 xl:grid-cols-[3fr_2fr]">
          <Panel title={t('clips.clip')} id="clip">
            {clip.state === 'held' ? (
              <Held clip={clip} reload={found.reload} />
            ) : (
              <>
                <p role="status" class="mb-3">
                  <ClipLine clip={clip} />
                </p>
                <MarkedPlayer clip={clip} fromMs={asked > 0 ? asked - Date.parse(clip.startedAt) : 0} />
                <Tools clip={clip} back={back} base={base} />
                {clip.twinId && <Twin twinId={clip.twinId} base={base} />}
              </>
            )}
          </Panel>
          <div class="flex flex-col gap-6">
            <Panel title={t('clips.about')} id="about">
              <ClipFacts clip={clip} base={base} />
            </Panel>
            <ClipSharePanel clipId={clip.id} />
          </div>
        </div>
      )}
    </>
  );
}

function Tools({ clip, back, base }: { clip: LibraryClip; back: string; base: string }) {
  const { route } = useLocation();
  const { site, devices } = useSite();
  const device = devices.data?.items.find((one) => one.id === clip.deviceId);
  const may = (device?.permissions ?? site.data!.permissions.map(String)).includes('configure');
  const owner = site.data!.permissions.some((held) => held === 'own' || held === 'all' || held === 'system');
  const places = { base, site: site.data!, devices: devices.data?.items ?? [] };
  // A clip begins before its event; without one it is shown from where it begins itself.
  const at = clip.events[0]?.occurredAt ?? new Date(Date.parse(clip.startedAt) + BEFORE_MS).toISOString();
  const moment = playbackLink(places, clip, at);
  const remove = () => {
    leaving.value = [...leaving.value, clip.id];
    route(back);
    withUndo({
      text: t('clips.deleted'),
      failed: t('clips.deleteFailed'),
      back: () => {
        leaving.value = leaving.value.filter((id) => id !== clip.id);
        route(`${back}/${clip.id}`);
      },
      run: (keepalive) => api.delete('/clips/{clipId}', { params: { clipId: clip.id }, keepalive }),
    });
  };
  return (
    <div class="mt-3 flex flex-wrap gap-3">
      {clip.storedFragments > 0 && (
        <a class="btn btn-primary" href={`/api/v1/clips/${clip.id}/video?download=1`} download>
          {t('clip.download', { size: formatBytes(clip.sizeBytes) })}
        </a>
      )}
      {moment && device && (
        <a class="btn" href={moment}>
          {t('events.playback')}
        </a>
      )}
      {may || owner ? (
        <button type="button" class="btn" onClick={remove}>
          {t('clips.delete')}
        </button>
      ) : (
        <p class="muted small self-center">{t('clips.deleteNot')}</p>
      )}
    </div>
  );
}

/** The same in the better picture: fetched from the box when somebody wants it. */
function Twin({ twinId, base }: { twinId: string; base: string }) {
  const twin = useResource(
    (signal) => api.get('/clips/{clipId}/about', { params: { clipId: twinId }, signal }),
    [twinId],
  );
  if (!twin.data) return null;
  return (
    <div class="mt-4">
      {twin.data.state === 'held' ? (
        <Held clip={twin.data} reload={twin.reload} />
      ) : (
        <a class="link" href={`${base}/clips/${twinId}`}>
          {t('clips.better', { width: twin.data.width, height: twin.data.height })}
        </a>
      )}
    </div>
  );
}

function Held({ clip, reload }: { clip: LibraryClip; reload: () => void }) {
  const send = useAction(async () => {
    await api.post('/clips/{clipId}/send', undefined, { params: { clipId: clip.id } });
    reload();
  });
  return (
    <div class="flex flex-col gap-3">
      <p>{t('clips.held', { width: clip.width, height: clip.height, time: formatDuration(clip.durationMs) })}</p>
      <ProblemPanel error={send.error} what={t('clips.sendFailed')} />
      <div>
        <button type="button" class="btn" onClick={() => void send.run()} aria-disabled={send.busy}>
          {t(send.busy ? 'clips.sending' : 'clips.send')}
        </button>
      </div>
    </div>
  );
}

function ClipFacts({ clip, base }: { clip: LibraryClip; base: string }) {
  return (
    <Facts
      items={[
        [t('clips.device'), `${clip.deviceName ?? t('clips.goneDevice')}, ${t('clips.channel', { n: clip.channel })}`],
        [t('clip.started'), <Time key="s" at={clip.startedAt} full />],
        [t('clips.length'), formatDuration(clip.durationMs)],
        clip.width > 0 && [
          t('clip.picture'),
          t('clip.pictureText', { width: clip.width, height: clip.height, codec: codecWord(clip.codec) }),
        ],
        [t('clips.sound'), t(clip.audioCodec ? 'clips.withSound' : 'clips.noSound')],
        [t('clips.encrypted'), t(clip.keyId ? 'clips.isEncrypted' : 'clips.notEncrypted')],
        clip.expiresAt !== null && [t('clips.expires'), <Time key="e" at={clip.expiresAt} full />],
        clip.reason !== null && [t('clips.reason'), say(clip.reason)],
        clip.events.length > 0 && [
          t('clip.events'),
          <ul key="events">
            {clip.events.map((event) => (
              <li key={event.id}>
                <a class="link" href={`${base}/events/${event.id}`}>
                  {t(`eventType.${event.type}`)} <Time at={event.occurredAt} />
                </a>
              </li>
            ))}
          </ul>,
        ],
      ]}
    />
  );
}
