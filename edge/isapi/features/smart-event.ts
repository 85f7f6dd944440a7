import type { EventType } from '../../../protocol/wire/event.ts';
import type { FieldValue, Region, Section, SettingField, Target } from '../../../protocol/wire/operations.ts';
import type { Feature } from '../../drivers/feature.ts';
import type { Result } from '../answer.ts';
import { readCaps } from '../caps.ts';
import { type Change, type Written, writeDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { list, text, type XmlNode } from '../xml.ts';
import { channelsWith, firstDocument } from './channel-paths.ts';
import { notifies, setNotify, triggerOf } from './event-triggers.ts';
import { type Leaf, leafChanges, readLeaves } from './leaves.ts';
import { scheduleFields, setWeek, wantedWeek } from './schedule.ts';

/*
 * Intrusion and line crossing of a channel (ISAPI Smart/FieldDetection, Smart/LineDetection; isapi.md §9). Coordinates go
 * from 0 to 1000 and from the picture's lower left; ours go from its upper left.
 */
const SCALE = 1000;
const MAX_POINTS = 10;
const ENABLED: Leaf = { name: 'enabled', path: ['enabled'], kind: 'boolean' };
const WHOLE: Region = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];

interface Kind {
  section: Extract<Section, 'intrusion' | 'lineCrossing'>;
  type: EventType;
  path: (channel: number) => string;
  schedule: (channel: number) => string;
  /** The list of areas or lines, and one of them. */
  of: [list: string, item: string, coordinates: [string, string]];
  /** Of the first area or line; the others get the same. */
  leaves: Leaf[];
  fields: (node: XmlNode) => SettingField[];
  changes: (node: XmlNode, set: Record<string, FieldValue>) => Change[];
}

const points = (node: XmlNode, [outer, inner]: [string, string]): [number, number][] =>
  list(node, outer, inner).map((point) => [
    Number(text(point, 'positionX')) / SCALE,
    (SCALE - Number(text(point, 'positionY'))) / SCALE,
  ]);
const written = ([, inner]: [string, string], region: readonly (readonly [number, number])[]): string =>
  region
    .map(([x, y]) => {
      const [px, py] = [Math.round(x * SCALE), Math.round((1 - y) * SCALE)];
      return `<${inner}><positionX>${px}</positionX><positionY>${py}</positionY></${inner}>`;
    })
    .join('');

const FIELD: Kind['of'] = [
  'FieldDetectionRegionList',
  'FieldDetectionRegion',
  ['RegionCoordinatesList', 'RegionCoordinates'],
];
const LINE: Kind['of'] = ['LineItemList', 'LineItem', ['CoordinatesList', 'Coordinates']];
const firstOf = ([outer, item]: Kind['of'], ...leaf: [string]): [...string[], string] => [outer, item, ...leaf];
const level = (of: Kind['of']): Leaf => ({
  ...{ name: 'sensitivity', path: firstOf(of, 'sensitivityLevel'), kind: 'number', unit: '%', min: 0, max: 100 },
});
/** The leaf of every area or line: devices keep one for each. */
const ofAll = (node: XmlNode, of: Kind['of'], leaves: Leaf[], set: Record<string, FieldValue>): Change[] =>
  list(node, of[0], of[1]).flatMap((_, index) =>
    leafChanges(leaves, set).map((change) => {
      const leaf = change.path.at(-1)!;
      return { ...change, path: [of[0], { name: of[1], index }, leaf], optional: true };
    }),
  );

const intrusion: Kind = {
  ...{ section: 'intrusion', type: 'intrusion', of: FIELD },
  path: (channel) => `/Smart/FieldDetection/${channel}`,
  schedule: (channel) => `/Event/schedules/fieldDetections/FieldDetection_video${channel}`,
  leaves: [
    level(FIELD),
    { name: 'timeThreshold', path: firstOf(FIELD, 'timeThreshold'), kind: 'number', unit: 's', min: 0, max: 10 },
  ],
  fields: (node) => {
    const all = list(node, FIELD[0], FIELD[1]);
    const value = all.map((region) => points(region, FIELD[2])).filter((region) => region.length >= 3);
    return all.length > 0 ? [{ name: 'area', kind: 'regions', value, maxRegions: all.length }] : [];
  },
  changes: (node, set) => {
    const all = list(node, FIELD[0], FIELD[1]);
    // Switched on without an area it never tells of anything.
    const drawn = all.some((region) => points(region, FIELD[2]).length >= 3);
    const area = Array.isArray(set.area) ? set.area : set.enabled === true && !drawn ? [WHOLE] : null;
    if (!area) return [];
    return all.flatMap((_, index): Change[] => {
      const at = [FIELD[0], { name: FIELD[1], index }];
      const region = area[index]?.slice(0, MAX_POINTS);
      return [
        { path: [...at, 'enabled'], value: region ? 'true' : 'false', optional: true },
        { path: [...at, FIELD[2][0]], inner: region ? written(FIELD[2], region) : '' },
      ];
    });
  },
};

const LINE_ENDS = ['lineFromX', 'lineFromY', 'lineToX', 'lineToY'] as const;
const lineCrossing: Kind = {
  ...{ section: 'lineCrossing', type: 'lineCrossing', of: LINE },
  path: (channel) => `/Smart/LineDetection/${channel}`,
  schedule: (channel) => `/Event/schedules/lineDetections/LineDetection_video${channel}`,
  leaves: [
    level(LINE),
    {
      ...{ name: 'direction', path: firstOf(LINE, 'directionSensitivity'), kind: 'choice' },
      options: ['any', 'left-right', 'right-left'],
    },
  ],
  fields: (node) => {
    const [line] = list(node, LINE[0], LINE[1]);
    if (!line) return [];
    const ends = points(line, LINE[2]).flat();
    return LINE_ENDS.map((name, i) => ({
      ...{ name, kind: 'number', unit: '%', min: 0, max: 100 },
      value: ends.length === 4 ? Math.round(ends[i]! * 1000) / 10 : [50, 0, 50, 100][i]!,
    }));
  },
  changes: (node, set) => {
    const [line] = list(node, LINE[0], LINE[1]);
    if (!line) return [];
    const ends = points(line, LINE[2]).flat();
    if (!LINE_ENDS.some((name) => set[name] !== undefined) && !(set.enabled === true && ends.length !== 4)) return [];
    const of = (name: (typeof LINE_ENDS)[number], i: number) =>
      typeof set[name] === 'number' ? set[name] / 100 : (ends[i] ?? [0.5, 0, 0.5, 1][i]!);
    const [x1, y1, x2, y2] = LINE_ENDS.map(of) as [number, number, number, number];
    const at = [LINE[0], { name: LINE[1], index: 0 }];
    return [
      { path: [...at, 'enabled'], value: 'true', optional: true },
      {
        path: [...at, LINE[2][0]],
        inner: written(LINE[2], [
          [x1, y1],
          [x2, y2],
        ]),
      },
    ];
  },
};

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
  const fields = [...readLeaves(node, caps, [ENABLED, ...kind.leaves]), ...kind.fields(node)];
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
  const edit = (node: XmlNode) => [
    ...kind.changes(node, own),
    ...ofAll(node, kind.of, kind.leaves, own),
    ...leafChanges([ENABLED], own),
  ];
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
