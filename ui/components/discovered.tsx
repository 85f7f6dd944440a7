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
  chosen,
}: {
  items: T[];
  action?: (item: T) => ComponentChildren;
  /** Rows can be chosen; those without a MAC cannot. */
  chosen?: { macs: ReadonlySet<string>; toggle: (mac: string) => void };
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
          <tr key={item.mac || item.serial}>
            <td data-label={t('discovery.model')} class="wide">
              <span class="flex items-start gap-3">
                {chosen && item.mac && (
                  <input
                    type="checkbox"
                    class="checkbox mt-1 shrink-0"
                    aria-label={`${t('discovery.choose')}: ${item.model} ${item.address}`}
                    checked={chosen.macs.has(item.mac)}
                    onChange={() => chosen.toggle(item.mac)}
                  />
                )}
                <span>
                  <strong>{item.model || t('state.unknown')}</strong>
                  <br />
                  <span class="mono muted small select-all">{item.serial}</span>
                  {(['same-serial', 'weak-firmware'] as const).map(
                    (issue) =>
                      item.issues?.includes(issue) && (
                        <span key={issue} class="block">
                          <State level="attention">{t(`discovery.issue.${issue}`)}</State>
                        </span>
                      ),
                  )}
                </span>
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
                {item.reachable === false && (
                  <>
                    <br />
                    <State level="attention">{t('discovery.foreign')}</State>
                  </>
                )}
              </span>
            </td>
            <td data-label={t('discovery.mac')}>
              <span class="mono whitespace-nowrap">{item.mac || '–'}</span>
            </td>
            <td data-label={t('discovery.firmware')}>{item.firmware ?? '–'}</td>
            <td data-label={t('discovery.activated')}>
              {item.activated === null ? (
                <State level="unknown">
                  {t(item.protocols.includes('sadp') ? 'discovery.tooOld' : 'discovery.notKnownOnvif')}
                </State>
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
                <span>
                  <State level={PING[item.pingLevel]}>
                    {t(`discovery.pingLevel.${item.pingLevel}`, { time: formatDuration(Math.max(1, item.pingMs)) })}
                  </State>
                  {item.pingMethod && <span class="muted small"> {t(`discovery.pingBy.${item.pingMethod}`)}</span>}
                </span>
              ) : item.pingLevel ? (
                <State level="problem">{t('discovery.noAnswer')}</State>
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
