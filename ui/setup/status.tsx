import { useEffect, useState } from 'preact/hooks';
import type { SetupStatus } from '../../protocol/wire/api.ts';
import type { DiscoveryList } from '../../protocol/wire/box-api.ts';
import { DiscoveredTable } from '../components/discovered.tsx';
import { t } from '../components/i18n.ts';
import { type Level, Mark, State } from '../components/icons.tsx';
import { Empty, Facts, Panel, Skeleton, Title } from '../components/page.tsx';
import { ProblemPanel } from '../components/problem.tsx';
import { useAction, useResource } from '../components/resource.ts';
import { say } from '../components/say.ts';
import { Copyable } from '../components/serial.tsx';
import { formatBytes, formatDuration } from '../components/time.ts';
import { Since, Time } from '../components/time.tsx';
import { api } from './api.ts';
import { Restream } from './restream.tsx';

const POLL_MS = 2_000;

export function StatusPage() {
  const status = useResource((signal) => api.get<SetupStatus>('/status', { signal }), []);
  const { loading, reload } = status;
  useEffect(() => {
    if (loading) return;
    const timer = setTimeout(reload, POLL_MS);
    return () => clearTimeout(timer);
  }, [loading, reload]);
  const box = status.data;
  return (
    <>
      <ProblemPanel error={status.error} what={t('setup.failed')} />
      {!box && !status.error && <Skeleton lines={8} />}
      {box && (
        <>
          <Glance box={box} />
          {box.claim && <Claim claim={box.claim} serial={box.serial} />}
          <div class="grid items-start gap-6 lg:grid-cols-2">
            <Paths box={box} />
            <Network box={box} />
          </div>
          <Restream info={box.restream} />
          <RemoteConfiguration allowed={box.remoteConfiguration} changed={reload} />
          <Lan />
        </>
      )}
    </>
  );
}

const SEVERITY: Record<'info' | 'warning' | 'error', Level> = { info: 'info', warning: 'attention', error: 'problem' };

function Glance({ box }: { box: SetupStatus }) {
  const problems = [...box.health.warnables].sort((a, b) => RANK[a.severity] - RANK[b.severity]);
  const urgent = problems.filter((problem) => problem.severity !== 'info');
  const level: Level =
    !box.relay.mqtt || urgent.some((p) => p.severity === 'error') ? 'problem' : urgent.length ? 'attention' : 'well';
  const title = !box.relay.mqtt
    ? 'setup.noRelay'
    : !box.claimed
      ? 'setup.unclaimed'
      : urgent.length
        ? 'setup.attention'
        : 'setup.well';
  const shown = box.relay.mqtt && !box.claimed && level === 'well' ? 'info' : level;
  return (
    <section class="panel flex gap-4 md:gap-6" aria-label={t('setup.glance')}>
      <Mark level={shown} size={40} />
      <div class="min-w-0 grow">
        <Title suffix={t('setup.name')}>{t(title, { count: urgent.length })}</Title>
        {!box.relay.mqtt && (
          <p>
            {t('setup.noRelayNext', { relay: box.relayUrl })}{' '}
            {box.relay.lastError && <span class="muted">{say(box.relay.lastError)}</span>}
          </p>
        )}
        {problems.length > 0 && (
          <ul class="mt-2 flex flex-col divide-y divide-base-300" aria-label={t('setup.problems')}>
            {problems.map((problem) => (
              <li key={`${problem.code} ${problem.subject}`} class="flex flex-wrap justify-between gap-x-6 py-2">
                <State level={SEVERITY[problem.severity]}>
                  {say(problem.text)} <code class="mono muted small select-all">{problem.code}</code>
                </State>
                <span class="muted small pl-6">
                  {t('time.since')} <Time at={problem.since} />
                </span>
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}
const RANK = { error: 0, warning: 1, info: 2 };

function Claim({ claim, serial }: { claim: NonNullable<SetupStatus['claim']>; serial: string }) {
  return (
    <Panel title={t('setup.claim')}>
      <div class="flex flex-col gap-6 md:flex-row">
        <img
          src={`data:image/svg+xml,${encodeURIComponent(claim.qrSvg)}`}
          alt={t('setup.qr')}
          width="192"
          height="192"
          class="h-48 w-48 rounded bg-white"
        />
        <div class="flex flex-col gap-4">
          <p class="max-w-prose">{t('setup.claimText')}</p>
          <Facts
            items={[
              [t('box.serial'), <Copyable key="serial" text={serial} label={t('box.serial')} />],
              [t('setup.code'), <Copyable key="code" text={claim.code} label={t('setup.code')} />],
            ]}
          />
          <p>
            <a class="link" href={claim.text}>
              {t('setup.openPortal')}
            </a>
          </p>
          <p class="muted small">{t('setup.codeHides')}</p>
          <AllowClaim />
        </div>
      </div>
    </Panel>
  );
}

/** After wrong codes the relay takes no more for an hour, unless somebody who stands at the box says so. */
function AllowClaim() {
  const [done, setDone] = useState(false);
  const allow = useAction(async () => {
    setDone(false);
    await api.post('/allow-claim');
    setDone(true);
  });
  return (
    <details>
      <summary class="link">{t('setup.pausedAsk')}</summary>
      <div class="mt-2 flex flex-col items-start gap-2">
        <p class="max-w-prose">{t('setup.pausedText')}</p>
        <ProblemPanel error={allow.error} what={t('setup.allowFailed')} />
        <button type="button" class="btn" onClick={() => allow.run()} aria-disabled={allow.busy}>
          {t('setup.allow')}
        </button>
        <p role="status">{done && t('setup.allowed')}</p>
      </div>
    </details>
  );
}

/** Pages of devices through the tunnel: whoever stands at the box has the last word. */
function RemoteConfiguration({ allowed, changed }: { allowed: boolean; changed: () => void }) {
  const change = useAction(async () => {
    await api.post('/remote-configuration', { allowed: !allowed });
    changed();
  });
  return (
    <Panel title={t('setup.remote')}>
      <ProblemPanel error={change.error} what={t('setup.remoteFailed')} />
      <State level={allowed ? 'well' : 'info'}>{t(allowed ? 'setup.remoteOn' : 'setup.remoteOff')}</State>
      <p class="muted mt-2 max-w-prose">{t('setup.remoteText')}</p>
      <button type="button" class="btn mt-3" onClick={() => change.run()} aria-disabled={change.busy}>
        {t(allowed ? 'setup.remoteForbid' : 'setup.remoteAllow')}
      </button>
    </Panel>
  );
}

function Paths({ box }: { box: SetupStatus }) {
  const { relay, health } = box;
  return (
    <Panel title={t('setup.paths')}>
      <Facts
        items={[
          [
            t('setup.relay'),
            <span key="relay" class="mono">
              {box.relayUrl}
            </span>,
          ],
          [
            t('setup.messages'),
            <State key="mqtt" level={relay.mqtt ? 'well' : 'problem'}>
              {t(relay.mqtt ? 'setup.connected' : 'setup.notConnected')} {relay.since && <Since at={relay.since} />}
            </State>,
          ],
          [
            t('setup.tunnel'),
            <State key="tunnel" level={relay.tunnel ? 'well' : 'problem'}>
              {t(relay.tunnel ? 'setup.connected' : 'setup.notConnected')}
              {health.tunnelRttMs !== null && relay.tunnel && (
                <span class="muted"> {formatDuration(health.tunnelRttMs)}</span>
              )}
            </State>,
          ],
          [
            t('setup.claimState'),
            <State key="claimed" level={box.claimed ? 'well' : 'info'}>
              {t(box.claimed ? 'setup.isClaimed' : 'setup.notClaimed')}
            </State>,
          ],
        ]}
      />
      <h3 class="mt-4">{t('setup.arc')}</h3>
      {health.arc.length === 0 && <p class="muted">{t('setup.noArc')}</p>}
      <ul class="flex flex-col gap-2">
        {health.arc.map((way) => (
          <li key={way.accountId}>
            <State level={way.path === 'none' ? 'problem' : 'well'}>
              {t(`arc.path.${way.path}`)} <Since at={way.since} />
            </State>
            <p class="muted small pl-6">
              {t('setup.ways', {
                direct: t(`arc.way.${way.direct}`),
                relay: t(`arc.way.${way.relay}`),
                count: way.waiting,
              })}
              {way.second !== 'absent' && <br />}
              {way.second !== 'absent' && t('setup.waySecond', { state: t(`arc.way.${way.second}`) })}
            </p>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Network({ box }: { box: SetupStatus }) {
  const { health } = box;
  return (
    <Panel title={t('setup.box')}>
      <Facts
        items={[
          ...box.interfaces.map(
            (item) =>
              [
                t('setup.interface', { name: item.name }),
                <span key={item.name} class="mono">
                  {item.address}
                </span>,
              ] as const,
          ),
          [t('box.version'), box.version],
          [t('box.uptime'), formatDuration(health.uptimeMs)],
          [
            t('box.disk'),
            t('box.diskFree', { free: formatBytes(health.diskFreeBytes), total: formatBytes(health.diskTotalBytes) }),
          ],
          [t('box.memory'), formatBytes(health.rssBytes)],
          [t('setup.queueUplink'), String(health.queues.uplink)],
          [
            t('setup.queueUpload'),
            t('setup.files', { count: health.queues.upload, bytes: formatBytes(health.queues.uploadBytes) }),
          ],
          [t('setup.queueArc'), String(health.queues.arc)],
        ]}
      />
    </Panel>
  );
}

function Lan() {
  const found = useResource((signal) => api.get<DiscoveryList>('/discovery', { signal }), []);
  const scan = useAction(async () => {
    const fresh = await api.post<DiscoveryList>('/discovery/scan');
    found.set(() => fresh);
  });
  return (
    <Panel
      title={t('discovery.title')}
      action={
        <button type="button" class="btn" onClick={() => scan.run()} aria-disabled={scan.busy}>
          {scan.busy ? t('discovery.scanning') : t('discovery.scan')}
        </button>
      }
    >
      <ProblemPanel error={found.error} what={t('discovery.failed')} retry={found.reload} />
      <ProblemPanel error={scan.error} what={t('discovery.scanFailed')} />
      <p role="status" class="sr-only">
        {found.data && !scan.busy && t('discovery.count', { count: found.data.items.length })}
      </p>
      {!found.data && !found.error && <Skeleton />}
      {found.data?.items.length === 0 && <Empty title={t('discovery.none')}>{t('discovery.noneNext')}</Empty>}
      {found.data && found.data.items.length > 0 && <DiscoveredTable items={found.data.items} />}
      <p class="muted small mt-4">{t('setup.addInPortal')}</p>
    </Panel>
  );
}
