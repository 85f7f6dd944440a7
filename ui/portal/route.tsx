import { type AnyComponent, createContext, type FunctionComponent } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { Route } from 'preact-iso';
import type { Me, Site } from '../../protocol/wire/api.ts';
import { type CompanyType, GIVEN_BY, type Permission, type RolePermission } from '../../protocol/wire/rights.ts';
import { ApiError } from '../components/http.ts';
import { type Key, needStrings, type StringFile, t } from '../components/i18n.ts';
import type { Icon } from '../components/icons.tsx';
import { Skeleton, Title } from '../components/page.tsx';
import { ProblemPanel } from '../components/problem.tsx';

/** Companies that install. */
export const INSTALLERS = ['installer', 'integrator', 'distributor', 'reseller', 'oem'] as const;

/** What can be a site's id, so that the relay need not be asked about anything else. */
export const isSiteId = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

interface Lazy {
  /** Fetches the page: a chunk of its own. */
  load: () => Promise<AnyComponent<never>>;
  /** Files of strings that it says, besides `common` and `portal`. */
  strings?: readonly StringFile[];
  /** Addresses of the API that it asks for first: asked while its script is still on its way, when it is opened first. */
  asks?: (params: Record<string, string>) => string[];
}

/** One page of the portal. */
export interface PageRoute extends Lazy {
  /** As preact-iso matches it: `/sites/:siteId`, or `/sites/:siteId/*` for a page with pages of its own. */
  path: string;
  /** Whose people see it. `anyone`: without signing in too; `everyone`: whoever is signed in. */
  who: 'anyone' | 'everyone' | readonly CompanyType[];
  /** What their role must hold, one of these; administrators hold all. */
  needs?: 'admin' | readonly RolePermission[];
  /** Its place in the navigation; without one it is reached from other pages. */
  nav?: Nav;
}
export interface Nav {
  /** `main`: beside Home; `company`, `account`: among the pages of that heading. */
  in: 'main' | 'company' | 'account';
  label: Key;
  /** Lower stands first. */
  order: number;
  /** For `main`. */
  icon?: Icon;
  /** Letter after `g` that goes there; for `main`. */
  letter?: string;
}

/** One page of a site, below `/sites/:siteId`. */
export interface SiteRoute extends Lazy {
  path: string;
  /** What the caller must hold on the site. */
  needs?: Permission;
  /** Whose people see it; left out: everyone's. */
  who?: readonly CompanyType[];
  tab?: { label: Key; order: number };
}

export type Loaded<T> = T & { component: FunctionComponent; fetch: () => Promise<void> };

export const withPages = <T extends Lazy>(routes: readonly T[]): Loaded<T>[] =>
  routes.map((route) => ({ ...route, ...lazyPage(route) }));

/**
 * The routes as preact-iso's Router takes them: `/sites/:siteId/*` does not match `/sites/x`, so it stands there twice, as
 * one page that is kept.
 */
export const asRoutes = (routes: readonly Pick<Loaded<{ path: string }>, 'path' | 'component'>[]) =>
  routes.flatMap(({ path, component }) =>
    (path.endsWith('/*') ? [path.slice(0, -2), path] : [path]).map((each) => (
      <Route key={path} path={each} component={component} />
    )),
  );

/** The tables of routes, for pages that show what there is; they cannot import what imports them. */
export const Tables = createContext<{ pages: readonly Loaded<PageRoute>[]; ofSite: readonly Loaded<SiteRoute>[] }>({
  pages: [],
  ofSite: [],
});
export const useTables = () => useContext(Tables);

export type Refusal = 'company' | 'role';
/** Why a person may not open a page, or null. */
export function refused({ who, needs }: Pick<PageRoute, 'who' | 'needs'>, person: Me | null): Refusal | null {
  if (who === 'anyone') return null;
  if (!person) return 'company';
  if (who !== 'everyone' && !who.includes(person.company.type)) return 'company';
  if (!needs || person.admin) return null;
  return needs !== 'admin' && needs.some((permission) => person.permissions.includes(permission)) ? null : 'role';
}

/** True when a page of a site is for this person. */
export const offered = ({ needs, who }: Pick<SiteRoute, 'needs' | 'who'>, site: Site, person: Me): boolean =>
  (!who || who.includes(person.company.type)) &&
  (!needs || site.permissions.some((held) => GIVEN_BY[needs].includes(held)));

/** A page that is fetched, with its strings, when it is first shown; at once when it was shown before. */
function lazyPage({ load, strings = [] }: Lazy): { component: FunctionComponent; fetch: () => Promise<void> } {
  let page: AnyComponent | undefined;
  let fetching: Promise<void> | undefined;
  const fetch = () => {
    fetching ??= Promise.all([load(), needStrings(strings)]).then(([found]) => {
      page = found as AnyComponent;
    });
    return fetching;
  };
  function component(props: object) {
    const [failed, setFailed] = useState(false);
    const [, arrived] = useState(false);
    useEffect(() => {
      // Also when it is there by now: it may have come between this component's first look and here.
      fetch().then(
        () => arrived(true),
        () => setFailed(true),
      );
    }, []);
    if (page) {
      const Found = page;
      return <Found {...props} />;
    }
    return failed ? <NotLoaded /> : <Skeleton lines={6} />;
  }
  return { component, fetch };
}

const offline = new ApiError('network', 0);
function NotLoaded() {
  return (
    <>
      <Title>{t('page.failed')}</Title>
      <ProblemPanel error={offline} what={t('page.failedNext')} retry={() => location.reload()} />
    </>
  );
}
