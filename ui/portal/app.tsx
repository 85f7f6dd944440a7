import { useEffect } from 'preact/hooks';
import { LocationProvider, Route, Router, useLocation } from 'preact-iso';
import { exec as match } from 'preact-iso/router';
import type { Me } from '../../protocol/wire/api.ts';
import { language, t } from '../components/i18n.ts';
import { Glyph, type Icon, Logo } from '../components/icons.tsx';
import { Empty, Skeleton, Title } from '../components/page.tsx';
import { ProblemPanel } from '../components/problem.tsx';
import { useAction, useResource } from '../components/resource.ts';
import { useClock } from '../components/time.tsx';
import { UndoBar } from '../components/undo.tsx';
import { DeskOnEveryPage } from './desk/watch.tsx';
import { rememberCompany } from './early.ts';
import { useShortcuts } from './keys.tsx';
import { LanguageChoice, useLanguageOf } from './language.tsx';
import { Bell } from './messages/bell.tsx';
import { MainNav, mainNav, SectionNav } from './nav.tsx';
import { NotFound } from './not-found.tsx';
import { asRoutes, refused, Tables } from './route.tsx';
import { ROUTES } from './routes.tsx';
import { api, me, signOut } from './session.ts';
import { SignIn } from './sign-in.tsx';
import { SITE_ROUTES } from './site-routes.tsx';
import { UpdateBar } from './update.tsx';

const TABLES = { pages: ROUTES, ofSite: SITE_ROUTES };

export function App() {
  useClock();
  return (
    // Another language is another page: everything on it is said anew.
    <LocationProvider key={language.value}>
      <Tables.Provider value={TABLES}>
        <a href="#main" class="skip">
          {t('nav.skip')}
        </a>
        <UpdateBar />
        <Session />
        <UndoBar />
      </Tables.Provider>
    </LocationProvider>
  );
}

/** Asks once who is signed in; shows the sign-in page in the place of any page, so that its address is kept. */
function Session() {
  const asked = useResource(async (signal) => {
    if (me.value === undefined) me.value = await api.get('/auth/me', { signal });
  }, []);
  useEffect(() => {
    if (me.value !== undefined) rememberCompany(me.value);
  }, [me.value]);
  useLanguageOf(me.value);
  if (me.value) return <Frame person={me.value} />;
  if (me.value === null) return <Outside />;
  return (
    <main id="main" class="mx-auto max-w-lg p-4 pt-16">
      {asked.error?.code === 'network' ? (
        <Offline again={asked.reload} />
      ) : asked.error ? (
        <ProblemPanel error={asked.error} what={t('session.failed')} retry={asked.reload} />
      ) : (
        <Skeleton />
      )}
    </main>
  );
}

/** The portal itself is kept by the browser; what it shows is not. */
function Offline({ again }: { again: () => void }) {
  useEffect(() => {
    const timer = setInterval(again, 10_000);
    addEventListener('online', again);
    return () => {
      clearInterval(timer);
      removeEventListener('online', again);
    };
  }, [again]);
  return (
    <div class="panel flex flex-col gap-4">
      <Title>{t('offline.title')}</Title>
      <p>{t('offline.text')}</p>
      <button type="button" class="btn self-start" onClick={again}>
        {t('action.tryAgain')}
      </button>
    </div>
  );
}

const OPEN = ROUTES.filter((route) => route.who === 'anyone');

/** For whoever is not signed in: the pages for anyone, else the way in. */
function Outside() {
  return (
    <>
      <Router>
        {asRoutes(OPEN)}
        <Route default component={SignIn} />
      </Router>
      <footer class="mx-auto max-w-md px-4 pb-8">
        <LanguageChoice />
      </footer>
    </>
  );
}

function Frame({ person }: { person: Me }) {
  const leave = useAction(signOut);
  const items = mainNav(ROUTES, person);
  const mayOpen = (path: string) => ROUTES.some((route) => route.path === path && refused(route, person) === null);
  useShortcuts(items, mayOpen('/search'));
  return (
    <>
      <header class="border-b border-base-300 bg-base-100">
        <div class="mx-auto flex max-w-[90rem] flex-wrap items-center gap-x-4 px-4 py-2 md:flex-nowrap md:px-8">
          <a href="/" class="flex shrink-0 items-center gap-2 font-semibold" aria-label={t('nav.logo')}>
            <Logo />
            Gatepost
          </a>
          <MainNav items={items} />
          {/* Only what room is left; the page of the account says it in full. */}
          <span
            class="muted small hidden flex-1 basis-0 text-right xl:block"
            title={`${person.name}, ${person.company.name}`}
          >
            <span class="block truncate">{person.name}</span>
            <span class="block truncate">{person.company.name}</span>
          </span>
          <span class="ml-auto flex shrink-0">
            {mayOpen('/search') && <HeadLink href="/search" icon="search" label={t('nav.search')} />}
            <Bell />
            <HeadLink href="/help" icon="help" label={t('nav.help')} wide />
          </span>
          <button type="button" class="btn btn-ghost -mr-4 shrink-0 whitespace-nowrap" onClick={() => leave.run()}>
            {t('nav.signOut')}
          </button>
        </div>
      </header>
      <main id="main" class="mx-auto flex max-w-[90rem] flex-col gap-6 px-4 py-6 md:px-8" tabIndex={-1}>
        <ProblemPanel error={leave.error} what={t('session.signOutFailed')} />
        {person.company.type === 'arc' && <DeskOnEveryPage />}
        <SectionNav routes={ROUTES} person={person} />
        <Router>
          {asRoutes(ROUTES.filter((route) => refused(route, person) === null))}
          <Route default component={NoPage} />
        </Router>
      </main>
    </>
  );
}

function HeadLink({ href, icon, label, wide }: { href: string; icon: Icon; label: string; wide?: boolean }) {
  return (
    <a class={`btn btn-ghost px-2 ${wide ? 'hidden md:inline-flex' : ''}`} href={href} aria-label={label} title={label}>
      <Glyph icon={icon} />
    </a>
  );
}

/** An address that is no page for this person: says so when it is one for others. */
function NoPage() {
  const { path } = useLocation();
  const reasons = ROUTES.filter((route) => match(path, route.path)).map((route) => refused(route, me.value ?? null));
  if (reasons.length === 0) return <NotFound />;
  return (
    <>
      <Title>{t('page.notYours')}</Title>
      <Empty title={t(reasons.includes('role') ? 'page.notYoursRole' : 'page.notYoursCompany')}>
        <a class="link" href="/">
          {t('notFound.home')}
        </a>
      </Empty>
    </>
  );
}
