import type { DeviceItem } from '../../../protocol/wire/api.ts';
import { DEVICE_TYPES } from '../../../protocol/wire/rights.ts';
import type { QueryOf } from '../../client/client.ts';
import { Choice } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { api } from '../session.ts';
import { useFilters, useList } from './lists.ts';
import { Modes, MoreButton, SearchField } from './parts.tsx';

const STATES = ['online', 'offline', 'unknown'] as const;
const FILTERS = ['q', 'type', 'state', 'accessMode'] as const;
const LEVEL: Record<DeviceItem['state'], Level> = { online: 'well', offline: 'problem', unknown: 'unknown' };

/** Device mode: every device of every site in reach. */
export function AllDevices() {
  const { filters, set, query } = useFilters(FILTERS);
  const { list, more } = useList(api.paged('/devices', { query: query as QueryOf<'/devices'> }));
  const items = list.data?.items ?? [];
  const filtered = Object.values(filters).some(Boolean);
  return (
    <>
      <Title>{t('sites.devicesTitle')}</Title>
      <Modes current="devices" />
      <search class="panel grid grid-cols-2 gap-4 py-3 md:sticky md:top-0 md:z-10 md:py-4 lg:grid-cols-4">
        <SearchField value={filters.q} label={t('sites.searchDevices')} onSearch={(q) => set({ q })} />
        <Choice
          label={t('sites.state')}
          name="state"
          value={filters.state}
          onChange={(state) => set({ state })}
          options={[['', t('sites.any')], ...STATES.map((state) => [state, t(`sites.deviceState.${state}`)] as const)]}
        />
        <Choice
          label={t('sites.deviceType')}
          name="type"
          value={filters.type}
          onChange={(type) => set({ type })}
          options={[
            ['', t('sites.any')],
            ...DEVICE_TYPES.filter((type) => type !== 'box').map((type) => [type, t(`deviceType.${type}`)] as const),
          ]}
        />
        <Choice
          label={t('sites.accessMode')}
          name="accessMode"
          value={filters.accessMode}
          onChange={(accessMode) => set({ accessMode })}
          options={[
            ['', t('sites.any')],
            ['p2p', t('sites.p2p')],
            ['ip', t('sites.ip')],
          ]}
        />
      </search>
      <ProblemPanel error={list.error} what={t('sites.devicesFailed')} retry={list.reload} />
      {!list.data && !list.error && <Skeleton lines={6} />}
      {list.data && items.length === 0 && (
        <Empty title={t(filtered ? 'sites.noneFound' : 'sites.noDevices')}>
          {t(filtered ? 'sites.noneFoundNext' : 'sites.noDevicesNext')}
        </Empty>
      )}
      {items.length > 0 && (
        <div class="panel md:overflow-x-auto">
          <table class="rows">
            <thead>
              <tr>
                <th>{t('sites.deviceName')}</th>
                <th>{t('sites.siteColumn')}</th>
                <th>{t('sites.state')}</th>
                <th>{t('sites.deviceType')}</th>
                <th>{t('sites.model')}</th>
                <th>{t('sites.serial')}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((device) => (
                <tr key={device.id}>
                  <td data-label={t('sites.deviceName')} class="wide">
                    <a class="link font-semibold" href={`/sites/${device.siteId}/devices/${device.id}`}>
                      {device.name}
                    </a>
                  </td>
                  <td data-label={t('sites.siteColumn')} class="wide">
                    <a class="link" href={`/sites/${device.siteId}`}>
                      {device.siteName}
                    </a>
                  </td>
                  <td data-label={t('sites.state')}>
                    <State level={LEVEL[device.state]}>{t(`sites.deviceState.${device.state}`)}</State>
                    {device.accessMode === 'ip' && <span class="muted small block">{t('sites.ip')}</span>}
                  </td>
                  <td data-label={t('sites.deviceType')}>{t(`deviceType.${device.type}`)}</td>
                  <td data-label={t('sites.model')} class={device.model ? undefined : 'bare'}>
                    {device.model}
                  </td>
                  <td data-label={t('sites.serial')} class={device.serial ? 'wide' : 'bare'}>
                    <span class="mono small select-all">{device.serial}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <MoreButton list={list} more={more} failed={t('sites.devicesFailed')} />
    </>
  );
}
