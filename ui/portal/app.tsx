import { LocationProvider, Route, Router } from 'preact-iso';
import type { Me } from '../../protocol/wire/api.ts';
import { t } from '../components/i18n.ts';
import { Logo } from '../components/icons.tsx';
import { Skeleton } from '../components/page.tsx';
import { ProblemPanel } from '../components/problem.tsx';
import { useAction, useResource } from '../components/resource.ts';
import { useClock } from '../components/time.tsx';
import { UndoBar } from '../components/undo.tsx';
import { ClaimFromLink } from './claim-link.tsx';
import { NotFound } from './not-found.tsx';
import { api, me, signOut } from './session.ts';
import { SignIn } from './sign-in.tsx';
import { SitePage } from './site/site-page.tsx';
import { NewSite, Sites } from './sites.tsx';

export function App() {
  useClock();
  return (
    <LocationProvider>
      <a href="#main" class="skip">
        {t('nav.skip')}
      </a>
      <Session />
      <UndoBar />
    </LocationProvider>
  );
}

/** Asks once who is signed in; shows the sign-in page in the place of any page, so that its address is kept. */
function Session() {
  const asked = useResource(async (signal) => {
    me.value = await api.get<Me>('/auth/me', { signal });
  }, []);
  if (me.value) return <Frame person={me.value} />;
  if (me.value === null) return <SignIn />;
  return (
    <main id="main" class="mx-auto max-w-lg p-4 pt-16">
      {asked.error ? (
        <ProblemPanel error={asked.error} what={t('session.failed')} retry={asked.reload} />
      ) : (
        <Skeleton />
      )}
    </main>
  );
}

function Frame({ person }: { person: Me }) {
  const leave = useAction(signOut);
  return (
    <>
      <header class="border-b border-base-300 bg-base-100">
        <div class="mx-auto flex max-w-[90rem] items-center gap-4 px-4 py-2 md:px-8">
          <a href="/" class="flex items-center gap-2 font-semibold" aria-label={t('nav.home')}>
            <Logo />
            Gatepost
          </a>
          <span class="muted ml-auto hidden md:inline">
            {person.name}, {person.company.name}
          </span>
          <button type="button" class="btn btn-ghost -mr-4 ml-auto md:ml-0" onClick={() => leave.run()}>
            {t('nav.signOut')}
          </button>
        </div>
      </header>
      <main id="main" class="mx-auto flex max-w-[90rem] flex-col gap-6 px-4 py-6 md:px-8" tabIndex={-1}>
        <ProblemPanel error={leave.error} what={t('session.signOutFailed')} />
        <Router>
          <Route path="/" component={Sites} />
          <Route path="/sites/new" component={NewSite} />
          <Route path="/claim" component={ClaimFromLink} />
          <Route path="/sites/:siteId" component={SitePage} />
          <Route path="/sites/:siteId/*" component={SitePage} />
          <Route default component={NotFound} />
        </Router>
      </main>
    </>
  );
}
