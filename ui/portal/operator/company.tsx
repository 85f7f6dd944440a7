import { useRoute } from 'preact-iso';
import { AUTHENTICATION_FIELDS } from '../../../protocol/wire/countries.ts';
import type { OperatorCompanyDetail } from '../../../protocol/wire/operator.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { type Resource, useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { withUndo } from '../../components/undo.tsx';
import { api } from '../session.ts';
import { CompanyState, typeWord } from './companies.tsx';

/** One company: what it is, its authentication, and whether its people are let in. */
export function CompanyPage() {
  const { companyId = '' } = useRoute().params;
  const params = { companyId };
  const company = useResource((signal) => api.get('/operator/companies/{companyId}', { params, signal }), [companyId]);
  const { data } = company;
  return (
    <>
      <Title>{data?.name ?? t('operator.company')}</Title>
      <ProblemPanel error={company.error} what={t('operator.companyFailed')} retry={company.reload} />
      {!data && !company.error && <Skeleton lines={8} />}
      {data && (
        <div class="grid items-start gap-6 lg:grid-cols-2">
          <Panel title={t('operator.whoItIs')}>
            <Facts
              items={[
                [t('operator.state'), <CompanyState key="state" company={data} />],
                [t('operator.typeLabel'), [typeWord(data.type), data.country].filter(Boolean).join(', ')],
                [t('operator.email'), data.email ?? t('state.none')],
                data.phone !== '' && [t('operator.phone'), data.phone],
                data.address !== '' && [t('operator.address'), data.address],
                [t('operator.since'), <Time key="since" at={data.createdAt} full />],
                [t('operator.people'), String(data.people)],
                [t('operator.sites'), String(data.sites)],
                [
                  t('operator.boxes'),
                  <a key="boxes" class="link" href={`/operator/boxes?companyId=${data.id}`}>
                    {data.boxes}
                  </a>,
                ],
                [t('operator.slots'), t('operator.slotsOf', { used: data.slotsUsed, all: data.slots })],
              ]}
            />
          </Panel>
          <Authentication company={company} data={data} />
          {data.type !== 'operator' && <Access company={company} data={data} />}
        </div>
      )}
    </>
  );
}

interface Shown {
  company: Resource<OperatorCompanyDetail>;
  data: OperatorCompanyDetail;
}

function Authentication({ company, data }: Shown) {
  const params = { companyId: data.id };
  const decide = useAction(async (decision: { approved: true } | { approved: false; reason: string }) => {
    const next = await api.put('/operator/companies/{companyId}/decision', decision, { params });
    company.set(() => next);
  });
  const fields = AUTHENTICATION_FIELDS.filter((field) => data.submitted[field]);
  return (
    <Panel title={t('operator.authenticationLabel')}>
      <div class="flex flex-col gap-4">
        {data.submittedAt === null && <p class="muted">{t('operator.notAsked')}</p>}
        <Facts
          items={[
            ...fields.map((field) => [t(`operator.field.${field}`), data.submitted[field]] as const),
            data.submittedAt !== null && [t('operator.askedAt'), <Time key="asked" at={data.submittedAt} full />],
            data.decidedAt !== null && [t('operator.decidedAt'), <Time key="decided" at={data.decidedAt} full />],
            data.reason !== '' && [t('operator.reason'), data.reason],
          ]}
        />
        <ProblemPanel error={decide.error} what={t('operator.decideFailed')} focus />
        {data.authentication === 'submitted' && (
          <>
            <div>
              <button
                type="button"
                class="btn btn-primary"
                aria-disabled={decide.busy}
                onClick={() => decide.run({ approved: true })}
              >
                {t('operator.approve')}
              </button>
            </div>
            <Form
              label={t('operator.reject')}
              onSubmit={(sent) => decide.run({ approved: false, reason: sent.reason ?? '' })}
            >
              <Field
                label={t('operator.reason')}
                hint={t('operator.reasonHint')}
                name="reason"
                required
                maxLength={500}
                autoComplete="off"
                error={decide.error}
              />
              <Submit busy={decide.busy} doing={t('form.saving')}>
                {t('operator.reject')}
              </Submit>
            </Form>
          </>
        )}
      </div>
    </Panel>
  );
}

function Access({ company, data }: Shown) {
  const params = { companyId: data.id };
  const set = useAction(async (suspended: boolean) => {
    const next = await api.put('/operator/companies/{companyId}/suspended', { suspended }, { params });
    company.set(() => next);
  });
  const suspend = () => {
    company.set((old) => ({ ...old, suspendedAt: new Date().toISOString() }));
    withUndo({
      text: t('operator.suspendedNow', { name: data.name }),
      failed: t('operator.suspendFailed', { name: data.name }),
      run: (keepalive) =>
        api
          .put('/operator/companies/{companyId}/suspended', { suspended: true }, { params, keepalive })
          .then((next) => company.set(() => next)),
      back: company.reload,
    });
  };
  return (
    <Panel title={t('operator.access')}>
      <div class="flex flex-col items-start gap-4">
        <p class="muted">{t(data.suspendedAt ? 'operator.resumeText' : 'operator.suspendText')}</p>
        {data.suspendedAt && (
          <p>
            {t('operator.suspendedSince')} <Time at={data.suspendedAt} full />
          </p>
        )}
        <ProblemPanel error={set.error} what={t('operator.suspendFailed', { name: data.name })} focus />
        <button
          type="button"
          class="btn"
          aria-disabled={set.busy}
          onClick={data.suspendedAt ? () => set.run(false) : suspend}
        >
          {t(data.suspendedAt ? 'operator.resume' : 'operator.suspend')}
        </button>
      </div>
    </Panel>
  );
}
