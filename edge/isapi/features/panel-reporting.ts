import type { FieldValue, SettingField } from '../../../protocol/wire/operations.ts';
import type { Feature } from '../../drivers/feature.ts';
import { failure, type Result } from '../answer.ts';
import { categoryOf } from '../category.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { boolAt, numberAt, readJson, sendJson } from '../json.ts';
import { clean, text, type XmlNode } from '../xml.ts';
import { bool, choice, num, secret, words } from './fields.ts';

/** Where a panel itself reports to; no capture shows its document, so the first receiver in it is looked for by its fields. */
const PATH = '/SecurityCP/Configuration/messageSendARC?format=json';
/** Those that the box itself takes from a panel (protocol/dc09). */
const PROTOCOLS = ['SIA-DCS', 'ADM-CID', '*SIA-DCS', '*ADM-CID'];
const MAX_DEPTH = 4;

type Json = Record<string, unknown>;

/** The first object with an account number and a port. */
function receiverIn(value: unknown, depth = 0): Json | null {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return null;
  if (!Array.isArray(value) && 'centerAccount' in value && 'port' in value) return value as Json;
  for (const inner of Object.values(value)) {
    const found = receiverIn(inner, depth + 1);
    if (found) return found;
  }
  return null;
}

const addressKey = (receiver: Json): 'hostName' | 'ipAddress' =>
  receiver.addrType === 'hostName' ? 'hostName' : 'ipAddress';

/** The panel's own receiver of alarms (PANL-07): with it an AX panel can be pointed at the box like any other. */
export const panelReporting: Feature<IsapiDevice> = {
  async offer(device, signal) {
    if (categoryOf(device.info) !== 'panel') return {};
    const doc = await readJson(device, PATH, signal);
    if (!doc.ok || !receiverIn(doc.value)) return {};
    return { sections: [{ section: 'alarmReceiver', channels: null }], unverified: ['alarmReceiver'] };
  },

  sections: {
    alarmReceiver: {
      async read(device, _at, signal): Promise<Result<SettingField[]>> {
        const doc = await readJson(device, PATH, signal);
        if (!doc.ok) return doc;
        const found = receiverIn(doc.value);
        if (!found) return failure('device-error', 'It names no receiver of its alarms.');
        const node = found as unknown as XmlNode;
        const said = (name: string) => clean(text(node, name), 64);
        const protocol = said('protocol');
        return {
          ok: true,
          value: [
            bool('enabled', boolAt(node, 'enabled')),
            words('address', said(addressKey(found)), 64),
            num('port', numberAt(node, 'port'), [1, 65_535]),
            words('account', said('centerAccount'), 16),
            choice('protocol', protocol, PROTOCOLS),
            choice('transport', said('transMode'), ['TCP', 'UDP']),
            num('heartbeat', numberAt(node, 'heartBeatInterval'), [0, 86_400], 's'),
            secret('key', null, 64),
          ],
        };
      },
      write: change,
    },
  },
};

/** The whole document goes back as the panel gave it, with what was changed. */
async function change(
  device: IsapiDevice,
  _at: object,
  set: Record<string, FieldValue>,
  _fields: unknown,
  signal?: AbortSignal,
): Promise<Result<{ rebootRequired: boolean }>> {
  const asked = await device.ask(PATH, { signal });
  if (!asked.ok) return asked;
  let document: unknown;
  try {
    document = JSON.parse(asked.value.body.toString('utf8'));
  } catch {
    return failure('device-error', 'It answered something unreadable.');
  }
  const receiver = receiverIn(document);
  if (!receiver) return failure('device-error', 'It names no receiver of its alarms.');
  const names: Record<string, string> = {
    enabled: 'enabled',
    port: 'port',
    account: 'centerAccount',
    protocol: 'protocol',
    transport: 'transMode',
    heartbeat: 'heartBeatInterval',
  };
  for (const [name, value] of Object.entries(set)) {
    if (name === 'address') {
      const isName = !/^[\d.]+$|:/.test(String(value));
      receiver.addrType = isName ? 'hostName' : 'ipAddress';
      receiver[isName ? 'hostName' : 'ipAddress'] = value;
    } else if (name === 'key') {
      const key = String(value);
      if (![32, 48, 64].includes(key.length) || !/^[0-9a-f]+$/i.test(key))
        return failure('conflict', 'A key has 32, 48 or 64 hexadecimal digits.');
      Object.assign(receiver, { algorithm: 'AES', bits: key.length * 4, key });
    } else if (names[name]) receiver[names[name]!] = value;
  }
  const written = await sendJson(device, 'PUT', PATH, document, signal);
  return written.ok ? { ok: true, value: { rebootRequired: false } } : written;
}
