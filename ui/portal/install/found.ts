import { METHOD_ADDS } from '../../../protocol/wire/adding.ts';
import type { DiscoveredDevice } from '../../../protocol/wire/box-api.ts';
import type { Resource } from '../../components/resource.ts';
import { useResource } from '../../components/resource.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';

export type Found = DiscoveredDevice & { boxSerial: string };

/** Control panels are set up elsewhere (DISC-10); told by the model, which is all that is known before a login. */
export const isPanel = (model: string): boolean => /^(DS-P[WHMK]|AX[\s-]?(PRO|HOME|HUB|HYBRID))/i.test(model);

const isDoorbell = (model: string): boolean => /^DS-HD\d|doorbell/i.test(model);
/** Of a type that is not added from the LAN, as far as its model tells. */
export const isBySerial = (model: string): boolean => {
  const type = isPanel(model) ? 'panel' : isDoorbell(model) ? 'doorbell' : null;
  return type !== null && !METHOD_ADDS.lan.includes(type);
};
/** Address of the form that adds what was found: by its serial where its type asks for it. */
export const addPage = (base: string, { mac, serial, model }: Pick<Found, 'mac' | 'serial' | 'model'>): string =>
  isBySerial(model)
    ? `${base}/devices/add-many?${new URLSearchParams({ way: 'serial', ...(serial && { serial }) })}`
    : `${base}/devices/add${mac && `?mac=${mac}`}`;

/** Known by ONVIF alone: it has nothing of what an initialisation sets. */
export const isOnvifOnly = ({ activated, protocols }: DiscoveredDevice): boolean =>
  activated === null && protocols.includes('onvif') && !protocols.includes('sadp');

/** What a person has typed on one of these pages, for the next ones: by MAC, gone with the window. */
export const entered = new Map<string, { username: string; password: string }>();

export interface Ready {
  /** With a password of its own, and no control panel. */
  devices: Found[];
  isKept: (mac: string) => boolean;
  /** In this site already. */
  isAdded: (found: Found) => boolean;
}

/** Devices of the LAN that are ready for more than a first password, and what is known of them. */
export function useReady(): Resource<Ready> {
  const { siteId, devices: added } = useSite();
  const found = useResource((signal) => api.get('/sites/{siteId}/discovery', { params: { siteId }, signal }), [siteId]);
  const kept = useResource(
    (signal) => api.get('/sites/{siteId}/activations', { params: { siteId }, signal }),
    [siteId],
  );
  const macs = new Set(kept.data?.items.map((item) => item.mac));
  const there = (item: Found) =>
    (added.data?.items ?? []).some(
      (device) =>
        (device.mac !== null && device.mac === item.mac) || (device.serial !== null && device.serial === item.serial),
    );
  const data = found.data &&
    kept.data && {
      devices: found.data.items.filter((d) => d.activated !== false && d.mac !== '' && !isPanel(d.model)),
      isKept: (mac: string) => macs.has(mac) || entered.has(mac),
      isAdded: there,
    };
  return {
    data,
    error: found.error ?? kept.error,
    loading: found.loading || kept.loading,
    reload: () => {
      found.reload();
      kept.reload();
    },
    set: () => {},
  };
}

/** Address of the page with the channels of the first of some recorders; the others follow it. */
export const recorderPage = (base: string, boxSerial: string, macs: readonly string[]): string => {
  const [first = '', ...rest] = macs;
  return `${base}/recorder?${new URLSearchParams({ box: boxSerial, mac: first, ...(rest.length > 0 && { rest: rest.join() }) })}`;
};
