import { useEffect, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { Device } from '../../../protocol/wire/api.ts';
import type { CloudServices, CloudSetupStarted } from '../../../protocol/wire/cloud.ts';
import { Choice, Field, Form, SubmitOrCancel } from '../../components/form.tsx';
import { ApiError } from '../../components/http.ts';
import { lookup, t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { UplinkAdvice } from '../bandwidth/advice.tsx';
import { useReady } from '../install/found.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { ChannelFields } from './channel-fields.tsx';
import { isPaid, packageWords } from './words.ts';

/** A device that is not added yet: its fields stand under this key. */
const NEW = 'new';
/** One press of the button: the job of what was taken, and what was refused. */
type Begun = CloudSetupStarted & { channels: { name: string; host: string; httpPort: number; channel: number }[] };

/** Chooses channels of the devices of a box, with a package and a definition each; the box does the rest (BOX-05, CLOUD-17). */
export function CloudSetupPage() {
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
  const video = devices.data?.items.filter((device) => device.kind !== 'dc09' && device.type === 'encoding') ?? [];
  const here = video.filter((device) => device.boxSerial === serial && device.accessMode === 'p2p');
  const toggle = (key: string) => {
    const next = new Set(chosen);
    if (!next.delete(key)) next.add(key);
    setChosen(next);
  };
  const start = useAction(async (fields: Record<string, string>) => {
    const wanted = [...here.map((device) => device.id), NEW].flatMap((id) => {
      const keys = [...chosen].filter((key) => key.startsWith(`${id}/`));
      const channels = keys.flatMap((key) => numbersOf(key, fields).map((n) => channelOf(key, n, fields)));
      return channels.length > 0 ? [{ id, keys, device: deviceOf(id, fields), channels }] : [];
    });
    if (wanted.length === 0) throw new ApiError('invalid-request', 0, { detail: t('cloud.chooseOne') });
    try {
      const body = { boxSerial: serial, devices: wanted.map(({ device, channels }) => ({ device, channels })) };
      const started = await api.post('/sites/{siteId}/cloud/setups', body, { params: { siteId } });
      if (started.jobId && started.refused.length === 0 && done.length === 0) {
        route(`${base}/jobs/${started.jobId}`);
        return;
      }
      const refused = wanted.filter((_, index) => started.refused.some((one) => one.index === index));
      const begun = wanted.filter((one) => !refused.includes(one));
      const at = (id: string) => here.find((device) => device.id === id) ?? addressOf(fields);
      const channels = begun.flatMap((one) => one.channels.map(({ channel }) => ({ ...at(one.id), channel })));
      setDone([...done, { ...started, channels }]);
      // What was taken is not asked for again with what is put right.
      setChosen(new Set(refused.flatMap((one) => one.keys)));
    } finally {
      for (const list of [devices, services, taken]) list.reload();
    }
  });
  const paid = (device: string, channel: number) =>
    taken.data?.items.find((one) => one.deviceId === device && one.channel === channel && isPaid(one))?.service;
  const busy = ({ host, httpPort }: Device, channel: number) =>
    done.some((one) =>
      one.channels.some((of) => of.host === host && of.httpPort === httpPort && of.channel === channel),
    );
  const ready = boxes.data && devices.data && services.data && taken.data;
  const failed = [boxes, devices, services, taken].find((one) => one.error);
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('cloud.setUp')}</Title>
      <ProblemPanel error={failed?.error ?? null} what={t('cloud.failed')} retry={failed?.reload} />
      {!ready && !failed && <Skeleton lines={8} />}
      {ready && claimed.length === 0 && <Empty title={t('cloud.noBox')}>{t('cloud.noBoxNext')}</Empty>}
      {ready && claimed.length > 0 && (
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
          <Stock services={services.data!} />
          <UplinkAdvice serial={serial} selected={chosen.size} />
          <Form onSubmit={start.run} label={t('cloud.setUp')}>
            {here.map((device) => (
              <Panel key={device.id} title={device.name}>
                <ul class="flex flex-col divide-y divide-base-300">
                  {channelsOf(device).map(({ channel, name }) => {
                    const key = `${device.id}/${channel}`;
                    const service = paid(device.id, channel);
                    return (
                      <li key={key} class="py-2">
                        <label class="flex min-h-11 items-center gap-3">
                          <input
                            type="checkbox"
                            class="checkbox shrink-0"
                            checked={chosen.has(key)}
                            onChange={() => toggle(key)}
                          />
                          <span>
                            {name || t('device.channel', { n: channel })}
                            {service && (
                              <span class="muted small block">
                                {t('cloud.paidAlready')} {t('cloud.until')} <Time at={service.until} />.
                              </span>
                            )}
                            {!service && busy(device, channel) && (
                              <span class="muted small block">{t('cloud.busyAlready')}</span>
                            )}
                          </span>
                        </label>
                        {chosen.has(key) && (
                          <ChannelFields
                            name={key}
                            at={{ deviceId: device.id, channel }}
                            stock={service ? null : services.data!.stock}
                          />
                        )}
                      </li>
                    );
                  })}
                </ul>
                <details class="mt-2">
                  <summary class="link inline-block min-h-8">{t('cloud.otherLogin')}</summary>
                  <div class="mt-2 flex max-w-2xl flex-col gap-4">
                    <p class="muted small">
                      {t('cloud.otherLoginText', { address: `${device.host}:${device.httpPort}` })}
                    </p>
                    <Field label={t('cloud.user')} name={`${device.id}:username`} maxLength={64} autoComplete="off" />
                    <Field
                      label={t('cloud.password')}
                      name={`${device.id}:password`}
                      type="password"
                      maxLength={64}
                      autoComplete="new-password"
                    />
                  </div>
                </details>
              </Panel>
            ))}
            {here.length === 0 && <Empty title={t('cloud.noDevice')}>{t('cloud.noDeviceNext')}</Empty>}
            <NewDevice serial={serial} chosen={chosen} toggle={toggle} stock={services.data!.stock} />
            <ProblemPanel error={start.error} what={t('cloud.startFailed')} focus />
            <Started done={done} />
            <SubmitOrCancel busy={start.busy} doing={t('cloud.starting')} cancel={`${base}/cloud`}>
              {t('cloud.start', { count: chosen.size })}
            </SubmitOrCancel>
          </Form>
          <Others devices={video.filter((device) => !here.includes(device))} />
        </>
      )}
    </>
  );
}

const channelsOf = (device: Device): { channel: number; name: string }[] => device.health?.channels ?? [];

/** Channels that one box stands for: of a further device, those that were typed. */
const numbersOf = (key: string, fields: Record<string, string>): number[] =>
  key.startsWith(`${NEW}/`)
    ? [...new Set((fields['new:channels'] ?? '').split(/[ ,]+/).filter(Boolean).map(Number))]
    : [Number(key.split('/')[1])];

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
  ...{ name: fields['new:name'] ?? '', host: fields['new:host'] ?? '', httpPort: Number(fields['new:port']) },
});

function deviceOf(id: string, fields: Record<string, string>) {
  const value = (name: string) => fields[`${id}:${name}`] ?? '';
  const [username, password] = [value('username'), value('password')];
  if (id !== NEW) return { deviceId: id, ...(username && password && { login: { username, password } }) };
  return { ...addressOf(fields), username, password };
}

function Stock({ services: { stock } }: { services: CloudServices }) {
  const left = stock.filter((one) => one.remaining > 0);
  return (
    <p>
      {left.length > 0
        ? `${t('cloud.left')} ${left.map((one) => `${one.remaining} × ${packageWords(one)}`).join(', ')}.`
        : t('cloud.noneLeft')}{' '}
      <a class="link" href="/services">
        {t('cloud.toServices')}
      </a>
    </p>
  );
}

/** Every job that was begun here, and what the last try left out; where the person is who pressed the button. */
function Started({ done }: { done: readonly Begun[] }) {
  const { base } = useSite();
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (done.length > 0) ref.current?.focus();
  }, [done.length]);
  return (
    <div ref={ref} role="status" tabIndex={-1} class={done.length > 0 ? 'panel flex flex-col gap-2' : undefined}>
      {done.map(
        ({ jobId, channels }) =>
          jobId && (
            <State key={jobId} level="working">
              {channels.map(({ name, channel }) => t('cloud.channelOf', { device: name, n: channel })).join('; ')}
              {': '}
              {t('cloud.begun')}{' '}
              <a class="link" href={`${base}/jobs/${jobId}`}>
                {t('cloud.follow')}
              </a>
            </State>
          ),
      )}
      {done.at(-1)?.refused.map(({ index, name, code, detail }) => (
        <State key={index} level="problem">
          <strong>{name}</strong>: {lookup(`problem.${code}.title`) ?? code}
          <span class="muted small block break-words">{detail}</span>
        </State>
      ))}
      {(done.at(-1)?.refused.length ?? 0) > 0 && <p class="small">{t('cloud.refusedNext')}</p>}
    </div>
  );
}

/** A device of the LAN that is linked to the box now: all that is asked for is needed (BOX-05). */
function NewDevice(o: {
  serial: string;
  chosen: ReadonlySet<string>;
  toggle: (key: string) => void;
  stock: CloudServices['stock'];
}) {
  const key = `${NEW}/1`;
  const on = o.chosen.has(key);
  return (
    <Panel title={t('cloud.newDevice')}>
      <label class="flex min-h-11 items-center gap-3">
        <input type="checkbox" class="checkbox shrink-0" checked={on} onChange={() => o.toggle(key)} />
        {t('cloud.newDeviceText')}
      </label>
      {on && <NewFields serial={o.serial} name={key} stock={o.stock} />}
    </Panel>
  );
}

/** One that was found fills in what is known of it; the rest is typed. */
function NewFields({ serial, name, stock }: { serial: string; name: string; stock: CloudServices['stock'] }) {
  const ready = useReady().data;
  const found = ready?.devices.filter((one) => one.boxSerial === serial && !ready.isAdded(one)) ?? [];
  const [mac, setMac] = useState('');
  const of = found.find((one) => one.mac === mac);
  return (
    <div class="flex max-w-2xl flex-col gap-4">
      {found.length > 0 && (
        <Choice
          label={t('cloud.found')}
          name="new:found"
          value={mac}
          options={[
            ['', t('cloud.notFound')] as const,
            ...found.map((one) => [one.mac, `${one.model} · ${one.address}`] as const),
          ]}
          onChange={setMac}
        />
      )}
      <div key={mac} class="flex flex-col gap-4">
        <Field label={t('cloud.name')} name="new:name" value={of?.model} required maxLength={64} autoComplete="off" />
        <Field
          label={t('cloud.address')}
          name="new:host"
          value={of?.address}
          required
          mono
          maxLength={255}
          autoComplete="off"
        />
        <Field
          label={t('cloud.port')}
          name="new:port"
          value={String(of?.httpPort ?? 80)}
          required
          inputMode="numeric"
          pattern="[0-9]{1,5}"
        />
      </div>
      <Field label={t('cloud.user')} name="new:username" value="admin" required maxLength={64} autoComplete="off" />
      <Field
        label={t('cloud.password')}
        name="new:password"
        type="password"
        required
        maxLength={64}
        autoComplete="new-password"
      />
      <Field
        label={t('cloud.channels')}
        hint={t('cloud.channelsHint')}
        name="new:channels"
        value="1"
        required
        pattern="[0-9]{1,4}([ ,]+[0-9]{1,4}){0,63}"
      />
      <ChannelFields name={name} at={null} stock={stock} />
    </div>
  );
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
