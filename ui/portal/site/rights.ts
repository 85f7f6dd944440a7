import type { Site } from '../../../protocol/wire/api.ts';

/** True when the caller may see how a site is: an owner can take everything back but that the site is there. */
export const sees = (site: Pick<Site, 'permissions'>): boolean => site.permissions.includes('view');
export const mayManage = (site: Pick<Site, 'permissions'>): boolean => site.permissions.includes('manage');
