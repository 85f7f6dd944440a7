import { exec as match } from 'preact-iso/router';
import type { Me } from '../../protocol/wire/api.ts';
import { askEarly } from '../components/http.ts';
import type { PageRoute } from './route.tsx';
import { ROUTES } from './routes.tsx';
import { SITE_ROUTES } from './site-routes.tsx';

const STORED = 'gatepost.company';
const API = '/api/v1';

/** Of the kind of company that was signed in last in this browser; nothing after signing out. */
export function rememberCompany(person: Me | null): void {
  try {
    localStorage.setItem(STORED, person?.company.type ?? 'none');
  } catch {
    // Then an installer is expected.
  }
}

function expected(): string {
  try {
    return localStorage.getItem(STORED) ?? 'installer';
  } catch {
    return 'installer';
  }
}

const meant = ({ who }: PageRoute, type: string): boolean =>
  who === 'anyone' || who === 'everyone' || (who as readonly string[]).includes(type);

/**
 * When the portal is opened: asks who is signed in and fetches the page of this address with its data all at once, where
 * each would wait for the one before. Whoever turns out not to be the one expected gets nothing of it.
 */
export function openEarly(path: string): void {
  askEarly(`${API}/auth/me`);
  const type = expected();
  if (type === 'none') return;
  const begin = (route: (typeof ROUTES | typeof SITE_ROUTES)[number], params: Record<string, string>) => {
    route.fetch().catch(() => {});
    for (const address of route.asks?.(params) ?? []) askEarly(API + address);
  };
  for (const route of ROUTES) {
    const found = match(path, route.path) ?? (route.path.endsWith('/*') && match(path, route.path.slice(0, -2)));
    if (!found || !meant(route, type)) continue;
    begin(route, found.params);
    if (route.path !== '/sites/:siteId/*') return;
    const page = SITE_ROUTES.find((below) => match(found.rest || '/', below.path));
    if (page) begin(page, { ...found.params, ...match(found.rest || '/', page.path)?.params });
    return;
  }
}
