import { useEffect, useRef, useState } from 'preact/hooks';
import type { DeskAlarm, DeskAlarmDetail, DeskLink } from '../../../protocol/wire/arc-desk.ts';
import type { ArcTry } from '../../../protocol/wire/event.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { say } from '../../components/say.ts';
import { formatDuration } from '../../components/time.ts';
import { Time, Zone } from '../../components/time.tsx';
import { api } from '../session.ts';
import { ClipPlayer, refusedClip } from '../site/clip-player.tsx';
import { useDesk } from './live.ts';
import { codeWords, eventWords, Handled, Marks, Occurred, PathLine, placeWords } from './words.tsx';

/** What is looked at of an alarm. */
export type Look = 'facts' | 'note' | 'clip' | 'picture';

/** An alarm on a page of its own, for phones and for links. */
export function AlarmPage({ params }: { params?: { alarmId?: string } }) {
  return (
    <>
      <p class="-mb-4">
        <a class="link small" href="/alarms">
          {t('desk.back')}
        </a>
      </p>
      <AlarmStory alarmId={params?.alarmId ?? ''} page />
    </>
  );
}

/** Everything about one alarm: what it was, its picture, what people did, and its audit line. */
export function AlarmStory({
  alarmId,
  look,
  page = false,
  onChange,
}: {
  alarmId: string;
  look?: { at: Look; turn: number };
  page?: boolean;
  onChange?: (alarm: DeskAlarm) => void;
}) {
  const params = { alarmId };
  const found = useResource((signal) => api.get('/arc-desk/alarms/{alarmId}', { params, signal }), [alarmId]);
  const [at, setAt] = useState<Look>(look?.at ?? 'facts');
  useEffect(() => {
    if (look) setAt(look.at);
  }, [look?.turn]);
  useDesk((message) => {
    if (message.event === 'hello' || (message.event === 'alarm' && message.data.id === alarmId)) found.reload();
  });
  const changed = (alarm: DeskAlarmDetail) => {
    found.set(() => alarm);
    onChange?.(alarm);
  };
  const alarm = found.data;
  const heading = alarm ? `${eventWords(alarm)}, ${alarm.account}` : t('desk.loading');
  return (
    <div class="flex flex-col gap-4">
      {page ? <Title>{heading}</Title> : <h2>{heading}</h2>}
      <ProblemPanel error={found.error} what={t('desk.alarmFailed')} retry={found.reload} />
      {!alarm && !found.error && <Skeleton lines={6} />}
      {alarm && (
        <>
          <div class="flex flex-wrap gap-1 empty:hidden">
            <Marks alarm={alarm} />
          </div>
          <Facts
            items={[
              [t('desk.where'), [alarm.site?.name, placeWords(alarm)].filter(Boolean).join(', ')],
              [t('desk.when'), <Occurred key="w" alarm={alarm} full />],
              alarm.text !== null && [t('desk.text'), say(alarm.text)],
              [t('desk.way'), <PathLine key="p" alarm={alarm} />],
              [
                t('desk.code'),
                <span key="c" class="mono">
                  {codeWords(alarm)} ({alarm.protocol})
                </span>,
              ],
              alarm.handled && [t('desk.taken'), <Handled key="h" alarm={alarm} />],
            ]}
          />
          <Notes alarm={alarm} focus={at === 'note' ? (look?.turn ?? 0) : null} onChange={changed} />
          <Pictures alarm={alarm} at={at} onLook={setAt} />
          <AuditLine alarm={alarm} />
        </>
      )}
    </div>
  );
}

/** Acknowledging with a word, further words, and who said what. */
function Notes({
  alarm,
  focus,
  onChange,
}: {
  alarm: DeskAlarmDetail;
  /** Changes when the field is to be written in; null: not. */
  focus: number | null;
  onChange: (alarm: DeskAlarmDetail) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [sent, setSent] = useState(0);
  const params = { alarmId: alarm.id };
  const send = useAction(async (text: string) => {
    const done = alarm.open
      ? await api.post('/arc-desk/alarms/{alarmId}/acknowledge', { note: text }, { params })
      : await api.post('/arc-desk/alarms/{alarmId}/notes', { text }, { params });
    setSent((n) => n + 1);
    onChange(done);
  });
  const reopen = useAction(async () => onChange(await api.post('/arc-desk/alarms/{alarmId}/reopen', {}, { params })));
  useEffect(() => {
    if (focus !== null) box.current?.querySelector('input')?.focus();
  }, [focus]);
  return (
    <Panel title={t('desk.notes')} id={`notes-${alarm.id}`}>
      {alarm.history.length > 0 && (
        <ol class="mb-4 flex flex-col gap-2">
          {alarm.history.map((note, i) => (
            <li key={`${note.at} ${String(i)}`}>
              <span class="muted small">
                <Zone.Provider value={alarm.site?.timeZone}>
                  <Time at={note.at} />
                </Zone.Provider>{' '}
                {note.name}, {t(`desk.did.${note.kind}`)}
              </span>
              {note.text && <span class="block">{note.text}</span>}
            </li>
          ))}
        </ol>
      )}
      <div ref={box} key={sent}>
        <Form onSubmit={({ text = '' }) => (alarm.open || text.trim()) && void send.run(text)} label={t('desk.notes')}>
          <Field label={t('desk.note')} name="text" maxLength={1000} autoComplete="off" />
          <ProblemPanel error={send.error} what={t('desk.noteFailed')} />
          <ProblemPanel error={reopen.error} what={t('desk.reopenFailed')} />
          <div class="flex flex-wrap items-center gap-4">
            <Submit busy={send.busy} doing={t('desk.sending')}>
              {t(alarm.open ? 'desk.acknowledge' : 'desk.addNote')}
            </Submit>
            {alarm.handled && (
              <button type="button" class="btn" onClick={() => reopen.run()} aria-disabled={reopen.busy}>
                {t('desk.reopen')}
              </button>
            )}
          </div>
        </Form>
      </div>
    </Panel>
  );
}

/** The clip of the event, the camera now, and an address to hand on. */
function Pictures({ alarm, at, onLook }: { alarm: DeskAlarmDetail; at: Look; onLook: (at: Look) => void }) {
  const [link, setLink] = useState<DeskLink | null>(null);
  const make = useAction(async () =>
    setLink(await api.post('/arc-desk/alarms/{alarmId}/link', undefined, { params: { alarmId: alarm.id } })),
  );
  if (alarm.eventId === null || alarm.deviceId === null) {
    return at === 'clip' || at === 'picture' ? <p role="status">{t('desk.noDevice')}</p> : null;
  }
  return (
    <Panel title={t('desk.pictures')} id={`pictures-${alarm.id}`}>
      <div class="flex flex-wrap gap-3">
        <button
          type="button"
          class="btn"
          aria-pressed={at === 'clip'}
          onClick={() => onLook('clip')}
          aria-keyshortcuts="v"
        >
          {t('desk.clip')}
        </button>
        <button
          type="button"
          class="btn"
          aria-pressed={at === 'picture'}
          onClick={() => onLook('picture')}
          aria-keyshortcuts="p"
        >
          {t('desk.pictureNow')}
        </button>
        <button type="button" class="btn" onClick={() => make.run()} aria-disabled={make.busy}>
          {t('desk.makeLink')}
        </button>
      </div>
      <div class="mt-4 flex flex-col gap-4 empty:hidden">
        <ProblemPanel error={make.error} what={t('desk.linkFailed')} />
        {link && (
          <p>
            <code class="mono select-all break-all">{link.url ?? link.path}</code>{' '}
            <span class="muted">
              {t('desk.linkUntil')} <Time at={link.expiresAt} />
            </span>
          </p>
        )}
        {at === 'clip' && <EventClip eventId={alarm.eventId} />}
        {at === 'picture' && <PictureNow deviceId={alarm.deviceId} name={alarm.deviceName} />}
      </div>
    </Panel>
  );
}

function EventClip({ eventId }: { eventId: string }) {
  const frame = useRef<HTMLDivElement>(null);
  const event = useResource(
    async (signal) => {
      const found = await api.get('/events/{eventId}', { params: { eventId }, signal });
      // The event names its clip to who may see the event only.
      return { ...found, refused: found.clip !== null && (await refusedClip(found.clip.id, signal)) === 'refused' };
    },
    [eventId],
  );
  useDesk((message) => {
    if (message.event === 'alarm' && message.data.eventId === eventId) event.reload();
  });
  useEffect(() => {
    const video = frame.current?.querySelector('video');
    // It was asked for by a key: it plays, and keys of the player work.
    video?.focus();
    video?.play().catch(() => {});
  }, [event.data?.clip?.id]);
  if (event.error?.status === 403 || event.error?.status === 404 || event.data?.refused)
    return <p class="muted">{t('desk.noRight')}</p>;
  return (
    <div ref={frame}>
      <ProblemPanel error={event.error} what={t('desk.clipFailed')} retry={event.reload} />
      {!event.data && !event.error && <Skeleton lines={5} />}
      {event.data && !event.data.clip && <p class="muted">{t('desk.noClip')}</p>}
      {event.data?.clip && <ClipPlayer clip={event.data.clip} event={event.data} />}
    </div>
  );
}

/** The camera as it is now; another one with each press. */
function PictureNow({ deviceId, name }: { deviceId: string; name: string | null }) {
  const [turn, setTurn] = useState(0);
  const [failed, setFailed] = useState(false);
  if (failed) {
    return (
      <p>
        <State level="attention">{t('desk.noPicture')}</State>{' '}
        <button
          type="button"
          class="btn"
          onClick={() => {
            setFailed(false);
            setTurn((n) => n + 1);
          }}
        >
          {t('action.tryAgain')}
        </button>
      </p>
    );
  }
  return (
    <figure>
      <img
        class="w-full rounded bg-base-200"
        src={`/api/v1/devices/${deviceId}/snapshot?turn=${turn}`}
        alt={t('desk.pictureOf', { name: name ?? '' })}
        onError={() => setFailed(true)}
      />
      <button type="button" class="btn mt-2" onClick={() => setTurn((n) => n + 1)}>
        {t('desk.another')}
      </button>
    </figure>
  );
}

const OUTCOME: Partial<Record<ArcTry['outcome'], Level>> = { acknowledged: 'well' };

/** What an argument about this alarm would need: every time, every try, and the frame as it was sent. */
function AuditLine({ alarm }: { alarm: DeskAlarmDetail }) {
  return (
    <Panel title={t('desk.audit')} id={`audit-${alarm.id}`}>
      <Zone.Provider value={alarm.site?.timeZone}>
        <Facts
          items={[
            [t('desk.occurred'), <Time key="o" at={alarm.occurredAt} />],
            [t('desk.queued'), <Time key="q" at={alarm.queuedAt} />],
            [t('desk.heard'), <Time key="t" at={alarm.takenAt} />],
            [
              t('desk.acknowledgedBy', { name: alarm.receiverName }),
              alarm.acknowledgedAt ? <Time key="a" at={alarm.acknowledgedAt} /> : t('desk.notYet'),
            ],
            [t('desk.sequence'), String(alarm.sequence)],
            [t('desk.tries'), String(alarm.tries)],
            alarm.reason !== null && [t('desk.reason'), say(alarm.reason)],
          ]}
        />
        {alarm.log.length > 0 && (
          <ol class="mt-4 flex flex-col gap-3">
            {alarm.log.map((one, i) => (
              <li key={`${one.at} ${String(i)}`} class="border-l-2 border-base-300 pl-3">
                <State level={OUTCOME[one.outcome] ?? 'attention'}>
                  {t(`desk.outcome.${one.outcome}`)}{' '}
                  <span class="muted">
                    {t(`desk.path.${one.path}`)}, <span class="mono">{one.receiver}</span>, {formatDuration(one.tookMs)}
                    , <Time at={one.at} />
                  </span>
                </State>
                <code class="mono small block break-all">{one.frame}</code>
                {one.reply && <code class="mono small muted block break-all">{one.reply}</code>}
              </li>
            ))}
          </ol>
        )}
      </Zone.Provider>
    </Panel>
  );
}
