import type { Scheme } from '../isapi/listeners.ts';
import { DEVICE_KINDS, type DeviceKind } from './profile.ts';

export interface DeviceSpec {
  kind: DeviceKind;
  activated: boolean;
  /** Its address as it left the factory: in a subnet that is not the LAN's. */
  foreign: boolean;
  scheme: Scheme;
}

const MARKS = ['unactivated', 'foreign', 'https', 'redirect'];

const isKind = (text: string): text is DeviceKind => (DEVICE_KINDS as readonly string[]).includes(text);

/** `nvr,door-station:unactivated,ptz:unactivated:foreign`; null: a word that it does not know. */
export function parseDevices(text: string): DeviceSpec[] | null {
  const words = text.split(',').filter((word) => word.trim() !== '');
  const specs = words.map((word): DeviceSpec | null => {
    const [kind = '', ...marks] = word.trim().split(':');
    if (!isKind(kind) || marks.some((mark) => !MARKS.includes(mark))) return null;
    const scheme = marks.includes('https') ? 'https' : marks.includes('redirect') ? 'redirect' : 'http';
    return { kind, activated: !marks.includes('unactivated'), foreign: marks.includes('foreign'), scheme };
  });
  return specs.every((spec) => spec !== null) ? specs : null;
}

/** Kinds of `--many`: what a large site has, most of it cameras. */
const MIX: DeviceKind[] = ['camera', 'camera', 'ptz', 'camera', 'thermal', 'door-station', 'camera', 'access'];

export const manyDevices = (n: number): DeviceSpec[] =>
  Array.from({ length: n }, (_, i) => ({
    kind: MIX[i % MIX.length]!,
    activated: false,
    foreign: false,
    scheme: 'http',
  }));
