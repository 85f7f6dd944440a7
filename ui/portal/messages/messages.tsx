import { useEffect, useRef } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { Notice, NoticeCategory } from '../../../protocol/wire/notify.ts';
import { t } from '../../components/i18n.ts';
import { Mark, State } from '../../components/icons.tsx';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Tabs } from '../../components/tabs.tsx';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { More } from '../site/more.tsx';
import { connection, follow, unread } from './live.ts';

const CATEGORIES: readonly NoticeCategory[] = ['business', 'arc', 'site'];

/** What the person was told, newest first, as it comes. The filter is in the address. */
export function Messages() {
  const { query, route } = useLocation();
  const category = CATEGORIES.find((known) => known === query.category);
  const onlyUnread = query.unread === 'true';
  const paged = api.paged('/notifications', {
    query: { limit: 50, category, unread: onlyUnread ? 'true' : undefined },
  });
  const list = useResource((signal) => paged.page(null, signal), [paged.address]);
  // An answer that is on its way may be older than what comes live meanwhile.
  const loading = useRef(false);
  loading.current = list.loading;
  useEffect(
    () =>
      follow({
        connected: list.reload,
        came: (notice) => {
          if (loading.current) return list.reload();
          if (!category || notice.category === category)
            list.set((page) => ({ ...page, items: [notice, ...page.items.filter((item) => item.id !== notice.id)] }));
        },
        // Read on another page: those here are to say so too.
        counted: ({ total }) => total === 0 && list.set((page) => ({ ...page, items: page.items.map(asRead) })),
      }),
    [paged.address],
  );
  const replace = (next: Notice) =>
    list.set((page) => ({ ...page, items: page.items.map((item) => (item.id === next.id ? next : item)) }));
  const count = (of: NoticeCategory | undefined) => unread.value?.[of ?? 'total'] ?? 0;
  const readAll = () => {
    const newest = list.data!.items[0]!.id;
    const before = list.data!.items;
    list.set((page) => ({ ...page, items: page.items.map(asRead) }));
    withUndo({
      text: t('messages.allRead'),
      failed: t('messages.allReadFailed'),
      run: (keepalive) =>
        api.post('/notifications/read-all', category ? { category, until: newest } : { until: newest }, { keepalive }),
      back: () => list.set((page) => ({ ...page, items: before })),
    });
  };
  const to = (next: { category?: NoticeCategory | undefined; unread: boolean }) => {
    const search = new URLSearchParams();
    if (next.category) search.set('category', next.category);
    if (next.unread) search.set('unread', 'true');
    return `/messages${search.size > 0 ? `?${search}` : ''}`;
  };
  const items = list.data?.items;
  return (
    <>
      <div class="flex flex-wrap items-center justify-between gap-4">
        <Title>{t('messages.title')}</Title>
        <a class="btn" href="/messages/settings">
          {t('messages.settings.title')}
        </a>
      </div>
      <Tabs
        label={t('messages.categories')}
        tabs={[undefined, ...CATEGORIES].map((key) => ({
          key: key ?? 'all',
          href: to({ category: key, unread: onlyUnread }),
          current: key === category,
          text: (
            <>
              {t(`messages.category.${key ?? 'all'}`)}
              {count(key) > 0 && (
                <>
                  {' '}
                  ({count(key)}
                  <span class="sr-only"> {t('messages.unread')}</span>)
                </>
              )}
            </>
          ),
        }))}
      />
      <div class="flex flex-wrap items-center justify-between gap-4">
        <label class="flex items-center gap-2">
          <input
            type="checkbox"
            class="checkbox"
            checked={onlyUnread}
            onChange={(event) => route(to({ category, unread: event.currentTarget.checked }), true)}
          />
          {t('messages.onlyUnread')}
        </label>
        {items?.some((item) => item.readAt === null) && (
          <button type="button" class="btn" onClick={readAll}>
            {t('messages.readAll')}
          </button>
        )}
      </div>
      {connection.value === 'lost' && (
        <p role="status">
          <State level="attention">{t('messages.lost')}</State>
        </p>
      )}
      <ProblemPanel error={list.error} what={t('messages.failed')} retry={list.reload} />
      {!items && !list.error && <Skeleton lines={6} />}
      {items?.length === 0 && (
        <Empty title={t(onlyUnread ? 'messages.noneUnread' : 'messages.none')}>{t('messages.noneNext')}</Empty>
      )}
      {items && items.length > 0 && (
        <ul class="panel divide-y divide-base-300 py-0 md:py-0">
          {items.map((notice) => (
            <NoticeRow key={notice.id} notice={notice} changed={replace} />
          ))}
        </ul>
      )}
      <More list={list} paged={paged} failed={t('messages.failed')} />
    </>
  );
}

const asRead = (notice: Notice): Notice => ({ ...notice, readAt: notice.readAt ?? new Date().toISOString() });

function NoticeRow({ notice, changed }: { notice: Notice; changed: (next: Notice) => void }) {
  const isNew = notice.readAt === null;
  const mark = useAction(async (read: boolean) => {
    const params = { notificationId: notice.id };
    changed(await api.put('/notifications/{notificationId}/read', { read }, { params }));
  });
  // Whoever follows the link has read it; the page that is left must not break it off.
  const opened = () => {
    if (isNew)
      api
        .put(
          '/notifications/{notificationId}/read',
          { read: true },
          { params: { notificationId: notice.id }, keepalive: true },
        )
        .catch(() => {});
  };
  return (
    <li class="py-4">
      <article class="grid gap-x-6 gap-y-1 md:grid-cols-[1fr_auto]">
        <div>
          <h2 class={`flex gap-2 ${isNew ? '' : 'font-normal'}`}>
            {isNew && (
              <span class="mt-1">
                <Mark level="info" />
              </span>
            )}
            <span>
              {isNew && <span class="sr-only">{t('messages.new')} </span>}
              {notice.link ? (
                <a class="link" href={notice.link} onClick={opened}>
                  {notice.title}
                </a>
              ) : (
                notice.title
              )}
            </span>
          </h2>
          <p class="max-w-prose whitespace-pre-line">{notice.text}</p>
          <p class="muted small">
            {t(`messages.category.${notice.category}`)} · <Time at={notice.createdAt} />
          </p>
          <ProblemPanel error={mark.error} what={t('messages.markFailed')} />
        </div>
        <div>
          <button
            type="button"
            class="btn"
            onClick={() => mark.run(isNew)}
            aria-disabled={mark.busy}
            aria-label={t(isNew ? 'messages.markReadWhat' : 'messages.markUnreadWhat', { what: notice.title })}
          >
            {t(isNew ? 'messages.markRead' : 'messages.markUnread')}
          </button>
        </div>
      </article>
    </li>
  );
}
