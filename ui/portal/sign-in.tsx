import { Field, Form, Submit } from '../components/form.tsx';
import { t } from '../components/i18n.ts';
import { Logo } from '../components/icons.tsx';
import { Title } from '../components/page.tsx';
import { ProblemPanel } from '../components/problem.tsx';
import { useAction } from '../components/resource.ts';
import { expired, signIn } from './session.ts';

export function SignIn() {
  const send = useAction(signIn);
  return (
    <main id="main" class="mx-auto flex max-w-md flex-col gap-6 p-4 pt-8 md:pt-24">
      <div class="flex items-center gap-3 text-lg font-semibold">
        <Logo size={32} /> Gatepost
      </div>
      <div class="panel flex flex-col gap-4">
        <Title>{t('signIn.title')}</Title>
        {expired.value && <p role="status">{t('signIn.expired')}</p>}
        <ProblemPanel error={send.error} what={t('signIn.failed')} focus />
        <Form onSubmit={(fields) => send.run(fields.email ?? '', fields.password ?? '')}>
          <Field label={t('signIn.email')} name="email" type="email" required autoComplete="username" maxLength={254} />
          <Field
            label={t('signIn.password')}
            name="password"
            type="password"
            required
            autoComplete="current-password"
          />
          <Submit busy={send.busy} doing={t('signIn.doing')}>
            {t('signIn.title')}
          </Submit>
        </Form>
      </div>
    </main>
  );
}
