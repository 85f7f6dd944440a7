import type { ComponentChildren } from 'preact';
import { useLocation } from 'preact-iso';
import type { Device } from '../../../protocol/wire/api.ts';
import type { DeviceHealth } from '../../../protocol/wire/uplink.ts';
import { codecWord } from '../../components/codec.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { Copyable } from '../../components/serial.tsx';
import { formatDuration } from '../../components/time.ts';
import { withUndo } from '../../components/undo.tsx';
import { addressOf, OtherCertificate, securityFact } from '../device/certificate.tsx';
import { LinkedCamera } from '../device/linked-camera.tsx';
import { Operations } from '../device/operations.tsx';
import { OwnPage } from '../device/own-page.tsx';
import { SortPrompt, useUnsorted } from '../install/sort-prompt.tsx';
import { NotFound } from '../not-found.tsx';
import { AlarmPanelParts } from '../panel/alarm-panel.tsx';
import { api } from '../session.ts';
import { useSite } from './context.ts';
import { Credentials, DeviceStateLine, Snapshot, useDeviceState } from './device-parts.tsx';
import { Barred } from './parts.tsx';
import { seesDevice } from './rights.ts';

type Channel = DeviceHealth['channels'][number];
const VIDEO: Record<Channel['video'], Level> = {
  none: 'info',
  connecting: 'working',
  streaming: 'well',
  stalled: 'problem',
  refused: 'problem',
};

export function DevicePage({ params }: { params?: { deviceId?: string } }) {
  const { base, devices, site } = useSite();
  const { route } = useLocation();
  const device = devices.data?.items.find((item) => item.id === params?.deviceId);
  const unsorted = useUnsorted(device ? [device] : []);
  if (!device) {
    if (devices.error) return <ProblemPanel error={devices.error} what={t('devices.failed')} retry={devices.reload} />;
    return devices.data ? <NotFound /> : <Skeleton lines={8} />;
  }
  const remove = () => {
    devices.set((list) => ({ items: list.items.filter((item) => item.id !== device.id) }));
    route(`${base}/devices`);
    withUndo({
      text: t('device.removed', { name: device.name }),
      failed: t('device.removeFailed', { name: device.name }),
      run: (keepalive) =>
        api.delete('/devices/{deviceId}', { params: { deviceId: device.id }, keepalive }).then(devices.reload),
      back: devices.reload,
    });
  };
  if (!seesDevice(site.data!, device))
    return (
      <>
        <Title suffix={`${site.data!.name} · Gatepost`}>{device.name}</Title>
        <Barred />
      </>
    );
  const health = device.health;
  // It sends to the box, and nothing speaks to it.
  const sends = device.kind === 'dc09';
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{device.name}</Title>
      {unsorted(device) && <SortPrompt device={device} />}
      <div class="mb-6 empty:hidden">
        <OtherCertificate key={device.id} device={device} />
      </div>
      <div class="grid items-start gap-6 lg:grid-cols-[3fr_2fr]">
        <div class="flex min-w-0 flex-col gap-6">
          {sends ? (
            <AlarmPanelParts device={device} />
          ) : (
            <>
              <Panel title={t('device.channels')}>
                <Channels deviceId={device.id} />
              </Panel>
              <Operations device={device} />
            </>
          )}
        </div>
        <div class="flex flex-col gap-6">
          <Panel title={t('device.facts')}>
            <Facts
              items={[
                [t('box.state'), <DeviceStateLine key="state" device={device} />],
                [t('discovery.model'), health?.model ?? t('state.unknown')],
                ...(sends ? [] : addressFacts(device)),
                device.boxSerial === null
                  ? [t('device.access'), t('device.byAddress')]
                  : [
                      t('device.box'),
                      <span key="box" class="mono">
                        {device.boxSerial}
                      </span>,
                    ],
              ]}
            />
          </Panel>
          {device.type === 'encoding' && device.boxSerial !== null && (
            <p class="flex flex-wrap gap-4">
              <a class="link" href={`${base}/boxes/${device.boxSerial}/uplink?device=${device.id}`}>
                {t('box.uplink')}
              </a>
              <a class="link" href={`${base}/cloud/setup?device=${device.id}`}>
                {t('box.cloud')}
              </a>
            </p>
          )}
          {device.type === 'radar' && <LinkedCamera key={`radar ${device.id}`} radar={device} />}
          {!sends && <OwnPage key={device.id} device={device} />}
          {site.data!.operations.includes('manage-devices') ? (
            <>
              {!sends && (
                <Panel title={t('device.credentials')}>
                  <Credentials key={device.id} device={device} />
                  <a class="link mt-3 inline-block" href={`${base}/devices/${device.id}/password`}>
                    {t('password.title')}
                  </a>
                </Panel>
              )}
              <Rename key={`${device.id} ${device.name}`} deviceId={device.id} name={device.name} />
              <div>
                <button type="button" class="btn" onClick={remove}>
                  {t('device.remove')}
                </button>
                <p class="muted small mt-1">{t('device.removeText')}</p>
              </div>
            </>
          ) : (
            <p class="muted">{t('device.manageNot')}</p>
          )}
        </div>
      </div>
    </>
  );
}

/** Of a device that is spoken to. */
function addressFacts(device: Device): [string, ComponentChildren][] {
  return [
    [t('discovery.firmware'), device.health?.firmware ?? t('state.unknown')],
    [
      t('device.serial'),
      device.serial ? <Copyable key="serial" text={device.serial} label={t('device.serial')} /> : t('state.unknown'),
    ],
    [
      t('discovery.mac'),
      <span key="mac" class="mono">
        {device.mac ?? t('state.unknown')}
      </span>,
    ],
    [
      t('discovery.address'),
      <span key="host" class="mono">
        {addressOf(device)}
      </span>,
    ],
    [t('tls.title'), securityFact(device)],
  ];
}

function Rename({ deviceId, name }: { deviceId: string; name: string }) {
  const { devices } = useSite();
  const rename = useAction(async (fields: Record<string, string>) => {
    await api.patch('/devices/{deviceId}', { name: fields.name }, { params: { deviceId } });
    devices.reload();
  });
  return (
    <Panel title={t('device.rename')}>
      <ProblemPanel error={rename.error} what={t('device.renameFailed', { name })} focus />
      <Form onSubmit={rename.run} label={t('device.rename')}>
        <Field
          label={t('add.name')}
          name="name"
          value={name}
          required
          maxLength={64}
          autoComplete="off"
          error={rename.error}
        />
        <div>
          <Submit busy={rename.busy} doing={t('form.saving')}>
            {t('device.rename')}
          </Submit>
        </div>
      </Form>
    </Panel>
  );
}

function Channels({ deviceId }: { deviceId: string }) {
  const { base, devices } = useSite();
  const device = devices.data!.items.find((item) => item.id === deviceId)!;
  const state = useDeviceState(device);
  const channels = device.health?.channels ?? [];
  if (channels.length === 0)
    return <p class="muted">{t(state === 'online' ? 'device.hasNoChannels' : 'device.noChannels')}</p>;
  return (
    <ul class="grid gap-6 sm:grid-cols-2">
      {channels.map((channel) => (
        <li key={channel.channel} class="first:last:col-span-full">
          <Snapshot
            device={device}
            channel={channel.channel}
            name={`${device.name}, ${channel.name || channel.channel}`}
          />
          <h3 class="mt-2">{channel.name || t('device.channel', { n: channel.channel })}</h3>
          <div class="flex flex-wrap items-center gap-x-4">
            <State level={state === 'unknown' ? 'unknown' : VIDEO[channel.video]}>
              {t(`device.video.${state === 'unknown' ? 'unknown' : channel.video}`)}
            </State>
            {device.boxSerial !== null && (
              <a class="link" href={`${base}/live?show=${device.id}-${channel.channel}`}>
                {t('liveView.title')}
                <span class="sr-only">: {channel.name || t('device.channel', { n: channel.channel })}</span>
              </a>
            )}
          </div>
          <p class="muted small">
            {[
              channel.codec && codecWord(channel.codec),
              channel.keyFrameIntervalMs && t('device.keyFrames', { time: formatDuration(channel.keyFrameIntervalMs) }),
            ]
              .filter(Boolean)
              .join(' · ')}
          </p>
        </li>
      ))}
    </ul>
  );
}
