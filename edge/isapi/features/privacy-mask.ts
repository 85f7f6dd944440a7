import type { FieldValue, Region, SettingField } from '../../../protocol/wire/operations.ts';
import type { Feature } from '../../drivers/feature.ts';
import { covers } from '../../drivers/regions.ts';
import { failure, type IsapiFailure, type Result } from '../answer.ts';
import { type Change, type Written, writeDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { list, text, type XmlNode } from '../xml.ts';
import { channelsWith, firstDocument, inputPaths } from './channel-paths.ts';
import { screenOf } from './osd.ts';

const LIST = 'PrivacyMaskRegionList';
const MASK = 'PrivacyMaskRegion';
const USUAL_REGIONS = 4;

interface Mask {
  path: string;
  node: XmlNode;
  enabled: boolean | null;
  /** Where the regions stand: in the mask's document itself, or in one of their own; null: the device draws none. */
  regions: { path: string; below: string[]; node: XmlNode; screen: { width: number; height: number } } | null;
}

const paths = (device: IsapiDevice, channel: number) => inputPaths(device, channel, 'privacyMask');

async function readMask(device: IsapiDevice, channel: number, signal?: AbortSignal): Promise<Result<Mask>> {
  const lacking = `It has no privacy mask on channel ${channel}.`;
  const doc = await firstDocument(device, paths(device, channel), lacking, signal);
  if (!doc.ok) return doc;
  const { node, path } = doc.value;
  const word = text(node, 'enabled').toLowerCase();
  const mask: Mask = { path, node, enabled: word === '' ? null : word === 'true', regions: null };
  const screen = screenOf(node);
  if (list(node, LIST).length > 0) {
    mask.regions = { path, below: [LIST], node: list(node, LIST)[0]!, screen };
  } else {
    const own = await device.get(`${path}/regions`, signal);
    if (own.ok && own.value.root === LIST) {
      const said = list(own.value.node, 'normalizedScreenSize').length > 0;
      mask.regions = {
        path: `${path}/regions`,
        below: [],
        node: own.value.node,
        screen: said ? screenOf(own.value.node) : screen,
      };
    }
  }
  return { ok: true, value: mask };
}

/** Corners in parts of the picture from its upper left; the device counts from its lower left. */
function regionsOf({ node, screen }: NonNullable<Mask['regions']>): Region[] {
  return list(node, MASK).flatMap((mask): Region[] => {
    if (/^false$/i.test(text(mask, 'enabled'))) return [];
    const corners = list(mask, 'RegionCoordinatesList', 'RegionCoordinates').slice(0, 16);
    const region = corners.map((c): [number, number] => [
      part(text(c, 'positionX'), screen.width),
      1 - part(text(c, 'positionY'), screen.height),
    ]);
    return region.length >= 3 && covers(region) ? [region] : [];
  });
}
const part = (written: string, of: number): number => Math.min(1, Math.max(0, (Number(written) || 0) / of));

function maskFields(mask: Mask): SettingField[] {
  const fields: SettingField[] = [{ name: 'enabled', kind: 'boolean', value: mask.enabled }];
  if (mask.regions) {
    const value = regionsOf(mask.regions).slice(0, 32);
    const maxRegions = Math.max(USUAL_REGIONS, list(mask.regions.node, MASK).length);
    fields.push({ name: 'regions', kind: 'regions', value, maxRegions: Math.min(maxRegions, 32) });
  }
  return fields;
}

/** The list anew: entries that stay keep what else is in them, those too many go, those lacking are made. */
function regionChanges({ node, below, screen }: NonNullable<Mask['regions']>, wanted: Region[]): Change[] {
  const there = list(node, MASK);
  const changes: Change[] = [];
  wanted.forEach((region, i) => {
    const corners = region
      .map(([x, y]) => {
        const [px, py] = [Math.round(x * screen.width), Math.round((1 - y) * screen.height)];
        return `<RegionCoordinates><positionX>${px}</positionX><positionY>${py}</positionY></RegionCoordinates>`;
      })
      .join('');
    const path = [...below, { name: MASK, index: i }];
    if (i >= there.length) {
      const entry = `<${MASK}><id>${i + 1}</id><enabled>true</enabled><RegionCoordinatesList>${corners}</RegionCoordinatesList></${MASK}>`;
      changes.push({ path: below, append: entry });
      return;
    }
    changes.push({ path: [...path, 'enabled'], value: 'true', optional: true });
    changes.push({ path: [...path, 'RegionCoordinatesList'], inner: corners });
  });
  for (let i = there.length - 1; i >= wanted.length; i--) {
    changes.push({ path: [...below, { name: MASK, index: i }], value: null });
  }
  return changes;
}

async function write(
  device: IsapiDevice,
  mask: Mask,
  set: Record<string, FieldValue>,
  signal?: AbortSignal,
): Promise<Result<Written>> {
  const { regions, path } = mask;
  const drawn = Array.isArray(set.regions) && regions ? set.regions : null;
  const onOff: Change[] = typeof set.enabled === 'boolean' ? [{ path: ['enabled'], value: String(set.enabled) }] : [];
  if (drawn && regions && regions.path === path) {
    return writeDocument(device, path, [...onOff, ...regionChanges(regions, drawn)], signal);
  }
  // Drawn before it is switched on, so that nothing is uncovered in between.
  let rebootRequired = false;
  if (drawn && regions) {
    const written = await writeDocument(device, regions.path, regionChanges(regions, drawn), signal);
    if (!written.ok) return { ...written, text: `The regions were not changed. ${written.text}` };
    rebootRequired = written.value.rebootRequired;
  }
  if (onOff.length === 0) return { ok: true, value: { rebootRequired } };
  const written = await writeDocument(device, path, onOff, signal);
  if (!written.ok)
    return drawn ? { ...written, text: `The regions were changed, enabled not. ${written.text}` } : written;
  return { ok: true, value: { rebootRequired: rebootRequired || written.value.rebootRequired } };
}

/** On or off, read back (LINK-32: what it covers has to be drawn beforehand). */
async function switchMask(device: IsapiDevice, channel: number, on: boolean, signal?: AbortSignal) {
  const mask = await readMask(device, channel, signal);
  if (!mask.ok) return mask;
  if (on && mask.value.regions && regionsOf(mask.value.regions).length === 0) {
    return failure('conflict', `No privacy mask is drawn on channel ${channel}.`);
  }
  const written = await write(device, mask.value, { enabled: on }, signal);
  if (!written.ok) return written;
  const after = await readMask(device, channel, signal);
  if (!after.ok) return after;
  if (after.value.enabled !== on) return notKept();
  return { ok: true as const, value: { pending: false, text: null } };
}
const notKept = (): IsapiFailure => failure('device-error', 'It said yes and did not do it.');

/** Parts of the picture that nobody sees (isapi.md §14). No capture proves these documents. */
export const privacyMask: Feature<IsapiDevice> = {
  async offer(device, signal) {
    const channels = await channelsWith(device, (channel) => paths(device, channel), signal);
    if (channels.length === 0) return {};
    return {
      sections: [{ section: 'privacyMask', channels }],
      actions: [
        { action: 'privacyMaskOn', channels },
        { action: 'privacyMaskOff', channels },
      ],
      resources: channels.map((channel) => ({
        kind: 'camera',
        id: String(channel),
        name: '',
        triggers: [],
        actions: ['privacyMaskOn', 'privacyMaskOff'],
      })),
      unverified: ['privacyMask', 'privacyMaskOn', 'privacyMaskOff'],
    };
  },
  sections: {
    privacyMask: {
      async read(device, at, signal) {
        const mask = await readMask(device, at.channel ?? 1, signal);
        return mask.ok ? { ok: true, value: maskFields(mask.value) } : mask;
      },
      async write(device, at, set, _fields, signal) {
        const mask = await readMask(device, at.channel ?? 1, signal);
        return mask.ok ? write(device, mask.value, set, signal) : mask;
      },
    },
  },
  actions: {
    privacyMaskOn: (device, { channel }, signal) => switchMask(device, channel, true, signal),
    privacyMaskOff: (device, { channel }, signal) => switchMask(device, channel, false, signal),
  },
};
