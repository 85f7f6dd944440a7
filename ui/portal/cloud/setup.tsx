import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { Device } from '../../../protocol/wire/api.ts';
import { DEFINITION_KBPS } from '../../../protocol/wire/bandwidth.ts';
import { Choice, Form, SubmitOrCancel } from '../../components/form.tsx';
import { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { UplinkAdvice } from '../bandwidth/advice.tsx';
import { useBandwidthTests } from '../bandwidth/test-panel.tsx';
import { room } from '../bandwidth/words.ts';
import { Missing } from '../device/permitted.tsx';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { packageChoice } from './channel-fields.tsx';
import { DevicePanel } from './device-panel.tsx';
import { NewDevice } from './new-device.tsx';
import { leftOver, sharePackages } from './room.ts';
import { type Begun, Started } from './started.tsx';
import { Stock } from './stock.tsx';
import { isInstaller, isPaid } from './words.ts';

/** A device that is not added yet: its fields stand under this key. */
const NEW = 'new';
const NEW_KEY = `${NEW}/1`;

/** Who sets up: installers who hold the permission; to others it is said who can. */
export function CloudSetupPage() {
  const { site } = useSite();
  const may = site.data!.permissions.some((held) => held === 'configure' || held === 'manage');
  if (isInstaller() && may) return <Setup />;
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('cloud.setUp')}</Title>
      {isInstaller() ? <Missing permission="configure" /> : <Empty title={t('cloud.noneAsk')} />}
    </>
  );
}

/** Chooses channels of the devices of a box, with a package and a definition each; the box does the rest (BOX-05, CLOUD-17). */
function Setup() {
  const { base, site, siteId, boxes, devices } = useSite();
  const { query, route } = useLocation();
  const claimed = boxes.data?.items.filter((box) => box.state === 'claimed') ?? [];
  const of = devices.data?.items.find((device) => device.id === query.device);
  const serial = query.box || of?.boxSerial || claimed[0]?.serial || '';
  const services = useResource((signal) => api.get('/cloud/services', { signal }), []);
  const taken = useResource((signal) => api.get('/sites/{siteId}/cloud', { params: { siteId }, signal }), [siteId]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(
    new Set(query.device && query.channel ? [`${query.device}/${query.channel}`] : []),
  );
  const [done, setDone] = useState<readonly Begun[]>([]);
  const [picked, setPicked] = useState<Record<string, string>>({});
  const [typed, setTyped] = useState('1');
  const video = devices.data?.items.filter((device) => device.kind !== 'dc09' && device.type === 'encoding') ?? [];
  const here = video.filter((device) => device.boxSerial === serial && device.accessMode === 'p2p');
  const toggle = (key: string) => {
    const next = new Set(chosen);
    if (!next.delete(key)) next.add(key);
    setChosen(next);
  };
  const stock = services.data?.stock ?? [];
  const cloud = taken.data?.items ?? [];
  const paid = cloud.filter(isPaid).map((one) => `${one.deviceId}/${one.channel}`);
  const wanted = [...chosen].map((key) => ({
    key,
    packages: paid.includes(key) ? 0 : key === NEW_KEY ? Math.max(1, numbersIn(typed).length) : 1,
  }));
  const count = wanted.reduce((sum, one) => sum + (one.packages || 1), 0);
  const shares = sharePackages(stock, wanted, picked);
  const start = useAction(async (fields: Record<string, string>) => {
    const ordered = [...here.map((device) => device.id), NEW].flatMap((id) => {
      const keys = [...chosen].filter((key) => key.startsWith(`${id}/`));
      const channels = keys.flatMap((key) => numbersOf(key, fields).map((n) => channelOf(key, n, fields)));
      return channels.length > 0 ? [{ id, keys, device: deviceOf(id, fields), channels }] : [];
    });
    if (ordered.length === 0) throw new ApiError('invalid-request', 0, { detail: t('cloud.chooseOne') });
    if (wanted.some((one) => one.packages > 0 && shares.of.get(one.key) === undefined))
      throw new ApiError('invalid-request', 0, { detail: t('cloud.packageMissing') });
    try {
      const body = { boxSerial: serial, devices: ordered.map(({ device, channels }) => ({ device, channels })) };
      const started = await api.post('/sites/{siteId}/cloud/setups', body, { params: { siteId } });
      if (started.jobId && started.refused.length === 0 && done.length === 0) {
        route(`${base}/jobs/${started.jobId}`);
        return;
      }
      const refused = ordered.filter((_, index) => started.refused.some((one) => one.index === index));
      const begun = ordered.filter((one) => !refused.includes(one));
      const at = (id: string) => here.find((device) => device.id === id) ?? addressOf(fields);
      const channels = begun.flatMap((one) => one.channels.map(({ channel }) => ({ ...at(one.id), channel })));
      setDone([...done, { ...started, channels }]);
      // What was taken is not asked for again with what is put right.
      setChosen(new Set(refused.flatMap((one) => one.keys)));
    } finally {
      for (const list of [devices, services, taken]) list.reload();
    }
  });
  const packages = (key: string) => {
    const line = wanted.find((one) => one.key === key);
    if (!line || line.packages === 0) return null;
    return packageChoice(shares, stock, line, (value) => setPicked({ ...picked, [key]: value }));
  };
  const soldOut = leftOver(shares) === 0;
  const none = stock.every((one) => one.remaining <= 0);
  const test = useBandwidthTests().data?.items.find((one) => one.boxSerial === serial && one.state === 'done');
  // The uplink carries what is recorded already, too.
  const before = paid.filter(
    (key) => !chosen.has(key) && here.some((device) => key.startsWith(`${device.id}/`)),
  ).length;
  const together = before + count;
  const fits =
    test && DEFINITION_KBPS.find((one) => room(test.kbps ?? 0, one.kbps) >= Math.max(1, together))?.definition;
  const ready = boxes.data && devices.data && services.data && taken.data;
  const offered = taken.data?.offered ?? true;
  const failed = [boxes, devices, services, taken].find((one) => one.error);
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('cloud.setUp')}</Title>
      <ProblemPanel error={failed?.error ?? null} what={t('cloud.failed')} retry={failed?.reload} />
      {!ready && !failed && <Skeleton lines={8} />}
      {ready && !offered && <Empty title={t('cloud.notOffered')} />}
      {ready && offered && claimed.length === 0 && <Empty title={t('cloud.noBox')}>{t('cloud.noBoxNext')}</Empty>}
      {ready && offered && claimed.length > 0 && (
        <>
          {claimed.length > 1 && (
            <Choice
              label={t('cloud.box')}
              name="box"
              value={serial}
              options={claimed.map((box) => [box.serial, box.serial] as const)}
              onChange={(value) => route(`${base}/cloud/setup?box=${value}`, true)}
            />
          )}
          <Stock stock={stock} shares={shares} changed={services.reload} />
          <UplinkAdvice test={test} serial={serial} selected={chosen.size === 0 ? 0 : together} />
          <Form onSubmit={start.run} label={t('cloud.setUp')}>
            {here.map((device) => (
              <DevicePanel
                key={device.id}
                device={device}
                room={taken.data!.devices.find((one) => one.deviceId === device.id)}
                cloud={cloud}
                chosen={chosen}
                toggle={toggle}
                packages={packages}
                soldOut={soldOut}
                none={none}
                fits={fits}
              />
            ))}
            {here.length === 0 && <Empty title={t('cloud.noDevice')}>{t('cloud.noDeviceNext')}</Empty>}
            <NewDevice
              serial={serial}
              on={chosen.has(NEW_KEY)}
              toggle={() => toggle(NEW_KEY)}
              packages={packages(NEW_KEY)}
              barred={soldOut}
              none={none}
              type={setTyped}
              fits={fits}
            />
            <ProblemPanel error={start.error} what={t('cloud.startFailed')} focus />
            <Started done={done} />
            <SubmitOrCancel busy={start.busy} doing={t('cloud.starting')} cancel={`${base}/cloud`}>
              {count > 0 ? t('cloud.start', { count }) : t('cloud.setUp')}
            </SubmitOrCancel>
          </Form>
          <Others devices={video.filter((device) => !here.includes(device))} />
        </>
      )}
    </>
  );
}

const numbersIn = (typed: string): number[] => [...new Set(typed.split(/[ ,]+/).filter(Boolean).map(Number))];
/** Channels that one box stands for: of a further device, those that were typed. */
const numbersOf = (key: string, fields: Record<string, string>): number[] =>
  key.startsWith(`${NEW}/`) ? numbersIn(fields['new:channels'] ?? '') : [Number(key.split('/')[1])];

function channelOf(key: string, channel: number, fields: Record<string, string>) {
  const value = (name: string) => fields[`${key}:${name}`] ?? '';
  const [days, term] = value('package').split(' ');
  return {
    channel,
    ...(days && { package: { retentionDays: Number(days) as 7, term: term as 'month' } }),
    definition: value('definition') || null,
    mode: (value('mode') || 'event') as 'event',
    stream: (value('stream') || 'main') as 'main',
    audio: value('audio') === 'true',
  };
}

const addressOf = (fields: Record<string, string>) => ({
  name: fields['new:name'] ?? '',
  host: fields['new:host'] ?? '',
  httpPort: Number(fields['new:port']),
});

function deviceOf(id: string, fields: Record<string, string>) {
  const value = (name: string) => fields[`${id}:${name}`] ?? '';
  const [username, password] = [value('username'), value('password')];
  if (id !== NEW) return { deviceId: id, ...(username && password && { login: { username, password } }) };
  return { ...addressOf(fields), username, password };
}

/** Devices that cannot be set up with this box, and why (BOX-03, BOX-04). */
function Others({ devices }: { devices: Device[] }) {
  if (devices.length === 0) return null;
  return (
    <Panel title={t('cloud.others')}>
      <ul class="flex flex-col gap-1">
        {devices.map((device) => (
          <li key={device.id}>
            <State level="info">
              {device.name}{' '}
              <span class="muted">
                {device.boxSerial === null ? t('cloud.byAddress') : t('cloud.otherBox', { serial: device.boxSerial })}
              </span>
            </State>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
