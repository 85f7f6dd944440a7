import type { FieldValue, SettingField } from '../../../protocol/wire/operations.ts';
import type { Feature } from '../../drivers/feature.ts';
import { readCaps } from '../caps.ts';
import { type Change, writeDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { list, text, type XmlNode } from '../xml.ts';
import { channelsWith, firstDocument, inputPaths } from './channel-paths.ts';
import { type Leaf, leafChanges, readLeaves } from './leaves.ts';

const LEAVES: Leaf[] = [
  { name: 'showName', path: ['channelNameOverlay', 'enabled'], kind: 'boolean' },
  { name: 'showTime', path: ['DateTimeOverlay', 'enabled'], kind: 'boolean' },
  { name: 'dateFormat', path: ['DateTimeOverlay', 'dateStyle'], kind: 'choice' },
  { name: 'timeFormat', path: ['DateTimeOverlay', 'timeStyle'], kind: 'choice' },
  { name: 'showWeekday', path: ['DateTimeOverlay', 'displayWeek'], kind: 'boolean' },
];
const PLACES = [
  { overlay: 'channelNameOverlay', x: 'nameX', y: 'nameY' },
  { overlay: 'DateTimeOverlay', x: 'timeX', y: 'timeY' },
] as const;
const MAX_TEXTS = 8;

/** The device's own screen, in which positions are told; 704×576 where it does not say. */
export function screenOf(node: XmlNode): { width: number; height: number } {
  const size = (name: string, otherwise: number) => {
    const n = Number(text(node, 'normalizedScreenSize', name));
    return Number.isInteger(n) && n > 0 ? n : otherwise;
  };
  return { width: size('normalizedScreenWidth', 704), height: size('normalizedScreenHeight', 576) };
}

/** Positions in % of the picture from its upper left; the device counts from its lower left. */
function placeFields(node: XmlNode): SettingField[] {
  const screen = screenOf(node);
  return PLACES.flatMap(({ overlay, x, y }): SettingField[] => {
    if (list(node, overlay, 'positionX').length === 0) return [];
    const percent = (written: string, of: number) =>
      /^\d+$/.test(written) ? Math.min(100, Math.round((Number(written) / of) * 100)) : null;
    const up = percent(text(node, overlay, 'positionY'), screen.height);
    const field = { kind: 'number', min: 0, max: 100, unit: '%' } as const;
    return [
      { ...field, name: x, value: percent(text(node, overlay, 'positionX'), screen.width) },
      { ...field, name: y, value: up === null ? null : 100 - up },
    ];
  });
}

const textsOf = (node: XmlNode): XmlNode[] => list(node, 'TextOverlayList', 'TextOverlay').slice(0, MAX_TEXTS);

function fieldsOf(node: XmlNode, caps: Awaited<ReturnType<typeof readCaps>>): SettingField[] {
  const texts = textsOf(node).map((overlay, i): SettingField => {
    const shown = /^true$/i.test(text(overlay, 'enabled')) ? text(overlay, 'displayText') : '';
    return { name: `text${i + 1}`, kind: 'text', value: shown.slice(0, 256), maxLength: 44 };
  });
  return [...readLeaves(node, caps, LEAVES), ...placeFields(node), ...texts];
}

function changesOf(node: XmlNode, set: Record<string, FieldValue>): Change[] {
  const screen = screenOf(node);
  const changes = leafChanges(LEAVES, set);
  for (const { overlay, x, y } of PLACES) {
    const at = (percent: number, of: number) => String(Math.round((percent / 100) * of));
    const [setX, setY] = [set[x], set[y]];
    if (typeof setX === 'number') changes.push({ path: [overlay, 'positionX'], value: at(setX, screen.width) });
    if (typeof setY === 'number') changes.push({ path: [overlay, 'positionY'], value: at(100 - setY, screen.height) });
  }
  textsOf(node).forEach((_overlay, i) => {
    const words = set[`text${i + 1}`];
    if (typeof words !== 'string') return;
    const path = ['TextOverlayList', { name: 'TextOverlay', index: i }];
    changes.push({ path: [...path, 'enabled'], value: String(words !== '') });
    // Off is enough for none; some devices refuse an empty text.
    if (words !== '') changes.push({ path: [...path, 'displayText'], value: words });
  });
  return changes;
}

const paths = (device: IsapiDevice, channel: number) => inputPaths(device, channel, 'overlays');
const overlays = (device: IsapiDevice, channel: number, signal?: AbortSignal) =>
  firstDocument(device, paths(device, channel), `It writes nothing into the picture of channel ${channel}.`, signal);

/** What is written into the picture (ISAPI VideoOverlay; CHAN-06). No capture proves this document. */
export const osd: Feature<IsapiDevice> = {
  async offer(device, signal) {
    const channels = await channelsWith(device, (channel) => paths(device, channel), signal);
    return channels.length > 0 ? { sections: [{ section: 'osd', channels }], unverified: ['osd'] } : {};
  },
  sections: {
    osd: {
      async read(device, at, signal) {
        const doc = await overlays(device, at.channel ?? 1, signal);
        if (!doc.ok) return doc;
        const caps = await readCaps(device, `${doc.value.path}/capabilities`, signal);
        return { ok: true, value: fieldsOf(doc.value.node, caps) };
      },
      async write(device, at, set, _fields, signal) {
        const doc = await overlays(device, at.channel ?? 1, signal);
        if (!doc.ok) return doc;
        return writeDocument(device, doc.value.path, (node) => changesOf(node, set), signal);
      },
    },
  },
};
