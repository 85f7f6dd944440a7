import type { DiscoveredDevice } from '../box-api.ts';

/** The n-th camera of a network, as a box found it. */
export const foundDevice = (n: number, change: Partial<DiscoveredDevice> = {}): DiscoveredDevice => ({
  mac: `02-00-00-00-00-0${n}`,
  serial: `S${n}`,
  model: 'DS-2CD1',
  firmware: 'V1',
  address: `192.0.2.${n}`,
  subnetMask: null,
  gateway: null,
  httpPort: 80,
  dhcp: null,
  activated: true,
  locked: false,
  protocols: ['sadp'],
  pingMs: 1,
  pingMethod: 'tcp',
  pingLevel: 'green',
  firstSeenAt: '2026-01-01T00:00:00.000Z',
  lastSeenAt: '2026-01-01T00:00:00.000Z',
  addressConflict: false,
  ...change,
});
