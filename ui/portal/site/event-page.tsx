import type { Alarm, EventDetail } from '../../../protocol/wire/api.ts';
import { Diagram } from '../../components/diagram.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { between, formatDuration, viewerZone } from '../../components/time.ts';
import { Time, Zone } from '../../components/time.tsx';
import { playbackLink } from '../playback/link.ts';
import { api } from '../session.ts';
import { AlarmLine } from './alarm-words.tsx';
import { ClipPlayer } from './clip-player.tsx';
import { useLive, useSite } from './context.ts';
import { partOf } from './event-types.ts';
import { withAlarm } from './lists.ts';
import { alarmPath } from './paths.ts';

/** One event: what was seen, and what became of the alarm. */
export function EventPage({ params }: { params?: { eventId?: string } }) {
  const { base, site, devices } = useSite();
  const eventId = params?.eventId ?? '';
  const event = useResource((signal) => api.get('/events/{eventId}', { params: { eventId }, signal }), [eventId]);
  useLive((message) => {
    if (message.event === 'hello') event.reload();
    if (message.event === 'event' && message.data.id === params?.eventId) event.reload();
    event.set((old) => {
      if (message.event === 'alarm') return withAlarm(old, message.data);
      if (message.event === 'clip' && message.data.eventIds.includes(old.id)) return { ...old, clip: message.data };
      return old;
    });
  });
  const found = event.data;
  const places = { base, site: site.data!, devices: devices.data?.items ?? [] };
  const moment = found && playbackLink(places, found, found.occurredAt);
  return (
    <>
      <p class="-mb-4">
        <a class="link small" href={`${base}/events`}>
          {t('event.back')}
        </a>
      </p>
      <Title suffix={`${site.data!.name} · Gatepost`}>
        {found
          ? t('event.title', { type: t(`eventType.${found.type}`), name: found.deviceName ?? t('path.box') })
          : t('event.loading')}
      </Title>
      <ProblemPanel error={event.error} what={t('event.failed')} retry={event.reload} />
      {!found && !event.error && <Skeleton lines={8} />}
      {found && (
        <div class="grid items-start gap-6 xl:grid-cols-[3fr_2fr]">
          <Panel title={t('clip.title')}>
            {found.clip ? <ClipPlayer clip={found.clip} event={found} /> : <p class="muted">{t('clip.none')}</p>}
            {moment && (
              <p class="mt-3">
                <a class="btn" href={moment}>
                  {t('events.playback')}
                </a>
              </p>
            )}
          </Panel>
          <Panel title={t('event.what')}>
            <EventFacts event={found} />
          </Panel>
        </div>
      )}
      {found && (
        <div class="grid items-start gap-6 xl:grid-cols-2">
          {found.alarms.map((alarm) => (
            <AlarmStory key={alarm.id} event={found} alarm={alarm} />
          ))}
          {found.alarms.length === 0 && (
            <Panel title={t('alarm.story')}>
              <p class="muted">{t('alarm.noneForEvent')}</p>
            </Panel>
          )}
        </div>
      )}
    </>
  );
}

function EventFacts({ event }: { event: EventDetail }) {
  const { site, devices } = useSite();
  const isPanel = devices.data?.items.some((one) => one.id === event.deviceId && one.type === 'panel') ?? false;
  const elsewhere = site.data!.timeZone !== viewerZone();
  return (
    <Facts
      items={[
        [t('events.event'), t(`eventType.${event.type}`)],
        event.text !== null && [t('event.text'), say(event.text)],
        [t('events.device'), event.deviceName ?? t('events.ofBox', { serial: event.boxSerial })],
        event.channel !== null && [t(`event.${partOf(event.type, isPanel)}`), String(event.channel)],
        [t('event.occurred'), <Time key="occurred" at={event.occurredAt} full />],
        elsewhere && [
          t('event.yourTime'),
          <Zone.Provider key="yours" value={undefined}>
            <Time at={event.occurredAt} full />
          </Zone.Provider>,
        ],
        [
          t('event.ended'),
          event.endedAt ? (
            <span key="ended">
              <Time at={event.endedAt} />{' '}
              <span class="muted">({formatDuration(between(event.occurredAt, event.endedAt))})</span>
            </span>
          ) : (
            t('event.notEnded')
          ),
        ],
        [
          t('event.received'),
          <span key="received">
            <Time at={event.receivedAt} />{' '}
            <span class="muted">
              ({t('event.later', { time: formatDuration(Math.max(0, between(event.occurredAt, event.receivedAt))) })})
            </span>
          </span>,
        ],
        event.sourceRef !== null && [
          t('event.sourceRef'),
          <span key="ref" class="mono">
            {event.sourceRef}
          </span>,
        ],
        [
          t('event.id'),
          <code key="id" class="mono small select-all">
            {event.id}
          </code>,
        ],
      ]}
    />
  );
}

/** The way of one message to the ARC, and every number that an argument about it would need. */
function AlarmStory({ event, alarm }: { event: EventDetail; alarm: Alarm }) {
  const title = t('alarm.storyOf', { kind: t(`alarm.kind.${alarm.kind}`), receiver: alarm.receiverName });
  return (
    <Panel title={title} id={`alarm-${alarm.id}`}>
      <p class="mb-4">
        <AlarmLine alarm={alarm} />
      </p>
      {alarm.possibleRepeat && (
        <p class="mb-4">
          <State level="info">{t('alarm.possibleRepeat')}</State>
        </p>
      )}
      {alarm.reason && (
        <p class="mb-4">
          <State level={alarm.state === 'acknowledged' ? 'info' : 'attention'}>{alarm.reason}</State>
        </p>
      )}
      <div class="flex flex-wrap gap-x-8 gap-y-4 *:last:grow *:last:basis-56">
        <Diagram model={alarmPath(event, alarm)} tall />
        <Facts
          items={[
            [
              t('alarm.account'),
              <span key="a" class="mono">
                {alarm.account}
              </span>,
            ],
            [
              t('alarm.code'),
              <span key="c" class="mono">
                {alarm.code}
              </span>,
            ],
            [
              t('alarm.zone'),
              <span key="z" class="mono">
                {alarm.zone || '–'}
              </span>,
            ],
            [t('alarm.protocol'), t('alarm.protocolText', { protocol: alarm.protocol, sequence: alarm.sequence })],
            [t('event.occurred'), <Time key="o" at={alarm.occurredAt} />],
            [t('alarm.queued'), <Time key="q" at={alarm.queuedAt} />],
            [
              t('alarm.acknowledged'),
              alarm.acknowledgedAt ? <Time key="k" at={alarm.acknowledgedAt} /> : t('alarm.notYet'),
            ],
            [t('alarm.triesName'), String(alarm.tries)],
          ]}
        />
      </div>
    </Panel>
  );
}
