import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { api } from '../session.ts';
import { assess, glanceText } from '../site/assess.ts';
import { useFilters, useList } from './lists.ts';
import { plot } from './map.ts';
import { Modes, MoreButton, SearchField } from './parts.tsx';

const [WIDTH, HEIGHT] = [720, 440];

/** Where the sites are, as a drawing and by city. */
export function SitesMap() {
  const { filters, set, query } = useFilters(['q'] as const);
  const { list, more } = useList(api.paged('/sites', { query: { limit: 200, ...query } }));
  const items = list.data?.items ?? [];
  const dots = plot(items, WIDTH, HEIGHT);
  const cities = [...Map.groupBy(items, (site) => site.city || t('sites.noCity'))].sort(([a], [b]) =>
    a.localeCompare(b),
  );
  return (
    <>
      <Title>{t('sites.mapTitle')}</Title>
      <Modes current="map" />
      <search class="max-w-xl">
        <SearchField value={filters.q} label={t('sites.search')} onSearch={(q) => set({ q })} />
      </search>
      <ProblemPanel error={list.error} what={t('sites.failed')} retry={list.reload} />
      {!list.data && !list.error && <Skeleton lines={8} />}
      {list.data && items.length === 0 && <Empty title={t('sites.noneFound')}>{t('sites.noneFoundNext')}</Empty>}
      {items.length > 0 && (
        <div class="grid gap-6 lg:grid-cols-[3fr_2fr]">
          <Panel title={t('sites.mapPlaces')}>
            {dots.length === 0 ? (
              <Empty title={t('sites.noPlaces')}>{t('sites.noPlacesNext')}</Empty>
            ) : (
              <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} class="h-auto w-full rounded bg-base-200">
                <title>{t('sites.mapLabel', { count: items.length })}</title>
                {dots.map(({ x, y, items: here }) => {
                  const [first] = here;
                  const name = here.map((site) => site.name).join(', ');
                  const href =
                    here.length === 1 ? `/sites/${first!.id}` : `/sites?q=${encodeURIComponent(first!.city)}`;
                  const troubled = here.some((site) => ['problem', 'attention'].includes(assess(site, null).level));
                  return (
                    <a key={first!.id} href={href} aria-label={name}>
                      <title>{name}</title>
                      <circle cx={x} cy={y} r={14} fill="transparent" />
                      {troubled ? (
                        <path class="fill-error" d={`M${x} ${y - 9} L${x + 9} ${y + 7} L${x - 9} ${y + 7} Z`} />
                      ) : (
                        <circle class="fill-primary" cx={x} cy={y} r={here.length > 1 ? 8 : 6} />
                      )}
                      {here.length > 1 && (
                        <text x={x + 12} y={y + 4} class="fill-base-content text-xs">
                          {here.length}
                        </text>
                      )}
                    </a>
                  );
                })}
              </svg>
            )}
          </Panel>
          <Panel title={t('sites.byCity')}>
            <div class="flex flex-col gap-4">
              {cities.map(([city, sites]) => (
                <section key={city}>
                  <h3>
                    {city} <span class="muted">({sites.length})</span>
                  </h3>
                  <ul>
                    {sites.slice(0, 20).map((site) => {
                      const found = assess(site, null);
                      return (
                        <li key={site.id} class="flex flex-wrap justify-between gap-x-4">
                          <a class="link" href={`/sites/${site.id}`}>
                            {site.name}
                          </a>
                          <State level={found.level}>{glanceText(found)}</State>
                        </li>
                      );
                    })}
                    {sites.length > 20 && <li class="muted">{t('sites.more', { count: sites.length - 20 })}</li>}
                  </ul>
                </section>
              ))}
            </div>
          </Panel>
        </div>
      )}
      <MoreButton list={list} more={more} failed={t('sites.failed')} />
    </>
  );
}
