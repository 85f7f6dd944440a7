import { macOf } from '../discovery/sadp.ts';
import type { Result } from '../isapi/answer.ts';
import { clean } from '../isapi/xml.ts';
import type { OnvifClient } from './client.ts';
import { all, type Element, first, textAt } from './tree.ts';

export interface Identity {
  name: string;
  manufacturer: string;
  model: string;
  /** '' when it is none: all zeros and the like, which whole series share. */
  serial: string;
  mac: string | null;
  firmware: string | null;
}

/** GetDeviceInformation, with the name from its scopes and the MAC of the interface that we talk to. */
export async function readIdentity(client: OnvifClient, signal?: AbortSignal): Promise<Result<Identity>> {
  const information = await client.call(client.device, '<tds:GetDeviceInformation/>', { signal });
  if (!information.ok) return information;
  const field = (name: string) => clean(textAt(information.value, name), 64);
  const scopes = await client.call(client.device, '<tds:GetScopes/>', { signal });
  const interfaces = await client.call(client.device, '<tds:GetNetworkInterfaces/>', { signal });
  const manufacturer = field('Manufacturer');
  const model = field('Model');
  const told = scopes.ok ? readScopes(scopes.value) : { name: '', mac: null };
  return {
    ok: true,
    value: {
      name: told.name,
      manufacturer,
      model: clean(joined(manufacturer, model), 64),
      serial: serialOf(field('SerialNumber')),
      mac: (interfaces.ok ? macFor(interfaces.value, client.host) : null) ?? told.mac,
      firmware: field('FirmwareVersion') || null,
    },
  };
}

const joined = (manufacturer: string, model: string): string =>
  manufacturer && !model.toLowerCase().startsWith(manufacturer.toLowerCase()) ? `${manufacturer} ${model}` : model;

export const serialOf = (written: string): string =>
  /^(.)\1*$/.test(written) || /^(0*123456789?0?|n\/?a|none|null|unknown|serial.?number)$/i.test(written) ? '' : written;

export function readScopes(response: Element): { name: string; mac: string | null } {
  const scope = (kind: string) => {
    const start = `onvif://www.onvif.org/${kind}/`;
    const items = all(response, 'Scopes').map((s) => textAt(s, 'ScopeItem'));
    const found = items.find((item) => item.toLowerCase().startsWith(start));
    return found ? clean(decoded(found.slice(start.length)), 64) : '';
  };
  return { name: scope('name'), mac: macOf(scope('mac')) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The MAC of the interface with that address, else of the first one that is on. */
export function macFor(response: Element, host: string): string | null {
  const found = all(response, 'NetworkInterfaces').map((element) => ({
    mac: macOf(textAt(element, 'Info', 'HwAddress')),
    on: !/^(false|0)$/i.test(textAt(element, 'Enabled')),
    addresses: ['Manual', 'FromDHCP', 'LinkLocal'].flatMap((kind) =>
      all(first(element, 'IPv4', 'Config'), kind, 'Address').map((a) => a.text),
    ),
  }));
  const usable = found.filter((i) => i.mac !== null);
  return (usable.find((i) => i.addresses.includes(host)) ?? usable.find((i) => i.on) ?? usable[0])?.mac ?? null;
}
