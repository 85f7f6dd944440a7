import { useEffect, useState } from 'preact/hooks';
import { DiscoveredTable } from '../../components/discovered.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { type Found, isPanel } from '../install/found.ts';
import { api } from '../session.ts';
import { useSite } from './context.ts';
import { BatchBar, DeviceMenu } from './discovered-batch.tsx';

export interface Discovery {
  items: Found[];
  /** Boxes that did not answer. */
  unreachable: string[];
}
/** Ping values are ten seconds old at most, and a device that is plugged in should be there at once. */
const LOOK_MS = 3_000;

/** What the boxes found on the customer's LAN, to be set up and added from here; it keeps itself up to date (DISC-03). */
export function Discovered() {
  const { base, devices, siteId } = useSite();
  const found = useResource((signal) => api.get('/sites/{siteId}/discovery', { params: { siteId }, signal }), [siteId]);
  const scan = useAction(async () => {
    const fresh = await api.post('/sites/{siteId}/discovery/scan', {}, { params: { siteId } });
    found.set(() => fresh);
  });
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const wait = found.loading || scan.busy || found.error !== null;
  useEffect(() => {
    if (wait) return;
    const timer = setInterval(() => document.visibilityState === 'visible' && found.reload(), LOOK_MS);
    return () => clearInterval(timer);
  }, [wait, found.reload]);
  const items = found.data?.items ?? [];
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
      <ProblemPanel error={found.error} what={t('discovery.failed')} retry={found.reload} />
      <ProblemPanel error={scan.error} what={t('discovery.scanFailed')} />
      {found.data?.unreachable.map((serial) => (
        <p key={serial}>
          <State level="unknown">{t('discovery.unreachable', { serial })}</State>
        </p>
      ))}
      {!found.data && !found.error && <Skeleton />}
      <p role="status" class="sr-only">
        {found.data && !scan.busy && t('discovery.count', { count: items.length })}
      </p>
      {found.data && items.length === 0 && found.data.unreachable.length === 0 && (
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
                  <a class="btn" href={`${base}/devices/add${item.mac && `?mac=${item.mac}`}`}>
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
