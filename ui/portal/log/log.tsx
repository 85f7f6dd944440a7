import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { LogVerdict } from '../../../protocol/wire/audit.ts';
import { address } from '../../client/client.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { api, me } from '../session.ts';
import { addressOf, filtersOf, LogFilters, logQuery } from './filters.tsx';
import { LogList, useLog } from './list.tsx';

/** Who did what, newest first. The filters are in the address. */
export function Log() {
  const { path, query, route } = useLocation();
  const filters = filtersOf(query);
  const asked = logQuery(filters);
  const log = useLog(asked);
  const others = Boolean(me.value?.admin || me.value?.permissions.includes('manage-accounts'));
  const siteName = log.list.data?.items.find((entry) => entry.site?.id === filters.siteId)?.site?.name ?? undefined;
  return (
    <>
      <Title>{t('log.title')}</Title>
      {log.list.error?.status !== 404 && (
        <>
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
        </>
      )}
      <LogList {...log} />
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
