import type { FieldValue, SettingField, Target } from '../../../protocol/wire/operations.ts';
import type { Feature } from '../../drivers/feature.ts';
import type { Result } from '../answer.ts';
import { type Caps, readCaps } from '../caps.ts';
import { type Change, type Written, writeDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { list, text, type XmlNode } from '../xml.ts';
import { channelsWith, firstDocument, inputPaths } from './channel-paths.ts';
import { motionTrigger, notifies, setNotify, type Trigger } from './event-triggers.ts';
import { type Grid, gridRegions, gridSize, readGridMap, regionsGrid, wholeGrid, writeGridMap } from './grid-map.ts';
import { type Leaf, leafChanges, readLeaves } from './leaves.ts';
import { scheduleFields, setWeek, wantedWeek } from './schedule.ts';

const LAYOUT = 'MotionDetectionLayout';
const LEAVES: Leaf[] = [
  { name: 'enabled', path: ['enabled'], kind: 'boolean' },
  { name: 'sensitivity', path: [LAYOUT, 'sensitivityLevel'], kind: 'number', unit: '%', min: 0, max: 100 },
];
const TARGETS = [
  ['targetHuman', 'human'],
  ['targetVehicle', 'vehicle'],
] as const;
const GRID_MAP: [string, string, string] = [LAYOUT, 'layout', 'gridMap'];
const MAX_REGIONS = 32;

const paths = (device: IsapiDevice, channel: number) => inputPaths(device, channel, 'motionDetection');

/** Where motion is looked for; null: the device draws it otherwise. */
export function gridOf(node: XmlNode): Grid | null {
  if (list(node, ...GRID_MAP).length === 0) return null;
  const hex = text(node, ...GRID_MAP);
  const said = (name: string) => Number(text(node, 'Grid', name));
  const { rows, columns } = gridSize(hex, said('rowGranularity'), said('columnGranularity'));
  return readGridMap(hex, rows, columns);
}

const targetsOf = (node: XmlNode): string[] | null =>
  list(node, LAYOUT, 'targetType').length === 0
    ? null
    : text(node, LAYOUT, 'targetType')
        .toLowerCase()
        .split(',')
        .map((t) => t.trim())
        .filter((t) => t !== '');

/** The detector's own document as fields (ISAPI MotionDetection). */
export function motionFields(node: XmlNode, caps: Caps | null): SettingField[] {
  const fields = readLeaves(node, caps, LEAVES);
  const grid = gridOf(node);
  if (grid) fields.push({ name: 'area', kind: 'regions', value: gridRegions(grid), maxRegions: MAX_REGIONS });
  const targets = targetsOf(node);
  for (const [name, word] of targets ? TARGETS : []) {
    fields.push({ name, kind: 'boolean', value: targets!.includes(word) });
  }
  return fields;
}

export function motionChanges(node: XmlNode, set: Record<string, FieldValue>): Change[] {
  const changes = leafChanges(LEAVES, set);
  const grid = gridOf(node);
  if (Array.isArray(set.area) && grid) {
    changes.push({ path: [...GRID_MAP], value: writeGridMap(regionsGrid(set.area, grid.rows, grid.columns)) });
  }
  const targets = targetsOf(node);
  if (targets && TARGETS.some(([name]) => set[name] !== undefined)) {
    const wanted = new Set(targets);
    for (const [name, word] of TARGETS) {
      if (set[name] === true) wanted.add(word);
      if (set[name] === false) wanted.delete(word);
    }
    changes.push({ path: [LAYOUT, 'targetType'], value: [...wanted].join(',') });
  }
  return changes;
}

interface Detector {
  path: string;
  node: XmlNode;
  caps: Caps;
  trigger: Trigger | null;
}

async function readDetector(device: IsapiDevice, channel: number, signal?: AbortSignal): Promise<Result<Detector>> {
  const lacking = `It detects no motion on channel ${channel}.`;
  const doc = await firstDocument(device, paths(device, channel), lacking, signal);
  if (!doc.ok) return doc;
  const { path } = doc.value;
  return {
    ok: true,
    value: {
      path,
      node: doc.value.node,
      caps: await readCaps(device, `${path}/capabilities`, signal),
      trigger: await motionTrigger(device, channel, signal),
    },
  };
}

/** Where the times stand at which motion counts (isapi.md §9). */
const schedulePath = (channel: number): string => `/Event/schedules/motionDetections/VMD_video${channel}`;

async function write(
  device: IsapiDevice,
  channel: number,
  set: Record<string, FieldValue>,
  signal?: AbortSignal,
): Promise<Result<Written>> {
  const detector = await readDetector(device, channel, signal);
  if (!detector.ok) return detector;
  const { path, trigger } = detector.value;
  const { notify, aroundTheClock: _clock, schedule: _week, ...own } = set;
  const week = wantedWeek(set);
  let rebootRequired = false;
  const done: string[] = [];
  const steps: [string, () => Promise<Result<Written>>][] = [];
  // First who is told and when, then the detector: switched on, it is in force at once.
  if (typeof notify === 'boolean' && trigger) steps.push(['notify', () => setNotify(device, trigger, notify, signal)]);
  if (week)
    steps.push([
      set.schedule === undefined ? 'aroundTheClock' : 'the times',
      () => setWeek(device, schedulePath(channel), week, signal),
    ]);
  if (Object.keys(own).length > 0) {
    steps.push(['the detector', () => writeDocument(device, path, (node) => motionChanges(node, own), signal)]);
  }
  for (const [what, step] of steps) {
    const written = await step();
    if (!written.ok) {
      const before = done.length > 0 ? `${done.join(', ')} changed, ` : '';
      return { ...written, text: `${before}${what} not. ${written.text}` };
    }
    done.push(what);
    rebootRequired ||= written.value.rebootRequired;
  }
  return { ok: true, value: { rebootRequired } };
}

async function read(device: IsapiDevice, at: Target, signal?: AbortSignal): Promise<Result<SettingField[]>> {
  const channel = at.channel ?? 1;
  const detector = await readDetector(device, channel, signal);
  if (!detector.ok) return detector;
  const { node, caps, trigger } = detector.value;
  const fields = motionFields(node, caps);
  if (trigger) fields.push({ name: 'notify', kind: 'boolean', value: notifies(trigger) });
  fields.push(...(await scheduleFields(device, schedulePath(channel), signal)));
  return { ok: true, value: fields };
}

/** Motion detection of a channel and who hears of it (isapi.md §9). */
export const motion: Feature<IsapiDevice> = {
  async offer(device, signal) {
    const channels = await channelsWith(device, (channel) => paths(device, channel), signal);
    return channels.length > 0 ? { sections: [{ section: 'motion', channels }] } : {};
  },
  sections: {
    motion: { read, write: (device, at, set, _fields, signal) => write(device, at.channel ?? 1, set, signal) },
  },
};

/**
 * INIT-16: motion detection on, over the whole picture, around the clock, with "Notify Surveillance Center"; whatever of
 * that the device has. Read back: `failed` names what it did not keep.
 */
export async function enableMotionEverywhere(
  device: IsapiDevice,
  channel: number,
  signal?: AbortSignal,
): Promise<Result<{ done: string[]; failed: string[]; rebootRequired: boolean }>> {
  const before = await read(device, { channel }, signal);
  if (!before.ok) return before;
  const has = (name: string) => before.value.some((f) => f.name === name && !f.readOnly);
  // One after the other, so that what the device refuses keeps nothing else back.
  const steps: Record<string, FieldValue>[] = [
    has('notify') ? { notify: true } : {},
    has('aroundTheClock') ? { aroundTheClock: true } : {},
    { ...(has('area') && { area: gridRegions(wholeGrid(1, 1)) }), enabled: true },
  ];
  const failed: string[] = [];
  let rebootRequired = false;
  for (const set of steps) {
    if (Object.keys(set).length === 0) continue;
    const written = await write(device, channel, set, signal);
    if (!written.ok) failed.push(written.text);
    else rebootRequired ||= written.value.rebootRequired;
  }
  if (!before.value.some((f) => f.name === 'notify')) failed.push('notify: it tells of no motion on this channel');
  if (!has('area')) failed.push('area: it keeps its area in a form that is not known');
  const after = await read(device, { channel }, signal);
  if (!after.ok) return after;
  const done: string[] = [];
  for (const name of steps.flatMap(Object.keys)) {
    const field = after.value.find((f) => f.name === name);
    const kept = field?.kind === 'regions' ? isWhole(field.value) : field?.kind === 'boolean' && field.value === true;
    (kept ? done : failed).push(name);
  }
  return { ok: true, value: { done, failed, rebootRequired } };
}

const isWhole = (regions: Extract<SettingField, { kind: 'regions' }>['value']): boolean =>
  regionsGrid(regions, 18, 22).cells.every((cell) => cell);
