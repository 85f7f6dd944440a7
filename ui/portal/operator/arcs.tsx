import { useRoute } from 'preact-iso';
import { ARC_JOINING_STATES, type ArcApplication } from '../../../protocol/wire/arc-joining.ts';
import type { QueryOf } from '../../client/client.ts';
import { Choice, Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { type Resource, useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { countryName, InformationFacts } from '../arc-joining/information.tsx';
import { JOINING_LEVEL } from '../arc-joining/joining.tsx';
import { api } from '../session.ts';
import { isFiltered, LIMIT, Listed, useFilters, usePages } from './list.tsx';

const STATES = ARC_JOINING_STATES.filter((state) => state !== 'none');

function ApplicationState({ of }: { of: ArcApplication }) {
  if (of.suspended) return <State level="problem">{t('operator.suspended')}</State>;
  return (
    <State level={of.state === 'submitted' ? 'attention' : JOINING_LEVEL[of.state]}>
      {t(`arcJoin.operatorState.${of.state}`)}
    </State>
  );
}

/** Companies that want to be, or are, on the ARC list; the newest first. */
export function ArcApplications() {
  const [filters, set] = useFilters(['state']);
  const list = usePages(
    api.paged('/operator/arcs', { query: { limit: LIMIT, ...filters } as QueryOf<'/operator/arcs'> }),
  );
  return (
    <>
      <Title>{t('arcJoin.applications')}</Title>
      <search class="max-w-xs">
        <Choice
          label={t('operator.state')}
          name="state"
          value={filters.state ?? ''}
          options={[
            ['', t('operator.all')],
            ...STATES.map((state) => [state, t(`arcJoin.operatorState.${state}`)] as const),
          ]}
          onChange={(state) => set({ state })}
        />
      </search>
      <Listed
        list={list}
        failed={t('arcJoin.applicationsFailed')}
        none={t('arcJoin.noApplications')}
        filtered={isFiltered(filters)}
      >
        {(items) => (
          <table class="rows">
            <thead>
              <tr>
                <th>{t('operator.name')}</th>
                <th>{t('operator.state')}</th>
                <th>{t('arcJoin.countries')}</th>
                <th>{t('arcJoin.appliedAt')}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((application) => (
                <tr key={application.companyId}>
                  <td data-label={t('operator.name')}>
                    <a class="link font-semibold" href={`/operator/arcs/${application.companyId}`}>
                      {application.name}
                    </a>
                  </td>
                  <td data-label={t('operator.state')}>
                    <ApplicationState of={application} />
                  </td>
                  <td data-label={t('arcJoin.countries')}>{application.information.countries.join(', ')}</td>
                  <td data-label={t('arcJoin.appliedAt')}>
                    <Time at={application.appliedAt} />
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

/** One application, and the decision. */
export function ArcApplicationPage() {
  const { companyId = '' } = useRoute().params;
  const params = { companyId };
  const found = useResource((signal) => api.get('/operator/arcs/{companyId}', { params, signal }), [companyId]);
  const { data } = found;
  return (
    <>
      <Title>{data?.name ?? t('arcJoin.application')}</Title>
      <ProblemPanel error={found.error} what={t('arcJoin.applicationFailed')} retry={found.reload} />
      {!data && !found.error && <Skeleton lines={8} />}
      {data && (
        <div class="grid items-start gap-6 lg:grid-cols-2">
          <Panel title={t('arcJoin.application')}>
            <div class="flex flex-col gap-4">
              <Facts
                items={[
                  [t('operator.state'), <ApplicationState key="state" of={data} />],
                  [t('arcJoin.country'), countryName(data.country) || t('state.none')],
                  [
                    t('operator.authenticationLabel'),
                    <a key="authentication" class="link" href={`/operator/companies/${companyId}`}>
                      {t(`operator.authentication.${data.authentication}`)}
                    </a>,
                  ],
                  [t('arcJoin.appliedBy'), data.appliedBy],
                  [t('arcJoin.appliedAt'), <Time key="applied" at={data.appliedAt} full />],
                  data.decidedAt !== null && [
                    t('operator.decidedAt'),
                    <span key="decided">
                      <Time at={data.decidedAt} full />, {data.decidedBy}
                    </span>,
                  ],
                  data.reason !== '' && [t('operator.reason'), data.reason],
                  data.configuredAt !== null && [
                    t('arcJoin.listedSince'),
                    <Time key="listed" at={data.configuredAt} full />,
                  ],
                  [t('arcJoin.accounts'), String(data.accounts)],
                ]}
              />
              <Decide found={found} data={data} />
            </div>
          </Panel>
          <Panel title={t('arcJoin.information')}>
            <InformationFacts information={data.information} />
          </Panel>
        </div>
      )}
      <p>
        <a class="link" href="/operator/arcs">
          {t('arcJoin.allApplications')}
        </a>
      </p>
    </>
  );
}

function Decide({ found, data }: { found: Resource<ArcApplication>; data: ArcApplication }) {
  const params = { companyId: data.companyId };
  const decide = useAction(async (decision: { approved: true } | { approved: false; reason: string }) => {
    const next = await api.put('/operator/arcs/{companyId}/decision', decision, { params });
    found.set(() => next);
  });
  if (data.state === 'rejected' || data.state === 'withdrawn') return null;
  const waits = data.state === 'submitted';
  const first = waits && data.authentication !== 'approved';
  const word = t(waits ? 'operator.reject' : 'arcJoin.takeOff');
  return (
    <>
      <ProblemPanel error={decide.error} what={t('operator.decideFailed')} focus />
      {first && (
        <p id="authenticate-first">
          <State level="attention">{t('arcJoin.authenticateFirst')}</State>
        </p>
      )}
      {waits && (
        <div>
          <button
            type="button"
            class="btn btn-primary"
            disabled={first}
            aria-describedby={first ? 'authenticate-first' : undefined}
            aria-disabled={decide.busy}
            onClick={() => decide.run({ approved: true })}
          >
            {t('operator.approve')}
          </button>
        </div>
      )}
      <Form label={word} onSubmit={(sent) => decide.run({ approved: false, reason: sent.reason ?? '' })}>
        <Field
          label={t('operator.reason')}
          hint={t('operator.reasonHint')}
          name="reason"
          required
          maxLength={500}
          autoComplete="off"
          error={decide.error}
        />
        <div>
          <Submit busy={decide.busy} doing={t('form.saving')}>
            {word}
          </Submit>
        </div>
      </Form>
    </>
  );
}
