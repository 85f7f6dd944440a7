import { useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { EventItem, Page } from '../../../protocol/wire/api.ts';
import { Choice } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { api } from '../session.ts';
import { AlarmLine, ClipLine } from './alarm-words.tsx';
import { useLive, useSite } from './context.ts';
import { EVENT_TYPES } from './event-types.ts';
import { followEvents, joinPages } from './lists.ts';

const LIMIT = 50;

/** What happened, newest first, as it happens. The filter is in the address. */
export function Events() {
  const { base, site } = useSite();
  const { query, route } = useLocation();
  const type = EVENT_TYPES.find((known) => known === query.type);
  const address = `${base}/events?limit=${LIMIT}${type ? `&type=${type}` : ''}`;
  const list = useResource((signal) => api.get<Page<EventItem>>(address, { signal }), [address]);
  const [fresh, setFresh] = useState<string | null>(null);
  const known = useRef(new Set<string>());
  useLive((message) => {
    if (message.event === 'hello') return list.reload();
    if (message.event === 'event' && (!type || message.data.type === type) && !known.current.has(message.data.id)) {
      known.current.add(message.data.id);
      setFresh(
        t('events.new', {
          type: t(`eventType.${message.data.type}`),
          name: message.data.deviceName ?? message.data.boxSerial,
        }),
      );
    }
    list.set((page) => ({ ...page, items: followEvents(page.items, message, type) }));
  });
  const more = useAction(async () => {
    const next = await api.get<Page<EventItem>>(`${address}&cursor=${encodeURIComponent(list.data!.nextCursor!)}`);
    list.set((page) => ({ items: joinPages(page.items, next.items), nextCursor: next.nextCursor }));
  });
  return (
    <>
      <div class="sticky top-0 z-10 -mx-4 flex flex-wrap items-end justify-between gap-4 bg-base-200 px-4 py-2 md:-mx-8 md:px-8">
        <Title suffix={`${site.data!.name} · Gatepost`}>{t('events.title')}</Title>
        <div class="w-56">
          <Choice
            label={t('events.filter')}
            name="type"
            value={type ?? ''}
            options={[['', t('events.all')], ...EVENT_TYPES.map((key) => [key, t(`eventType.${key}`)] as const)]}
            onChange={(value) => route(`${base}/events${value ? `?type=${value}` : ''}`, true)}
          />
        </div>
      </div>
      <p role="status" class="sr-only">
        {fresh}
      </p>
      <ProblemPanel error={list.error} what={t('events.failed')} retry={list.reload} />
      {!list.data && !list.error && <Skeleton lines={9} />}
      {list.data?.items.length === 0 && (
        <Empty title={type ? t('events.noneOfType', { type: t(`eventType.${type}`) }) : t('events.none')}>
          {t('events.noneNext')}
        </Empty>
      )}
      {list.data && list.data.items.length > 0 && <EventTable items={list.data.items} />}
      <ProblemPanel error={more.error} what={t('events.moreFailed')} />
      {list.data?.nextCursor && (
        <div>
          <button type="button" class="btn" onClick={() => more.run()} aria-disabled={more.busy}>
            {more.busy ? t('state.loading') : t('events.more')}
          </button>
        </div>
      )}
      {list.data && list.data.items.length > 0 && !list.data.nextCursor && <p class="muted">{t('events.end')}</p>}
    </>
  );
}

function EventTable({ items }: { items: EventItem[] }) {
  const { base } = useSite();
  return (
    <div class="panel py-1 md:py-2">
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
                  {item.text && <span class="muted small"> {item.text}</span>}
                </span>
              </td>
              <td data-label={t('events.device')}>
                <span>
                  {item.deviceName ?? t('events.ofBox', { serial: item.boxSerial })}
                  {item.channel !== null && <span class="muted"> {t('device.channel', { n: item.channel })}</span>}
                </span>
              </td>
              <td data-label={t('events.clip')}>{item.clip ? <ClipLine clip={item.clip} /> : <None />}</td>
              <td data-label={t('events.arc')}>
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
    </div>
  );
}

const None = () => (
  <span class="muted">
    <span aria-hidden="true">–</span>
    <span class="sr-only">{t('state.none')}</span>
  </span>
);
