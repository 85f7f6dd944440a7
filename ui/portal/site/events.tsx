import { useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { Choice } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useResource } from '../../components/resource.ts';
import { api } from '../session.ts';
import { useLive, useSite } from './context.ts';
import { EventTable } from './event-table.tsx';
import { EVENT_TYPES } from './event-types.ts';
import { followEvents } from './lists.ts';
import { More } from './more.tsx';

const LIMIT = 50;
const MAX_SHOWN = 2000;

/** What happened, newest first, as it happens. The filter is in the address. */
export function Events() {
  const { base, site, siteId } = useSite();
  const { query, route } = useLocation();
  const type = EVENT_TYPES.find((known) => known === query.type);
  const paged = api.paged('/sites/{siteId}/events', { params: { siteId }, query: { limit: LIMIT, type } });
  const list = useResource((signal) => paged.page(null, signal), [paged.address]);
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
    // A page that is open for days starts again with the newest ones.
    if (list.data && list.data.items.length > MAX_SHOWN) return list.reload();
    list.set((page) => ({ ...page, items: followEvents(page.items, message, type) }));
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
      {list.data && list.data.items.length > 0 && (
        <div class="panel py-1 md:py-2">
          <EventTable items={list.data.items} />
        </div>
      )}
      <More list={list} paged={paged} failed={t('events.moreFailed')} />
      {list.data && list.data.items.length > 0 && !list.data.nextCursor && <p class="muted">{t('events.end')}</p>}
    </>
  );
}
