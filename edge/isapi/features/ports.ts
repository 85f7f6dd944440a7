import type { Feature } from '../../drivers/feature.ts';
import { failure } from '../answer.ts';
import { type Change, writeDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { list, text } from '../xml.ts';
import { bool, num, yesNo } from './fields.ts';

const ACCESSES = '/Security/adminAccesses';
/** Protocols by the device's word, and ours for their fields. */
const PROTOCOLS: Record<string, string> = {
  HTTP: 'http',
  HTTPS: 'https',
  RTSP: 'rtsp',
  RTSPS: 'rtsps',
  DEV_MANAGE: 'server',
  SDK_OVER_TLS: 'tlsServer',
  WEBSOCKET: 'webSocket',
  WEBSOCKETS: 'webSockets',
};

const ownProtocol = ({ client }: IsapiDevice): 'http' | 'https' => (client.tls ? 'https' : 'http');

/** Ports and protocols that it serves (isapi.md §4 `adminAccesses`). */
export const ports: Feature<IsapiDevice> = {
  async offer(device, signal) {
    return (await device.has(ACCESSES, signal)) ? { sections: [{ section: 'ports', channels: null }] } : {};
  },
  sections: {
    ports: {
      async read(device, _, signal) {
        const got = await device.get(ACCESSES, signal);
        if (!got.ok) return got;
        const found = list(got.value.node, 'AdminAccessProtocol').flatMap((access) => {
          const name = PROTOCOLS[text(access, 'protocol').toUpperCase()];
          return name ? [{ name, access }] : [];
        });
        const own = ownProtocol(device);
        const unique = [...new Map(found.map((one) => [one.name, one.access]))];
        return {
          ok: true,
          value: unique.flatMap(([name, access]) => {
            const enabled = yesNo(text(access, 'enabled'));
            return [
              num(`${name}Port`, Number(text(access, 'portNo')) || null, [1, 65_535]),
              // Without the one that it is spoken to in nothing here reaches it any more.
              ...(enabled === null || name === own ? [] : [bool(`${name}Enabled`, enabled)]),
            ];
          }),
        };
      },
      async write(device, _, set, fields, signal) {
        const port = (name: string) => {
          const field = fields.find((f) => f.name === name);
          return name in set ? set[name] : field?.kind === 'number' ? field.value : null;
        };
        const wanted = fields.filter((f) => f.name.endsWith('Port')).map((f) => port(f.name));
        if (new Set(wanted).size < wanted.length)
          return failure('invalid-request', 'Two protocols would have the same port.');
        const written = await writeDocument(
          device,
          ACCESSES,
          (doc) =>
            list(doc, 'AdminAccessProtocol').flatMap((access, index): Change[] => {
              const name = PROTOCOLS[text(access, 'protocol').toUpperCase()];
              const at = { name: 'AdminAccessProtocol', index };
              const [portNo, enabled] = [set[`${name}Port`], set[`${name}Enabled`]];
              return [
                ...(portNo === undefined ? [] : [{ path: [at, 'portNo'], value: String(portNo) }]),
                ...(enabled === undefined ? [] : [{ path: [at, 'enabled'], value: String(enabled) }]),
              ];
            }),
          signal,
        );
        const ownPort = set[`${ownProtocol(device)}Port`];
        const moved = ownPort !== undefined && ownPort !== device.client.port;
        if (!written.ok) {
          // It answers at its new port, or not at all.
          const gone = moved && written.code === 'device-unreachable';
          return gone ? { ok: true, value: { rebootRequired: false, away: true } } : written;
        }
        return { ok: true, value: { ...written.value, away: moved } };
      },
    },
  },
};
