import { useCallback, useEffect } from 'preact/hooks';
import type { SetupState } from '../../protocol/wire/api.ts';
import { t } from '../components/i18n.ts';
import { Logo } from '../components/icons.tsx';
import { Skeleton } from '../components/page.tsx';
import { ProblemPanel } from '../components/problem.tsx';
import { useAction, useResource } from '../components/resource.ts';
import { useClock } from '../components/time.tsx';
import { api, onSignedOut } from './api.ts';
import { Password } from './password.tsx';
import { StatusPage } from './status.tsx';

/** The page of one box on the customer's LAN; needs no internet. */
export function App() {
  useClock();
  const state = useResource((signal) => api.get<SetupState>('/state', { signal }), []);
  const reload = useCallback(() => state.reload(), []);
  useEffect(() => {
    onSignedOut(() => state.set((old) => ({ ...old, signedIn: false })));
  }, []);
  const leave = useAction(async () => {
    await api.post('/logout');
    reload();
  });
  const now = state.data;
  return (
    <>
      <a href="#main" class="skip">
        {t('nav.skip')}
      </a>
      <header class="border-b border-base-300 bg-base-100">
        <div class="mx-auto flex min-h-14 max-w-[90rem] items-center gap-3 px-4 py-2 md:px-8">
          <Logo />
          <span class="font-semibold">{t('setup.name')}</span>
          {now && <code class="mono select-all">{now.serial}</code>}
          {now?.signedIn && (
            <button type="button" class="btn btn-ghost -mr-4 ml-auto" onClick={() => leave.run()}>
              {t('nav.signOut')}
            </button>
          )}
        </div>
      </header>
      <main id="main" tabIndex={-1} class="mx-auto flex max-w-[90rem] flex-col gap-6 px-4 py-6 md:px-8">
        <ProblemPanel error={leave.error} what={t('session.signOutFailed')} />
        {!now &&
          (state.error ? (
            <ProblemPanel error={state.error} what={t('setup.failed')} retry={reload} />
          ) : (
            <Skeleton lines={6} />
          ))}
        {now &&
          (now.signedIn ? (
            <StatusPage />
          ) : (
            <Password key={String(now.firstUse)} firstUse={now.firstUse} onDone={reload} />
          ))}
      </main>
    </>
  );
}
