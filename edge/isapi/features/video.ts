import type { FieldValue, SettingField, Target } from '../../../protocol/wire/operations.ts';
import type { Feature } from '../../drivers/feature.ts';
import type { Result } from '../answer.ts';
import { type Caps, readCaps } from '../caps.ts';
import { type Change, type Written, writeDocument } from '../edit-xml.ts';
import type { IsapiDevice, XmlDocument } from '../isapi-device.ts';
import { list, text, type XmlNode } from '../xml.ts';
import { firstDocument, streamPaths } from './channel-paths.ts';
import { type Leaf, leafChanges, readLeaves } from './leaves.ts';

const V = (name: string): [string, string] => ['Video', name];

const FULL_RATE = 'full';
const LEAVES: Leaf[] = [
  { name: 'codec', path: V('videoCodecType'), kind: 'choice' },
  { name: 'bitrateType', path: V('videoQualityControlType'), kind: 'choice', options: ['CBR', 'VBR'] },
  { name: 'quality', path: V('fixedQuality'), kind: 'number', unit: '%', min: 1, max: 100 },
];
const GOV: Leaf = { name: 'govLength', path: V('GovLength'), kind: 'number', unit: 'frames', min: 1, max: 400 };
// Where there is no GovLength; both say the same.
const INTERVAL: Leaf = {
  name: 'keyFrameInterval',
  path: V('keyFrameInterval'),
  kind: 'number',
  unit: 'ms',
  min: 1,
  max: 100_000,
};
// Absent on many models; unavailable while a smart codec is on.
const SVC: Leaf = { name: 'svc', path: ['Video', 'SVC', 'enabled'], kind: 'boolean' };
const SMART: Leaf = { name: 'smartCodec', path: ['Video', 'SmartCodec', 'enabled'], kind: 'boolean' };
const has = (node: XmlNode, ...path: [...string[], string]): boolean => list(node, ...path).length > 0;

/** `maxFrameRate` is frames per second × 100; 0 is as many as there are (isapi.md §7). */
export const rateOf = (written: string): string | null =>
  /^\d+$/.test(written) ? (Number(written) === 0 ? FULL_RATE : String(Number(written) / 100)) : null;
const writtenRate = (rate: string): string => (rate === FULL_RATE ? '0' : String(Math.round(Number(rate) * 100)));

const bitrateLeaf = (node: XmlNode, type: string): Leaf => {
  const constant = /^cbr$/i.test(type) || !has(node, 'Video', 'vbrUpperCap');
  const path = V(constant ? 'constantBitRate' : 'vbrUpperCap');
  return { name: 'bitrate', path, kind: 'number', unit: 'kbit/s', min: 32, max: 16_384 };
};

/** The settings of one stream as fields (ISAPI StreamingChannel, isapi.md §7). */
export function videoFields(node: XmlNode, caps: Caps | null): SettingField[] {
  const fields = readLeaves(node, caps, [
    ...LEAVES,
    bitrateLeaf(node, text(node, 'Video', 'videoQualityControlType')),
    has(node, 'Video', 'GovLength') ? GOV : INTERVAL,
    SVC,
    SMART,
  ]);
  const [width, height] = [text(node, 'Video', 'videoResolutionWidth'), text(node, 'Video', 'videoResolutionHeight')];
  if (width && height) {
    const value = `${width}x${height}`.slice(0, 64);
    fields.push({ name: 'resolution', kind: 'choice', value, options: resolutions(caps, value) });
  }
  const rate = rateOf(text(node, 'Video', 'maxFrameRate'));
  if (rate !== null) {
    const named = (caps?.at('Video', 'maxFrameRate')?.options ?? []).flatMap((o) => rateOf(o) ?? []);
    fields.push({ name: 'frameRate', kind: 'choice', value: rate, options: [...new Set([...named, rate])] });
  }
  return fields;
}

/** Widths and heights are listed apart, in the same order; where they do not pair up, only what is set is sure. */
function resolutions(caps: Caps | null, current: string): string[] {
  const widths = caps?.at('Video', 'videoResolutionWidth')?.options ?? [];
  const heights = caps?.at('Video', 'videoResolutionHeight')?.options ?? [];
  const paired = widths.length === heights.length ? widths.map((w, i) => `${w}x${heights[i]}`) : [];
  return [...new Set([...paired, current])].slice(0, 64);
}

/** What `set` is in the document as it stands; smart codec aside. */
export function videoChanges(node: XmlNode, set: Record<string, FieldValue>): Change[] {
  const bitrate = bitrateLeaf(node, String(set.bitrateType ?? text(node, 'Video', 'videoQualityControlType')));
  const changes = leafChanges([...LEAVES, bitrate, GOV, INTERVAL, SVC], set);
  if (typeof set.resolution === 'string') {
    const [width, height] = set.resolution.split('x');
    changes.push({ path: V('videoResolutionWidth'), value: width ?? '' });
    changes.push({ path: V('videoResolutionHeight'), value: height ?? '' });
  }
  if (typeof set.frameRate === 'string') changes.push({ path: V('maxFrameRate'), value: writtenRate(set.frameRate) });
  // Both say the same in other units and have to agree; some devices refuse it otherwise.
  const rate = Number(writtenRate(String(set.frameRate ?? rateOf(text(node, 'Video', 'maxFrameRate')) ?? ''))) / 100;
  if (typeof set.govLength === 'number' && rate > 0) {
    const value = String(Math.round((set.govLength / rate) * 1000));
    changes.push({ path: V('keyFrameInterval'), value, optional: true });
  }
  return changes;
}

/**
 * Writes one stream in the order that devices take: a smart codec goes off on its own before anything else, because with it
 * group length and bit rate are not free, and on only after the rest (isapi.md §7).
 */
export async function writeVideo(
  device: IsapiDevice,
  path: string,
  set: Record<string, FieldValue>,
  signal?: AbortSignal,
): Promise<Result<Written>> {
  const { smartCodec, ...rest } = set;
  const smart: Change[] = leafChanges([SMART], { smartCodec: smartCodec ?? null });
  const steps: [string, (node: XmlNode) => Change[]][] = [];
  if (Object.keys(rest).length > 0) steps.push(['the rest', (node) => videoChanges(node, rest)]);
  if (smart.length > 0) steps[smartCodec === true ? 'push' : 'unshift'](['smartCodec', () => smart]);
  let rebootRequired = false;
  const done: string[] = [];
  for (const [what, changes] of steps) {
    const written = await writeDocument(device, path, changes, signal);
    if (!written.ok) {
      return done.length === 0 ? written : { ...written, text: `${done[0]} was changed, ${what} not. ${written.text}` };
    }
    done.push(what);
    rebootRequired ||= written.value.rebootRequired;
  }
  return { ok: true, value: { rebootRequired } };
}

export interface StreamDocument {
  path: string;
  doc: XmlDocument;
  caps: Caps;
}

/** The document of one stream with what it may hold. */
export async function readStream(
  device: IsapiDevice,
  at: Target,
  signal?: AbortSignal,
): Promise<Result<StreamDocument>> {
  const id = (at.channel ?? 1) * 100 + (at.stream ?? 1);
  const doc = await firstDocument(device, streamPaths(device, id), `It has no stream ${id}.`, signal);
  if (!doc.ok) return doc;
  const { path } = doc.value;
  return { ok: true, value: { path, doc: doc.value, caps: await readCaps(device, `${path}/capabilities`, signal) } };
}

/** Stream numbers by channel, from the lists that the device has. */
async function streamsOf(device: IsapiDevice, signal?: AbortSignal): Promise<Map<number, number[]>> {
  const streams = new Map<number, number[]>();
  const lists = ['/Streaming/channels', ...(device.info.recorder ? ['/ContentMgmt/StreamingProxy/channels'] : [])];
  for (const path of lists) {
    const doc = await device.get(path, signal);
    if (!doc.ok) {
      // One that does not list its streams has them all the same.
      const [only, ...more] = device.info.recorder ? [] : device.channels;
      for (const stream of only && more.length === 0 ? [1, 2] : [])
        if (await device.has(`/Streaming/channels/${only!.channel * 100 + stream}`, signal))
          streams.set(only!.channel, [...(streams.get(only!.channel) ?? []), stream]);
      continue;
    }
    for (const node of list(doc.value.node, 'StreamingChannel')) {
      const id = Number(text(node, 'id'));
      const [channel, stream] = [Math.floor(id / 100), id % 100];
      if (!device.channels.some((c) => c.channel === channel) || stream < 1 || stream > 4) continue;
      const known = streams.get(channel) ?? [];
      if (!known.includes(stream)) streams.set(channel, [...known, stream].sort());
    }
  }
  return streams;
}

/** Picture coding of each stream (CHAN-08). */
export const video: Feature<IsapiDevice> = {
  async offer(device, signal) {
    const groups = new Map<string, { channels: number[]; streams: number[] }>();
    for (const [channel, streams] of await streamsOf(device, signal)) {
      const group = groups.get(streams.join()) ?? { channels: [], streams };
      group.channels.push(channel);
      groups.set(streams.join(), group);
    }
    return { sections: [...groups.values()].map((group) => ({ section: 'video', ...group })) };
  },
  sections: {
    video: {
      async read(device, at, signal) {
        const stream = await readStream(device, at, signal);
        return stream.ok ? { ok: true, value: videoFields(stream.value.doc.node, stream.value.caps) } : stream;
      },
      async write(device, at, set, _fields, signal) {
        const stream = await readStream(device, at, signal);
        return stream.ok ? writeVideo(device, stream.value.path, set, signal) : stream;
      },
    },
  },
};
