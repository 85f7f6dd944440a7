import { Field, Form, Submit } from '../components/form.tsx';
import { ApiError } from '../components/http.ts';
import { t } from '../components/i18n.ts';
import { Title } from '../components/page.tsx';
import { ProblemPanel } from '../components/problem.tsx';
import { useAction } from '../components/resource.ts';
import { api } from './api.ts';

/** The first visitor sets the password, every other one signs in with it. */
export function Password({ firstUse, onDone }: { firstUse: boolean; onDone: () => void }) {
  const send = useAction(async ({ password, again }: Record<string, string>) => {
    if (firstUse && password !== again)
      throw new ApiError('invalid-request', 400, {
        detail: t('password.differ'),
        errors: [{ path: 'again', message: t('password.differ') }],
      });
    await api.post(firstUse ? '/password' : '/login', { password });
    onDone();
  });
  return (
    <div class="mx-auto flex w-full max-w-md flex-col gap-6 md:pt-12">
      <div class="panel flex flex-col gap-4">
        <Title suffix={t('setup.name')}>{t(firstUse ? 'password.set' : 'signIn.title')}</Title>
        <p>{t(firstUse ? 'password.setText' : 'password.text')}</p>
        <ProblemPanel error={send.error} what={t(firstUse ? 'password.setFailed' : 'signIn.failed')} focus />
        <Form onSubmit={send.run}>
          {/* Password managers file the password under this name. */}
          <input type="text" name="username" value="box" autoComplete="username" hidden readOnly />
          <Field
            label={t('signIn.password')}
            hint={firstUse ? t('password.hint') : undefined}
            name="password"
            type="password"
            required
            minLength={firstUse ? 8 : undefined}
            maxLength={128}
            autoComplete={firstUse ? 'new-password' : 'current-password'}
            error={send.error}
          />
          {firstUse && (
            <Field
              label={t('password.again')}
              name="again"
              type="password"
              required
              maxLength={128}
              autoComplete="new-password"
              error={send.error}
            />
          )}
          <Submit busy={send.busy} doing={t(firstUse ? 'form.saving' : 'signIn.doing')}>
            {t(firstUse ? 'password.set' : 'signIn.title')}
          </Submit>
        </Form>
      </div>
    </div>
  );
}
