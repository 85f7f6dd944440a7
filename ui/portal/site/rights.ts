import type { Device, Site } from '../../../protocol/wire/api.ts';
import type { DevicePermission } from '../../../protocol/wire/rights.ts';

/** True when the caller may see how a site is: an owner can take everything back but that the site is there. */
export const sees = (site: Pick<Site, 'permissions'>): boolean => site.permissions.includes('view');
/** The same of one device: who was given just that one gets its state, and no box to go by. */
export const seesDevice = (site: Pick<Site, 'permissions'>, device: Pick<Device, 'health'>): boolean =>
  sees(site) || device.health !== null;
export const mayManage = (site: Pick<Site, 'permissions'>): boolean => site.permissions.includes('manage');
/** What may be done with one device; one that came over the live connection has what is held on its whole site. */
export const holds = (
  site: Pick<Site, 'permissions'>,
  device: Pick<Device, 'permissions'>,
  permission: DevicePermission,
): boolean => (device.permissions ?? site.permissions).includes(permission);
