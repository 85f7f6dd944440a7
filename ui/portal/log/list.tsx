import type { QueryOf } from '../../client/client.ts';
import { t } from '../../components/i18n.ts';
import { Empty, Skeleton } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { api } from '../session.ts';
import { joinPages } from '../site/lists.ts';
import { LogTable } from './entries.tsx';

/** The log as far as it was read, and how to read on. */
export function useLog(query: QueryOf<'/log'>) {
  const paged = api.paged('/log', { query: { limit: 50, ...query } });
  const list = useResource((signal) => paged.page(null, signal), [paged.address]);
  const more = useAction(async () => {
    const next = await paged.page(list.data!.nextCursor);
    list.set((page) => ({ items: joinPages(page.items, next.items), nextCursor: next.nextCursor }));
  });
  return { list, more };
}

export function LogList({ list, more }: ReturnType<typeof useLog>) {
  const items = list.data?.items ?? [];
  if (list.error?.status === 404) return <Empty title={t('log.noLog')}>{t('log.noLogNext')}</Empty>;
  return (
    <>
      <ProblemPanel error={list.error} what={t('log.failed')} retry={list.reload} />
      {!list.data && !list.error && <Skeleton lines={9} />}
      {list.data && items.length === 0 && <Empty title={t('log.none')}>{t('log.noneNext')}</Empty>}
      {items.length > 0 && (
        <div class="panel py-1 md:py-2">
          <LogTable items={items} />
        </div>
      )}
      <ProblemPanel error={more.error} what={t('log.moreFailed')} />
      {list.data?.nextCursor ? (
        <div>
          <button type="button" class="btn" onClick={() => more.run()} aria-disabled={more.busy}>
            {more.busy ? t('state.loading') : t('log.more')}
          </button>
        </div>
      ) : (
        items.length > 0 && <p class="muted">{t('log.end')}</p>
      )}
    </>
  );
}
