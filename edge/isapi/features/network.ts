import { isIPv4 } from 'node:net';
import { type Addressing, addressFault, SUBNET_MASKS } from '../../../protocol/wire/lan.ts';
import type { FieldValue, SettingField } from '../../../protocol/wire/operations.ts';
import type { Feature } from '../../drivers/feature.ts';
import { failure, type IsapiFailure, type Result } from '../answer.ts';
import { type Change, editXml, missingIn, putDocument } from '../edit-xml.ts';
import type { IsapiDevice, XmlDocument } from '../isapi-device.ts';
import { clean, list, text, type XmlNode } from '../xml.ts';
import { bool, choice, readOnly, words } from './fields.ts';

const INTERFACES = '/System/Network/interfaces';

/** The interface that we talk to: the first one can be another (isapi.md §6). Null: the device lists none. */
async function ownInterface(
  device: IsapiDevice,
  signal?: AbortSignal,
): Promise<Result<{ path: string; node: XmlNode; mac: string }>> {
  const all = await device.get(INTERFACES, signal);
  if (!all.ok) return all;
  const found = list(all.value.node, 'NetworkInterface');
  const own = found.find((i) => text(i, 'IPAddress', 'ipAddress') === device.client.host) ?? found[0];
  const id = text(own, 'id');
  if (!own || !/^\d{1,4}$/.test(id)) return failure('device-error', 'It lists no network interface.');
  return {
    ok: true,
    value: {
      path: `${INTERFACES}/${id}/ipAddress`,
      node: list(own, 'IPAddress')[0] ?? '',
      mac: clean(text(own, 'Link', 'MACAddress'), 17),
    },
  };
}

/**
 * Sets DHCP, or address, mask, gateway and name servers, and keeps the rest of the document. `moved`: it leaves the address
 * where we talk to it, perhaps before it answered.
 */
export async function setAddressing(
  device: IsapiDevice,
  to: Addressing,
  signal?: AbortSignal,
): Promise<Result<{ moved: boolean; rebootRequired: boolean }>> {
  const own = await ownInterface(device, signal);
  if (!own.ok) return own;
  const { path } = own.value;
  const got = await device.get(path, signal);
  if (!got.ok) return got;
  const now = addressingOf(got.value.node);
  if (to.dhcp ? now.dhcp : !now.dhcp && sameStatic(now, to))
    return { ok: true, value: { moved: false, rebootRequired: false } };
  const changes = changesFor(got.value, to);
  const [lacking] = missingIn(got.value.source, changes).filter((c) => !c.optional);
  if (lacking) return failure('device-error', 'Its network settings have a form that is not known here.');
  const body = editXml(got.value.source, changes);
  const put = await putDocument(device, path, body, signal, { timeoutMs: 10_000 });
  const moved = to.dhcp || to.address !== device.client.host;
  // It answers from its new address, or not at all: no failure as such, and told apart by looking for it there.
  if (!put.ok && !(moved && put.code === 'device-unreachable')) return put;
  return { ok: true, value: { moved, rebootRequired: put.ok && put.value.rebootRequired } };
}

interface Now {
  dhcp: boolean;
  address: string;
  subnetMask: string;
  gateway: string;
  dns: string[];
}

const addressingOf = (node: XmlNode): Now => ({
  dhcp: /^(dynamic|dhcp)$/i.test(text(node, 'addressingType')),
  address: clean(text(node, 'ipAddress'), 45),
  subnetMask: clean(text(node, 'subnetMask'), 45),
  gateway: clean(text(node, 'DefaultGateway', 'ipAddress'), 45),
  dns: [text(node, 'PrimaryDNS', 'ipAddress'), text(node, 'SecondaryDNS', 'ipAddress')],
});

const sameStatic = (now: Now, to: Extract<Addressing, { dhcp: false }>): boolean =>
  now.address === to.address &&
  now.subnetMask === to.subnetMask &&
  (now.gateway || '0.0.0.0') === (to.gateway ?? '0.0.0.0') &&
  to.dns.every((server, i) => now.dns[i] === server);

function changesFor(doc: XmlDocument, to: Addressing): Change[] {
  if (to.dhcp) return [{ path: ['addressingType'], value: 'dynamic' }];
  const under = (name: string, value: string): Change =>
    list(doc.node, name).length > 0
      ? { path: [name, 'ipAddress'], value }
      : { path: [], append: `<${name}><ipAddress>${value}</ipAddress></${name}>` };
  return [
    { path: ['addressingType'], value: 'static' },
    { path: ['ipAddress'], value: to.address },
    { path: ['subnetMask'], value: to.subnetMask },
    under('DefaultGateway', to.gateway ?? '0.0.0.0'),
    ...to.dns.map((server, i) => under(i === 0 ? 'PrimaryDNS' : 'SecondaryDNS', server)),
  ];
}

/** What was set, over what is there. */
function wanted(fields: SettingField[], set: Record<string, FieldValue>): Addressing | IsapiFailure {
  const value = (name: string) => {
    if (name in set) return set[name];
    const field = fields.find((f) => f.name === name);
    return field && field.kind !== 'secret' ? field.value : null;
  };
  if (value('dhcp') === true) return { dhcp: true };
  const ip = (name: string) => (value(name) === null || value(name) === '' ? null : String(value(name)));
  const [address, mask, gateway] = [ip('address'), ip('subnetMask'), ip('gateway')];
  const dns = [ip('dns1'), ip('dns2')].filter((server) => server !== null);
  const bad = [
    ['address', address],
    ['gateway', gateway],
    ['dns1', dns[0] ?? null],
    ['dns2', dns[1] ?? null],
  ].find(
    ([name, written]) => (name === 'address' && written === null) || (written !== null && !isIPv4(String(written))),
  );
  if (bad) return failure('invalid-request', `${bad[0]}: four numbers with dots.`);
  const subnetMask = SUBNET_MASKS.find((m) => m === mask);
  if (!subnetMask) return failure('invalid-request', 'subnetMask: choose one of the list.');
  const fault = addressFault({ address: address!, subnetMask, gateway });
  return fault ? failure('invalid-request', fault) : { dhcp: false, address: address!, subnetMask, gateway, dns };
}

/** Address of the device (isapi.md §6, INIT-21, INIT-22). */
export const network: Feature<IsapiDevice> = {
  async offer(device, signal) {
    return (await device.has(INTERFACES, signal)) ? { sections: [{ section: 'network', channels: null }] } : {};
  },
  sections: {
    network: {
      async read(device, _, signal) {
        const own = await ownInterface(device, signal);
        if (!own.ok) return own;
        const { dhcp, address, subnetMask, gateway, dns } = addressingOf(own.value.node);
        return {
          ok: true,
          value: [
            bool('dhcp', dhcp),
            words('address', address, 15),
            choice('subnetMask', subnetMask, SUBNET_MASKS),
            words('gateway', gateway, 15),
            words('dns1', dns[0] ?? '', 15),
            words('dns2', dns[1] ?? '', 15),
            words('mac', own.value.mac, 17, readOnly),
          ],
        };
      },
      async write(device, _, set, fields, signal) {
        const to = wanted(fields, set);
        if ('ok' in to) return to;
        const done = await setAddressing(device, to, signal);
        if (!done.ok) return done;
        const { moved, rebootRequired } = done.value;
        return { ok: true, value: { rebootRequired, away: moved } };
      },
    },
  },
};
