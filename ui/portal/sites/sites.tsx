import { useState } from 'preact/hooks';
import type { Site } from '../../../protocol/wire/api.ts';
import { SITE_STATUSES } from '../../../protocol/wire/rights.ts';
import type { QueryOf } from '../../client/client.ts';
import { Choice } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { Zone } from '../../components/time.tsx';
import { INSTALLERS, refused } from '../route.tsx';
import { api, me } from '../session.ts';
import { assess, glanceText } from '../site/assess.ts';
import { AssignPanel, MovePanel } from './batch.tsx';
import { useFilters, useList } from './lists.ts';
import { Modes, MoreButton, SearchField, SiteStatusText, Validity } from './parts.tsx';

const FILTERS = ['q', 'status', 'type', 'group'] as const;

/** Every site in reach, by name: searched, filtered, and worked on several at a time. */
export function Sites() {
  const { filters, set, query } = useFilters(FILTERS);
  const { list, more } = useList(api.paged('/sites', { query: query as QueryOf<'/sites'> }));
  const groups = useResource((signal) => api.get('/site-groups', { signal }), []);
  const [chosen, setChosen] = useState<ReadonlyMap<string, Site>>(new Map());
  const items = list.data?.items ?? [];
  const person = me.value ?? null;
  const mayMake =
    person?.limited === false &&
    refused({ who: INSTALLERS, needs: ['manage-all-sites', 'manage-assigned-sites'] }, person) === null;
  const filtered = Object.values(filters).some(Boolean);
  const toggle = (site: Site, on: boolean) => {
    const next = new Map(chosen);
    if (on) next.set(site.id, site);
    else next.delete(site.id);
    setChosen(next);
  };
  const done = () => {
    list.reload();
    groups.reload();
  };
  return (
    <>
      <div class="flex flex-wrap items-center justify-between gap-4">
        <Title>{t('sites.title')}</Title>
        {mayMake && (
          <a class="btn" href="/sites/new">
            {t('sites.new')}
          </a>
        )}
      </div>
      <Modes current="list" />
      <search class="panel grid grid-cols-2 gap-4 py-3 md:sticky md:top-0 md:z-10 md:py-4 lg:grid-cols-4">
        <SearchField value={filters.q} label={t('sites.search')} onSearch={(q) => set({ q })} />
        <Choice
          label={t('sites.status')}
          name="status"
          value={filters.status}
          onChange={(status) => set({ status })}
          options={[
            ['', t('sites.any')],
            ...SITE_STATUSES.map((status) => [status, t(`siteStatus.${status}`)] as const),
          ]}
        />
        <Choice
          label={t('sites.type')}
          name="type"
          value={filters.type}
          onChange={(type) => set({ type })}
          options={[
            ['', t('sites.any')],
            ['personal', t('sites.personal')],
            ['team', t('sites.team')],
          ]}
        />
        <Choice
          label={t('sites.group')}
          name="group"
          value={filters.group}
          onChange={(group) => set({ group })}
          options={[
            ['', t('sites.any')],
            ['none', t('sites.noGroup')],
            ...(groups.data?.items ?? []).map((group) => [group.id, `${group.name} (${group.siteCount})`] as const),
          ]}
        />
      </search>
      <ProblemPanel error={list.error} what={t('sites.failed')} retry={list.reload} />
      <ProblemPanel error={groups.error} what={t('sites.groupsFailed')} retry={groups.reload} />
      {!list.data && !list.error && <Skeleton lines={6} />}
      {list.data && items.length === 0 && (
        <Empty title={t(filtered ? 'sites.noneFound' : 'sites.none')}>
          {t(filtered ? 'sites.noneFoundNext' : mayMake ? 'sites.noneNext' : 'sites.noneYours')}
        </Empty>
      )}
      {chosen.size > 0 && (
        <section class="panel flex flex-col gap-4" aria-label={t('sites.batch')}>
          <p class="flex flex-wrap items-center gap-4">
            <strong role="status">{t('sites.chosen', { count: chosen.size })}</strong>
            <button type="button" class="link" onClick={() => setChosen(new Map())}>
              {t('sites.chooseNone')}
            </button>
          </p>
          <div class="grid gap-6 lg:grid-cols-2">
            <AssignPanel sites={[...chosen.values()]} done={done} />
            <MovePanel sites={[...chosen.values()]} groups={groups.data?.items ?? []} done={done} />
          </div>
        </section>
      )}
      {items.length > 0 && (
        <div class="panel md:overflow-x-auto">
          <table class="rows">
            <thead>
              <tr>
                <th>
                  <span class="sr-only">{t('sites.choose')}</span>
                </th>
                <th>{t('sites.name')}</th>
                <th>{t('sites.state')}</th>
                <th>{t('sites.status')}</th>
                <th>{t('sites.devicesColumn')}</th>
                <th>{t('sites.group')}</th>
                <th>{t('sites.managers')}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((site) => (
                <Row key={site.id} site={site} chosen={chosen.has(site.id)} toggle={toggle} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <MoreButton list={list} more={more} failed={t('sites.failed')} />
    </>
  );
}

function Row({ site, chosen, toggle }: { site: Site; chosen: boolean; toggle: (site: Site, on: boolean) => void }) {
  const found = assess(site, null);
  const [first] = site.managers.first;
  return (
    <tr>
      <td class="wide">
        <input
          type="checkbox"
          class="checkbox"
          checked={chosen}
          aria-label={t('sites.chooseSite', { name: site.name })}
          onChange={(event) => toggle(site, event.currentTarget.checked)}
        />
      </td>
      <td data-label={t('sites.name')} class="wide">
        <a class="link font-semibold" href={`/sites/${site.id}`}>
          {site.name}
        </a>
        <br />
        <span class="muted small">
          {[site.address, site.city, site.type === 'team' && t('sites.team')].filter(Boolean).join(', ')}
        </span>
      </td>
      <td data-label={t('sites.state')}>
        <State level={found.level}>{glanceText(found)}</State>
      </td>
      <td data-label={t('sites.status')}>
        <SiteStatusText site={site} />
      </td>
      <td data-label={t('sites.devicesColumn')}>
        {t('sites.devices', { count: site.deviceCount })}
        <br />
        <span class="muted small">{t('sites.channels', { count: site.channelCount })}</span>
      </td>
      <td data-label={t('sites.group')} class={site.group ? undefined : 'bare'}>
        {site.group?.name}
      </td>
      <td data-label={t('sites.managers')} class={first ? undefined : 'bare'}>
        <Zone.Provider value={site.timeZone}>
          {site.managers.first.map((manager) => (
            <span key={manager.userId} class="block">
              {manager.name}
              {manager.until !== null && (
                <>
                  {', '}
                  <Validity until={manager.until} />
                </>
              )}
            </span>
          ))}
          {site.managers.count > site.managers.first.length && (
            <span class="muted">{t('sites.more', { count: site.managers.count - site.managers.first.length })}</span>
          )}
        </Zone.Provider>
      </td>
    </tr>
  );
}
