import { useEffect, useState } from 'preact/hooks';
import type { SiteDiscoveryMessage } from '../../../protocol/wire/box-api.ts';
import { DiscoveredTable } from '../../components/discovered.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { addPage, type Found, isPanel } from '../install/found.ts';
import { api, sessionEnded } from '../session.ts';
import { useSite } from './context.ts';
import { BatchBar, DeviceMenu } from './discovered-batch.tsx';
import { type Discovery, followDiscovery } from './follow-discovery.ts';
import { type LiveState, LiveStream } from './sse.ts';

/**
 * What the boxes of the site see, as they tell it. A page that nobody looks at does not listen: browsers open only six
 * connections to one server, for all their windows together.
 */
function useDiscovery(siteId: string): { found: Discovery | null; live: LiveState } {
  const [found, setFound] = useState<Discovery | null>(null);
  const [live, setLive] = useState<LiveState>('connecting');
  useEffect(() => {
    let stream: LiveStream<SiteDiscoveryMessage> | null = null;
    const follow = () => {
      const wanted = document.visibilityState === 'visible';
      if (wanted === (stream !== null)) return;
      stream?.stop();
      stream = null;
      if (!wanted) return;
      stream = new LiveStream<SiteDiscoveryMessage>({
        url: `/api/v1/sites/${encodeURIComponent(siteId)}/discovery/stream`,
        onMessage: (message) => setFound((old) => followDiscovery(old, message)),
        onState: setLive,
        onSignedOut: sessionEnded,
      });
      stream.start();
    };
    follow();
    document.addEventListener('visibilitychange', follow);
    return () => {
      document.removeEventListener('visibilitychange', follow);
      stream?.stop();
    };
  }, [siteId]);
  return { found, live };
}

/** What the boxes found on the customer's LAN, to be set up and added from here; it keeps itself up to date (DISC-03). */
export function Discovered() {
  const { base, devices, siteId } = useSite();
  const { found, live } = useDiscovery(siteId);
  // What the boxes find comes over the live connection.
  const scan = useAction(
    async () => void (await api.post('/sites/{siteId}/discovery/scan', {}, { params: { siteId } })),
  );
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const items = found?.items ?? [];
  const awaits = !found || found.awaited.length > 0;
  const slow = items.filter((item) => item.pingLevel === 'red').length;
  const added = ({ mac, serial }: Found) =>
    devices.data?.items.find(
      (device) => (device.mac !== null && device.mac === mac) || (device.serial !== null && device.serial === serial),
    );
  const toggle = (mac: string) => {
    const now = new Set(chosen);
    if (!now.delete(mac)) now.add(mac);
    setChosen(now);
  };
  return (
    <Panel
      title={t('discovery.title')}
      action={
        <span class="flex items-center gap-4">
          <a class="link" href={`${base}/devices/add`}>
            {t('discovery.byAddress')}
          </a>
          <button type="button" class="btn" onClick={() => scan.run()} aria-disabled={scan.busy}>
            {scan.busy ? t('discovery.scanning') : t('discovery.scan')}
          </button>
        </span>
      }
    >
      <ProblemPanel error={scan.error} what={t('discovery.scanFailed')} />
      {live === 'lost' && (
        <p role="status">
          <State level="attention">{t('discovery.lost')}</State>
        </p>
      )}
      {found?.unreachable.map((serial) => (
        <p key={serial}>
          <State level="unknown">{t('discovery.unreachable', { serial })}</State>
        </p>
      ))}
      {awaits && items.length === 0 && live !== 'lost' && <Skeleton />}
      <p role="status" class="sr-only">
        {!awaits && !scan.busy && t('discovery.count', { count: items.length })}
      </p>
      {!awaits && items.length === 0 && found.unreachable.length === 0 && (
        <Empty title={t('discovery.none')}>{t('discovery.noneNext')}</Empty>
      )}
      <Fresh items={items.filter((item) => item.activated === false && !isPanel(item.model))} />
      {slow > 0 && (
        <p class="mb-3">
          <State level="problem">{t('discovery.slow', { count: slow })}</State>
        </p>
      )}
      {items.length > 0 && (
        <DiscoveredTable
          items={items}
          chosen={{ macs: chosen, toggle }}
          action={(item) => {
            const device = added(item);
            return (
              <>
                {device ? (
                  <a class="link" href={`${base}/devices/${device.id}`}>
                    {t('discovery.added', { name: device.name })}
                  </a>
                ) : item.activated === false ? (
                  <a class="link" href={`${base}/activate${item.mac && `?mac=${item.mac}`}`}>
                    {t('discovery.activateFirst')}
                  </a>
                ) : (
                  <a class="btn" href={addPage(base, item)}>
                    {t('discovery.add')}
                    <span class="sr-only">
                      {' '}
                      {item.model} {item.address}
                    </span>
                  </a>
                )}
                <DeviceMenu item={item} device={device} />
              </>
            );
          }}
        />
      )}
      <BatchBar
        chosen={items.filter((item) => chosen.has(item.mac))}
        added={added}
        clear={() => setChosen(new Set())}
      />
    </Panel>
  );
}

/** The prompt for devices without a password; control panels are left to their own page (DISC-09, DISC-10). */
function Fresh({ items }: { items: Found[] }) {
  const { base } = useSite();
  if (items.length === 0) return null;
  return (
    <div
      role="status"
      class="mb-4 flex flex-wrap items-center justify-between gap-3 rounded-box border border-warning p-4"
    >
      <span>
        <State level="attention">{t('discovery.fresh', { count: items.length })}</State>
        <span class="muted small block">{t('discovery.freshText')}</span>
      </span>
      <a class="btn btn-primary" href={`${base}/activate`}>
        {t('discovery.setPasswords')}
      </a>
    </div>
  );
}
