import type { DeviceListItem, Resource } from '../../../protocol/wire/operations.ts';
import type { Feature } from '../../drivers/feature.ts';
import { failure, type Result } from '../answer.ts';
import { putDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { clean, list, text, type XmlNode } from '../xml.ts';

/** The device's own ports, and on recorders those of its cameras, which it hands on. */
const PLACES = [
  { prefix: '', path: '/System/IO' },
  { prefix: 'proxy:', path: '/ContentMgmt/IOProxy' },
] as const;
type Direction = 'inputs' | 'outputs';

interface Port {
  /** `3` of the device, `proxy:3` of a camera behind it. */
  id: string;
  name: string;
  /** null: the device does not say. */
  active: boolean | null;
  /** What a virtual port stands for, e.g. `whiteLight`. */
  use: string;
}

const first = (node: XmlNode, ...names: string[]): string =>
  names.map((n) => text(node, n)).find((v) => v !== '') ?? '';

/** The alarm inputs or outputs; a device without any says so by a 403 or 404, or by an empty list. */
async function readPorts(device: IsapiDevice, direction: Direction, signal?: AbortSignal): Promise<Result<Port[]>> {
  const ports: Port[] = [];
  let failed: Extract<Result<never>, { ok: false }> | null = null;
  for (const { prefix, path } of PLACES) {
    if (prefix !== '' && !device.info.recorder) continue;
    const doc = await device.get(`${path}/${direction}`, signal);
    if (!doc.ok) {
      if (doc.code !== 'device-error') return doc;
      failed ??= doc;
      continue;
    }
    const states = prefix === '' ? await readStates(device, direction, signal) : new Map<string, boolean>();
    for (const node of entries(doc.value.node)) {
      const id = text(node, 'id');
      if (!/^[\w-]{1,32}$/.test(id)) continue;
      const name = first(node, 'name', 'outputName', 'inputName', 'portName');
      ports.push({
        id: prefix + id,
        name: clean(name, 128),
        active: states.get(id) ?? null,
        use: clean(text(node, 'IOUseType'), 32),
      });
    }
  }
  return ports.length === 0 && failed ? failed : { ok: true, value: ports.slice(0, 512) };
}

/** Names of list and entry differ between models: whatever has an id in it is a port. */
function entries(node: XmlNode): XmlNode[] {
  if (typeof node === 'string') return [];
  return Object.values(node)
    .flat()
    .filter((child) => typeof child === 'object' && list(child, 'id').length > 0);
}

async function readStates(
  device: IsapiDevice,
  direction: Direction,
  signal?: AbortSignal,
): Promise<Map<string, boolean>> {
  const states = new Map<string, boolean>();
  const doc = await device.get('/System/IO/status', signal);
  for (const node of doc.ok ? list(doc.value.node, 'IOPortStatus') : []) {
    const same = text(node, 'ioPortType').toLowerCase() === direction.slice(0, -1);
    const state = text(node, 'ioState').toLowerCase();
    if (same && state !== '') states.set(text(node, 'ioPortID'), state === 'active');
  }
  return states;
}

const item = (port: Port, word: string): DeviceListItem => ({
  id: port.id,
  name: port.name || `${word} ${port.id}`,
  values: { active: port.active, ...(port.use && { use: port.use }) },
});

async function listed(device: IsapiDevice, direction: Direction, word: string, signal?: AbortSignal) {
  const ports = await readPorts(device, direction, signal);
  return ports.ok ? { ok: true as const, value: ports.value.map((p) => item(p, word)) } : ports;
}

/** Alarm inputs and outputs (isapi.md §14; LINK-33). */
export const alarmIo: Feature<IsapiDevice> = {
  async offer(device, signal) {
    const [inputs, outputs] = [await readPorts(device, 'inputs', signal), await readPorts(device, 'outputs', signal)];
    const found = (ports: Result<Port[]>): Port[] => (ports.ok ? ports.value : []);
    const [ins, outs] = [found(inputs), found(outputs)];
    const resources = [
      ...ins.map((p) => resource('alarmInput', item(p, 'Input'), ['alarmInput'], [])),
      ...outs.map((p) => resource('alarmOutput', item(p, 'Output'), [], ['alarmOutput'])),
    ];
    return {
      lists: [
        ...(ins.length > 0 ? [{ list: 'alarmInputs' as const, channels: null }] : []),
        ...(outs.length > 0 ? [{ list: 'alarmOutputs' as const, channels: null }] : []),
      ],
      actions: outs.length > 0 ? [{ action: 'alarmOutput', channels: null }] : [],
      resources,
      // Lists of outputs were captured; switching one was not.
      unverified: outs.length > 0 ? ['alarmOutput'] : [],
    };
  },
  lists: {
    alarmInputs: (device, _at, signal) => listed(device, 'inputs', 'Input', signal),
    alarmOutputs: (device, _at, signal) => listed(device, 'outputs', 'Output', signal),
  },
  actions: {
    async alarmOutput(device, { output, active }, signal) {
      const place = PLACES.findLast(({ prefix }) => output.startsWith(prefix))!;
      const id = output.slice(place.prefix.length);
      if (!/^[\w-]{1,32}$/.test(id)) return failure('invalid-request', 'It has no such alarm output.');
      const body = `<IOPortData version="1.0"><outputState>${active ? 'high' : 'low'}</outputState></IOPortData>`;
      const written = await putDocument(device, `${place.path}/outputs/${id}/trigger`, body, signal);
      return written.ok ? { ok: true, value: { pending: false, text: null } } : written;
    },
  },
};

const resource = (
  kind: Resource['kind'],
  { id, name }: DeviceListItem,
  triggers: string[],
  actions: Resource['actions'],
): Resource => ({ kind, id, name, triggers, actions });
