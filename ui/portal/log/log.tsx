import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { LogVerdict } from '../../../protocol/wire/audit.ts';
import { address } from '../../client/client.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { api, me } from '../session.ts';
import { joinPages } from '../site/lists.ts';
import { LogTable } from './entries.tsx';
import { addressOf, filtersOf, LogFilters, logQuery } from './filters.tsx';

const LIMIT = 50;

/** Who did what, newest first. The filters are in the address. */
export function Log() {
  const { path, query, route } = useLocation();
  const filters = filtersOf(query);
  const asked = logQuery(filters);
  const list = useResource((signal) => api.get('/log', { query: { limit: LIMIT, ...asked }, signal }), [asked]);
  const more = useAction(async () => {
    const next = await api.get('/log', { query: { limit: LIMIT, ...asked, cursor: list.data!.nextCursor! } });
    list.set((page) => ({ items: joinPages(page.items, next.items), nextCursor: next.nextCursor }));
  });
  const others = Boolean(me.value?.admin || me.value?.permissions.includes('manage-accounts'));
  const items = list.data?.items ?? [];
  const siteName = items.find((entry) => entry.site?.id === filters.siteId)?.site?.name ?? undefined;
  if (list.error?.status === 404) {
    return (
      <>
        <Title>{t('log.title')}</Title>
        <Empty title={t('log.noLog')}>{t('log.noLogNext')}</Empty>
      </>
    );
  }
  return (
    <>
      <Title>{t('log.title')}</Title>
      <p class="muted max-w-prose">{others ? t('log.intro') : t('log.introOwn')}</p>
      <LogFilters
        key={addressOf(filters)}
        filters={filters}
        others={others}
        siteName={siteName}
        path={path}
        onChange={(next) => route(`${path}${addressOf(next)}`)}
      />
      <div class="flex flex-wrap items-center gap-4">
        <a class="btn" href={address('/log/export', { query: { ...asked, format: 'csv' } })} download>
          {t('log.exportCsv')}
        </a>
        <a class="btn" href={address('/log/export', { query: { ...asked, format: 'jsonl' } })} download>
          {t('log.exportLines')}
        </a>
        {others && <Check />}
      </div>
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

/** Whether anybody changed the log, found by its chain of hashes. */
function Check() {
  const [found, setFound] = useState<LogVerdict | null>(null);
  const check = useAction(async () => setFound(await api.get('/log/verify')));
  return (
    <>
      <button type="button" class="btn" onClick={() => check.run()} aria-disabled={check.busy}>
        {check.busy ? t('log.checking') : t('log.check')}
      </button>
      <ProblemPanel error={check.error} what={t('log.checkFailed')} />
      <p role="status" class="basis-full empty:hidden">
        {found && (
          <State level={found.broken ? 'problem' : 'well'}>
            {found.broken
              ? t('log.broken', found.broken)
              : t('log.whole', { count: found.entries, hash: found.head.hash.slice(0, 12) })}
          </State>
        )}
      </p>
    </>
  );
}
