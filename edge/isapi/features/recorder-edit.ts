import type { DeviceAction } from '../../../protocol/wire/operations.ts';
import { failure, type IsapiFailure, type Result } from '../answer.ts';
import { type Change, editXml, innerXml, missingIn, putDocument, writeDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { list, text, type XmlNode } from '../xml.ts';
import { encodeText } from '../xml-scan.ts';
import { PROXY, type RecorderChannel, readRecorderChannels, readState, SOURCE } from './recorder-list.ts';

type Of<N extends DeviceAction['action']> = Extract<DeviceAction, { action: N }>;
export type CameraToAdd = Omit<Of<'channelAdd'>, 'action'>;

const isIp = (address: string): boolean => /^[\d.]+$|:/.test(address);

/** Why the recorder took no camera, in words (isapi.md §2). */
const REASONS: Record<string, string> = {
  ipcnumreacheslimit: 'The recorder has as many cameras as it takes.',
  ipcipnotunique: 'The recorder has a camera at this address already.',
  ipcpassworderror: 'The camera refused the password.',
  ipcnotactivated: 'The camera is not activated.',
  ipcislocking: 'The camera is locked after wrong passwords.',
  ipcnetworkabnormal: 'The recorder does not reach the camera.',
};
const explained = (f: IsapiFailure): IsapiFailure => ({
  ...f,
  text: REASONS[(f.subStatus ?? '').toLowerCase()] ?? f.text,
});

/** Adds a camera to a recorder as its next channel; the channel, once the recorder lists it. */
export async function addChannel(
  device: IsapiDevice,
  camera: CameraToAdd,
  signal?: AbortSignal,
): Promise<Result<RecorderChannel>> {
  const before = await readRecorderChannels(device, signal);
  if (!before.ok) return before;
  const { address, port, protocol, username, password } = camera;
  const twin = before.value.find((c) => c.address === address && c.port === port);
  if (twin) return failure('conflict', `The recorder has this camera already, as channel ${twin.channel}.`);
  const kind = !isIp(address)
    ? ['hostname', 'hostName']
    : ['ipaddress', address.includes(':') ? 'ipv6Address' : 'ipAddress'];
  const leaf = (name: string, value: string | number) => `<${name}>${encodeText(String(value))}</${name}>`;
  const body =
    `<?xml version="1.0" encoding="UTF-8"?><InputProxyChannel version="2.0"><${SOURCE}>` +
    leaf('proxyProtocol', protocol) +
    leaf('addressingFormatType', kind[0]!) +
    leaf(kind[1]!, address) +
    leaf('managePortNo', port) +
    leaf('srcInputPort', 1) +
    leaf('userName', username) +
    leaf('password', password) +
    leaf('streamType', 'auto') +
    `</${SOURCE}></InputProxyChannel>`;
  const added = await putDocument(device, PROXY, body, signal, { method: 'POST', timeoutMs: 20_000 });
  if (!added.ok) return explained(added);
  const after = await readRecorderChannels(device, signal);
  if (!after.ok) return after;
  const known = new Set(before.value.map((c) => c.channel));
  const made = after.value.find((c) => !known.has(c.channel)) ?? after.value.find((c) => c.address === address);
  return made ? { ok: true, value: made } : failure('device-error', 'It said yes, and has no such channel afterwards.');
}

/** The camera's password into a channel's document: it is never read out, and a document without it erases it (isapi.md §8). */
function withPassword(source: string, below: Change['path'], password: string): Change[] {
  const path = [...below, SOURCE, 'password'];
  if (missingIn(source, [{ path, value: '' }]).length === 0) return [{ path, value: password }];
  const element = `<password>${encodeText(password)}</password>`;
  const user = [...below, SOURCE, 'userName'];
  if (missingIn(source, [{ path: user, value: '' }]).length === 0) return [{ path: user, after: element }];
  return [{ path: [...below, SOURCE], append: element }];
}

/** Changes a channel; the camera's password is part of it in any case. */
export async function editChannel(
  device: IsapiDevice,
  edit: Omit<Of<'channelEdit'>, 'action'>,
  signal?: AbortSignal,
): Promise<Result<{ rebootRequired: boolean; fault: string | null }>> {
  const { channel, name, address, port, username, password } = edit;
  const written = await writeDocument(
    device,
    `${PROXY}/${channel}`,
    (node, source) => {
      const at = (leaf: string, value: string | number | undefined): Change[] =>
        value === undefined ? [] : [{ path: [SOURCE, leaf], value: String(value) }];
      const host = list(node, SOURCE, 'hostName').length > 0 && text(node, SOURCE, 'hostName') !== '';
      if (address !== undefined && host === isIp(address)) {
        return failure('conflict', 'It keeps this camera by another kind of address; add it anew instead.');
      }
      return [
        ...(name === undefined ? [] : [{ path: ['name'], value: name }]),
        ...at(host ? 'hostName' : 'ipAddress', address),
        ...at('managePortNo', port),
        ...at('userName', username),
        ...withPassword(source, [], password),
      ];
    },
    signal,
    { timeoutMs: 20_000 },
  );
  if (!written.ok) return explained(written);
  const state = await readState(device, channel, signal);
  return { ok: true, value: { ...written.value, fault: state?.fault ?? null } };
}

export async function deleteChannel(device: IsapiDevice, channel: number, signal?: AbortSignal): Promise<Result<null>> {
  const deleted = await putDocument(device, `${PROXY}/${channel}`, '', signal, { method: 'DELETE' });
  if (!deleted.ok) return deleted;
  const after = await readRecorderChannels(device, signal);
  if (!after.ok) return after;
  return after.value.some((c) => c.channel === channel)
    ? failure('device-error', 'It said yes and kept the channel.')
    : { ok: true, value: null };
}

const camerasInOrder = (channels: RecorderChannel[]): string =>
  [...channels]
    .sort((a, b) => a.channel - b.channel)
    .map((c) => `${c.address}:${c.port}`)
    .join(' ');

/**
 * Puts the cameras of a recorder into another order: all channels in one document, so that no address is there twice on the
 * way. `order`: for each channel from the lowest on, the channel whose camera shall be there. Needs the cameras' password
 * (one for all, or that of the camera now at a channel), because the recorder forgets it otherwise. Read back; few models
 * take this, and it is unverified.
 */
export async function sortChannels(
  device: IsapiDevice,
  order: number[],
  password: string | undefined | ((channel: number) => string | undefined),
  signal?: AbortSignal,
): Promise<Result<{ rebootRequired: boolean }>> {
  const before = await readRecorderChannels(device, signal);
  if (!before.ok) return before;
  const channels = before.value.map((c) => c.channel).sort((a, b) => a - b);
  if ([...order].sort((a, b) => a - b).join() !== channels.join()) {
    return failure('invalid-request', `The order has to name each of its channels once: ${channels.join(', ')}.`);
  }
  if (order.join() === channels.join()) return { ok: true, value: { rebootRequired: false } };
  const fixed = before.value.find((c) => c.plugAndPlay && order[channels.indexOf(c.channel)] !== c.channel);
  if (fixed)
    return failure('conflict', `Channel ${fixed.channel} is at a socket of the recorder: plug it in elsewhere.`);
  const passwords = order.map((channel) => (typeof password === 'function' ? password(channel) : password));
  if (passwords.some((one) => one === undefined)) {
    return failure('invalid-request', "Sorting needs the cameras' password: the recorder forgets it otherwise.");
  }
  const written = await writeDocument(
    device,
    PROXY,
    (node, source) => sorted(node, source, channels, order, passwords as string[]),
    signal,
    {
      timeoutMs: 30_000,
    },
  );
  if (!written.ok) return { ...written, text: `This recorder does not let its channels be sorted. ${written.text}` };
  const after = await readRecorderChannels(device, signal);
  if (!after.ok) return after;
  const byChannel = new Map(before.value.map((c) => [c.channel, c]));
  const wanted = channels.map((channel, i) => ({ ...byChannel.get(order[i]!)!, channel }));
  if (camerasInOrder(after.value) !== camerasInOrder(wanted)) {
    const now =
      camerasInOrder(after.value) === camerasInOrder(before.value) ? 'kept its old order' : 'has another order now';
    return failure('device-error', `It said yes and ${now}.`);
  }
  return { ok: true, value: { rebootRequired: written.value.rebootRequired } };
}

/** Each entry keeps its place and its number and takes over what describes another camera. */
function sorted(node: XmlNode, source: string, channels: number[], order: number[], passwords: string[]): Change[] {
  const entry = (channel: number) => ({ name: 'InputProxyChannel', where: { id: String(channel) } });
  const changes: Change[] = [];
  channels.forEach((channel, i) => {
    const from = list(node, 'InputProxyChannel').find((n) => text(n, 'id') === String(order[i]));
    changes.push(
      { path: [entry(channel), 'name'], value: text(from, 'name'), optional: true },
      { path: [entry(channel), SOURCE], inner: innerXml(source, [entry(order[i]!), SOURCE]) ?? '' },
    );
  });
  const moved = editXml(source, changes);
  return [...changes, ...channels.flatMap((channel, i) => withPassword(moved, [entry(channel)], passwords[i]!))];
}
