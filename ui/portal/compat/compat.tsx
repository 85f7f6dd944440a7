import { useLocation } from 'preact-iso';
import { COMPAT_FEATURES, COMPAT_LISTS, type CompatList, type CompatRow } from '../../../protocol/wire/compat.ts';
import { address, type QueryOf } from '../../client/client.ts';
import { Choice } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { Tabs } from '../../components/tabs.tsx';
import { formatRate } from '../bandwidth/words.ts';
import { api, me } from '../session.ts';
import { useFilters, useList } from '../sites/lists.ts';
import { MoreButton, SearchField } from '../sites/parts.tsx';

const FILTERS = ['q', 'list', 'deviceType', 'channels', 'height', 'kbps'] as const;
const CHANNELS = [1, 2, 4, 8, 16];
const HEIGHTS = [1080, 1440, 2160];
const RATES = [2_048, 4_096, 5_120, 8_192];

/** What is known of models: how many channels the cloud takes, and what else they do. */
export function CompatPage() {
  const { path } = useLocation();
  const { filters, set, query } = useFilters(FILTERS);
  const summary = useResource((signal) => api.get('/compatibility/summary', { signal }), []);
  const asked = { ...query, list: query.list || 'cloud-nvr' } as QueryOf<'/compatibility'>;
  const { list, more } = useList(api.paged('/compatibility', { query: { ...asked, limit: 50 } }));
  const shown = (filters.list || 'cloud-nvr') as CompatList;
  const items = list.data?.items ?? [];
  const brands = shown === 'co-branding';
  const atLeast = (label: string, name: 'channels' | 'height' | 'kbps', values: [number, string][]) => (
    <Choice
      label={label}
      name={name}
      value={filters[name]}
      onChange={(value) => set({ [name]: value })}
      options={[
        ['', t('compat.any')],
        ...values.map(([value, text]) => [String(value), t('compat.atLeast', { text })] as const),
      ]}
    />
  );
  return (
    <>
      <Title>{t('compat.title')}</Title>
      <p class="muted max-w-prose">{t('compat.intro')}</p>
      <Tabs
        label={t('compat.lists')}
        tabs={COMPAT_LISTS.map((name) => ({
          key: name,
          href: `${path}?${new URLSearchParams({ list: name, ...(filters.q && { q: filters.q }) })}`,
          current: name === shown,
          text: `${t(`compat.list.${name}`)}${summary.data ? ` (${summary.data.counts[name]})` : ''}`,
        }))}
      />
      <search class="panel grid grid-cols-2 gap-4 py-3 md:py-4 lg:grid-cols-5">
        <SearchField value={filters.q} label={t('compat.search')} onSearch={(q) => set({ q })} />
        <Choice
          label={t('compat.deviceType')}
          name="deviceType"
          value={filters.deviceType}
          onChange={(deviceType) => set({ deviceType })}
          options={[['', t('compat.any')], ...(summary.data?.deviceTypes ?? []).map((type) => [type, type] as const)]}
        />
        {!brands && (
          <>
            {atLeast(
              t('compat.channels'),
              'channels',
              CHANNELS.map((n) => [n, String(n)]),
            )}
            {atLeast(
              t('compat.resolution'),
              'height',
              HEIGHTS.map((n) => [n, t('compat.lines', { n })]),
            )}
            {atLeast(
              t('compat.bitRate'),
              'kbps',
              RATES.map((n) => [n, formatRate(n)]),
            )}
          </>
        )}
      </search>
      <ProblemPanel error={list.error} what={t('compat.failed')} retry={list.reload} />
      {!list.data && !list.error && <Skeleton lines={8} />}
      {list.data && items.length === 0 && <Empty title={t('compat.none')}>{t('compat.noneNext')}</Empty>}
      {items.length > 0 && (
        <div class="panel py-1 md:py-2">{brands ? <Functions items={items} /> : <Limits items={items} />}</div>
      )}
      <MoreButton list={list} more={more} failed={t('compat.failed')} />
      <div class="flex flex-wrap items-center gap-4">
        <a class="btn" href={address('/compatibility/export', { query: asked })} download>
          {t('compat.download')}
        </a>
        {me.value?.company.type === 'operator' && (
          <a class="link" href="/operator/compatibility">
            {t('compat.import')}
          </a>
        )}
      </div>
    </>
  );
}

const Model = ({ row }: { row: CompatRow }) => (
  <td data-label={t('compat.model')}>
    <span>
      <span class="font-semibold">{row.model}</span>
      <span class="muted small"> {[row.deviceType, row.series].filter(Boolean).join(', ')}</span>
    </span>
  </td>
);

function Limits({ items }: { items: CompatRow[] }) {
  const heads = ['compat.model', 'compat.firmware', 'compat.channels', 'compat.resolution', 'compat.bitRate'] as const;
  return (
    <table class="rows">
      <thead>
        <tr>
          {[...heads, 'compat.remarks' as const].map((head) => (
            <th key={head}>{t(head)}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {items.map((row) => (
          <tr key={row.id}>
            <Model row={row} />
            <td data-label={t('compat.firmware')}>{row.firmware || t('state.none')}</td>
            <td data-label={t('compat.channels')}>{row.maxChannels ?? t('compat.noLimit')}</td>
            <td data-label={t('compat.resolution')}>
              {row.maxWidth && row.maxHeight ? `${row.maxWidth} × ${row.maxHeight}` : t('compat.noLimit')}
            </td>
            <td data-label={t('compat.bitRate')}>{row.maxKbps ? formatRate(row.maxKbps) : t('compat.noLimit')}</td>
            <td data-label={t('compat.remarks')} class={row.remarks ? '' : 'bare'}>
              {row.remarks}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Functions({ items }: { items: CompatRow[] }) {
  return (
    <table class="rows">
      <thead>
        <tr>
          <th>{t('compat.model')}</th>
          <th>{t('compat.firmware')}</th>
          {COMPAT_FEATURES.map((name) => (
            <th key={name}>{t(`compat.feature.${name}`)}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {items.map((row) => (
          <tr key={row.id}>
            <Model row={row} />
            <td data-label={t('compat.firmware')}>{row.firmware || t('state.none')}</td>
            {COMPAT_FEATURES.map((name) => (
              <td key={name} data-label={t(`compat.feature.${name}`)}>
                <Has value={row.features[name]} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Has({ value }: { value: boolean | undefined }) {
  if (value === undefined) return <State level="unknown">{t('state.unknown')}</State>;
  return value ? <State level="well">{t('compat.yes')}</State> : <span class="muted">{t('compat.no')}</span>;
}
