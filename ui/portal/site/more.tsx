import type { Page } from '../../../protocol/wire/api.ts';
import { t } from '../../components/i18n.ts';
import { ProblemPanel } from '../../components/problem.tsx';
import { type Resource, useAction } from '../../components/resource.ts';
import { api } from '../session.ts';
import { joinPages } from './lists.ts';

/** Below a list: fetches the next page of `address` into it. */
export function More<T extends { id: string }>({
  list,
  address,
  failed,
}: {
  list: Resource<Page<T>>;
  address: string;
  failed: string;
}) {
  const more = useAction(async () => {
    const next = await api.get<Page<T>>(`${address}&cursor=${encodeURIComponent(list.data!.nextCursor!)}`);
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
