import type { EventType } from '../../../protocol/wire/event.ts';
import type { FieldValue, Region, Section, SettingField, Target } from '../../../protocol/wire/operations.ts';
import type { Feature } from '../../drivers/feature.ts';
import type { Result } from '../answer.ts';
import { type Caps, readCaps } from '../caps.ts';
import { type Change, type Written, writeDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import type { XmlNode } from '../xml.ts';
import { channelsWith, firstDocument } from './channel-paths.ts';
import { type Places, placed, placesOf, revived, shapesOf } from './drawn.ts';
import { notifies, setNotify, triggerOf } from './event-triggers.ts';
import { type Leaf, leafChanges, readLeaves } from './leaves.ts';
import { scheduleFields, setWeek, wantedWeek } from './schedule.ts';

const ENABLED: Leaf = { name: 'enabled', path: ['enabled'], kind: 'boolean' };
const WHOLE: Region = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];
const MIDDLE: Region = [
  [0.5, 0],
  [0.5, 1],
];

/** Intrusion or line crossing of a channel (ISAPI Smart/FieldDetection, Smart/LineDetection; isapi.md §9). */
interface Kind {
  section: Extract<Section, 'intrusion' | 'lineCrossing'>;
  type: EventType;
  path: (channel: number) => string;
  schedule: (channel: number) => string;
  places: Places;
  /** Its areas or lines as a field, and what stands for "somewhere" when it is switched on without any. */
  field: 'area' | 'lines';
  anywhere: Region;
  /** Of each area or line; the number of its place, from the second one on, stands behind the name. */
  leaves: Leaf[];
}

const SENSITIVITY: Leaf = {
  name: 'sensitivity',
  path: ['sensitivityLevel'],
  kind: 'number',
  unit: '%',
  min: 0,
  max: 100,
};
const intrusion: Kind = {
  section: 'intrusion',
  type: 'intrusion',
  field: 'area',
  anywhere: WHOLE,
  path: (channel) => `/Smart/FieldDetection/${channel}`,
  schedule: (channel) => `/Event/schedules/fieldDetections/FieldDetection_video${channel}`,
  places: {
    list: 'FieldDetectionRegionList',
    item: 'FieldDetectionRegion',
    points: 'area',
    coordinates: ['RegionCoordinatesList', 'RegionCoordinates'],
  },
  leaves: [SENSITIVITY, { name: 'timeThreshold', path: ['timeThreshold'], kind: 'number', unit: 's', min: 0, max: 10 }],
};
const lineCrossing: Kind = {
  section: 'lineCrossing',
  type: 'lineCrossing',
  field: 'lines',
  anywhere: MIDDLE,
  path: (channel) => `/Smart/LineDetection/${channel}`,
  schedule: (channel) => `/Event/schedules/lineDetections/LineDetection_video${channel}`,
  places: {
    list: 'LineItemList',
    item: 'LineItem',
    points: 'line',
    coordinates: ['CoordinatesList', 'Coordinates'],
  },
  leaves: [
    SENSITIVITY,
    {
      name: 'direction',
      path: ['directionSensitivity'],
      kind: 'choice',
      options: ['any', 'left-right', 'right-left'],
    },
  ],
};

/** The leaves of one place; below the root of the document for `from` that. */
const leavesAt = ({ leaves, places }: Kind, index: number, from: 'place' | 'root'): Leaf[] =>
  leaves.map((leaf) => ({
    ...leaf,
    name: index === 0 ? leaf.name : `${leaf.name}${index + 1}`,
    path: from === 'place' ? leaf.path : [places.list, places.item, ...leaf.path],
  }));

/** What each place has of its own: those in which something is drawn, and the first. */
function placeFields(kind: Kind, node: XmlNode, caps: Caps | null): SettingField[] {
  const places = placesOf(node, kind.places);
  if (places.length === 0) return [];
  const fields = places.flatMap((place, index): SettingField[] => {
    if (index > 0 && !place.inForce) return [];
    const own = readLeaves(place.node, null, leavesAt(kind, index, 'place'));
    // Limits stand once, for all of them.
    const limits = readLeaves(node, caps, leavesAt(kind, index, 'root'));
    return own.map((field) => {
      const limit = limits.find(({ name }) => name === field.name);
      return limit && 'value' in field ? ({ ...limit, value: field.value } as SettingField) : field;
    });
  });
  const value = shapesOf(places);
  fields.push(
    kind.field === 'area'
      ? { name: 'area', kind: 'regions', value, maxRegions: places.length }
      : { name: 'lines', kind: 'lines', value, maxLines: places.length },
  );
  return fields;
}

function placeChanges(kind: Kind, node: XmlNode, set: Record<string, FieldValue>): Change[] {
  const places = placesOf(node, kind.places);
  const leaves = places.flatMap((_, index) =>
    leafChanges(leavesAt(kind, index, 'place'), set).map((change): Change => {
      const { list, item } = kind.places;
      return { ...change, path: [list, { name: item, index }, ...change.path], optional: true };
    }),
  );
  const drawn = set[kind.field];
  if (Array.isArray(drawn)) return [...placed(places, drawn, kind.places), ...leaves];
  if (set.enabled !== true || places.some(({ inForce }) => inForce)) return leaves;
  // Switched on without one it never tells of anything.
  const old = revived(places, kind.places);
  return [...(old.length > 0 ? old : placed(places, [kind.anywhere], kind.places)), ...leaves];
}

async function readEvent(
  kind: Kind,
  device: IsapiDevice,
  at: Target,
  signal?: AbortSignal,
): Promise<Result<SettingField[]>> {
  const channel = at.channel ?? 1;
  const path = kind.path(channel);
  const doc = await firstDocument(device, [path], `It has no ${kind.section} on channel ${channel}.`, signal);
  if (!doc.ok) return doc;
  const { node } = doc.value;
  const caps = await readCaps(device, `${path}/capabilities`, signal);
  const fields = [...readLeaves(node, caps, [ENABLED]), ...placeFields(kind, node, caps)];
  const trigger = await triggerOf(device, channel, kind.type, signal);
  if (trigger) fields.push({ name: 'notify', kind: 'boolean', value: notifies(trigger) });
  fields.push(...(await scheduleFields(device, kind.schedule(channel), signal)));
  return { ok: true, value: fields };
}

/** First who is told and when, then the detector: switched on, it is in force at once. */
async function writeEvent(
  kind: Kind,
  device: IsapiDevice,
  channel: number,
  set: Record<string, FieldValue>,
  signal?: AbortSignal,
): Promise<Result<Written>> {
  const { notify, aroundTheClock: _clock, schedule: _week, ...own } = set;
  const week = wantedWeek(set);
  let rebootRequired = false;
  const steps: (() => Promise<Result<Written>>)[] = [];
  const trigger = typeof notify === 'boolean' ? await triggerOf(device, channel, kind.type, signal) : null;
  if (trigger) steps.push(() => setNotify(device, trigger, notify === true, signal));
  if (week) steps.push(() => setWeek(device, kind.schedule(channel), week, signal));
  const edit = (node: XmlNode) => [...placeChanges(kind, node, own), ...leafChanges([ENABLED], own)];
  if (Object.keys(own).length > 0) steps.push(() => writeDocument(device, kind.path(channel), edit, signal));
  for (const step of steps) {
    const done = await step();
    if (!done.ok) return done;
    rebootRequired ||= done.value.rebootRequired;
  }
  return { ok: true, value: { rebootRequired } };
}

const featureOf = (kind: Kind): Feature<IsapiDevice> => ({
  async offer(device, signal) {
    const channels = await channelsWith(device, (channel) => [kind.path(channel)], signal);
    return channels.length > 0 ? { sections: [{ section: kind.section, channels }] } : {};
  },
  sections: {
    [kind.section]: {
      read: (device: IsapiDevice, at: Target, signal?: AbortSignal) => readEvent(kind, device, at, signal),
      write: (
        device: IsapiDevice,
        at: Target,
        set: Record<string, FieldValue>,
        _: SettingField[],
        signal?: AbortSignal,
      ) => writeEvent(kind, device, at.channel ?? 1, set, signal),
    },
  },
});

/** What makes clips besides motion (CLOUD-06, CLOUD-08). */
export const SMART_EVENTS: readonly Feature<IsapiDevice>[] = [intrusion, lineCrossing].map(featureOf);
