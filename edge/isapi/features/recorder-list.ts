import type { Result } from '../answer.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { clean, list, text, type XmlNode } from '../xml.ts';

export const PROXY = '/ContentMgmt/InputProxy/channels';
export const SOURCE = 'sourceInputPortDescriptor';

/** An IP channel of a recorder and the camera behind it. */
export interface RecorderChannel {
  channel: number;
  name: string;
  address: string;
  port: number | null;
  protocol: string;
  username: string;
  /** At a socket of the recorder's own, which the recorder looks after itself. */
  plugAndPlay: boolean;
  online: boolean | null;
  /** What the recorder says of the connection; null: fine, or nothing said. */
  fault: string | null;
  model: string;
  serial: string;
}

/** A camera that a recorder finds by itself. */
export interface CameraSeen {
  address: string;
  port: number;
  protocol: string;
  model: string;
  serial: string;
  mac: string;
  activated: boolean | null;
}

const whole = (written: string, max: number): number | null => {
  const n = Number(written);
  return written !== '' && Number.isInteger(n) && n > 0 && n <= max ? n : null;
};

/** The IP channels of a recorder, with how each is connected (ISAPI InputProxy, isapi.md §8). */
export async function readRecorderChannels(
  device: IsapiDevice,
  signal?: AbortSignal,
): Promise<Result<RecorderChannel[]>> {
  const doc = await device.get(PROXY, signal);
  if (!doc.ok) return doc;
  const states = await readStates(device, signal);
  const value = list(doc.value.node, 'InputProxyChannel').flatMap((node): RecorderChannel[] => {
    const channel = whole(text(node, 'id'), 9999);
    if (channel === null) return [];
    const state = states.get(channel);
    const source = (name: string, max = 64) => clean(text(node, SOURCE, name) || text(state?.source, name), max);
    return [
      {
        channel,
        name: clean(text(node, 'name'), 128),
        address: source('ipAddress') || source('hostName') || source('ipv6Address'),
        port: whole(source('managePortNo'), 65_535),
        protocol: source('proxyProtocol', 32),
        username: source('userName'),
        plugAndPlay: /^plug/i.test(source('connMode')),
        online: state?.online ?? null,
        fault: state?.fault ?? null,
        model: source('model'),
        serial: source('serialNumber'),
      },
    ];
  });
  return { ok: true, value: value.slice(0, 512) };
}

interface State {
  online: boolean | null;
  fault: string | null;
  source: XmlNode | undefined;
}

async function readStates(device: IsapiDevice, signal?: AbortSignal): Promise<Map<number, State>> {
  const doc = await device.get(`${PROXY}/status`, signal);
  const states = new Map<number, State>();
  for (const node of doc.ok ? list(doc.value.node, 'InputProxyChannelStatus') : []) {
    const channel = whole(text(node, 'id'), 9999);
    if (channel !== null) states.set(channel, stateOf(node));
  }
  return states;
}

function stateOf(node: XmlNode): State {
  const online = text(node, 'online').toLowerCase();
  const said = clean(text(node, 'chanDetectResult'), 64);
  return {
    online: online === '' ? null : online === 'true',
    // Only `connect` is fine; whatever else is a reason.
    fault: said === '' || /^connect(ed)?$/i.test(said) ? null : said,
    source: list(node, SOURCE)[0],
  };
}

/** How one channel is connected now; null: the recorder does not say. */
export async function readState(device: IsapiDevice, channel: number, signal?: AbortSignal): Promise<State | null> {
  const one = await device.get(`${PROXY}/${channel}/status`, signal);
  if (one.ok && one.value.root === 'InputProxyChannelStatus') return stateOf(one.value.node);
  return (await readStates(device, signal)).get(channel) ?? null;
}

/** The cameras that the recorder finds in its network. Names of the elements around them vary, so any with an address count. */
export async function readCamerasSeen(device: IsapiDevice, signal?: AbortSignal): Promise<Result<CameraSeen[]>> {
  const doc = await device.get(`${PROXY}/search`, signal);
  if (!doc.ok) return doc;
  const seen = new Map<string, CameraSeen>();
  const look = (node: XmlNode, around: XmlNode | undefined): void => {
    if (typeof node === 'string') return;
    const address = clean(text(node, 'ipAddress'), 64);
    if (address !== '' && address !== '0.0.0.0') {
      const field = (...names: string[]) =>
        clean(names.map((n) => text(node, n) || text(around, n)).find((v) => v !== '') ?? '', 64);
      const activated = field('activated', 'Activated', 'activateStatus', 'activeStatus').toLowerCase();
      const key = `${address} ${field('serialNumber', 'serialNo', 'deviceSN')}`;
      seen.set(key, {
        address,
        port: whole(field('managePortNo', 'portNo'), 65_535) ?? 8000,
        protocol: field('proxyProtocol') || 'HIKVISION',
        model: field('model', 'deviceModel', 'deviceDescription'),
        serial: field('serialNumber', 'serialNo', 'deviceSN'),
        mac: field('macAddress', 'MACAddress', 'MAC'),
        activated: activated === '' ? null : /^(true|activated?|active)$/.test(activated),
      });
      return;
    }
    for (const child of Object.values(node)) {
      for (const one of Array.isArray(child) ? child : [child]) look(one, node);
    }
  };
  look(doc.value.node, undefined);
  return { ok: true, value: [...seen.values()].slice(0, 512) };
}

/** Whether the recorder has sockets of its own for cameras and adds what is plugged in there by itself (isapi.md §4). */
export async function isPoeRecorder(device: IsapiDevice, signal?: AbortSignal): Promise<Result<boolean>> {
  if (!device.info.recorder) return { ok: true, value: false };
  for (const path of ['/System/capabilities', '/System/Network/capabilities']) {
    const doc = await device.get(path, signal);
    if (!doc.ok && doc.code !== 'device-error') return doc;
    if (doc.ok && says(doc.value.node, /^is{1,2}up(port)?POE(Configuration|PortsDisableAdaptiveServer)$/i)) {
      return { ok: true, value: true };
    }
  }
  return { ok: true, value: false };
}

function says(node: XmlNode, flag: RegExp): boolean {
  if (typeof node === 'string') return false;
  return Object.entries(node).some(([name, child]) =>
    (Array.isArray(child) ? child : [child]).some((one) =>
      typeof one === 'string' ? flag.test(name) && /^true$/i.test(one.trim()) : says(one, flag),
    ),
  );
}
