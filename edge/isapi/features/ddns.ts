import type { SettingField } from '../../../protocol/wire/operations.ts';
import type { Feature } from '../../drivers/feature.ts';
import type { Result } from '../answer.ts';
import { type Change, type Written, writeDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { clean, list, text, type XmlNode } from '../xml.ts';
import { bool, choice, num, optionsOf, readOnly, secret, words, yesNo } from './fields.ts';

const DDNS = '/System/Network/DDNS/1';
/** Ports on the router, which the device asks for itself or a person types in. The shape is not proven by a capture. */
const PORTS = '/System/Network/UPnP/ports';
const TEXTS = ['provider', 'serverAddress', 'deviceDomainName', 'userName'] as const;

/** Where a value stands: some firmware gives the address of a server as a structure. */
const serverPath = (node: XmlNode): [string, ...string[]] => {
  const inner = (['hostName', 'ipAddress', 'domainName'] as const).find(
    (n) => list(node, 'serverAddress', n).length > 0,
  );
  return inner ? ['serverAddress', inner] : ['serverAddress'];
};
const pathOf = (node: XmlNode, name: string): [string, ...string[]] =>
  name === 'serverAddress' ? serverPath(node) : [name];

const modeName = (node: XmlNode) => (list(node, 'mapmode').length > 0 ? 'mapmode' : 'mapMode');
interface Mapping {
  field: 'servicePort' | 'httpPort';
  index: number;
  external: number | null;
}
/** The two ports that a person knows: the device's service port and HTTP. */
function mappings(node: XmlNode): Mapping[] {
  return list(node, 'portList', 'portMapping').flatMap((one, index): Mapping[] => {
    const what = `${text(one, 'portType')} ${text(one, 'protocolType')} ${text(one, 'internalPortType')}`;
    const field = /dev|admin|server|sdk/i.test(what) ? 'servicePort' : /http(?!s)/i.test(what) ? 'httpPort' : null;
    return field ? [{ field, index, external: Number(text(one, 'externalPort')) || null }] : [];
  });
}

async function read(device: IsapiDevice, signal?: AbortSignal): Promise<Result<SettingField[]>> {
  const got = await device.get(DDNS, signal);
  if (!got.ok) return got;
  const { node } = got.value;
  const caps = await device.get('/System/Network/DDNS/capabilities', signal);
  const providers = caps.ok ? optionsOf(caps.value.source, 'provider') : [];
  const value = (name: string) => clean(text(node, ...(pathOf(node, name) as [string])), 128);
  const fields: SettingField[] = [bool('ddnsEnabled', yesNo(text(node, 'enabled')))];
  for (const name of TEXTS) {
    if (list(node, name).length === 0) continue;
    fields.push(name === 'provider' ? choice(name, value(name), providers) : words(name, value(name), 128));
  }
  fields.push(secret('ddnsPassword', null, 64));
  const status = clean(text(node, 'status') || text(node, 'updateStatus'), 64);
  if (status) fields.push(words('ddnsStatus', status, 64, readOnly));
  const map = await device.get(PORTS, signal);
  if (!map.ok) return { ok: true, value: fields };
  const mode = text(map.value.node, modeName(map.value.node)).toLowerCase();
  fields.push(choice('portMapping', mode, ['auto', 'manual']));
  for (const { field, external } of mappings(map.value.node)) {
    // Obtained by itself, a port is not there to be edited (DDNS-03).
    fields.push(num(field, external, [1, 65_535], null, mode === 'auto' ? readOnly : {}));
  }
  return { ok: true, value: fields };
}

/** Dynamic DNS and ports on the router: devices whose own firmware is too old stay reachable (DDNS-01…06). */
export const ddns: Feature<IsapiDevice> = {
  async offer(device, signal) {
    if (!(await device.has(DDNS, signal))) return {};
    return { sections: [{ section: 'ddns', channels: null }], unverified: ['ddns'] };
  },
  sections: {
    ddns: {
      read: (device, _, signal) => read(device, signal),
      async write(device, _, set, __, signal) {
        const done = { rebootRequired: false };
        const take = (written: Result<Written>) => {
          if (written.ok) done.rebootRequired ||= written.value.rebootRequired;
          return written;
        };
        const own = Object.keys(set).filter((name) => !['portMapping', 'servicePort', 'httpPort'].includes(name));
        if (own.length > 0) {
          const edit = (node: XmlNode) =>
            own.map((name): Change => {
              if (name === 'ddnsEnabled') return { path: ['enabled'], value: String(set[name]) };
              if (name !== 'ddnsPassword') return { path: pathOf(node, name), value: String(set[name]) };
              const password = String(set[name]);
              return list(node, 'password').length > 0
                ? { path: ['password'], value: password }
                : {
                    path: [],
                    append: `<password>${password.replace(/[<>&]/g, (c) => `&#${c.charCodeAt(0)};`)}</password>`,
                  };
            });
          const written = take(await writeDocument(device, DDNS, edit, signal));
          if (!written.ok) return written;
        }
        if (own.length < Object.keys(set).length) {
          const edit = (node: XmlNode): Change[] => [
            ...('portMapping' in set ? [{ path: [modeName(node)], value: String(set.portMapping) }] : []),
            ...mappings(node).flatMap(({ field, index }): Change[] =>
              field in set
                ? [{ path: ['portList', { name: 'portMapping', index }, 'externalPort'], value: String(set[field]) }]
                : [],
            ),
          ];
          const written = take(await writeDocument(device, PORTS, edit, signal));
          if (!written.ok) return written;
        }
        return { ok: true, value: done };
      },
    },
  },
};
