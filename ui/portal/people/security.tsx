import { useState } from 'preact/hooks';
import type { TotpSetup } from '../../../protocol/wire/people.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Panel, Skeleton, Title } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction, useResource } from '../../components/resource.ts';
import { Copyable } from '../../components/serial.tsx';
import { api, enter, me } from '../session.ts';

/** Password and second factor. */
export function SecurityPage() {
  return (
    <>
      <Title>{t('account.security')}</Title>
      <div class="grid gap-6 md:grid-cols-2">
        <PasswordPanel />
        <SecondFactorPanel />
      </div>
    </>
  );
}

function PasswordPanel() {
  const [done, setDone] = useState(0);
  const change = useAction(async ({ password = '', newPassword = '' }: Record<string, string>) => {
    enter(await api.put('/me/password', { password, newPassword }));
    setDone((n) => n + 1);
  });
  return (
    <Panel title={t('account.changePassword')}>
      <ProblemPanel error={change.error} what={t('account.passwordFailed')} focus />
      <p role="status">{done > 0 && !change.error && t('account.passwordChanged')}</p>
      <Form key={done} onSubmit={change.run} label={t('account.changePassword')}>
        <Field
          label={t('account.oldPassword')}
          name="password"
          type="password"
          required
          autoComplete="current-password"
          maxLength={128}
        />
        <Field
          label={t('account.newPassword')}
          name="newPassword"
          type="password"
          required
          autoComplete="new-password"
          hint={t('account.newPasswordHint')}
          minLength={10}
          maxLength={128}
        />
        <Submit busy={change.busy} doing={t('form.saving')}>
          {t('account.changePassword')}
        </Submit>
      </Form>
    </Panel>
  );
}

function SecondFactorPanel() {
  const profile = useResource((signal) => api.get('/me/profile', { signal }), [me.value?.totp]);
  const [codes, setCodes] = useState<string[] | null>(null);
  return (
    <Panel title={t('account.twoFactor')}>
      <ProblemPanel error={profile.error} what={t('account.failed')} retry={profile.reload} />
      {!profile.data && !profile.error && <Skeleton />}
      {profile.data && (
        <div class="flex flex-col gap-4">
          <State level={profile.data.totp ? 'well' : 'info'}>
            {t(profile.data.totp ? 'account.twoFactorOn' : 'account.twoFactorOff')}
          </State>
          {codes && <Codes codes={codes} />}
          {profile.data.totp ? (
            <IsOn left={profile.data.recoveryCodesLeft} setCodes={setCodes} reload={profile.reload} />
          ) : (
            <SetUp setCodes={setCodes} />
          )}
        </div>
      )}
    </Panel>
  );
}

/** Shown once; they are kept on paper. */
function Codes({ codes }: { codes: string[] }) {
  return (
    <section class="rounded-box border border-base-300 p-4" aria-label={t('account.codes')}>
      <p class="font-semibold" role="status">
        {t('account.codes')}
      </p>
      <p class="muted mb-2">{t('account.codesText')}</p>
      <ul class="grid grid-cols-2 gap-x-4">
        {codes.map((code) => (
          <li key={code}>
            <code class="mono select-all">{code}</code>
          </li>
        ))}
      </ul>
    </section>
  );
}

function PasswordForm({
  label,
  doing,
  run,
  busy,
  withCode = false,
}: {
  label: string;
  doing: string;
  busy: boolean;
  run: (password: string, code: string) => void;
  /** Asks for a code of the second factor too. */
  withCode?: boolean;
}) {
  return (
    <Form label={label} onSubmit={({ password = '', code = '' }) => run(password, code)}>
      <Field
        label={t('account.password')}
        name="password"
        type="password"
        required
        autoComplete="current-password"
        hint={t('account.passwordWhy')}
        maxLength={128}
      />
      {withCode && (
        <Field
          label={t('account.code')}
          name="code"
          required
          autoComplete="one-time-code"
          hint={t('signIn.codeHint')}
          maxLength={32}
        />
      )}
      <Submit busy={busy} doing={doing}>
        {label}
      </Submit>
    </Form>
  );
}

function SetUp({ setCodes }: { setCodes: (codes: string[]) => void }) {
  const [setup, setSetup] = useState<TotpSetup | null>(null);
  const begin = useAction(async (password: string) => setSetup(await api.post('/me/totp', { password })));
  const confirm = useAction(async ({ code = '' }: Record<string, string>) => {
    const session = await api.post('/me/totp/confirm', { code });
    setCodes(session.codes);
    enter(session);
  });
  if (!setup)
    return (
      <>
        <p>{t('account.twoFactorText')}</p>
        <ProblemPanel error={begin.error} what={t('account.twoFactorFailed')} focus />
        <PasswordForm label={t('account.setUp')} doing={t('account.sending')} busy={begin.busy} run={begin.run} />
      </>
    );
  return (
    <>
      <p>{t('account.scan')}</p>
      <img src={setup.qr} alt={t('account.qr')} width={200} height={200} class="self-center bg-white" />
      <p>
        {t('account.byHand')} <Copyable text={setup.secret} label={t('account.secret')} />
      </p>
      <ProblemPanel error={confirm.error} what={t('account.twoFactorFailed')} focus />
      <Form onSubmit={confirm.run} label={t('account.setUp')}>
        <Field
          label={t('account.firstCode')}
          name="code"
          required
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={12}
        />
        <Submit busy={confirm.busy} doing={t('account.sending')}>
          {t('account.switchOn')}
        </Submit>
      </Form>
    </>
  );
}

function IsOn({
  left,
  setCodes,
  reload,
}: {
  left: number;
  setCodes: (codes: string[] | null) => void;
  reload: () => void;
}) {
  const [doing, setDoing] = useState<'codes' | 'off' | null>(null);
  const run = useAction(async (password: string, code: string) => {
    if (doing === 'codes') setCodes((await api.post('/me/recovery-codes', { password, code })).codes);
    else {
      enter(await api.post('/me/totp/remove', { password, code }));
      setCodes(null);
    }
    setDoing(null);
    reload();
  });
  return (
    <>
      <p>{t('account.codesLeft', { count: left })}</p>
      <ProblemPanel error={run.error} what={t('account.twoFactorFailed')} focus />
      {doing ? (
        <PasswordForm
          label={t(doing === 'codes' ? 'account.newCodes' : 'account.switchOff')}
          doing={t('account.sending')}
          busy={run.busy}
          run={run.run}
          withCode
        />
      ) : (
        <div class="flex flex-wrap gap-4">
          <button type="button" class="btn" onClick={() => setDoing('codes')}>
            {t('account.newCodes')}
          </button>
          <button type="button" class="btn" onClick={() => setDoing('off')}>
            {t('account.switchOff')}
          </button>
        </div>
      )}
    </>
  );
}
