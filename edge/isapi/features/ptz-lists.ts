import type { DeviceListItem } from '../../../protocol/wire/operations.ts';
import { failure, type Result } from '../answer.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { clean, list, text, type XmlNode } from '../xml.ts';

/* Presets, patrols and patterns of a camera that turns; `at` is where the channel is turned. */

const PRESET_MAX = 300;
/** From here on presets are commands of the dome itself (99 is "auto scan", isapi.md §13), so none is put there by itself. */
const COMMANDS = { from: 33, to: 105 };

const isSet = (node: XmlNode): boolean =>
  !/^false$/i.test(text(node, 'enabled')) && (text(node, 'presetName') !== '' || list(node, 'AbsoluteHigh').length > 0);

/** Those that are set: devices list all 300 places, most of them without a name. */
export async function readPresets(device: IsapiDevice, at: string, signal?: AbortSignal) {
  const doc = await device.get(`${at}/presets`, signal);
  if (!doc.ok) return doc;
  return {
    ok: true as const,
    value: numbered(list(doc.value.node, 'PTZPreset').filter(isSet), 'presetName', 'Preset'),
  };
}

function numbered(nodes: XmlNode[], nameOf: string, otherwise: string): DeviceListItem[] {
  return nodes.slice(0, 1024).flatMap((node) => {
    const id = text(node, 'id');
    if (!/^\d{1,5}$/.test(id)) return [];
    return [{ id, name: clean(text(node, nameOf), 64) || `${otherwise} ${id}`, values: {} }];
  });
}

export async function readTours(
  device: IsapiDevice,
  at: string,
  what: { path: string; item: string; name: string; word: string },
  signal?: AbortSignal,
): Promise<Result<DeviceListItem[]>> {
  const doc = await device.get(`${at}/${what.path}`, signal);
  if (!doc.ok) return doc;
  const found = list(doc.value.node, what.item).filter((node) => !/^false$/i.test(text(node, 'enabled')));
  return { ok: true, value: numbered(found, what.name, what.word) };
}
export const PATROLS = { path: 'patrols', item: 'PTZPatrol', name: 'patrolName', word: 'Patrol' };
export const PATTERNS = { path: 'patterns', item: 'PTZPattern', name: 'patternName', word: 'Pattern' };

export const presetNumber = (preset: string): number | null =>
  /^\d{1,3}$/.test(preset) && Number(preset) >= 1 && Number(preset) <= PRESET_MAX ? Number(preset) : null;
export const noSuchPreset = () => failure('invalid-request', `A preset is a number from 1 to ${PRESET_MAX}.`);

/** A place for a new preset; null: all are in use. */
export function freePreset(used: DeviceListItem[]): number | null {
  const taken = new Set(used.map((p) => Number(p.id)));
  for (let n = 1; n <= PRESET_MAX; n++) {
    if (!taken.has(n) && (n < COMMANDS.from || n > COMMANDS.to)) return n;
  }
  return null;
}
