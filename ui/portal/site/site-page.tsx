import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Route, Router, useLocation, useRoute } from 'preact-iso';
import { exec as match } from 'preact-iso/router';
import type { Me, Site, StreamMessage } from '../../../protocol/wire/api.ts';
import { t } from '../../components/i18n.ts';
import { Mark } from '../../components/icons.tsx';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { Tabs } from '../../components/tabs.tsx';
import { Time, Zone } from '../../components/time.tsx';
import { rememberVisit } from '../home/visited.ts';
import { NotFound } from '../not-found.tsx';
import { asRoutes, isSiteId, offered, refused, useTables } from '../route.tsx';
import { api, me, sessionEnded } from '../session.ts';
import { type SiteContext, SiteData, useSite } from './context.ts';
import { followBoxes, followDevices } from './lists.ts';
import { Barred } from './parts.tsx';
import { sees } from './rights.ts';
import { type LiveState, LiveStream } from './sse.ts';

/** Everything about one site; keeps its data and the live connection while its pages change. */
export function SitePage({ params }: { params?: { siteId?: string } }) {
  const siteId = params?.siteId ?? '';
  if (!isSiteId(siteId)) return <NotFound />;
  // A change of site is a new page: nothing of the other one may be seen.
  return <SiteFrame key={siteId} siteId={siteId} />;
}

function SiteFrame({ siteId }: { siteId: string }) {
  const { ofSite } = useTables();
  const path = `/sites/${encodeURIComponent(siteId)}`;
  const site = useResource((signal) => api.get('/sites/{siteId}', { params: { siteId }, signal }), [siteId]);
  const boxes = useResource((signal) => api.get('/sites/{siteId}/boxes', { params: { siteId }, signal }), [siteId]);
  const devices = useResource((signal) => api.get('/sites/{siteId}/devices', { params: { siteId }, signal }), [siteId]);
  const [live, setLive] = useState<{ state: LiveState; since: string }>({ state: 'connecting', since: '' });
  const listeners = useRef(new Set<(message: StreamMessage) => void>());
  const listen = useCallback((fn: (message: StreamMessage) => void) => {
    listeners.current.add(fn);
    return () => void listeners.current.delete(fn);
  }, []);

  useEffect(() => {
    let soon: ReturnType<typeof setTimeout> | undefined;
    let greeted = false;
    const stream = new LiveStream({
      url: `/api/v1${path}/stream`,
      onState: (state) => setLive({ state, since: new Date().toISOString() }),
      onSignedOut: sessionEnded,
      onMessage: (message) => {
        // The first greeting comes while the lists are being read anyway.
        if (message.event === 'hello') {
          if (greeted) for (const list of [site, boxes, devices]) list.reload();
          else greeted = true;
        }
        boxes.set((list) => ({ items: followBoxes(list.items, message) }));
        devices.set((list) => ({ items: followDevices(list.items, message) }));
        if (message.event === 'box' || message.event === 'device') {
          clearTimeout(soon);
          soon = setTimeout(site.reload, 500);
        }
        for (const fn of listeners.current) fn(message);
      },
    });
    stream.start();
    return () => {
      clearTimeout(soon);
      stream.stop();
    };
  }, [path]);

  // The owner may have given or taken permissions meanwhile: looked at again with each page.
  const { path: here } = useLocation();
  const first = useRef(here);
  useEffect(() => {
    if (first.current !== here) site.reload();
    first.current = here;
  }, [here]);

  const value = useMemo<SiteContext>(
    () => ({ siteId, base: path, zone: site.data?.timeZone, site, boxes, devices, live: live.state, listen }),
    [siteId, site.data, site.error, boxes.data, boxes.error, devices.data, devices.error, live.state],
  );
  const found = site.data !== undefined;
  useEffect(() => {
    if (found) rememberVisit(siteId);
  }, [siteId, found]);
  const person = me.value;
  if (!site.data || !person)
    return site.error ? (
      <>
        <Title>{t('site.title')}</Title>
        <ProblemPanel error={site.error} what={t('site.failed')} retry={site.reload} />
        <p>
          <a class="link" href="/">
            {t('notFound.home')}
          </a>
        </p>
      </>
    ) : (
      <Skeleton lines={8} />
    );
  return (
    <SiteData.Provider value={value}>
      <Zone.Provider value={site.data.timeZone}>
        <SiteHead base={path} site={site.data} person={person} />
        <Connection state={live.state} since={live.since} />
        <Router>
          {asRoutes(ofSite.filter((route) => offered(route, site.data!, person)))}
          <Route default component={NoSitePage} />
        </Router>
      </Zone.Provider>
    </SiteData.Provider>
  );
}

/** An address that is no page of this site for this person: says so when it is one for others. */
function NoSitePage() {
  const { path } = useRoute();
  const { ofSite } = useTables();
  const { site } = useSite();
  if (!ofSite.some((route) => match(path, route.path))) return <NotFound />;
  return (
    <>
      <Title>{t('page.notYours')}</Title>
      {sees(site.data!) ? <Empty title={t('page.notYoursSite')} /> : <Barred />}
    </>
  );
}

/** The site's name and its pages. */
function SiteHead({ base, site, person }: { base: string; site: Site; person: Me }) {
  const { path } = useLocation();
  const { pages, ofSite } = useTables();
  const here = path.slice(base.length) || '/';
  // A customer's sites stand on their first page.
  const listed = pages.some((route) => route.path === '/sites' && refused(route, person) === null);
  const tabs = ofSite
    .filter((route) => route.tab && offered(route, site, person))
    .sort((a, b) => a.tab!.order - b.tab!.order);
  return (
    <div>
      <p>
        <a class="link small" href={listed ? '/sites' : '/'}>
          {t(listed ? 'sites.title' : 'nav.home')}
        </a>
        <span class="muted small" aria-hidden="true">
          {' / '}
        </span>
        <span class="font-semibold">{site.name}</span>
      </p>
      <Tabs
        label={t('site.pages')}
        class="mt-2"
        tabs={tabs.map((route) => ({
          key: route.path,
          href: route.path === '/' ? base : base + route.path,
          current: here.split('/')[1] === route.path.split('/')[1],
          text: t(route.tab!.label),
        }))}
      />
    </div>
  );
}

/** Says when what is shown may be old, and when it is live again. */
function Connection({ state, since }: { state: LiveState; since: string }) {
  const [back, setBack] = useState(false);
  const lost = useRef(false);
  useEffect(() => {
    if (state === 'lost') lost.current = true;
    if (state !== 'live' || !lost.current) return;
    lost.current = false;
    setBack(true);
    const timer = setTimeout(() => setBack(false), 4_000);
    return () => clearTimeout(timer);
  }, [state]);
  return (
    <div role="status" class="empty:hidden">
      {state === 'lost' && (
        <p class="panel flex gap-3 border-warning py-3">
          <span class="mt-1 shrink-0">
            <Mark level="attention" />
          </span>
          <span>
            <strong>{t('live.lost')}</strong> {t('live.lostNext')} <Time at={since} />
          </span>
        </p>
      )}
      {state === 'live' && back && (
        <p class="panel flex gap-3 py-3">
          <span class="mt-1 shrink-0">
            <Mark level="well" />
          </span>
          {t('live.back')}
        </p>
      )}
    </div>
  );
}
