import type { ComponentChildren } from 'preact';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import { t } from './i18n.ts';
import { type Level, State } from './icons.tsx';
import { formatDuration } from './time.ts';

const PING: Record<'green' | 'yellow' | 'red', Level> = { green: 'well', yellow: 'attention', red: 'problem' };

/** Devices seen on the LAN. Identity is the MAC; the address may be shared by two. */
export function DiscoveredTable<T extends DiscoveredDevice>({
  items,
  action,
}: {
  items: T[];
  action?: (item: T) => ComponentChildren;
}) {
  return (
    <table class="rows">
      <thead>
        <tr>
          <th>{t('discovery.model')}</th>
          <th>{t('discovery.address')}</th>
          <th>{t('discovery.mac')}</th>
          <th>{t('discovery.firmware')}</th>
          <th>{t('discovery.activated')}</th>
          <th>{t('discovery.ping')}</th>
          {action && (
            <th>
              <span class="sr-only">{t('discovery.action')}</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr key={item.mac}>
            <td data-label={t('discovery.model')} class="wide">
              <span>
                <strong>{item.model || t('state.unknown')}</strong>
                <br />
                <span class="mono muted small select-all">{item.serial}</span>
              </span>
            </td>
            <td data-label={t('discovery.address')}>
              <span>
                <span class="mono">{item.address}</span>
                {item.addressConflict && (
                  <>
                    <br />
                    <State level="attention">{t('discovery.conflict')}</State>
                  </>
                )}
              </span>
            </td>
            <td data-label={t('discovery.mac')}>
              <span class="mono whitespace-nowrap">{item.mac}</span>
            </td>
            <td data-label={t('discovery.firmware')}>{item.firmware ?? '–'}</td>
            <td data-label={t('discovery.activated')}>
              {item.activated === null ? (
                <State level="unknown">{t('discovery.tooOld')}</State>
              ) : item.locked ? (
                <State level="problem">{t('discovery.locked')}</State>
              ) : (
                <State level={item.activated ? 'well' : 'attention'}>
                  {t(item.activated ? 'discovery.isActive' : 'discovery.notActive')}
                </State>
              )}
            </td>
            <td data-label={t('discovery.ping')}>
              {item.pingLevel && item.pingMs !== null ? (
                <State level={PING[item.pingLevel]}>
                  {t(`discovery.pingLevel.${item.pingLevel}`, { time: formatDuration(Math.max(1, item.pingMs)) })}
                </State>
              ) : (
                <State level="unknown">{t('discovery.noPing')}</State>
              )}
            </td>
            {action && <td>{action(item)}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
