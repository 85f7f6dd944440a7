import type { Coding } from '../camera/video.ts';
import { cameraProfile, deviceProfile } from './kinds.ts';
import type { DeviceKind, DeviceProfile } from './profile.ts';
import { type DeviceSpec, manyDevices } from './spec.ts';

/** Where a device waits that nobody gave an address: beside every subnet but its own. */
export const FACTORY_ADDRESS = '192.168.1.64';

/** Cameras from .11, other devices from .51, many of them from .101. */
export function profilesOf(o: {
  base: string;
  interface: string | null;
  cameras: number;
  unactivated: number;
  devices: DeviceSpec[];
  many: number;
  fps: number;
  kbps: number;
  codec: Coding['codec'];
  sound: Coding['sound'];
}): DeviceProfile[] {
  const { base, fps, kbps, codec, sound } = o;
  const options = { fps, kbps, codec, sound, loopback: o.interface === null };
  const cameras = Array.from({ length: o.cameras + o.unactivated }, (_, i) => ({
    ...cameraProfile(i + 1, base, options),
    ...(i < o.cameras ? {} : { password: null }),
  }));
  const others = (specs: DeviceSpec[], from: number, group: number) => {
    const counts = new Map<DeviceKind, number>();
    return specs.map(({ kind, activated, foreign, scheme }, i) => {
      const n = (counts.get(kind) ?? (kind === 'camera' && group === 1 ? o.cameras + o.unactivated : 0)) + 1;
      counts.set(kind, n);
      const address = foreign ? FACTORY_ADDRESS : `${base}${from + i}`;
      const light = group === 2;
      const place = { index: i + 1, n: light ? i + 1 : n, address, base, group };
      const made = { ...deviceProfile(kind, place, { ...options, activated, light }), scheme };
      return foreign ? { ...made, mask: '255.255.255.0', gateway: '192.168.1.1', dhcp: false } : made;
    });
  };
  return [...cameras, ...others(o.devices, 51, 1), ...others(manyDevices(o.many), 101, 2)];
}
