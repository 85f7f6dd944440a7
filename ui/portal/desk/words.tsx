import { DELAYED_MS, type DeskAlarm, type DeskAlarmDetail } from '../../../protocol/wire/arc-desk.ts';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { between, formatDuration } from '../../components/time.ts';
import { Time, Zone } from '../../components/time.tsx';
import { partOf } from '../site/event-types.ts';

const URGENCY: readonly Level[] = ['problem', 'problem', 'attention', 'info'];

/** What happened, in words: the box's event says more than the code does. */
export function eventWords(alarm: DeskAlarm): string {
  const what = alarm.eventType ? t(`eventType.${alarm.eventType}`) : t(`desk.meaning.${alarm.meaning}`);
  return alarm.kind === 'restore' ? t('desk.ended', { what }) : what;
}

/** Code and zone as they were sent: `BA 001`. */
export const codeWords = ({ code, zone }: Pick<DeskAlarm, 'code' | 'zone'>): string =>
  [code, zone].filter(Boolean).join(' ');

/** Where it happened, as near as is known. */
export function placeWords(alarm: DeskAlarm): string {
  const { deviceName, channelName, channel, zone } = alarm;
  const part = channelName ?? (channel === null ? null : t(`desk.${partOf(alarm.eventType, false)}`, { n: channel }));
  // A camera has one name often, and its channel the same.
  return (
    [deviceName, part === deviceName ? null : part].filter(Boolean).join(' · ') ||
    (zone ? t('desk.zone', { n: zone }) : '–')
  );
}

/** What is told of a path is told late by its nature. */
export const isDelayed = ({ occurredAt, acknowledgedAt, meaning }: DeskAlarm): boolean =>
  acknowledgedAt !== null &&
  meaning !== 'pathLost' &&
  meaning !== 'pathsLost' &&
  between(occurredAt, acknowledgedAt) > DELAYED_MS;

export function EventLine({ alarm }: { alarm: DeskAlarm }) {
  return (
    <State level={alarm.open ? (URGENCY[alarm.urgency] ?? 'info') : 'info'}>
      <span class="font-semibold">{eventWords(alarm)}</span> <span class="mono muted">{codeWords(alarm)}</span>
    </State>
  );
}

/** When it happened, in the site's time. */
export function Occurred({ alarm, full = false }: { alarm: DeskAlarm; full?: boolean }) {
  return (
    <Zone.Provider value={alarm.site?.timeZone}>
      <Time at={alarm.occurredAt} full={full} />
    </Zone.Provider>
  );
}

/** Which way it came and how long that took; one that no receiver has yet says so. */
export function PathLine({ alarm }: { alarm: DeskAlarm }) {
  if (alarm.state === 'waiting') return <State level="working">{t('desk.waiting')}</State>;
  if (alarm.state === 'failed') return <State level="problem">{t('desk.failed')}</State>;
  const took = alarm.acknowledgedAt
    ? formatDuration(Math.max(0, between(alarm.occurredAt, alarm.acknowledgedAt)))
    : '–';
  return (
    <span>
      {took}
      {alarm.path && <span class="muted"> {t(`desk.path.${alarm.path}`)}</span>}
    </span>
  );
}

/** What makes an alarm other than usual; nothing where it is usual. */
export function Marks({ alarm }: { alarm: DeskAlarm }) {
  const marks: [key: string, text: string][] = [];
  if (alarm.test) marks.push(['test', t('desk.mark.test')]);
  if (isDelayed(alarm)) marks.push(['delayed', t('desk.mark.delayed')]);
  if (alarm.possibleRepeat) marks.push(['repeat', t('desk.mark.repeat')]);
  if (alarm.source === 'relay') marks.push(['relay', t('desk.mark.relay')]);
  if (alarm.source === 'foreign') marks.push(['foreign', t('desk.mark.foreign')]);
  return (
    <>
      {marks.map(([key, text]) => (
        <span key={key} class="desk-mark">
          {text}
        </span>
      ))}
      {alarm.restoredAt && (
        <span class="desk-mark">
          {t('desk.mark.restored')}{' '}
          <Zone.Provider value={alarm.site?.timeZone}>
            <Time at={alarm.restoredAt} />
          </Zone.Provider>
        </span>
      )}
    </>
  );
}

export function Handled({ alarm }: { alarm: DeskAlarm | DeskAlarmDetail }) {
  if (!alarm.handled) return null;
  return (
    <State level="well">
      {alarm.handled.name}{' '}
      <Zone.Provider value={alarm.site?.timeZone}>
        <Time at={alarm.handled.at} />
      </Zone.Provider>
    </State>
  );
}
