import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';

export interface Interface {
  name: string;
  address: string;
  netmask: string;
  /** Null on loopback, which has none. */
  broadcast: string | null;
}

/**
 * IPv4 interfaces to search: the one asked for, else all but loopback. Those without a carrier (an unplugged cable, a
 * bridge without members) are not among them: the list has only those that are up and running.
 */
export function searchedInterfaces(name?: string): Interface[] {
  const found: Interface[] = [];
  for (const [key, addresses] of Object.entries(networkInterfaces())) {
    for (const a of addresses ?? []) {
      if (a.family !== 'IPv4' || (name === undefined ? a.internal : key !== name)) continue;
      const broadcast = a.internal ? null : broadcastOf(a.address, a.netmask);
      found.push({ name: key, address: a.address, netmask: a.netmask, broadcast });
    }
  }
  return found;
}

function broadcastOf(address: string, netmask: string): string | null {
  const mask = toNumber(netmask);
  return mask === 0xffffffff ? null : toAddress((toNumber(address) | ~mask) >>> 0);
}

/** The interfaces in whose subnet that address is; a subnet of one address (/32) reaches nobody. */
export const onLink = (address: string, interfaces: Interface[]): Interface[] =>
  interfaces.filter((i) => i.netmask !== '255.255.255.255' && sameSubnet(address, i.address, i.netmask));

export const sameSubnet = (a: string, b: string, netmask: string): boolean =>
  isIPv4(a) && isIPv4(b) && ((toNumber(a) ^ toNumber(b)) & toNumber(netmask)) === 0;

export const toNumber = (address: string): number =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) >>> 0;
export const toAddress = (n: number): string => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255].join('.');

export const isLoopback = (address: string): boolean => /^127(\.\d{1,3}){3}$/.test(address);
