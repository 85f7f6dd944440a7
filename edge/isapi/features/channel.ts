import type { FieldValue, SettingField } from '../../../protocol/wire/operations.ts';
import type { Feature } from '../../drivers/feature.ts';
import { failure, type Result } from '../answer.ts';
import { type Written, writeDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { channelsWith, firstDocument } from './channel-paths.ts';
import { leafChanges, readLeaves } from './leaves.ts';
import { editChannel } from './recorder-edit.ts';
import { PROXY, readRecorderChannels } from './recorder-list.ts';

const NAME = { name: 'name', path: ['name'] as [string], kind: 'text', maxLength: 32 } as const;
const input = (channel: number): string => `/System/Video/inputs/channels/${channel}`;

/** An IP channel of a recorder: every change needs the camera's password again (isapi.md §8). */
async function readProxied(
  device: IsapiDevice,
  channel: number,
  signal?: AbortSignal,
): Promise<Result<SettingField[] | null>> {
  if (!device.info.recorder) return { ok: true, value: null };
  const channels = await readRecorderChannels(device, signal);
  const found = channels.ok ? channels.value.find((c) => c.channel === channel) : undefined;
  if (!found) return { ok: true, value: null };
  const fixed = found.plugAndPlay ? { readOnly: true as const } : {};
  const fields: SettingField[] = [
    { name: 'name', kind: 'text', value: found.name, maxLength: 32, ...fixed },
    { name: 'address', kind: 'text', value: found.address, maxLength: 64, ...fixed },
    { name: 'port', kind: 'number', value: found.port, min: 1, max: 65_535, unit: null, ...fixed },
    { name: 'username', kind: 'text', value: found.username, maxLength: 32, ...fixed },
    ...(found.plugAndPlay ? [] : [{ name: 'password', kind: 'secret', set: null, maxLength: 16 } as const]),
    { name: 'protocol', kind: 'text', value: found.protocol, maxLength: 32, readOnly: true },
    { name: 'online', kind: 'boolean', value: found.online, readOnly: true },
    { name: 'fault', kind: 'text', value: found.fault, maxLength: 64, readOnly: true },
  ];
  return { ok: true, value: fields };
}

async function writeProxied(
  device: IsapiDevice,
  channel: number,
  set: Record<string, FieldValue>,
  signal?: AbortSignal,
): Promise<Result<Written>> {
  const word = (name: string) => (typeof set[name] === 'string' ? (set[name] as string) : undefined);
  const password = word('password');
  if (!password) {
    const text = "Changing this channel needs the camera's password: the recorder forgets it otherwise.";
    return failure('invalid-request', text);
  }
  const port = typeof set.port === 'number' ? set.port : undefined;
  const texts = { name: word('name'), address: word('address'), username: word('username') };
  return editChannel(device, { channel, password, port, ...texts }, signal);
}

/** The channel itself: its name, and on recorders the camera behind it (CHAN-03). */
export const channel: Feature<IsapiDevice> = {
  async offer(device, signal) {
    const channels = await channelsWith(
      device,
      (n) => (device.info.recorder ? [`${PROXY}/${n}`, input(n)] : [input(n)]),
      signal,
    );
    return channels.length > 0 ? { sections: [{ section: 'channel', channels }] } : {};
  },
  sections: {
    channel: {
      async read(device, at, signal) {
        const n = at.channel ?? 1;
        const proxied = await readProxied(device, n, signal);
        if (!proxied.ok || proxied.value) return proxied as Result<SettingField[]>;
        const doc = await firstDocument(device, [input(n)], `It says nothing of channel ${n}.`, signal);
        return doc.ok ? { ok: true, value: readLeaves(doc.value.node, null, [NAME]) } : doc;
      },
      async write(device, at, set, fields, signal) {
        const n = at.channel ?? 1;
        if (fields.some((f) => f.kind === 'secret')) return writeProxied(device, n, set, signal);
        return writeDocument(device, input(n), leafChanges([NAME], set), signal);
      },
    },
  },
};
