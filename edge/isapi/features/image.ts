import type { FieldValue, Section, SettingField } from '../../../protocol/wire/operations.ts';
import type { Feature, SectionHandler } from '../../drivers/feature.ts';
import type { Result } from '../answer.ts';
import { type Caps, readCaps } from '../caps.ts';
import { type Written, writeDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { list, text, type XmlNode } from '../xml.ts';
import { channelsWith, firstDocument, imagePaths } from './channel-paths.ts';
import { type Leaf, leafChanges, ofLeaves, readLeaves } from './leaves.ts';

const level = (name: string, path: [...string[], string]): Leaf => ({
  name,
  path,
  kind: 'number',
  unit: null,
  min: 0,
  max: 100,
});

/** A part of the ImageChannel that also has an address of its own, where devices rather take a change. */
interface Part {
  element: string;
  at: string;
  leaves: Leaf[];
}
const PICTURE: Part[] = [
  {
    element: 'Color',
    at: 'color',
    leaves: [
      level('brightness', ['Color', 'brightnessLevel']),
      level('contrast', ['Color', 'contrastLevel']),
      level('saturation', ['Color', 'saturationLevel']),
    ],
  },
  { element: 'Sharpness', at: 'sharpness', leaves: [level('sharpness', ['Sharpness', 'SharpnessLevel'])] },
  {
    element: 'IrcutFilter',
    at: 'ircutFilter',
    leaves: [{ name: 'dayNight', path: ['IrcutFilter', 'IrcutFilterType'], kind: 'choice' }],
  },
  {
    element: 'corridor',
    at: 'corridor',
    leaves: [{ name: 'rotate', path: ['corridor', 'enabled'], kind: 'boolean' }],
  },
];
const FLIP = { element: 'ImageFlip', at: 'imageFlip' };
const BACKLIGHT: Part[] = [
  {
    element: 'BLC',
    at: 'BLC',
    leaves: [
      { name: 'blc', path: ['BLC', 'enabled'], kind: 'boolean' },
      { name: 'blcArea', path: ['BLC', 'BLCMode'], kind: 'choice' },
      level('blcLevel', ['BLC', 'BLCLevel']),
    ],
  },
  {
    element: 'WDR',
    at: 'WDR',
    leaves: [
      { name: 'wdr', path: ['WDR', 'mode'], kind: 'choice', words: { open: 'on', close: 'off' } },
      level('wdrLevel', ['WDR', 'WDRLevel']),
    ],
  },
  {
    element: 'HLC',
    at: 'HLC',
    leaves: [{ name: 'hlc', path: ['HLC', 'enabled'], kind: 'boolean' }, level('hlcLevel', ['HLC', 'HLCLevel'])],
  },
];

/** Scene Direction (CHAN-05): what is `enabled` and how are one choice. */
const FLIPS: Record<string, string> = { LEFTRIGHT: 'leftRight', UPDOWN: 'upDown', CENTER: 'both' };
function flipField(node: XmlNode, caps: Caps): SettingField[] {
  if (list(node, 'ImageFlip').length === 0) return [];
  const style = text(node, 'ImageFlip', 'ImageFlipStyle');
  const named = caps.at('ImageFlip', 'ImageFlipStyle')?.options ?? [];
  const words = [...named, style].filter((o) => o !== '').map((o) => FLIPS[o.toUpperCase()] ?? o);
  const on = /^true$/i.test(text(node, 'ImageFlip', 'enabled')) && style !== '';
  const value = on ? (FLIPS[style.toUpperCase()] ?? style) : 'off';
  return [{ name: 'sceneDirection', kind: 'choice', value, options: [...new Set(['off', ...words])] }];
}

async function imageChannel(device: IsapiDevice, channel: number, signal?: AbortSignal) {
  const lacking = `It gives no picture settings of channel ${channel}.`;
  const doc = await firstDocument(device, imagePaths(device, channel), lacking, signal);
  return doc.ok ? { ok: true as const, path: doc.value.path, node: doc.value.node } : doc;
}

/** Into the part's own document where the device has one, else into the whole. */
async function writePart(
  device: IsapiDevice,
  path: string,
  part: { element: string; at: string },
  set: { path: string[]; value: string }[],
  signal?: AbortSignal,
): Promise<Result<Written>> {
  const own = `${path}/${part.at}`;
  const alone = await device.get(own, signal);
  if (alone.ok && alone.value.root === part.element) {
    return writeDocument(
      device,
      own,
      set.map((c) => ({ path: c.path.slice(1), value: c.value })),
      signal,
    );
  }
  return writeDocument(device, path, set, signal);
}

function section(parts: Part[], flip: boolean): SectionHandler<IsapiDevice> {
  const leaves = parts.flatMap((p) => p.leaves);
  return {
    async read(device, at, signal) {
      const image = await imageChannel(device, at.channel ?? 1, signal);
      if (!image.ok) return image;
      const caps = await readCaps(device, `${image.path}/capabilities`, signal);
      const fields = readLeaves(image.node, caps, leaves);
      return { ok: true, value: flip ? [...fields, ...flipField(image.node, caps)] : fields };
    },
    async write(device, at, set, _fields, signal) {
      const image = await imageChannel(device, at.channel ?? 1, signal);
      if (!image.ok) return image;
      const writes = parts.map((part) => ({ part, changes: changesOf(part.leaves, set) }));
      if (flip && typeof set.sceneDirection === 'string') {
        writes.push({ part: { ...FLIP, leaves: [] }, changes: flipChanges(set.sceneDirection) });
      }
      let rebootRequired = false;
      const done: string[] = [];
      for (const { part, changes } of writes) {
        if (changes.length === 0) continue;
        const written = await writePart(device, image.path, part, changes, signal);
        if (!written.ok) {
          const before = done.length > 0 ? `${done.join(', ')} changed, ` : '';
          return { ...written, text: `${before}${part.element} not. ${written.text}` };
        }
        done.push(part.element);
        rebootRequired ||= written.value.rebootRequired;
      }
      return { ok: true, value: { rebootRequired } };
    },
  };
}

const changesOf = (leaves: Leaf[], set: Record<string, FieldValue>) =>
  leafChanges(leaves, ofLeaves(leaves, set)).flatMap((c) =>
    'value' in c && c.value !== null ? [{ path: c.path as string[], value: c.value }] : [],
  );

function flipChanges(direction: string): { path: string[]; value: string }[] {
  const off = { path: ['ImageFlip', 'enabled'], value: 'false' };
  if (direction === 'off') return [off];
  const style = Object.entries(FLIPS).find(([, ours]) => ours === direction)?.[0] ?? direction;
  return [
    { ...off, value: 'true' },
    { path: ['ImageFlip', 'ImageFlipStyle'], value: style },
  ];
}

/** Picture and backlight of a channel (ISAPI ImageChannel; CHAN-05, CHAN-07). No capture proves these documents. */
export const image: Feature<IsapiDevice> = {
  async offer(device, signal) {
    const channels = await channelsWith(device, (channel) => imagePaths(device, channel), signal);
    if (channels.length === 0) return {};
    const doc = await imageChannel(device, channels[0]!, signal);
    const node = doc.ok ? doc.node : '';
    const has = (elements: { element: string }[]) => elements.some((p) => list(node, p.element).length > 0);
    const sections: Section[] = [];
    if (has([...PICTURE, FLIP])) sections.push('picture');
    if (has(BACKLIGHT)) sections.push('backlight');
    return { sections: sections.map((name) => ({ section: name, channels })), unverified: sections };
  },
  sections: { picture: section(PICTURE, true), backlight: section(BACKLIGHT, false) },
};
