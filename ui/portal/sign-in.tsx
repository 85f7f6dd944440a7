import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Field, Form, Submit } from '../components/form.tsx';
import { t } from '../components/i18n.ts';
import { Logo } from '../components/icons.tsx';
import { Title } from '../components/page.tsx';
import { ProblemPanel } from '../components/problem.tsx';
import { asApiError, useAction } from '../components/resource.ts';
import { expired, signIn } from './session.ts';

interface Entered {
  email: string;
  password: string;
}

/** `children`: what stands above it, said to whoever comes from a link. */
export function SignIn({ children }: { children?: ComponentChildren }) {
  /** Right so far, but a code is needed too. */
  const [entered, setEntered] = useState<Entered | null>(null);
  return (
    <main id="main" class="mx-auto flex max-w-md flex-col gap-6 p-4 pt-8 md:pt-24">
      <div class="flex items-center gap-3 text-lg font-semibold">
        <Logo size={32} /> Gatepost
      </div>
      {children}
      <div class="panel flex flex-col gap-4">
        {entered ? (
          <CodeStep entered={entered} back={() => setEntered(null)} />
        ) : (
          <PasswordStep codeNeeded={setEntered} />
        )}
      </div>
    </main>
  );
}

function PasswordStep({ codeNeeded }: { codeNeeded: (entered: Entered) => void }) {
  const send = useAction(async (email: string, password: string) => {
    try {
      await signIn(email, password);
    } catch (error) {
      if (asApiError(error).code !== 'second-factor-needed') throw error;
      codeNeeded({ email, password });
    }
  });
  return (
    <>
      <Title>{t('signIn.title')}</Title>
      {expired.value && <p role="status">{t('signIn.expired')}</p>}
      <ProblemPanel error={send.error} what={t('signIn.failed')} focus />
      <Form onSubmit={(fields) => send.run(fields.email ?? '', fields.password ?? '')}>
        <Field
          label={t('signIn.email')}
          name="email"
          inputMode="email"
          required
          autoComplete="username"
          maxLength={254}
        />
        <Field
          label={t('signIn.password')}
          name="password"
          type="password"
          required
          autoComplete="current-password"
          maxLength={128}
        />
        <Submit busy={send.busy} doing={t('signIn.doing')}>
          {t('signIn.title')}
        </Submit>
      </Form>
      <p class="flex flex-wrap gap-x-6 gap-y-2">
        <a class="link" href="/forgotten">
          {t('signIn.forgotten')}
        </a>
        <a class="link" href="/register">
          {t('signIn.register')}
        </a>
      </p>
    </>
  );
}

function CodeStep({ entered, back }: { entered: Entered; back: () => void }) {
  const send = useAction((code: string) => signIn(entered.email, entered.password, code));
  return (
    <>
      <Title>{t('signIn.codeTitle')}</Title>
      <p>{t('signIn.codeText')}</p>
      <ProblemPanel error={send.error} what={t('signIn.failed')} focus />
      <Form onSubmit={(fields) => send.run(fields.code ?? '')}>
        <Field
          label={t('signIn.code')}
          name="code"
          required
          autoComplete="one-time-code"
          hint={t('signIn.codeHint')}
          minLength={6}
          maxLength={20}
        />
        <Submit busy={send.busy} doing={t('signIn.doing')}>
          {t('signIn.title')}
        </Submit>
      </Form>
      <p>
        <button type="button" class="link" onClick={back}>
          {t('signIn.back')}
        </button>
      </p>
    </>
  );
}
