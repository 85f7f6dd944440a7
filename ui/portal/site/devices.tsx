import type { Device } from '../../../protocol/wire/api.ts';
import { t } from '../../components/i18n.ts';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { RunningJobs } from '../install/jobs.tsx';
import { SortPrompt, useUnsorted } from '../install/sort-prompt.tsx';
import { ArmPanels } from './arm-panels.tsx';
import { useSite } from './context.ts';
import { Credentials, DeviceStateLine, Snapshot, useDeviceState } from './device-parts.tsx';
import { Discovered } from './discovered.tsx';
import { NoBox } from './overview.tsx';
import { Barred } from './parts.tsx';
import { mayManage, sees, seesDevice } from './rights.ts';

export function Devices() {
  const { base, devices, site } = useSite();
  const boxes = site.data?.boxes.filter((box) => box.state !== 'revoked') ?? [];
  const panels =
    devices.data?.items.filter(
      (d) => d.type === 'panel' && d.kind !== 'dc09' && d.boxSerial && seesDevice(site.data!, d),
    ) ?? [];
  const unsorted = useUnsorted(devices.data?.items ?? []);
  return (
    <>
      <Title suffix={`${site.data!.name} · Gatepost`}>{t('devices.title')}</Title>
      {!sees(site.data!) && <Barred />}
      {mayManage(site.data!) && (devices.data?.items.length ?? 0) > 0 && (
        <p>
          <a class="link" href={`${base}/move`}>
            {t('devices.move')}
          </a>
        </p>
      )}
      <ProblemPanel error={devices.error} what={t('devices.failed')} retry={devices.reload} />
      {!devices.data && !devices.error && <Skeleton lines={6} />}
      {site.data?.operations.includes('manage-devices') && (
        <p class="flex flex-wrap gap-x-6 gap-y-2">
          <a class="link" href={`${base}/devices/add-many`}>
            {t('discovery.addOther')}
          </a>
          <a class="link" href={`${base}/devices/add-panel`}>
            {t('panel.link')}
          </a>
          <a class="link" href={`${base}/activate`}>
            {t('activation.title')}
          </a>
          <a class="link" href={`${base}/initialise`}>
            {t('install.link')}
          </a>
          <a class="link" href={`${base}/addresses`}>
            {t('lan.link')}
          </a>
          <a class="link" href={`${base}/upgrades`}>
            {t('upgrade.link')}
          </a>
          <a class="link" href={`${base}/add-found`}>
            {t('addFound.title')}
          </a>
        </p>
      )}
      {site.data?.operations.includes('manage-devices') && boxes.length > 0 && <RunningJobs />}
      {!sees(site.data!)
        ? null
        : boxes.length === 0
          ? devices.data?.items.length === 0 && <NoBox />
          : devices.data?.items.length === 0 && <Empty title={t('devices.none')}>{t('devices.noneNext')}</Empty>}
      <ul class="grid gap-6 empty:hidden sm:grid-cols-2 xl:grid-cols-3">
        {devices.data?.items.map((device) => (
          <DeviceCard key={device.id} device={device} unsorted={unsorted(device)} />
        ))}
      </ul>
      {panels.length > 0 && <ArmPanels panels={panels} />}
      {boxes.length > 0 && site.data!.operations.includes('manage-devices') && <Discovered />}
    </>
  );
}

function DeviceCard({ device, unsorted }: { device: Device; unsorted: boolean }) {
  const { base, site } = useSite();
  const seen = seesDevice(site.data!, device);
  const state = useDeviceState(device);
  const channels = device.health?.channels ?? [];
  const first = channels[0];
  return (
    <li class="panel flex flex-col gap-3 md:p-4">
      {seen && device.kind !== 'dc09' && state !== 'refused' && (first || state !== 'online') && (
        <Snapshot device={device} channel={first?.channel ?? 1} name={device.name} />
      )}
      <div>
        <h2>
          <a class="link" href={`${base}/devices/${device.id}`}>
            {device.name}
          </a>
        </h2>
        {seen && <DeviceStateLine device={device} />}
        <p class="muted small">
          {[
            device.health?.model,
            device.kind === 'dc09' ? device.username : device.host,
            channels.length > 0 && t('devices.channels', { count: channels.length }),
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
      </div>
      {device.type === 'encoding' && device.boxSerial !== null && device.permissions?.includes('configure') && (
        <a class="link" href={`${base}/cloud/setup?device=${device.id}`}>
          {t('box.cloud')}
          <span class="sr-only">: {device.name}</span>
        </a>
      )}
      {state === 'refused' && (
        <>
          <p>{t('device.refusedText')}</p>
          {site.data!.operations.includes('manage-devices') && <Credentials device={device} />}
        </>
      )}
      {unsorted && <SortPrompt device={device} />}
      {(state === 'locked' || state === 'notActivated' || state === 'offline') && <p>{t(`device.next.${state}`)}</p>}
    </li>
  );
}
