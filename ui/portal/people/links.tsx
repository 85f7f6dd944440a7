import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { LinkShown } from '../../../protocol/wire/people.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { language, t } from '../../components/i18n.ts';
import { linkError } from '../../components/link-error.ts';
import { Empty, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Time } from '../../components/time.tsx';
import { api, enter, me, refreshMe } from '../session.ts';
import { Entrance, linkSecret, NewPassword } from './entrance.tsx';

/** Where the links of e-mails lead: a registration, another e-mail address, a forgotten password. */
export function Verify() {
  const [token] = useState(linkSecret);
  const link = useResource((signal) => api.post('/auth/link', { token }, { signal }), [token]);
  const shown = link.data;
  return (
    <Entrance>
      {!shown && (
        <>
          <Title>{t('register.linkTitle')}</Title>
          <ProblemPanel error={linkError(link.error)} what={t('register.linkFailed')} />
          {!link.error && <Skeleton />}
        </>
      )}
      {shown?.for === 'registration' && <FinishRegistration token={token} link={shown} />}
      {shown?.for === 'employee' && <AskCompany token={token} link={shown} />}
      {shown?.for === 'email' && <ConfirmEmail token={token} link={shown} />}
      {shown?.for === 'password' && <ResetPassword token={token} link={shown} />}
    </Entrance>
  );
}

interface OfLink {
  token: string;
  link: LinkShown;
}

function FinishRegistration({ token, link }: OfLink) {
  const { route } = useLocation();
  const send = useAction(async ({ password = '' }: Record<string, string>) => {
    enter(await api.post('/auth/register/link', { token, password }));
    route('/');
  });
  return (
    <>
      <Title>{t('register.choosePassword')}</Title>
      <p>{t('register.confirmed', { name: link.name, address: link.target })}</p>
      <ProblemPanel error={send.error} what={t('register.failed')} focus />
      <Form onSubmit={send.run}>
        <NewPassword error={send.error} />
        <Submit busy={send.busy} doing={t('register.confirming')}>
          {t('register.finish')}
        </Submit>
      </Form>
    </>
  );
}

function AskCompany({ token, link }: OfLink) {
  const [asked, setAsked] = useState<string | null>(null);
  const send = useAction(async ({ companyId = '', password = '', message = '' }: Record<string, string>) => {
    const { company } = await api.post('/auth/register/join', { token, companyId, password, message });
    setAsked(company);
  });
  if (asked)
    return (
      <>
        <Title>{t('register.askedTitle')}</Title>
        <p role="status">{t('register.askedText', { company: asked, address: link.target })}</p>
      </>
    );
  return (
    <>
      <Title>{t('register.chooseCompany')}</Title>
      <ProblemPanel error={send.error} what={t('register.askFailed')} focus />
      {link.companies.length === 0 ? (
        <Empty title={t('register.noCompany')}>{t('register.noCompanyNext')}</Empty>
      ) : (
        <Form onSubmit={send.run}>
          <fieldset class="flex flex-col gap-2">
            <legend class="font-semibold">{t('register.similar')}</legend>
            {link.companies.map((company, i) => (
              <label key={company.id} class="flex items-start gap-2">
                <input
                  type="radio"
                  name="companyId"
                  value={company.id}
                  required
                  defaultChecked={i === 0}
                  class="mt-1"
                />
                <span>
                  {company.name}{' '}
                  <span class="muted">
                    {t(`companyType.${company.type}`)}
                    {company.country && `, ${company.country}`}
                  </span>
                </span>
              </label>
            ))}
          </fieldset>
          <Field label={t('register.message')} name="message" maxLength={200} />
          <NewPassword error={send.error} />
          <Submit busy={send.busy} doing={t('register.sending')}>
            {t('register.ask')}
          </Submit>
        </Form>
      )}
    </>
  );
}

function ConfirmEmail({ token, link }: OfLink) {
  const [done, setDone] = useState(false);
  const send = useAction(async () => {
    await api.post('/auth/email', { token });
    setDone(true);
    if (me.value) await refreshMe();
  });
  return (
    <>
      <Title>{t('register.emailTitle')}</Title>
      <ProblemPanel error={send.error} what={t('register.emailFailed')} focus />
      {done ? (
        <p role="status">{t('register.emailDone', { address: link.target })}</p>
      ) : (
        <>
          <p>{t('register.emailText', { name: link.name, address: link.target })}</p>
          <button type="button" class="btn btn-primary self-start" aria-disabled={send.busy} onClick={() => send.run()}>
            {t('register.emailConfirm')}
          </button>
        </>
      )}
    </>
  );
}

function ResetPassword({ token, link }: OfLink) {
  const [done, setDone] = useState(false);
  const send = useAction(async ({ password = '' }: Record<string, string>) => {
    await api.post('/auth/reset', { token, password });
    setDone(true);
  });
  return (
    <>
      <Title>{t('register.resetTitle')}</Title>
      <ProblemPanel error={send.error} what={t('register.resetFailed')} focus />
      {done ? (
        <p role="status">{t('register.resetDone')}</p>
      ) : (
        <>
          <p>{t('register.resetText', { address: link.target })}</p>
          <Form onSubmit={send.run}>
            <NewPassword error={send.error} />
            <Submit busy={send.busy} doing={t('form.saving')}>
              {t('register.resetSubmit')}
            </Submit>
          </Form>
        </>
      )}
    </>
  );
}

/** Asks for a link to choose a new password. */
export function Forgotten() {
  const [sentTo, setSentTo] = useState<string | null>(null);
  const send = useAction(async ({ account = '' }: Record<string, string>) => {
    await api.post('/auth/forgotten', { account });
    setSentTo(account);
  });
  return (
    <Entrance>
      <Title>{t('register.forgottenTitle')}</Title>
      <ProblemPanel error={send.error} what={t('register.forgottenFailed')} focus />
      {sentTo ? (
        <p role="status">{t('register.forgottenSent', { to: sentTo })}</p>
      ) : (
        <Form onSubmit={send.run}>
          <Field
            label={t('register.account')}
            name="account"
            inputMode="email"
            required
            autoComplete="username"
            maxLength={254}
          />
          <Submit busy={send.busy} doing={t('register.sending')}>
            {t('register.forgottenSubmit')}
          </Submit>
        </Form>
      )}
    </Entrance>
  );
}

/** Where the invitation of an employee leads. */
export function InvitationPage() {
  const [token] = useState(linkSecret);
  const { route } = useLocation();
  const invitation = useResource((signal) => api.post('/auth/invitation', { token }, { signal }), [token]);
  const send = useAction(async ({ name = '', password = '' }: Record<string, string>) => {
    enter(await api.post('/auth/invitation/accept', { token, name, password, locale: language.value }));
    route('/');
  });
  const shown = invitation.data;
  return (
    <Entrance>
      {shown ? (
        <>
          <Title>{t('register.invitedTitle', { company: shown.company })}</Title>
          <p>
            {t('register.invitedText', { address: shown.email })} {t('register.invitedUntil')}{' '}
            <Time at={shown.expiresAt} full />
          </p>
          {shown.roles.length > 0 && <p>{t('register.invitedRoles', { roles: shown.roles.join(', ') })}</p>}
          <ProblemPanel error={send.error} what={t('register.failed')} focus />
          <Form onSubmit={send.run}>
            <Field
              label={t('register.name')}
              name="name"
              required
              maxLength={64}
              autoComplete="name"
              value={shown.name}
              error={send.error}
            />
            <NewPassword error={send.error} />
            <Submit busy={send.busy} doing={t('register.confirming')}>
              {t('register.finish')}
            </Submit>
          </Form>
        </>
      ) : (
        <>
          <Title>{t('register.linkTitle')}</Title>
          <ProblemPanel error={linkError(invitation.error)} what={t('register.linkFailed')} />
          {!invitation.error && <Skeleton />}
        </>
      )}
    </Entrance>
  );
}
