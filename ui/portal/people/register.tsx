import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { Register as Body, Sent } from '../../../protocol/wire/people.ts';
import { COMPANY_TYPES } from '../../../protocol/wire/rights.ts';
import { Choice, Field, Form, Submit } from '../../components/form.tsx';
import { language, t } from '../../components/i18n.ts';
import { Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { api, enter } from '../session.ts';
import { CountryChoice, Entrance, NewPassword } from './entrance.tsx';

const KINDS = ['company', 'employee', 'customer'] as const;
type Kind = (typeof KINDS)[number];

/** Who registers: a company, somebody who works for one, or a customer. Which one stands in the address. */
export function Register() {
  const { query } = useLocation();
  const kind = KINDS.find((each) => each === query.as);
  const [sent, setSent] = useState<{ to: string; sent: Sent } | null>(null);
  return (
    <Entrance>
      {sent ? (
        <WhatWasSent to={sent.to} first={sent.sent} />
      ) : kind ? (
        <RegisterForm key={kind} kind={kind} done={setSent} />
      ) : (
        <ChooseKind />
      )}
    </Entrance>
  );
}

function ChooseKind() {
  return (
    <>
      <Title>{t('register.title')}</Title>
      <ul class="flex flex-col gap-4">
        {KINDS.map((kind) => (
          <li key={kind}>
            <a class="link font-semibold" href={`/register?as=${kind}`}>
              {t(`register.kind.${kind}`)}
            </a>
            <p class="muted">{t(`register.kindText.${kind}`)}</p>
          </li>
        ))}
      </ul>
    </>
  );
}

function RegisterForm({ kind, done }: { kind: Kind; done: (sent: { to: string; sent: Sent }) => void }) {
  const [byPhone, setByPhone] = useState(false);
  const send = useAction(async (fields: Record<string, string>) => {
    const to = (byPhone ? fields.phone : fields.email) ?? '';
    const sent = await api.post('/auth/register', { ...fields, kind, locale: language.value } as unknown as Body);
    done({ to, sent });
  });
  return (
    <>
      <Title>{t(`register.kind.${kind}`)}</Title>
      <ProblemPanel error={send.error} what={t('register.failed')} focus />
      <Form onSubmit={send.run}>
        {kind === 'company' && (
          <Choice
            label={t('register.type')}
            name="type"
            options={COMPANY_TYPES.map((type) => [type, t(`companyType.${type}`)])}
          />
        )}
        {kind !== 'customer' && (
          <Field
            label={t('register.companyName')}
            name="companyName"
            required
            maxLength={64}
            autoComplete="organization"
            error={send.error}
            {...(kind === 'employee' ? { hint: t('register.companyHint') } : {})}
          />
        )}
        {kind !== 'employee' && <CountryChoice error={send.error} />}
        <Field label={t('register.name')} name="name" required maxLength={64} autoComplete="name" error={send.error} />
        {kind === 'customer' && (
          <Choice
            label={t('register.by')}
            name="by"
            value={byPhone ? 'phone' : 'email'}
            options={[
              ['email', t('register.byEmail')],
              ['phone', t('register.byPhone')],
            ]}
            onChange={(by) => setByPhone(by === 'phone')}
          />
        )}
        {byPhone ? (
          <Field
            key="phone"
            label={t('register.phone')}
            name="phone"
            inputMode="tel"
            required
            autoComplete="tel"
            hint={t('register.phoneHint')}
            error={send.error}
          />
        ) : (
          <Field
            key="email"
            label={t('register.email')}
            name="email"
            type="email"
            required
            autoComplete="email"
            maxLength={254}
            error={send.error}
          />
        )}
        <Submit busy={send.busy} doing={t('register.sending')}>
          {t('register.submit')}
        </Submit>
      </Form>
    </>
  );
}

/** What to do with what was sent; of a phone, the code is entered here. */
function WhatWasSent({ to, first }: { to: string; first: Sent }) {
  const [sent, setSent] = useState(first);
  const { route } = useLocation();
  const again = useAction(async () => setSent(await api.post('/auth/register/resend', { id: sent.id })));
  const confirm = useAction(async (fields: Record<string, string>) => {
    const { code = '', password = '' } = fields;
    enter(await api.post('/auth/register/code', { id: sent.id, code, password }));
    route('/');
  });
  return (
    <>
      <Title>{t(sent.by === 'email' ? 'register.sentTitle' : 'register.codeTitle')}</Title>
      <p role="status">{t(sent.by === 'email' ? 'register.sentText' : 'register.codeText', { to })}</p>
      {sent.by === 'phone' && (
        <>
          <ProblemPanel error={confirm.error} what={t('register.failed')} focus />
          <Form onSubmit={confirm.run}>
            <Field
              label={t('register.code')}
              name="code"
              required
              inputMode="numeric"
              autoComplete="one-time-code"
              maxLength={12}
            />
            <NewPassword error={confirm.error} />
            <Submit busy={confirm.busy} doing={t('register.confirming')}>
              {t('register.confirm')}
            </Submit>
          </Form>
        </>
      )}
      <ProblemPanel error={again.error} what={t('register.resendFailed')} focus />
      <p class="muted">{t('register.nothing')}</p>
      <button type="button" class="btn self-start" aria-disabled={again.busy} onClick={() => again.run()}>
        {t('register.resend')}
      </button>
    </>
  );
}
