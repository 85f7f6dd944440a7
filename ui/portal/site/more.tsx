import type { Page } from '../../../protocol/wire/api.ts';
import type { Paged } from '../../client/client.ts';
import { t } from '../../components/i18n.ts';
import { ProblemPanel } from '../../components/problem.tsx';
import { type Resource, useAction } from '../../components/resource.ts';
import { joinPages } from './lists.ts';

/** Below a list: fetches its next page into it. */
export function More<T extends { id: string }>({
  list,
  paged,
  failed,
}: {
  list: Resource<Page<T>>;
  paged: Paged<T>;
  failed: string;
}) {
  const more = useAction(async () => {
    const next = await paged.page(list.data!.nextCursor);
    list.set((page) => ({ items: joinPages(page.items, next.items), nextCursor: next.nextCursor }));
  });
  return (
    <>
      <ProblemPanel error={more.error} what={failed} />
      {list.data?.nextCursor && (
        <div>
          <button type="button" class="btn" onClick={() => more.run()} aria-disabled={more.busy}>
            {more.busy ? t('state.loading') : t('events.more')}
          </button>
        </div>
      )}
    </>
  );
}
