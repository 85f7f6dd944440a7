import type { Device } from '../../../protocol/wire/api.ts';
import { type DeviceCapabilities, permissionFor } from '../../../protocol/wire/operations.ts';
import type { DevicePermission } from '../../../protocol/wire/rights.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { INSTALLERS } from '../route.tsx';
import { me } from '../session.ts';
import { useSite } from '../site/context.ts';
import { holds } from '../site/rights.ts';

/** What of a device's capabilities a person may use; the relay refuses the rest. */
export function permitted(
  capabilities: DeviceCapabilities,
  may: (permission: DevicePermission) => boolean,
): DeviceCapabilities {
  return {
    ...capabilities,
    sections: may('configure') ? capabilities.sections : [],
    lists: capabilities.lists.filter(({ list }) => may(permissionFor(list))),
    actions: capabilities.actions.filter(({ action }) => may(permissionFor(action))),
  };
}

export function useMay(device: Pick<Device, 'permissions'>): (permission: DevicePermission) => boolean {
  const { site } = useSite();
  return (permission) => holds(site.data!, device, permission);
}

const ROLES = { configure: 'configure-devices', live: 'live-view', playback: 'playback' } as const;

/** In the place of what a person may not do with a device: what is missing, and who can give it. */
export function Missing({ permission }: { permission: DevicePermission }) {
  const { base } = useSite();
  const person = me.value;
  const byRole = !person?.admin && !person?.permissions.includes(ROLES[permission]);
  const installer = INSTALLERS.some((type) => type === person?.company.type);
  return (
    <State level="unknown">
      {t(`site.missing.${permission}`)} {byRole && installer && t('site.missing.role')}
      {!byRole && installer && (
        <a class="link" href={`${base}/customer`}>
          {t('glance.askCustomer')}
        </a>
      )}
    </State>
  );
}
