import { useEffect } from 'preact/hooks';
import type { Site } from '../../../protocol/wire/api.ts';
import type { HomeItem, HomeKind } from '../../../protocol/wire/home.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { Time, Zone } from '../../components/time.tsx';
import { INSTALLERS, refused } from '../route.tsx';
import { api, me } from '../session.ts';
import { byKind, isUrgent, levelOf, linkOf, siteState, urgentCount } from './items.ts';
import { visitedSites } from './visited.ts';

const AGAIN_MS = 30_000;

/** "Is everything all right?" over all sites, what waits for an answer, and the sites one was at last. */
export function Home() {
  const visited = visitedSites().join();
  const home = useResource((signal) => api.get('/home', { query: { sites: visited }, signal }), [visited]);
  useEffect(() => {
    const again = () => document.visibilityState === 'visible' && home.reload();
    const timer = setInterval(again, AGAIN_MS);
    document.addEventListener('visibilitychange', again);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', again);
    };
  }, []);
  const data = home.data;
  const urgent = data?.items.filter((item) => isUrgent(item.kind)) ?? [];
  const asked = data?.items.filter((item) => !isUrgent(item.kind)) ?? [];
  const count = data ? urgentCount(data.items, data.sites) : 0;
  const more = data?.more.some(isUrgent);
  return (
    <>
      <Title>{t('nav.home')}</Title>
      <ProblemPanel error={home.error} what={t('home.failed')} retry={home.reload} />
      {!data && !home.error && <Skeleton lines={6} />}
      {data && (
        <p class="text-lg">
          <State level={count > 0 ? 'attention' : 'well'}>
            {count === 0 ? t('home.well') : t(more ? 'home.attentionMore' : 'home.attention', { count })}
          </State>
        </p>
      )}
      {urgent.length > 0 && <Items title={t('home.urgent')} items={urgent} more={data!.more} />}
      {asked.length > 0 && <Items title={t('home.asked')} items={asked} more={data!.more} />}
      {data && <Recent sites={data.sites} anySite={data.anySite} />}
    </>
  );
}

function Items({ title, items, more }: { title: string; items: HomeItem[]; more: HomeKind[] }) {
  return (
    <Panel title={title}>
      <ul class="flex flex-col gap-4">
        {byKind(items).map(([kind, list]) => (
          <li key={kind}>
            <State level={levelOf(kind)}>
              <strong>{t(`home.kind.${kind}`)}</strong>
            </State>
            <ul class="mt-1 flex flex-col gap-1 pl-6">
              {list.map((item) => (
                <Item key={`${item.name} ${item.site?.id}`} item={item} />
              ))}
              {more.includes(kind) && <li class="muted">{t('home.more')}</li>}
            </ul>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Item({ item }: { item: HomeItem }) {
  const ends = item.kind.endsWith('-ends') || item.kind === 'transfer-open';
  return (
    <Zone.Provider value={item.site?.timeZone}>
      <li>
        <a class="link inline-block py-1" href={linkOf(item)}>
          {item.site && item.site.name !== item.name
            ? `${item.site.name}: ${item.text === null ? item.name : say(item.text)}`
            : item.name}
        </a>{' '}
        {item.at && (
          <span class="muted small">
            {t(ends ? 'home.until' : 'time.since')} <Time at={item.at} />
          </span>
        )}
      </li>
    </Zone.Provider>
  );
}

function Recent({ sites, anySite }: { sites: Site[]; anySite: boolean }) {
  const person = me.value;
  const mayMake =
    person?.limited === false &&
    refused({ who: INSTALLERS, needs: ['manage-all-sites', 'manage-assigned-sites'] }, person ?? null) === null;
  return (
    <Panel
      title={t('home.sites')}
      action={
        anySite ? (
          <a class="link" href="/sites">
            {t('home.allSites')}
          </a>
        ) : undefined
      }
    >
      {!anySite && (
        <Empty title={t('home.noSite')}>
          {mayMake && (
            <a class="link" href="/sites/new">
              {t('home.firstSite')}
            </a>
          )}
        </Empty>
      )}
      <ul class="grid gap-x-8 gap-y-4 empty:hidden md:grid-cols-2 xl:grid-cols-3">
        {sites.map((site) => {
          const { level, count, barred } = siteState(site);
          return (
            <li key={site.id}>
              <h3>
                <a class="link inline-block py-1" href={`/sites/${site.id}`}>
                  {site.name}
                </a>
              </h3>
              <State level={level}>
                {barred && t('home.barred')}
                {!barred && level === 'unknown' && t('home.noBox')}
                {level !== 'unknown' && (count ? t('home.attention', { count }) : t('home.well'))}
              </State>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
