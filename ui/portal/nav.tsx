import { useLocation } from 'preact-iso';
import type { Me } from '../../protocol/wire/api.ts';
import { type Key, t } from '../components/i18n.ts';
import { Glyph, type Icon } from '../components/icons.tsx';
import { Tabs } from '../components/tabs.tsx';
import { type Nav, type PageRoute, refused } from './route.tsx';

export interface NavItem {
  href: string;
  label: Key;
  icon: Icon;
  letter: string | null;
  /** Addresses that it is the current page of, besides its own and those below it. */
  also: string[];
}
type Listed = PageRoute & { nav: Nav };

/** Pages of one heading of the navigation that this person may open, in order. */
export const pagesIn = (routes: readonly PageRoute[], place: Nav['in'], person: Me): Listed[] =>
  routes
    .filter((route): route is Listed => route.nav?.in === place && refused(route, person) === null)
    // An address can be another page for another kind of person: the first one is shown.
    .filter((route, i, list) => list.findIndex((other) => other.path === route.path) === i)
    .sort((a, b) => a.nav.order - b.nav.order);

const HEADINGS = [
  { in: 'company', label: 'nav.company', icon: 'company', letter: 'c', order: 80 },
  { in: 'account', label: 'nav.account', icon: 'account', letter: 'a', order: 90 },
] as const;

/** The main navigation of a person: the main pages, then the headings that have pages for them. */
export function mainNav(routes: readonly PageRoute[], person: Me): NavItem[] {
  const main = pagesIn(routes, 'main', person).map(({ path, nav }) => ({
    order: nav.order,
    item: { href: path, label: nav.label, icon: nav.icon ?? 'page', letter: nav.letter ?? null, also: [] as string[] },
  }));
  const headings = HEADINGS.flatMap(({ in: place, order, ...heading }) => {
    const paths = pagesIn(routes, place, person).map((route) => route.path);
    return paths[0] ? [{ order, item: { ...heading, href: paths[0], also: paths.slice(1) } }] : [];
  });
  return [...main, ...headings].sort((a, b) => a.order - b.order).map(({ item }) => item);
}

const isAt = (path: string, href: string) => path === href || (href !== '/' && path.startsWith(`${href}/`));
export const isCurrent = (item: Pick<NavItem, 'href' | 'also'>, path: string): boolean =>
  [item.href, ...item.also].some((href) => isAt(path, href));

/** Below the logo's line on a wide window; at the thumb on a phone, where what does not fit is behind “Menu”. */
export function MainNav({ items }: { items: NavItem[] }) {
  const { path } = useLocation();
  const shown = (item: Pick<NavItem, 'href' | 'also'>) => (isCurrent(item, path) ? ('page' as const) : undefined);
  const onPhone = items.slice(0, 4);
  return (
    <nav aria-label={t('nav.main')} class="main-nav">
      <ul>
        {items.map((item) => (
          <li key={item.href} class={onPhone.includes(item) ? undefined : 'wide-only'}>
            <a href={item.href} aria-current={shown(item)}>
              <Glyph icon={item.icon} />
              {t(item.label)}
            </a>
          </li>
        ))}
        <li class="narrow-only">
          <a href="/menu" aria-current={shown({ href: '/menu', also: items.slice(4).map((item) => item.href) })}>
            <Glyph icon="menu" />
            {t('nav.menu')}
          </a>
        </li>
      </ul>
    </nav>
  );
}

/** The other pages under the same heading as the page that is shown. */
export function SectionNav({ routes, person }: { routes: readonly PageRoute[]; person: Me }) {
  const { path } = useLocation();
  const heading = HEADINGS.find(({ in: place }) =>
    pagesIn(routes, place, person).some((route) => isAt(path, route.path)),
  );
  const pages = heading ? pagesIn(routes, heading.in, person) : [];
  if (!heading || pages.length < 2) return null;
  // Of /company and /company/log only the second is the page of /company/log/….
  const current = pages.filter((route) => isAt(path, route.path)).sort((a, b) => b.path.length - a.path.length)[0];
  return (
    <Tabs
      label={t('nav.pagesOf', { name: t(heading.label) })}
      tabs={pages.map((route) => ({
        key: route.path,
        href: route.path,
        current: route === current,
        text: t(route.nav.label),
      }))}
    />
  );
}
