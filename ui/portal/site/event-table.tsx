import type { EventItem } from '../../../protocol/wire/api.ts';
import { t } from '../../components/i18n.ts';
import { say } from '../../components/say.ts';
import { Time } from '../../components/time.tsx';
import { playbackLink } from '../playback/link.ts';
import { AlarmLine, ClipLine } from './alarm-words.tsx';
import { useSite } from './context.ts';
import { partOf } from './event-types.ts';

/** Events as a table; cards on a phone. */
export function EventTable({ items }: { items: EventItem[] }) {
  const { base, site, devices } = useSite();
  const places = { base, site: site.data!, devices: devices.data?.items ?? [] };
  const isPanel = (id: string | null) =>
    devices.data?.items.some((one) => one.id === id && one.type === 'panel') ?? false;
  const moment = (item: EventItem) => playbackLink(places, item, item.occurredAt);
  return (
    <table class="rows">
      <thead>
        <tr>
          <th>{t('events.time')}</th>
          <th>{t('events.event')}</th>
          <th>{t('events.device')}</th>
          <th>{t('events.clip')}</th>
          <th>{t('events.arc')}</th>
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr key={item.id}>
            <td data-label={t('events.time')}>
              <Time at={item.occurredAt} />
            </td>
            <td data-label={t('events.event')}>
              <span>
                <a class="link font-semibold" href={`${base}/events/${item.id}`}>
                  {t(`eventType.${item.type}`)}
                </a>
                {item.text && <span class="muted small"> {say(item.text)}</span>}
              </span>
            </td>
            <td data-label={t('events.device')}>
              <span>
                {item.deviceName ?? t('events.ofBox', { serial: item.boxSerial })}
                {item.channel !== null && (
                  <span class="muted">
                    {' '}
                    {t(`device.${partOf(item.type, isPanel(item.deviceId))}`, { n: item.channel })}
                  </span>
                )}
              </span>
            </td>
            <td data-label={t('events.clip')} class={item.clip || moment(item) ? '' : 'bare'}>
              {item.clip && <ClipLine clip={item.clip} />}
              {moment(item) && (
                <a class="link small" href={moment(item)!}>
                  {t('events.playback')}
                </a>
              )}
              {!item.clip && !moment(item) && <None />}
            </td>
            <td data-label={t('events.arc')} class={item.alarms.length > 0 ? 'wide' : 'bare'}>
              {item.alarms.length > 0 ? (
                <span class="flex flex-col">
                  {item.alarms.map((alarm) => (
                    <AlarmLine key={alarm.id} alarm={alarm} />
                  ))}
                </span>
              ) : (
                <None />
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const None = () => (
  <span class="muted">
    <span aria-hidden="true">–</span>
    <span class="sr-only">{t('state.none')}</span>
  </span>
);
