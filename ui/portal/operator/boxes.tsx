import { BOX_STATES, type OperatorBox } from '../../../protocol/wire/operator.ts';
import type { QueryOf } from '../../client/client.ts';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { FilterBar, isFiltered, LIMIT, Listed, useFilters, usePages } from './list.tsx';

const LEVELS: Record<OperatorBox['state'], Level> = {
  unclaimed: 'unknown',
  claimed: 'well',
  duplicate: 'attention',
  revoked: 'problem',
};

/** Every box that ever enrolled here, whosever it is. */
export function Boxes() {
  const [filters, set] = useFilters(['q', 'state', 'online', 'companyId']);
  const list = usePages(
    api.paged('/operator/boxes', { query: { limit: LIMIT, ...filters } as QueryOf<'/operator/boxes'> }),
  );
  const put = (box: OperatorBox) =>
    list.set((page) => ({ ...page, items: page.items.map((old) => (old.serial === box.serial ? box : old)) }));
  const clear = useAction(async (serial: string) => {
    put(await api.post('/operator/boxes/{serial}/clear-duplicate', {}, { params: { serial } }));
  });
  const revoke = (box: OperatorBox) => {
    const { serial } = box;
    put({ ...box, state: 'revoked', online: false });
    withUndo({
      text: t('operator.revokedNow', { serial }),
      failed: t('operator.revokeFailed', { serial }),
      run: (keepalive) => api.post('/operator/boxes/{serial}/revoke', {}, { params: { serial }, keepalive }).then(put),
      back: () => put(box),
    });
  };
  return (
    <>
      <Title>{t('operator.boxes')}</Title>
      <FilterBar
        label={t('operator.search')}
        hint={t('operator.boxSearchHint')}
        filters={filters}
        set={set}
        choices={[
          {
            name: 'state',
            label: t('operator.state'),
            options: BOX_STATES.map((state) => [state, t(`operator.box.${state}`)]),
          },
          {
            name: 'online',
            label: t('operator.connection'),
            options: [
              ['true', t('operator.online')],
              ['false', t('operator.offline')],
            ],
          },
        ]}
      />
      {filters.companyId && (
        <p>
          {t('operator.ofOneCompany')}{' '}
          <button type="button" class="link" onClick={() => set({ companyId: '' })}>
            {t('operator.ofAllCompanies')}
          </button>
        </p>
      )}
      <ProblemPanel error={clear.error} what={t('operator.clearFailed')} />
      <Listed
        list={list}
        failed={t('operator.boxesFailed')}
        none={t(isFiltered(filters) ? 'operator.noBoxes' : 'operator.noBoxesYet')}
        filtered={isFiltered(filters)}
      >
        {(items) => (
          <table class="rows">
            <thead>
              <tr>
                <th>{t('operator.serial')}</th>
                <th>{t('operator.state')}</th>
                <th>{t('operator.site')}</th>
                <th>{t('operator.company')}</th>
                <th>{t('operator.seen')}</th>
                <th>{t('operator.actions')}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((box) => (
                <tr key={box.serial}>
                  <td data-label={t('operator.serial')}>
                    <span>
                      <span class="mono font-semibold">{box.serial}</span>
                      {box.version && <span class="muted small"> {box.version}</span>}
                    </span>
                  </td>
                  <td data-label={t('operator.state')}>
                    <State level={LEVELS[box.state]}>
                      {t(`operator.box.${box.state}`)}
                      {box.online && <span class="muted">, {t('operator.online')}</span>}
                    </State>
                  </td>
                  <td data-label={t('operator.site')}>
                    {box.site?.name ?? <span class="muted">{t('state.none')}</span>}
                  </td>
                  <td data-label={t('operator.company')}>
                    {box.company ? (
                      <a class="link" href={`/operator/companies/${box.company.id}`}>
                        {box.company.name}
                      </a>
                    ) : (
                      <span class="muted">{t('state.none')}</span>
                    )}
                  </td>
                  <td data-label={t('operator.seen')}>
                    {box.seenAt ? <Time at={box.seenAt} /> : <span class="muted">{t('state.none')}</span>}
                  </td>
                  <td data-label={t('operator.actions')} class={box.state === 'revoked' ? 'bare' : ''}>
                    <span class="flex flex-wrap gap-x-4">
                      {box.state === 'duplicate' && (
                        <button type="button" class="link" onClick={() => clear.run(box.serial)}>
                          {t('operator.clear')}
                          <span class="sr-only"> {box.serial}</span>
                        </button>
                      )}
                      {box.state !== 'revoked' && (
                        <button type="button" class="link" onClick={() => revoke(box)}>
                          {t('operator.revoke')}
                          <span class="sr-only"> {box.serial}</span>
                        </button>
                      )}
                    </span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Listed>
    </>
  );
}
