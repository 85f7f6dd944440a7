import type { SystemState } from '../../../protocol/wire/operator.ts';
import { locale, t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { Since, Time } from '../../components/time.tsx';
import { api } from '../session.ts';

const number = (n: number) => new Intl.NumberFormat(locale()).format(n);
const megabytes = (bytes: number) =>
  new Intl.NumberFormat(locale(), { style: 'unit', unit: 'megabyte', maximumFractionDigits: 0 }).format(bytes / 1e6);

/** The operator's home: what waits for them, and how the relay is doing. */
export function System() {
  const system = useResource((signal) => api.get('/operator/system', { signal }), []);
  const { data } = system;
  return (
    <>
      <div class="flex flex-wrap items-center justify-between gap-4">
        <Title>{t('operator.system')}</Title>
        <button type="button" class="btn" onClick={system.reload}>
          {t('operator.again')}
        </button>
      </div>
      <ProblemPanel error={system.error} what={t('operator.systemFailed')} retry={system.reload} />
      {!data && !system.error && <Skeleton lines={8} />}
      {data && (
        <>
          <p class="text-lg">
            {data.waiting > 0 ? (
              <State level="attention">
                <a class="link" href="/operator/companies?authentication=submitted">
                  {t('operator.waiting', { count: data.waiting })}
                </a>
              </State>
            ) : (
              <State level="well">{t('operator.nobodyWaits')}</State>
            )}
          </p>
          <div class="grid items-start gap-6 lg:grid-cols-2">
            <What data={data} />
            <Program data={data} />
            <Waiting data={data} />
            <Footage clips={data.clips} />
          </div>
        </>
      )}
    </>
  );
}

function What({ data }: { data: SystemState }) {
  return (
    <Panel title={t('operator.whatIsHere')}>
      <Facts
        items={[
          [t('operator.companies'), number(data.companies)],
          [t('operator.sites'), number(data.sites)],
          [t('operator.devices'), number(data.devices)],
          ...data.boxes.map(
            ({ state, count }) =>
              [
                t('operator.boxesIn', { state: t(`operator.box.${state}`) }),
                <a key={state} class="link" href={`/operator/boxes?state=${state}`}>
                  {number(count)}
                </a>,
              ] as const,
          ),
        ]}
      />
    </Panel>
  );
}

function Program({ data }: { data: SystemState }) {
  return (
    <Panel title={t('operator.program')}>
      <Facts
        items={[
          [t('operator.version'), data.version],
          [t('operator.running'), <Since key="since" at={data.startedAt} />],
          [t('operator.memory'), megabytes(data.memoryBytes)],
          [t(`operator.database.${data.database.kind}`), megabytes(data.database.bytes)],
          [t('operator.boxesOnline'), number(data.boxesOnline)],
          [t('operator.tunnels'), number(data.tunnels)],
          [t('operator.arcPaths'), number(data.arcPaths)],
        ]}
      />
    </Panel>
  );
}

function Footage({ clips }: { clips: SystemState['clips'] }) {
  if (clips.place === 'folder') {
    return (
      <Panel title={t('operator.footage')}>
        <p>{t('operator.footageFolder')}</p>
      </Panel>
    );
  }
  const { bucket, endpoint, retired, takeBack, problem } = clips;
  return (
    <Panel title={t('operator.footage')}>
      {problem ? (
        <State level="problem">
          {t('operator.bucketFails')} <Since at={problem.since} />
        </State>
      ) : (
        <State level="well">{t('operator.bucketWorks')}</State>
      )}
      {problem && <p class="my-2 break-words">{say(problem.text)}</p>}
      {problem && !retired && <p class="muted">{t('operator.boxesKeep')}</p>}
      <Facts
        items={[
          [t('operator.bucket'), <span key="bucket" class="mono break-all">{`${bucket}, ${endpoint}`}</span>],
          takeBack
            ? [t('operator.bucketTakenBack'), t('operator.bucketTakenBackText')]
            : retired && [t('operator.bucketRetired'), t('operator.bucketRetiredText')],
        ]}
      />
    </Panel>
  );
}

function Waiting({ data }: { data: SystemState }) {
  const { outbox, quarantine } = data;
  return (
    <Panel title={t('operator.leftOver')}>
      <Facts
        items={[
          [t('operator.messagesWaiting'), number(outbox.waiting)],
          outbox.oldestAt !== null && [t('operator.oldest'), <Since key="oldest" at={outbox.oldestAt} />],
          [t('operator.messagesFailed'), number(outbox.failed)],
          [t('operator.quarantined'), number(quarantine.kept)],
        ]}
      />
      {quarantine.newest.length > 0 && (
        <ul class="mt-3 flex flex-col gap-2">
          {quarantine.newest.map((item) => (
            <li key={`${item.serial} ${item.receivedAt} ${item.reason}`} class="small break-words">
              <Time at={item.receivedAt} /> <span class="mono">{item.serial}</span>{' '}
              <span class="muted">{item.reason}</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
