import type { Site } from '../../../protocol/wire/api.ts';
import type { HomeItem, HomeKind } from '../../../protocol/wire/home.ts';
import type { Level } from '../../components/icons.tsx';
import { sees } from '../site/rights.ts';

/** Where something can be done about it. */
const LINKS: Record<HomeKind, (item: HomeItem) => string> = {
  'box-duplicate': ({ site }) => `/sites/${site?.id}`,
  'box-gone': ({ site }) => `/sites/${site?.id}`,
  'device-trouble': ({ site, deviceId }) => `/sites/${site?.id}/devices/${deviceId}`,
  problem: ({ site }) => `/sites/${site?.id}`,
  'join-request': () => '/company/people',
  'partner-invitation': () => '/invitations',
  'permission-request': () => '/requests',
  'permission-asked': ({ site }) => `/sites/${site?.id}/customer`,
  'transfer-open': ({ site }) => `/sites/${site?.id}/customer`,
  'assignment-ends': ({ site }) => `/sites/${site?.id}`,
  'permission-ends': ({ site }) => `/sites/${site?.id}/customer`,
  'company-unproven': () => '/company/authentication',
};
export const linkOf = (item: HomeItem): string => LINKS[item.kind](item);

const LEVELS: Record<HomeKind, Level> = {
  'box-duplicate': 'problem',
  'box-gone': 'problem',
  'device-trouble': 'problem',
  problem: 'attention',
  'join-request': 'info',
  'partner-invitation': 'info',
  'permission-request': 'info',
  'permission-asked': 'info',
  'transfer-open': 'info',
  'assignment-ends': 'attention',
  'permission-ends': 'attention',
  'company-unproven': 'info',
};
export const levelOf = (kind: HomeKind): Level => LEVELS[kind];

/** What does not work or ends soon, apart from what waits for somebody's answer. */
export const isUrgent = (kind: HomeKind): boolean => LEVELS[kind] !== 'info';

/** One kind's items under each other, in the order in which they came. */
export const byKind = (items: readonly HomeItem[]): [HomeKind, HomeItem[]][] => [
  ...Map.groupBy(items, (item) => item.kind),
];

/** How a site is, and how many things need attention at it; unknown without a box, and where nothing may be seen. */
export function siteState(site: Pick<Site, 'boxes' | 'warnables' | 'permissions'>): {
  level: Level;
  count: number;
  barred: boolean;
} {
  if (!sees(site)) return { level: 'unknown', count: 0, barred: true };
  const urgent = site.warnables.filter((warnable) => warnable.severity !== 'info');
  if (urgent.length > 0) {
    const level = urgent.some((warnable) => warnable.severity === 'error') ? 'problem' : 'attention';
    return { level, count: urgent.length, barred: false };
  }
  const level = site.boxes.some((box) => box.state !== 'revoked') ? 'well' : 'unknown';
  return { level, count: 0, barred: false };
}

/** How many things need attention: those of the list, and those of sites shown below that it does not tell of. */
export const urgentCount = (
  items: readonly HomeItem[],
  sites: readonly (Parameters<typeof siteState>[0] & Pick<Site, 'id'>)[],
): number => {
  const urgent = items.filter((item) => isUrgent(item.kind));
  const told = new Set(urgent.map((item) => item.site?.id));
  const untold = sites.filter((site) => !told.has(site.id)).map((site) => siteState(site).count);
  return untold.reduce((sum, count) => sum + count, urgent.length);
};
