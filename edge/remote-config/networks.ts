import { BlockList, isIPv4 } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

export type Interfaces = Record<string, NetworkInterfaceInfo[] | undefined>;

/** What no device of a LAN has: this network, link-local with the metadata service, multicast, reserved, broadcast. */
const NEVER = new BlockList();
NEVER.addSubnet('0.0.0.0', 8);
NEVER.addSubnet('169.254.0.0', 16);
NEVER.addSubnet('224.0.0.0', 4);
NEVER.addSubnet('240.0.0.0', 4);

/** Ports of well-known services that no device has its web page on; a relay that names one is after something else. */
const OTHER_SERVICES = new Set([
  ...[
    7, 9, 13, 19, 20, 21, 22, 23, 25, 53, 69, 79, 110, 111, 113, 119, 123, 135, 137, 138, 139, 143, 161, 179, 389, 445,
  ],
  ...[465, 512, 513, 514, 515, 548, 554, 587, 631, 636, 873, 990, 993, 995, 1433, 1521, 1723, 1883, 2049, 2375, 3128],
  ...[3268, 3306, 3389, 5060, 5061, 5432, 5900, 5985, 6000, 6379, 8554, 9100, 9200, 10_554, 11_211, 27_017],
]);
export const isOtherService = (port: number): boolean => OTHER_SERVICES.has(port);

/**
 * The addresses at which this box may open a device's page: IPv4 written plainly, in a network that an interface of it
 * stands in, and not its own. On `lo` (the demo) only loopback, where everything is its own.
 */
export class Networks {
  readonly #name: string | undefined;
  readonly #read: () => Interfaces;

  constructor(o: { interface?: string; read?: () => Interfaces }) {
    this.#name = o.interface;
    this.#read = o.read ?? networkInterfaces;
  }

  permits(host: string): boolean {
    // Names could resolve to anything, and the other spellings of addresses (octal, one number, IPv4 in IPv6) too.
    if (!isIPv4(host) || NEVER.check(host)) return false;
    const loopback = host.startsWith('127.');
    if (this.#name === 'lo') return loopback;
    if (loopback) return false;
    const all = Object.entries(this.#read()).flatMap(([name, list]) => (list ?? []).map((a) => ({ name, ...a })));
    if (all.some((a) => a.address === host)) return false;
    return all.some((a) => {
      if (a.family !== 'IPv4' || a.internal || (this.#name !== undefined && a.name !== this.#name)) return false;
      const [address, mask, wanted] = [number(a.address), number(a.netmask), number(host)];
      const net = (address & mask) >>> 0;
      const last = (net | ~mask) >>> 0;
      return (wanted & mask) >>> 0 === net && wanted !== net && wanted !== last;
    });
  }
}

const number = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) >>> 0;
