import type { DeskAlarm } from '../../../protocol/wire/arc-desk.ts';
import { t } from '../../components/i18n.ts';
import { EventLine, Handled, Marks, Occurred, PathLine, placeWords } from './words.tsx';

/** One alarm a line: what, where, when, how it came, and who has it. */
export function AlarmTable({
  items,
  selected,
  busy,
  onSelect,
  onAcknowledge,
  siteAddress,
}: {
  items: DeskAlarm[];
  selected: string | null;
  busy: boolean;
  /** True: shown beside the list; else the link goes to the alarm's page. */
  onSelect: (id: string) => boolean;
  onAcknowledge: (id: string) => void;
  siteAddress: (siteId: string) => string;
}) {
  return (
    <table class="rows desk-rows">
      <thead>
        <tr>
          <th>{t('desk.what')}</th>
          <th>{t('desk.account')}</th>
          <th>{t('desk.where')}</th>
          <th>{t('desk.when')}</th>
          <th>{t('desk.way')}</th>
          <th>{t('desk.taken')}</th>
        </tr>
      </thead>
      <tbody>
        {items.map((alarm) => (
          <tr key={alarm.id} aria-current={alarm.id === selected ? 'true' : undefined}>
            <td class="wide">
              <a
                id={`alarm-${alarm.id}`}
                class="desk-event"
                href={`/alarms/${alarm.id}`}
                onClick={(event) => {
                  if (event.ctrlKey || event.metaKey || event.shiftKey || !onSelect(alarm.id)) return;
                  event.preventDefault();
                  event.stopPropagation();
                }}
              >
                <EventLine alarm={alarm} />
              </a>
              <div class="flex flex-wrap gap-1 pl-6 empty:hidden">
                <Marks alarm={alarm} />
              </div>
            </td>
            <td data-label={t('desk.account')}>
              {alarm.accountId ? (
                <a class="link mono" href={`/alarms/accounts/${alarm.accountId}`}>
                  {alarm.account}
                </a>
              ) : (
                <span class="mono">{alarm.account}</span>
              )}
            </td>
            <td data-label={t('desk.where')} class="md:min-w-36">
              {alarm.site && (
                <a class="link" href={siteAddress(alarm.site.id)}>
                  {alarm.site.name}
                </a>
              )}
              <span class="muted block">{placeWords(alarm)}</span>
            </td>
            <td data-label={t('desk.when')}>
              <Occurred alarm={alarm} />
            </td>
            <td data-label={t('desk.way')}>
              <PathLine alarm={alarm} />
            </td>
            <td class={alarm.open || alarm.handled ? 'wide' : 'bare'}>
              {alarm.open ? (
                <button
                  type="button"
                  class="btn btn-primary whitespace-nowrap"
                  aria-disabled={busy}
                  onClick={() => onAcknowledge(alarm.id)}
                  aria-keyshortcuts="a"
                >
                  {t('desk.acknowledge')}
                </button>
              ) : (
                <Handled alarm={alarm} />
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
