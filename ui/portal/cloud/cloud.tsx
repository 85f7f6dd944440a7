import type { CloudChannel } from '../../../protocol/wire/cloud.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { useMay } from '../device/permitted.tsx';
import { RunningJobs } from '../install/jobs.tsx';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { channelState, packageWords, silence } from './words.ts';

/** Channels of the site with cloud storage: whether each is recorded, what pays it, and its switch. */
export function SiteCloud() {
  const { siteId, site, base } = useSite();
  const list = useResource((signal) => api.get('/sites/{siteId}/cloud', { params: { siteId }, signal }), [siteId]);
  const may = site.data!.permissions.some((held) => held === 'configure' || held === 'manage');
  const put = (channel: CloudChannel) =>
    list.set(({ items }) => ({
      items: items.map((one) => (one.deviceId === channel.deviceId && one.channel === channel.channel ? channel : one)),
    }));
  return (
    <>
      <div class="flex flex-wrap items-center justify-between gap-4">
        <Title suffix={`${site.data!.name} · Gatepost`}>{t('cloud.title')}</Title>
        {may && (
          <a class="btn btn-primary" href={`${base}/cloud/setup`}>
            {t('cloud.setUp')}
          </a>
        )}
      </div>
      {may && <RunningJobs />}
      <ProblemPanel error={list.error} what={t('cloud.failed')} retry={list.reload} />
      {!list.data && !list.error && <Skeleton lines={6} />}
      {list.data?.items.length === 0 && (
        <Empty title={t('cloud.none')}>{t(may ? 'cloud.noneNext' : 'cloud.noneAsk')}</Empty>
      )}
      <ul class="flex flex-col gap-3">
        {list.data?.items.map((channel) => (
          <li key={`${channel.deviceId} ${channel.channel}`} class="panel">
            <Line channel={channel} put={put} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Line({ channel, put }: { channel: CloudChannel; put: (channel: CloudChannel) => void }) {
  const { base, devices } = useSite();
  const { deviceId, service } = channel;
  const device = devices.data?.items.find((one) => one.id === deviceId);
  const may = useMay(device ?? {})('configure');
  const [level, words] = silence(channel) ?? channelState(channel);
  const name = t('cloud.channelOf', { device: channel.deviceName, n: channel.channel });
  const toggle = useAction(async (enabled: boolean) => {
    put({ ...channel, enabled, recording: enabled && service?.state !== 'expired' && service?.state !== 'ended' });
    const params = { deviceId, channel: String(channel.channel) };
    try {
      put(await api.patch('/devices/{deviceId}/channels/{channel}/cloud', { enabled }, { params }));
    } catch (error) {
      put(channel);
      throw error;
    }
  });
  return (
    <div class="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
      <div class="min-w-0">
        <h2 class="break-words">{name}</h2>
        <State level={level}>{words}</State>
        {service && (
          <p class="muted small">
            {packageWords(service)}
            {service.state !== 'ended' && (
              <>
                {' · '}
                {t(service.state === 'expired' ? 'cloud.endedAt' : 'cloud.until')} <Time at={service.until} />
              </>
            )}
          </p>
        )}
        <ProblemPanel error={toggle.error} what={t('cloud.switchFailed', { name })} />
      </div>
      <div class="flex flex-wrap items-center gap-4">
        {may && (
          <label class="flex min-h-11 items-center gap-3">
            <input
              type="checkbox"
              class="checkbox"
              checked={channel.enabled}
              onChange={(event) => toggle.run(event.currentTarget.checked)}
            />
            {t('cloud.switch')}
            <span class="sr-only">: {name}</span>
          </label>
        )}
        <a class="link" href={`${base}/cloud/${deviceId}/${channel.channel}`}>
          {t('cloud.settings')}
          <span class="sr-only">: {name}</span>
        </a>
      </div>
    </div>
  );
}
