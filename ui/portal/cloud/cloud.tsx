import { useEffect, useRef } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { CloudChannel, CloudDevice } from '../../../protocol/wire/cloud.ts';
import { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { useMay } from '../device/permitted.tsx';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { channelState, isInstaller, isPaid, packageWords, silences, whyFailed } from './words.ts';

/** While a box sets channels up, how far it is is asked for again. */
const ASK_EVERY_MS = 4_000;

/** Channels of the site with cloud storage: whether each is recorded, what pays it, and its switch. */
export function SiteCloud() {
  const { siteId, site, base } = useSite();
  const list = useResource((signal) => api.get('/sites/{siteId}/cloud', { params: { siteId }, signal }), [siteId]);
  const may = site.data!.permissions.some((held) => held === 'configure' || held === 'manage');
  const news = (list.data?.devices ?? []).flatMap((device) =>
    device.setups.flatMap((setup) =>
      list.data!.items.some((one) => one.deviceId === device.deviceId && one.channel === setup.channel)
        ? []
        : [{ device, setup }],
    ),
  );
  const offered = list.data?.offered ?? true;
  const running = list.data?.devices.some((device) => device.setups.some((one) => one.state === 'running')) ?? false;
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(list.reload, ASK_EVERY_MS);
    return () => clearInterval(timer);
  }, [running]);
  const put = (channel: CloudChannel) =>
    list.set(({ items, ...rest }) => ({
      ...rest,
      items: items.map((one) => (one.deviceId === channel.deviceId && one.channel === channel.channel ? channel : one)),
    }));
  return (
    <>
      <div class="flex flex-wrap items-center justify-between gap-4">
        <Title suffix={`${site.data!.name} · Gatepost`}>{t('cloud.title')}</Title>
        {may && isInstaller() && offered && (
          <a class="btn btn-primary" href={`${base}/cloud/setup`}>
            {t('cloud.setUp')}
          </a>
        )}
      </div>
      <ProblemPanel error={list.error} what={t('cloud.failed')} retry={list.reload} />
      {!list.data && !list.error && <Skeleton lines={6} />}
      {!offered && <State level="info">{t('cloud.notOffered')}</State>}
      {list.data?.items.length === 0 && news.length === 0 && offered && (
        <Empty title={t('cloud.none')}>
          {t(!isInstaller() ? 'cloud.noneAsk' : may ? 'cloud.noneNext' : 'cloud.noneRights')}
        </Empty>
      )}
      <ul class="flex flex-col gap-3">
        {list.data?.items.map((channel) => (
          <li key={`${channel.deviceId} ${channel.channel}`} class="panel">
            <Line channel={channel} put={put} />
          </li>
        ))}
        {news.map(({ device, setup }) => (
          <li key={`${device.deviceId} ${setup.channel}`} class="panel">
            <Unready device={device} setup={setup} />
          </li>
        ))}
      </ul>
    </>
  );
}

/** A channel that has no cloud storage yet: a box is at it, or did not succeed. */
function Unready({ device, setup }: { device: CloudDevice; setup: CloudDevice['setups'][number] }) {
  const { base, devices } = useSite();
  const may = useMay(devices.data?.items.find((one) => one.id === device.deviceId) ?? {})('configure');
  const name = t('cloud.channelOf', { device: device.deviceName, n: setup.channel });
  const failed = setup.state === 'failed';
  return (
    <div class="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
      <div class="min-w-0">
        <h2 class="break-words">{name}</h2>
        <State level={failed ? 'problem' : 'working'}>
          {failed ? t('cloud.setUpState.failedNew', { why: whyFailed(setup) }) : t('cloud.setUpState.running')}
          <span class="muted small block">
            <Time at={setup.at} />
          </span>
        </State>
      </div>
      {may && (
        <div class="flex flex-wrap items-center gap-4">
          {setup.jobId && (
            <a class="link" href={`${base}/jobs/${setup.jobId}`}>
              {t(failed ? 'cloud.toResult' : 'cloud.follow')}
              <span class="sr-only">: {name}</span>
            </a>
          )}
          {failed && isInstaller() && (
            <a class="btn" href={`${base}/cloud/setup?device=${device.deviceId}&channel=${setup.channel}`}>
              {t('cloud.setUpAgain')}
              <span class="sr-only">: {name}</span>
            </a>
          )}
        </div>
      )}
    </div>
  );
}

/** Has the box set up a channel that is paid already: after it got the time of another one, or when a set-up failed. */
function SetUpNow({ channel, name }: { channel: CloudChannel; name: string }) {
  const { base, siteId } = useSite();
  const { route } = useLocation();
  const { boxSerial, deviceId, definition, mode, stream, audio, setUp } = channel;
  const start = useAction(async () => {
    const channels = [{ channel: channel.channel, definition, mode, stream, audio }];
    const body = { boxSerial: boxSerial ?? '', devices: [{ device: { deviceId }, channels }] };
    const { jobId, refused } = await api.post('/sites/{siteId}/cloud/setups', body, { params: { siteId } });
    if (jobId) return route(`${base}/jobs/${jobId}`);
    const [why] = refused;
    throw new ApiError((why?.code ?? 'conflict') as 'conflict', 0, { detail: why?.detail ?? '' });
  });
  return (
    <>
      <button type="button" class="btn" aria-disabled={start.busy} onClick={() => start.run()}>
        {start.busy ? t('cloud.starting') : t(setUp.state === 'failed' ? 'cloud.setUpAgain' : 'cloud.setUpNow')}
        <span class="sr-only">: {name}</span>
      </button>
      <ProblemPanel error={start.error} what={t('cloud.setUpFailed', { name })} focus />
    </>
  );
}

function Line({ channel, put }: { channel: CloudChannel; put: (channel: CloudChannel) => void }) {
  const { base, devices } = useSite();
  const { deviceId, service } = channel;
  const device = devices.data?.items.find((one) => one.id === deviceId);
  const may = useMay(device ?? {})('configure');
  const [level, words] = silences(channel)[0] ?? channelState(channel);
  const name = t('cloud.channelOf', { device: channel.deviceName, n: channel.channel });
  const wanted = useRef(channel.enabled);
  // Whoever switches again while the first word is under way means the last one.
  const toggle = useAction(async () => {
    const before = channel;
    const params = { deviceId, channel: String(channel.channel) };
    try {
      for (;;) {
        const enabled = wanted.current;
        const now = await api.patch('/devices/{deviceId}/channels/{channel}/cloud', { enabled }, { params });
        if (enabled === wanted.current) return put(now);
      }
    } catch (error) {
      put(before);
      throw error;
    }
  });
  const turn = (enabled: boolean) => {
    wanted.current = enabled;
    put({ ...channel, enabled, recording: enabled && isPaid(channel) });
    toggle.run();
  };
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
        {may && channel.recording && (channel.setUp.state === 'never' || channel.setUp.state === 'failed') && (
          <SetUpNow channel={channel} name={name} />
        )}
        {channel.setUp.state === 'running' && channel.setUp.jobId && (
          <a class="link" href={`${base}/jobs/${channel.setUp.jobId}`}>
            {t('cloud.follow')}
            <span class="sr-only">: {name}</span>
          </a>
        )}
        {may && (
          <label class="flex min-h-11 items-center gap-3">
            <input
              type="checkbox"
              class="checkbox"
              checked={channel.enabled}
              onChange={(event) => turn(event.currentTarget.checked)}
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
