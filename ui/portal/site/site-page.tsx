import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Route, Router, useLocation } from 'preact-iso';
import type { Box, Device, Site, StreamMessage } from '../../../protocol/wire/api.ts';
import { t } from '../../components/i18n.ts';
import { Mark } from '../../components/icons.tsx';
import { Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { Time, Zone } from '../../components/time.tsx';
import { NotFound } from '../not-found.tsx';
import { api, sessionEnded } from '../session.ts';
import { AddDevicePage } from './add-device.tsx';
import { Alarms } from './alarms.tsx';
import { Arc } from './arc.tsx';
import { ArcAccountPage } from './arc-form.tsx';
import { Claim } from './claim.tsx';
import { type SiteContext, SiteData } from './context.ts';
import { DevicePage } from './device-page.tsx';
import { Devices } from './devices.tsx';
import { EventPage } from './event-page.tsx';
import { Events } from './events.tsx';
import { followBoxes, followDevices } from './lists.ts';
import { Overview } from './overview.tsx';
import { ReceiverPage } from './receiver-form.tsx';
import { type LiveState, LiveStream } from './sse.ts';

/** Everything about one site; keeps its data and the live connection while its pages change. */
export function SitePage({ params }: { params?: { siteId?: string } }) {
  const siteId = params?.siteId ?? '';
  // A change of site is a new page: nothing of the other one may be seen.
  return <SiteFrame key={siteId} siteId={siteId} />;
}

function SiteFrame({ siteId }: { siteId: string }) {
  const path = `/sites/${encodeURIComponent(siteId)}`;
  const site = useResource((signal) => api.get<Site>(path, { signal }), [path]);
  const boxes = useResource((signal) => api.get<{ items: Box[] }>(`${path}/boxes`, { signal }), [path]);
  const devices = useResource((signal) => api.get<{ items: Device[] }>(`${path}/devices`, { signal }), [path]);
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

  const value = useMemo<SiteContext>(
    () => ({ siteId, base: path, zone: site.data?.timeZone, site, boxes, devices, live: live.state, listen }),
    [siteId, site.data, site.error, boxes.data, boxes.error, devices.data, devices.error, live.state],
  );
  if (!site.data)
    return site.error ? (
      <>
        <Title>{t('site.title')}</Title>
        <ProblemPanel error={site.error} what={t('site.failed')} retry={site.reload} />
      </>
    ) : (
      <Skeleton lines={8} />
    );
  return (
    <SiteData.Provider value={value}>
      <Zone.Provider value={site.data.timeZone}>
        <SiteHead base={path} name={site.data.name} />
        <Connection state={live.state} since={live.since} />
        <Router>
          <Route path="/" component={Overview} />
          <Route path="/devices" component={Devices} />
          <Route path="/devices/add" component={AddDevicePage} />
          <Route path="/devices/:deviceId" component={DevicePage} />
          <Route path="/events" component={Events} />
          <Route path="/events/:eventId" component={EventPage} />
          <Route path="/alarms" component={Alarms} />
          <Route path="/arc" component={Arc} />
          <Route path="/arc/new" component={ArcAccountPage} />
          <Route path="/arc/receivers/new" component={ReceiverPage} />
          <Route path="/arc/:accountId" component={ArcAccountPage} />
          <Route path="/claim" component={Claim} />
          <Route default component={NotFound} />
        </Router>
      </Zone.Provider>
    </SiteData.Provider>
  );
}

const TABS = ['', 'devices', 'events', 'alarms', 'arc'] as const;

/** The site's name and its pages. */
function SiteHead({ base, name }: { base: string; name: string }) {
  const { path } = useLocation();
  const current = path.slice(base.length).split('/')[1] ?? '';
  return (
    <div>
      <p>
        <a class="link small" href="/">
          {t('sites.title')}
        </a>
        <span class="muted small" aria-hidden="true">
          {' / '}
        </span>
        <span class="font-semibold">{name}</span>
      </p>
      <nav
        aria-label={t('site.pages')}
        class="mt-2 -mx-4 overflow-x-auto border-b border-base-300 px-4 md:mx-0 md:px-0"
      >
        <ul class="tabs flex gap-4 md:gap-6">
          {TABS.map((tab) => (
            <li key={tab}>
              <a href={tab ? `${base}/${tab}` : base} aria-current={current === tab ? 'page' : undefined}>
                {t(`site.tab.${tab || 'overview'}`)}
              </a>
            </li>
          ))}
        </ul>
      </nav>
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
