import { macOf } from '../discovery/sadp.ts';
import { document, failure, type IsapiFailure, type Result } from './answer.ts';
import type { IsapiClient } from './client.ts';
import { isAbsent } from './isapi-device.ts';
import { clean, list, sniff, text } from './xml.ts';

export interface DeviceInfo {
  name: string;
  model: string;
  /** Long form. */
  serial: string;
  mac: string | null;
  firmware: string | null;
  deviceType: string;
  recorder: boolean;
}
export interface Channel {
  channel: number;
  name: string;
}
export interface VideoChannel extends Channel {
  /** Has a sub-stream, or does not say that it has none. */
  sub: boolean;
}

const MAX_CHANNELS = 256;
const MAX_SNAPSHOT_BYTES = 8 * 1024 * 1024;

/** Who it is. Finds out on the way which prefix this firmware uses: up to V5.1 there is no `/ISAPI`. */
export async function readDeviceInfo(client: IsapiClient, signal?: AbortSignal): Promise<Result<DeviceInfo>> {
  const known = client.prefix;
  for (const prefix of [known, '', '/PSIA']) {
    client.prefix = prefix;
    const result = await client.get('/System/deviceInfo', { signal });
    if (!result.ok) {
      if (result.status === 404 && prefix !== '/PSIA') continue;
      client.prefix = known;
      return result;
    }
    const node = document(result.value.body, 'DeviceInfo');
    const field = (name: string, max = 64) => clean(text(node ?? '', name), max);
    if (!field('model') && !field('serialNumber')) break;
    const [model, deviceType] = [field('model'), field('deviceType')];
    return {
      ok: true,
      value: {
        name: field('deviceName'),
        model,
        serial: field('serialNumber'),
        mac: macOf(field('macAddress')),
        firmware: clean(`${field('firmwareVersion')} ${field('firmwareReleasedDate')}`, 64) || null,
        deviceType,
        recorder: /^(nvr|dvr|hybrid)/i.test(deviceType) || /^(i?DS-[789]\d|iDS-)/i.test(model),
      },
    };
  }
  client.prefix = known;
  return failure('device-error', 'It does not say what it is: not a device that works with this driver.');
}

/**
 * Its video channels, in order: local ones, and on recorders those of IP cameras, which go on counting. `camera`: it has one,
 * also when it lists none.
 */
export async function readChannels(
  client: IsapiClient,
  recorder: boolean,
  signal?: AbortSignal,
  o: { camera: boolean } = { camera: false },
): Promise<Result<VideoChannel[]>> {
  const channels = new Map<number, string>();
  /** Listed, without a sub-stream among what is listed. */
  const mainOnly = new Set<number>();
  const streams = await client.get('/Streaming/channels', { signal, maxBytes: 4 * 1024 * 1024 });
  if (streams.ok) {
    const nodes = list(document(streams.value.body, 'StreamingChannelList') ?? '', 'StreamingChannel');
    const enabled = nodes.filter((node) => !/^false$/i.test(text(node, 'enabled')));
    const ids = new Set(enabled.map((node) => Number(text(node, 'id'))));
    for (const node of enabled) {
      const id = Number(text(node, 'id'));
      // Stream id = channel × 100 + stream; 1 is the main stream, 2 the sub-stream.
      if (id % 100 !== 1 || id < 100) continue;
      if (!ids.has(id + 1)) mainOnly.add(Math.floor(id / 100));
      channels.set(Math.floor(id / 100), clean(text(node, 'channelName'), 128));
    }
  }
  // Pure recorders forbid the list of local channels.
  if (recorder) {
    const proxied = await client.get('/ContentMgmt/InputProxy/channels', { signal, maxBytes: 4 * 1024 * 1024 });
    if (!proxied.ok && !streams.ok) return proxied;
    const body = proxied.ok ? document(proxied.value.body, 'InputProxyChannelList') : null;
    for (const node of list(body ?? '', 'InputProxyChannel')) {
      const id = Number(text(node, 'id'));
      if (Number.isInteger(id) && id > 0) channels.set(id, clean(text(node, 'name'), 128) || channels.get(id) || '');
    }
  } else if (!streams.ok) {
    const only = isAbsent(streams) ? await onlyChannel(client, o.camera, signal) : null;
    return only ? { ok: true, value: [only] } : streams;
  }
  const found = [...channels]
    .filter(([channel]) => channel > 0 && channel <= 9999)
    .sort(([a], [b]) => a - b)
    .slice(0, MAX_CHANNELS)
    .map(([channel, name]) => ({ channel, name: name || `Channel ${channel}`, sub: !mainOnly.has(channel) }));
  return { ok: true, value: found };
}

/** The channel of a camera that does not list its streams; null: it has no video. */
async function onlyChannel(client: IsapiClient, camera: boolean, signal?: AbortSignal): Promise<VideoChannel | null> {
  const [main, sub] = await Promise.all([101, 102].map((id) => client.get(`/Streaming/channels/${id}`, { signal })));
  const node = main?.ok ? document(main.value.body, 'StreamingChannel') : null;
  if (!node && !camera) return null;
  const has = sub?.ok && document(sub.value.body, 'StreamingChannel') !== null;
  return { channel: 1, name: clean(text(node ?? '', 'channelName'), 128) || 'Channel 1', sub: has === true };
}

/** Where it serves RTSP; 554 unless it says otherwise. */
export async function readRtspPort(client: IsapiClient, signal?: AbortSignal): Promise<number> {
  const result = await client.get('/Security/adminAccesses', { signal });
  if (!result.ok) return 554;
  const protocols = list(document(result.value.body, 'AdminAccessProtocolList') ?? '', 'AdminAccessProtocol');
  const rtsp = protocols.find((p) => text(p, 'protocol').toUpperCase() === 'RTSP');
  const port = Number(text(rtsp, 'portNo'));
  return Number.isInteger(port) && port > 0 && port < 65536 ? port : 554;
}

/**
 * A picture of now. Recorders answer for IP channels under another path, and errors come as 200 with XML; where the main
 * stream gives none, the sub-stream may.
 */
export async function readSnapshot(client: IsapiClient, channel: number, recorder: boolean): Promise<Result<Buffer>> {
  const roots = recorder ? ['/Streaming', '/ContentMgmt/StreamingProxy'] : ['/Streaming'];
  const failures: IsapiFailure[] = [];
  for (const path of ['01', '02'].flatMap((stream) => roots.map((root) => `${root}/channels/${channel}${stream}`))) {
    const result = await client.get(`${path}/picture`, { maxBytes: MAX_SNAPSHOT_BYTES, timeoutMs: 15_000 });
    if (result.ok && sniff(result.value.body) === 'jpeg') return { ok: true, value: result.value.body };
    failures.push(result.ok ? failure('device-error', 'It gives no picture.') : result);
    if (!result.ok && result.code !== 'device-error') break;
  }
  // What it says of the main stream; of the last path that is its own where there are two.
  return failures[Math.min(failures.length, roots.length) - 1]!;
}
