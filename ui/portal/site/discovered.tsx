import type { DiscoveredDevice } from '../../../protocol/wire/box-api.ts';
import { DiscoveredTable } from '../../components/discovered.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Panel, Skeleton } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { api } from '../session.ts';
import { useSite } from './context.ts';

export interface Discovery {
  items: (DiscoveredDevice & { boxSerial: string })[];
  /** Boxes that did not answer. */
  unreachable: string[];
}

/** What the boxes found on the customer's LAN, to be added from here. */
export function Discovered() {
  const { base, devices, siteId } = useSite();
  const found = useResource((signal) => api.get('/sites/{siteId}/discovery', { params: { siteId }, signal }), [siteId]);
  const scan = useAction(async () => {
    const fresh = await api.post('/sites/{siteId}/discovery/scan', {}, { params: { siteId } });
    found.set(() => fresh);
  });
  const fresh = found.data?.items.filter((item) => item.activated === false).length ?? 0;
  const added = (mac: string, serial: string) =>
    devices.data?.items.find(
      (device) => (device.mac !== null && device.mac === mac) || (device.serial !== null && device.serial === serial),
    );
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
        {found.data && !scan.busy && t('discovery.count', { count: found.data.items.length })}
      </p>
      {found.data?.items.length === 0 && found.data.unreachable.length === 0 && (
        <Empty title={t('discovery.none')}>{t('discovery.noneNext')}</Empty>
      )}
      {fresh > 0 && (
        <p class="mb-3">
          <State level="attention">
            <a class="link" href={`${base}/activate`}>
              {t('activation.link', { count: fresh })}
            </a>
          </State>
        </p>
      )}
      {found.data && found.data.items.length > 0 && (
        <DiscoveredTable
          items={found.data.items}
          action={(item) => {
            const known = added(item.mac, item.serial);
            if (known)
              return (
                <a class="link" href={`${base}/devices/${known.id}`}>
                  {t('discovery.added', { name: known.name })}
                </a>
              );
            if (item.activated === false)
              return (
                <a class="link" href={`${base}/activate`}>
                  {t('discovery.activateFirst')}
                </a>
              );
            return (
              <a class="btn" href={`${base}/devices/add?mac=${item.mac}`}>
                {t('discovery.add')}
                <span class="sr-only">
                  {' '}
                  {item.model} {item.address}
                </span>
              </a>
            );
          }}
        />
      )}
    </Panel>
  );
}
