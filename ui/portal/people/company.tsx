import { useState } from 'preact/hooks';
import type { AuthenticationDocument, Company } from '../../../protocol/wire/people.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { locale, t } from '../../components/i18n.ts';
import { type Level, State } from '../../components/icons.tsx';
import { Facts, Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { type Resource, useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { api, me, refreshMe } from '../session.ts';

export const AUTHENTICATION_LEVEL: Record<Company['authentication'], Level> = {
  none: 'info',
  submitted: 'working',
  approved: 'well',
  rejected: 'problem',
};
const countryName = (code: string) => new Intl.DisplayNames([locale()], { type: 'region' }).of(code) ?? code;

/** What the company is. */
export function CompanyPage() {
  const company = useResource((signal) => api.get('/company', { signal }), []);
  const shown = company.data;
  return (
    <>
      <Title>{t('company.title')}</Title>
      <ProblemPanel error={company.error} what={t('company.failed')} retry={company.reload} />
      {!shown && !company.error && <Skeleton lines={8} />}
      {shown && (
        <div class="grid gap-6 md:grid-cols-2">
          <Panel title={shown.name}>
            <Facts
              items={[
                [t('company.type'), t(`companyType.${shown.type}`)],
                [t('company.country'), shown.country ? countryName(shown.country) : t('state.none')],
                [t('company.address'), shown.address || t('state.none')],
                [t('company.phone'), shown.phone || t('state.none')],
                shown.type !== 'operator' && [
                  t('company.authentication'),
                  <State key="state" level={AUTHENTICATION_LEVEL[shown.authentication]}>
                    {t(`company.state.${shown.authentication}`)}
                  </State>,
                ],
                shown.channelPartner && [t('company.partner'), t('company.isPartner')],
                [t('company.people'), t('company.count', { count: shown.people })],
                [t('company.slots'), t('company.slotsUsed', { used: shown.slotsUsed, count: shown.slots })],
              ]}
            />
          </Panel>
          {me.value?.admin ? <Change company={company} /> : <p class="muted">{t('company.onlyAdmin')}</p>}
        </div>
      )}
    </>
  );
}

function Change({ company }: { company: Resource<Company> }) {
  const { name, address, phone } = company.data!;
  const [saved, setSaved] = useState(false);
  const save = useAction(async (fields: Record<string, string>) => {
    setSaved(false);
    const { name = '', address = '', phone = '' } = fields;
    const changed = await api.put('/company', { name, address, phone });
    company.set(() => changed);
    setSaved(true);
    await refreshMe();
  });
  return (
    <Panel title={t('company.change')}>
      <ProblemPanel error={save.error} what={t('company.changeFailed')} focus />
      <Form onSubmit={save.run} label={t('company.change')}>
        <Field
          label={t('company.name')}
          name="name"
          required
          maxLength={64}
          value={name}
          autoComplete="organization"
          error={save.error}
        />
        <Field label={t('company.address')} name="address" maxLength={256} value={address} error={save.error} />
        <Field
          label={t('company.phone')}
          name="phone"
          inputMode="tel"
          maxLength={40}
          value={phone}
          hint={t('company.phoneHint')}
          error={save.error}
        />
        <div class="flex flex-wrap items-center gap-4">
          <Submit busy={save.busy} doing={t('form.saving')}>
            {t('action.save')}
          </Submit>
          <span role="status">{saved && t('account.saved')}</span>
        </div>
      </Form>
    </Panel>
  );
}

/** Whether the company is authenticated, and the form that asks for it. */
export function AuthenticationPage() {
  const found = useResource((signal) => api.get('/company/authentication', { signal }), []);
  const shown = found.data;
  const submit = useAction(async (fields: Record<string, string>) => {
    const answer = await api.post('/company/authentication', { fields: fields as AuthenticationDocument });
    found.set(() => answer);
    await refreshMe();
  });
  const open = shown?.state === 'none' || shown?.state === 'rejected';
  return (
    <>
      <Title>{t('company.authentication')}</Title>
      <ProblemPanel error={found.error} what={t('company.failed')} retry={found.reload} />
      {!shown && !found.error && <Skeleton lines={6} />}
      {shown && (
        <div class="panel flex max-w-xl flex-col gap-4">
          <p class="text-lg" role="status">
            <State level={AUTHENTICATION_LEVEL[shown.state]}>{t(`company.state.${shown.state}`)}</State>
          </p>
          <p>{t(`company.stateText.${shown.state}`)}</p>
          {shown.state === 'rejected' && <p class="font-semibold">{shown.reason}</p>}
          {shown.submittedAt && (
            <p class="muted">
              {t('company.submittedAt')} <Time at={shown.submittedAt} full />
            </p>
          )}
          {open && !me.value?.admin && <p class="muted">{t('company.onlyAdmin')}</p>}
          {open && me.value?.admin && (
            <>
              <ProblemPanel error={submit.error} what={t('company.submitFailed')} focus />
              <Form onSubmit={submit.run} label={t('company.authentication')}>
                {shown.asked.map(({ field, required }) => (
                  <Field
                    key={field}
                    label={t(`company.field.${field}`)}
                    name={field}
                    required={required}
                    maxLength={256}
                    value={shown.fields[field] ?? ''}
                    error={submit.error}
                  />
                ))}
                <Submit busy={submit.busy} doing={t('form.saving')}>
                  {t('company.submit')}
                </Submit>
              </Form>
            </>
          )}
          {!open && (
            <Facts
              items={shown.asked.map(
                ({ field }) => [t(`company.field.${field}`), shown.fields[field] || t('state.none')] as const,
              )}
            />
          )}
        </div>
      )}
    </>
  );
}
