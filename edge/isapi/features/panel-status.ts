import type { DeviceListItem } from '../../../protocol/wire/operations.ts';
import type { Result } from '../answer.ts';
import { type IsapiDevice, isAbsent } from '../isapi-device.ts';
import { boolAt, numberAt, readJson, sendJson } from '../json.ts';
import { clean, list, text, type XmlNode } from '../xml.ts';

export interface Area {
  id: number;
  name: string;
  arming: string;
  alarm: boolean;
  enabled: boolean;
  delay: number | null;
}
export interface Zone {
  /** As the panel counts on the wire: from 0. */
  id: number;
  name: string;
  area: number | null;
  status: string;
  zoneType: string;
  armed: boolean | null;
  alarm: boolean | null;
  bypassed: boolean | null;
  tamper: boolean | null;
  item: DeviceListItem;
}
export interface Output {
  id: string;
  name: string;
  status: string;
}

const MAX_PAGES = 8;
const PAGE = 50;
/** Faster polling destabilises panels (isapi.md §16); whoever asks again meanwhile gets the former answer. */
const FRESH_MS = 2_000;
const zonesRead = new WeakMap<IsapiDevice, { at: number; zones: Promise<Result<Zone[]>> }>();

/** The panel's areas (partitions), numbered from 1 (SecurityCP status/subSystems). */
export async function readAreas(device: IsapiDevice, signal?: AbortSignal): Promise<Result<Area[]>> {
  const doc = await readJson(device, '/SecurityCP/status/subSystems?format=json', signal);
  if (!doc.ok) return doc;
  const areas = list(doc.value, 'SubSysList', 'SubSys').flatMap((node) => {
    const id = numberAt(node, 'id');
    if (id === null || !Number.isInteger(id) || id < 1 || id > 64) return [];
    return {
      id,
      name: clean(text(node, 'name'), 128) || `Area ${id}`,
      arming: clean(text(node, 'arming'), 32),
      alarm: boolAt(node, 'alarm') ?? false,
      enabled: boolAt(node, 'enabled') ?? true,
      delay: numberAt(node, 'delayTime'),
    };
  });
  return { ok: true, value: areas };
}

/** The panel's zones with the state of their detectors, at most once in two seconds. */
export function readZones(device: IsapiDevice, signal?: AbortSignal): Promise<Result<Zone[]>> {
  const known = zonesRead.get(device);
  const now = device.clock.mono();
  if (known && now - known.at < FRESH_MS) return known.zones;
  const zones = askZones(device, signal);
  zonesRead.set(device, { at: now, zones });
  return zones.then((result) => {
    if (!result.ok && zonesRead.get(device)?.zones === zones) zonesRead.delete(device);
    return result;
  });
}

async function askZones(device: IsapiDevice, signal?: AbortSignal): Promise<Result<Zone[]>> {
  const doc = await readJson(device, '/SecurityCP/status/zones?format=json', signal);
  if (doc.ok) return { ok: true, value: list(doc.value, 'ZoneList', 'Zone').flatMap(zoneOf) };
  if (!isAbsent(doc)) return doc;
  // Newer panels are searched; no capture shows it.
  const nodes = await search(
    device,
    '/SecurityCP/status/zones?format=json',
    'ZoneCond',
    ['ZoneSearch', 'ZoneList', 'Zone'],
    signal,
  );
  return nodes.ok ? { ok: true, value: nodes.value.flatMap(zoneOf) } : nodes;
}

function zoneOf(node: XmlNode): Zone[] {
  const id = numberAt(node, 'id');
  if (id === null || !Number.isInteger(id) || id < 0 || id > 9998) return [];
  const name = clean(text(node, 'name') || text(node, 'zoneName'), 128) || `Zone ${id + 1}`;
  const area = numberAt(node, 'subSystemNo') ?? numberAt(node, 'linkageSubSystem');
  const [status, zoneType] = [clean(text(node, 'status'), 32), clean(text(node, 'zoneType'), 32)];
  const [armed, alarm, bypassed, tamper] = ['armed', 'alarm', 'bypassed', 'tamperEvident'].map((n) =>
    boolAt(node, n),
  ) as [boolean | null, boolean | null, boolean | null, boolean | null];
  const values = compact({
    // As people count them.
    number: id + 1,
    area,
    status,
    armed,
    alarm,
    bypassed,
    tamper,
    open: boolAt(node, 'magnetOpenStatus'),
    ...deviceValues(node),
    detectorType: clean(text(node, 'detectorType'), 64),
    zoneType,
    wired: text(node, 'zoneAttrib') === '' ? null : text(node, 'zoneAttrib').toLowerCase() === 'wired',
  });
  return [{ id, name, area, status, zoneType, armed, alarm, bypassed, tamper, item: { id: String(id), name, values } }];
}

/** What detectors and peripherals have in common; types vary from firmware to firmware. */
const deviceValues = (node: XmlNode): DeviceListItem['values'] => ({
  battery: numberAt(node, 'chargeValue'),
  batteryState: clean(text(node, 'charge'), 32),
  signal: numberAt(node, 'signal'),
  temperature: numberAt(node, 'temperature'),
  firmware: clean(text(node, 'version'), 32),
  model: clean(text(node, 'model'), 64),
});

/** Sirens, keypads, repeaters, card readers, keyfobs and modules (status/exDevStatus), and the panel's own batteries. */
export async function readPeripherals(device: IsapiDevice, signal?: AbortSignal): Promise<Result<DeviceListItem[]>> {
  const doc = await readJson(device, '/SecurityCP/status/exDevStatus?format=json', signal);
  if (!doc.ok) return doc;
  const root = list(doc.value, 'ExDevStatus')[0] ?? doc.value;
  const items = typeof root === 'string' ? [] : Object.entries(root).flatMap(([key]) => peripheralsOf(root, key));
  const batteries = await readJson(device, '/SecurityCP/status/batteries?format=json', signal);
  const own = batteries.ok ? list(batteries.value, 'BatteryList', 'Battery') : [];
  const cells = own.map((node) => {
    const id = text(node, 'id') || '1';
    const values = compact({
      kind: 'battery',
      status: clean(text(node, 'status'), 32),
      battery: numberAt(node, 'percent'),
      voltage: numberAt(node, 'voltage'),
    });
    return { id: `battery-${id}`.slice(0, 64), name: `Battery ${id}`.slice(0, 128), values };
  });
  return { ok: true, value: [...cells, ...items].slice(0, 1024) };
}

/** `SirenList: [{ Siren: { … } }]`: the kind is in the name of the list. */
function peripheralsOf(root: XmlNode, key: string): DeviceListItem[] {
  const kind = /^(\w{1,40})List$/.exec(key)?.[1];
  if (!kind) return [];
  const word = kind[0]!.toLowerCase() + kind.slice(1);
  return list(root, key).flatMap((entry) => {
    const node = list(entry, kind)[0] ?? entry;
    const id = text(node, 'id');
    if (typeof node === 'string' || !/^[\w-]{1,32}$/.test(id)) return [];
    const name = clean(text(node, 'name') || text(node, 'userNickName') || text(node, 'seq'), 128) || `${kind} ${id}`;
    const values = compact({
      kind: word,
      status: clean(text(node, 'status'), 32),
      tamper: boolAt(node, 'tamperEvident'),
      ...deviceValues(node),
      mains: boolAt(node, 'mainPowerSupply'),
      voltage: numberAt(node, 'voltValueV20') ?? numberAt(node, 'voltValue'),
    });
    return { id: `${word}-${id}`.slice(0, 64), name, values };
  });
}

/** Relays (status/outputStatus, searched on newer panels). */
export async function readOutputs(device: IsapiDevice, signal?: AbortSignal): Promise<Result<Output[]>> {
  const path = '/SecurityCP/status/outputStatus?format=json';
  const doc = await readJson(device, path, signal);
  if (doc.ok) return { ok: true, value: list(doc.value, 'OutputList', 'Output').flatMap(outputOf) };
  if (!isAbsent(doc)) return doc;
  const nodes = await search(device, path, 'OutputCond', ['OutputSearch', 'OutputList', 'Output'], signal);
  return nodes.ok ? { ok: true, value: nodes.value.flatMap(outputOf) } : nodes;
}

function outputOf(node: XmlNode): Output[] {
  const id = text(node, 'id');
  const status = clean(text(node, 'status'), 32);
  if (!/^\d{1,5}$/.test(id) || status === 'notRelated') return [];
  return [{ id, name: clean(text(node, 'name'), 128) || `Output ${id}`, status }];
}

/** A paged search (JSON_OutputCond and its like): the same id and a rising position while there is more. */
async function search(
  device: IsapiDevice,
  path: string,
  condition: string,
  at: [string, string, string],
  signal?: AbortSignal,
): Promise<Result<XmlNode[]>> {
  const found: XmlNode[] = [];
  for (let page = 0; page < MAX_PAGES; page++) {
    const cond = { searchID: '1', searchResultPosition: found.length, maxResults: PAGE };
    const answer = await sendJson(device, 'POST', path, { [condition]: cond }, signal);
    if (!answer.ok) return answer;
    const nodes = list(answer.value, ...at);
    found.push(...nodes);
    if (nodes.length === 0 || text(answer.value, at[0], 'responseStatusStrg') !== 'MORE') break;
  }
  return { ok: true, value: found };
}

/** Without what the device does not say. */
export const compact = (values: DeviceListItem['values']): DeviceListItem['values'] =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== ''));
