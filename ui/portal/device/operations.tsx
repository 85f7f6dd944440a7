import { useState } from 'preact/hooks';
import type { Device } from '../../../protocol/wire/api.ts';
import type { DeviceCapabilities } from '../../../protocol/wire/operations.ts';
import { Choice } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Panel, Skeleton } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { recorderPage } from '../install/found.ts';
import { useSite } from '../site/context.ts';
import { useDeviceState } from '../site/device-parts.tsx';
import { DeviceActions } from './device-actions.tsx';
import { ListPanel } from './list-panel.tsx';
import { Missing, permitted, useMay } from './permitted.tsx';
import { Ptz } from './ptz.tsx';
import { useCapabilities } from './use-capabilities.ts';
import { sectionWord } from './words.ts';

/** What this device can do, and nothing it cannot (CHAN-02). */
export function Operations({ device }: { device: Device }) {
  const online = useDeviceState(device) === 'online';
  if (device.boxSerial === null) return <Panel title={t('operations.title')}>{t('operations.byAddress')}</Panel>;
  if (!online) return <Panel title={t('operations.title')}>{t('operations.away', { name: device.name })}</Panel>;
  return <Offered device={device} />;
}

function Offered({ device }: { device: Device }) {
  const capabilities = useCapabilities(device.id);
  if (capabilities.error)
    return (
      <Panel title={t('operations.title')}>
        <ProblemPanel
          error={capabilities.error}
          what={t('operations.failed', { name: device.name })}
          retry={capabilities.reload}
        />
      </Panel>
    );
  if (!capabilities.data)
    return (
      <Panel title={t('operations.title')}>
        <Skeleton />
      </Panel>
    );
  return <All device={device} capabilities={capabilities.data} />;
}

function All({ device, capabilities: offered }: { device: Device; capabilities: DeviceCapabilities }) {
  const { base, zone = 'UTC', site } = useSite();
  const mayDo = useMay(device);
  const capabilities = permitted(offered, mayDo);
  const barred = offered.sections.length + offered.lists.length + offered.actions.length > 0 && !mayDo('configure');
  const turns = offered.actions.some(({ action }) => action === 'ptzMove');
  const channels = [
    ...new Set([...capabilities.lists, ...capabilities.actions].flatMap(({ channels }) => channels ?? [])),
  ].sort((a, b) => a - b);
  const [chosen, setChosen] = useState<number | undefined>(channels[0]);
  const name = (n: number) => device.health?.channels.find((c) => c.channel === n)?.name || t('device.channel', { n });
  const may = (action: string) =>
    capabilities.actions.some(
      (a) => a.action === action && (a.channels === null || (chosen !== undefined && a.channels.includes(chosen))),
    );
  const sections = [...new Set(capabilities.sections.map(({ section }) => section))];
  const lists = [
    ...new Set(
      capabilities.lists
        .filter((l) => l.channels === null || (chosen !== undefined && l.channels.includes(chosen)))
        .map(({ list }) => list),
    ),
  ];
  const nothing = offered.sections.length + offered.lists.length + offered.actions.length === 0;
  const isRecorder = may('channelAdd') || may('channelsSort');
  return (
    <>
      <Panel title={t('operations.title')} id="settings">
        {nothing && <p class="muted">{t('operations.nothing', { name: device.name })}</p>}
        <ul class="grid gap-x-6 gap-y-1 sm:grid-cols-2">
          {sections.map((section) => (
            <li key={section}>
              <a class="link flex min-h-11 items-center" href={`${base}/devices/${device.id}/settings/${section}`}>
                {sectionWord(section)}
              </a>
            </li>
          ))}
        </ul>
        {barred && <Missing permission="configure" />}
        {turns && !mayDo('live') && <Missing permission="live" />}
        {isRecorder && device.mac && device.boxSerial && site.data!.operations.includes('manage-devices') && (
          <p class="mt-3">
            <a class="link" href={recorderPage(base, device.boxSerial, [device.mac])}>
              {t('operations.recorder')}
            </a>
          </p>
        )}
      </Panel>
      {channels.length > 1 && (
        <Choice
          label={t('operations.channel')}
          name="channel"
          value={String(chosen)}
          options={channels.map((n) => [String(n), name(n)] as const)}
          onChange={(value) => setChosen(Number(value))}
        />
      )}
      {chosen !== undefined && may('ptzMove') && <Ptz key={chosen} device={device} channel={chosen} may={may} />}
      {lists.map((list) => (
        <ListPanel key={`${list} ${chosen}`} {...{ device, capabilities, list }} channel={chosen} />
      ))}
      <DeviceActions device={device} zone={zone} may={may} />
    </>
  );
}
