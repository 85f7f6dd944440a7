import {
  AUTHENTICATION_STATES,
  type OperatorCompany,
  type OperatorCompanyDetail,
} from '../../../protocol/wire/operator.ts';
import { COMPANY_TYPES } from '../../../protocol/wire/rights.ts';
import type { QueryOf } from '../../client/client.ts';
import { t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Title } from '../../components/page.tsx';
import { Time } from '../../components/time.tsx';
import { api } from '../session.ts';
import { FilterBar, isFiltered, LIMIT, Listed, useFilters, usePages } from './list.tsx';

const TYPES = [...COMPANY_TYPES, 'customer', 'operator'] as const;
const LEVELS: Record<OperatorCompany['authentication'], Level> = {
  none: 'unknown',
  submitted: 'attention',
  approved: 'well',
  rejected: 'problem',
};

export const typeWord = (type: OperatorCompany['type']) => t(`operator.type.${type}`);

/** Whether a company may work, and what is known of it. */
export function CompanyState({ company }: { company: OperatorCompany | OperatorCompanyDetail }) {
  if (company.suspendedAt) return <State level="problem">{t('operator.suspended')}</State>;
  return <State level={LEVELS[company.authentication]}>{t(`operator.authentication.${company.authentication}`)}</State>;
}

/** Every company, newest first; those that wait for a decision by a filter. */
export function Companies() {
  const [filters, set] = useFilters(['q', 'type', 'authentication', 'suspended']);
  const list = usePages(
    api.paged('/operator/companies', { query: { limit: LIMIT, ...filters } as QueryOf<'/operator/companies'> }),
  );
  return (
    <>
      <Title>{t('operator.companies')}</Title>
      <FilterBar
        label={t('operator.search')}
        hint={t('operator.companySearchHint')}
        filters={filters}
        set={set}
        choices={[
          {
            name: 'authentication',
            label: t('operator.authenticationLabel'),
            options: AUTHENTICATION_STATES.map((state) => [state, t(`operator.authentication.${state}`)]),
          },
          { name: 'type', label: t('operator.typeLabel'), options: TYPES.map((type) => [type, typeWord(type)]) },
        ]}
      />
      <Listed
        list={list}
        failed={t('operator.companiesFailed')}
        none={t(isFiltered(filters) ? 'operator.noCompanies' : 'operator.noCompaniesYet')}
        filtered={isFiltered(filters)}
      >
        {(items) => (
          <table class="rows">
            <thead>
              <tr>
                <th>{t('operator.name')}</th>
                <th>{t('operator.typeLabel')}</th>
                <th>{t('operator.state')}</th>
                <th>{t('operator.email')}</th>
                <th>{t('operator.since')}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((company) => (
                <tr key={company.id}>
                  <td data-label={t('operator.name')}>
                    <a class="link font-semibold" href={`/operator/companies/${company.id}`}>
                      {company.name}
                    </a>
                  </td>
                  <td data-label={t('operator.typeLabel')}>
                    {[typeWord(company.type), company.country].filter(Boolean).join(', ')}
                  </td>
                  <td data-label={t('operator.state')}>
                    <CompanyState company={company} />
                  </td>
                  <td data-label={t('operator.email')} class="break-all">
                    {company.email ?? <span class="muted">{t('state.none')}</span>}
                  </td>
                  <td data-label={t('operator.since')}>
                    <Time at={company.createdAt} />
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
