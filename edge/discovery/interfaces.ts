import { networkInterfaces } from 'node:os';

export interface Interface {
  name: string;
  address: string;
  /** Null on loopback, which has none. */
  broadcast: string | null;
}

/** IPv4 interfaces to search: the one asked for, else all but loopback. Those without a carrier have no address. */
export function searchedInterfaces(name?: string): Interface[] {
  const found: Interface[] = [];
  for (const [key, addresses] of Object.entries(networkInterfaces())) {
    for (const a of addresses ?? []) {
      if (a.family !== 'IPv4' || (name === undefined ? a.internal : key !== name)) continue;
      found.push({ name: key, address: a.address, broadcast: a.internal ? null : broadcastOf(a.address, a.netmask) });
    }
  }
  return found;
}

function broadcastOf(address: string, netmask: string): string | null {
  if (netmask === '255.255.255.255') return null;
  const mask = netmask.split('.').map(Number);
  return address
    .split('.')
    .map((part, i) => (Number(part) | (~mask[i]! & 255)).toString())
    .join('.');
}

export const isLoopback = (address: string): boolean => /^127(\.\d{1,3}){3}$/.test(address);
