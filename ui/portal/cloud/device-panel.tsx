import { useId } from 'preact/hooks';
import type { Device } from '../../../protocol/wire/api.ts';
import type { CloudChannel, CloudDevice, CloudService } from '../../../protocol/wire/cloud.ts';
import { Field } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Panel } from '../../components/page.tsx';
import { Time } from '../../components/time.tsx';
import { useSite } from '../site/context.ts';
import { ChannelFields, type PackageChoice } from './channel-fields.tsx';
import { roomOf } from './room.ts';
import { isPaid } from './words.ts';

export const channelsOf = (device: Device): { channel: number; name: string }[] => device.health?.channels ?? [];

/** Channels of a device that is at the site: those that can be chosen, and why others cannot (CLOUD-13, CLOUD-17). */
export function DevicePanel(o: {
  device: Device;
  room: CloudDevice | undefined;
  cloud: readonly CloudChannel[];
  chosen: ReadonlySet<string>;
  toggle: (key: string) => void;
  packages: (key: string) => PackageChoice | null;
  /** No package is left for one more channel. */
  soldOut: boolean;
  /** Nor was one when the page was opened: that is said above, once. */
  none: boolean;
  fits: string | undefined;
}) {
  const { device, chosen } = o;
  const reasons = useId();
  const keyOf = (channel: number) => `${device.id}/${channel}`;
  const channels = channelsOf(device);
  const picked = channels.filter(({ channel }) => chosen.has(keyOf(channel))).map(({ channel }) => channel);
  const { most, taken, free } = roomOf(o.room, picked);
  const setups = o.room?.setups ?? [];
  const serviceOf = (channel: number): CloudService | null | undefined =>
    o.cloud.find((one) => one.deviceId === device.id && one.channel === channel && isPaid(one))?.service;
  const full = most !== null && free === 0 && channels.some(({ channel }) => !chosen.has(keyOf(channel)));
  const over = most !== null && new Set([...taken, ...picked]).size > most;
  return (
    <Panel title={device.name}>
      <div id={reasons} class="mb-2 flex flex-col gap-1">
        {most !== null && (
          <p class="small">
            {t('cloud.roomOf', { model: o.room?.model ?? '', count: most, taken: taken.size })}{' '}
            <a class="link" href={`/compatibility?q=${encodeURIComponent(o.room?.model ?? '')}`}>
              {t('cloud.compat')}
            </a>
          </p>
        )}
        {over && <State level="problem">{t('cloud.over')}</State>}
        {!over && full && <State level="info">{t('cloud.full')}</State>}
        {!full &&
          o.soldOut &&
          !o.none &&
          channels.some(({ channel }) => !serviceOf(channel) && !chosen.has(keyOf(channel))) && (
            <State level="info">{t('cloud.soldOut')}</State>
          )}
      </div>
      {channels.length === 0 && <p class="muted">{t('cloud.noChannels')}</p>}
      <ul class="flex flex-col divide-y divide-base-300">
        {channels.map(({ channel, name }) => {
          const key = keyOf(channel);
          const service = serviceOf(channel);
          const setup = setups.find((one) => one.channel === channel);
          const running = setup?.state === 'running';
          const on = chosen.has(key);
          const barred = !on && (running || (!taken.has(channel) && free === 0) || (!service && o.soldOut));
          return (
            <li key={key} class="py-2">
              <label class={`flex min-h-11 items-center gap-3 ${barred ? 'muted' : ''}`}>
                <input
                  type="checkbox"
                  class="checkbox shrink-0"
                  checked={on}
                  disabled={barred}
                  aria-describedby={barred ? reasons : undefined}
                  onChange={() => o.toggle(key)}
                />
                <span class="min-w-0 break-words">
                  {name || t('device.channel', { n: channel })}
                  {service && !running && (
                    <span class="muted small block">
                      {t('cloud.paidAlready')} {t('cloud.until')} <Time at={service.until} />.
                    </span>
                  )}
                  {running && <span class="muted small block">{t('cloud.busyAlready')}</span>}
                </span>
              </label>
              {running && setup.jobId && <JobLink jobId={setup.jobId} />}
              {on && (
                <ChannelFields
                  name={key}
                  at={{ deviceId: device.id, channel }}
                  packages={o.packages(key)}
                  device={o.room}
                  fits={o.fits}
                />
              )}
            </li>
          );
        })}
      </ul>
      <details class="mt-2">
        <summary class="link inline-flex min-h-11 items-center">{t('cloud.otherLogin')}</summary>
        <div class="mt-2 flex max-w-2xl flex-col gap-4">
          <p class="muted small">{t('cloud.otherLoginText', { address: `${device.host}:${device.httpPort}` })}</p>
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
  );
}

function JobLink({ jobId }: { jobId: string }) {
  const { base } = useSite();
  return (
    <a class="link inline-flex min-h-11 items-center" href={`${base}/jobs/${jobId}`}>
      {t('cloud.follow')}
    </a>
  );
}
