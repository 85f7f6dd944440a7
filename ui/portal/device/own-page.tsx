import type { Device } from '../../../protocol/wire/api.ts';
import type { RemoteSession } from '../../../protocol/wire/remote-config.ts';
import { t } from '../../components/i18n.ts';
import { Panel, Skeleton } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Since } from '../../components/time.tsx';
import { api } from '../session.ts';

/** The device's own web page, in a window of its own (RCFG-01); says why where there is none (RCFG-03). */
export function OwnPage({ device }: { device: Device }) {
  const { id: deviceId, name } = device;
  const params = { deviceId };
  const sessions = useResource(
    (signal) => api.get('/devices/{deviceId}/remote-sessions', { params, signal }),
    [deviceId],
  );
  const open = useAction(async () => {
    // At once, while the browser still knows that a person asked for it; where it goes is known when it is there.
    const view = window.open('', '_blank');
    try {
      const session = await api.post('/devices/{deviceId}/remote-sessions', undefined, { params });
      if (view && session.url) {
        view.opener = null;
        view.location.replace(session.url);
      }
    } catch (error) {
      view?.close();
      throw error;
    }
    sessions.reload();
  });
  const trust = useAction(async () => {
    await api.post('/devices/{deviceId}/certificate/forget', undefined, { params });
  });
  if (sessions.error?.code === 'permission-needed' || sessions.error?.code === 'not-allowed')
    return <Panel title={t('remote.title')}>{t('remote.notAllowed')}</Panel>;
  if (sessions.error)
    return (
      <Panel title={t('remote.title')}>
        <ProblemPanel error={sessions.error} what={t('remote.failed', { name })} retry={sessions.reload} />
      </Panel>
    );
  if (!sessions.data)
    return (
      <Panel title={t('remote.title')}>
        <Skeleton />
      </Panel>
    );
  const { absent, items } = sessions.data;
  if (absent) return <Panel title={t('remote.title')}>{t(`remote.absent.${absent}`)}</Panel>;
  return (
    <Panel title={t('remote.title')}>
      <ProblemPanel error={open.error} what={t('remote.openFailed', { name })} focus />
      <ProblemPanel error={trust.error} what={t('remote.trustFailed', { name })} focus />
      <p class="muted">{t('remote.text')}</p>
      <div class="mt-3">
        <button type="button" class="btn btn-primary" onClick={open.run} aria-disabled={open.busy}>
          {t('remote.open')}
        </button>
      </div>
      {items.length > 0 && (
        <ul class="mt-3 flex flex-col divide-y divide-base-300" aria-label={t('remote.sessions')}>
          {items.map((session) => (
            <Session key={session.id} session={session} name={name} ended={sessions.reload} />
          ))}
        </ul>
      )}
      {device.certificate === null && (
        <details class="mt-3">
          <summary class="small">{t('remote.certificate')}</summary>
          <p class="muted small mt-1">{t('remote.certificateText')}</p>
          <button type="button" class="btn mt-2" onClick={trust.run} aria-disabled={trust.busy}>
            {t('remote.trust')}
          </button>
        </details>
      )}
    </Panel>
  );
}

function Session({ session, name, ended }: { session: RemoteSession; name: string; ended: () => void }) {
  const { id, deviceId, userName, own, url, openedAt } = session;
  const end = useAction(async () => {
    const params = { deviceId, remoteSessionId: id };
    await api.delete('/devices/{deviceId}/remote-sessions/{remoteSessionId}', { params });
    ended();
  });
  return (
    <li class="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 py-2">
      <span>
        {own ? t('remote.yours') : userName} <Since at={openedAt} />
      </span>
      <span class="flex items-center gap-4">
        {url && (
          <a class="link" href={url} target="_blank" rel="noopener noreferrer">
            {t('remote.again')}
          </a>
        )}
        <button type="button" class="btn" onClick={end.run} aria-disabled={end.busy}>
          {t('remote.end')}
          <span class="sr-only">: {own ? t('remote.yours') : userName}</span>
        </button>
      </span>
      <ProblemPanel error={end.error} what={t('remote.endFailed', { name })} focus />
    </li>
  );
}
