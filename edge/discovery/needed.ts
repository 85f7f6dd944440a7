import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import type { Clock } from '../../protocol/clock.ts';

const ROUTES = '/proc/net/route';
/** The second is the real one where a resolver on loopback stands in the first. */
const RESOLVERS = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];
const LOOKUP_MS = 2_000;

/**
 * Addresses that the box itself talks to: gateways, name servers, its relay, alarm receivers, the devices that were added. Anybody
 * can announce a device at one of them, and nothing may be put in their place, not even for a moment.
 */
export class NeededAddresses {
  readonly #clock: Clock;
  readonly #read: (file: string) => Promise<string>;
  readonly #resolve: (name: string) => Promise<string[]>;
  readonly #hosts = new Map<string, string[]>();
  /** A name that cannot be looked up at this moment is where it was. */
  readonly #resolved = new Map<string, string[]>();

  constructor(o: {
    clock: Clock;
    read?: (file: string) => Promise<string>;
    resolve?: (name: string) => Promise<string[]>;
  }) {
    this.#clock = o.clock;
    this.#read = o.read ?? ((file) => readFile(file, 'utf8').catch(() => ''));
    this.#resolve = o.resolve ?? addressesOf;
  }

  /** All hosts of one kind, by name or address, in place of those named before. */
  set(kind: 'relay' | 'receivers' | 'devices', hosts: string[]): void {
    this.#hosts.set(kind, hosts);
    const named = new Set([...this.#hosts.values()].flat());
    for (const name of this.#resolved.keys()) if (!named.has(name)) this.#resolved.delete(name);
  }

  async list(): Promise<Set<string>> {
    const hosts = [...new Set([...this.#hosts.values()].flat())];
    const [routes, resolvers, ...resolved] = await Promise.all([
      this.#read(ROUTES).then(gateways),
      Promise.all(RESOLVERS.map(this.#read)).then((files) => files.flatMap(nameServers)),
      ...hosts.map((host) => (isIPv4(host) ? [host] : this.#lookUp(host))),
    ]);
    return new Set([...routes, ...resolvers, ...resolved.flat()]);
  }

  async #lookUp(name: string): Promise<string[]> {
    const found = this.#resolve(name).then(
      (addresses) => {
        this.#resolved.set(name, addresses);
      },
      () => {},
    );
    await Promise.race([found, this.#clock.sleep(LOOKUP_MS)]);
    return this.#resolved.get(name) ?? [];
  }
}

const addressesOf = async (name: string): Promise<string[]> =>
  (await lookup(name, { all: true, family: 4 })).map(({ address }) => address);

/** Of all routes of the kernel's table, whose words are hexadecimal in the order of this machine. */
function gateways(table: string): string[] {
  return table.split('\n').flatMap((line) => {
    const written = line.split('\t')[2]?.trim() ?? '';
    if (!/^[0-9a-f]{8}$/i.test(written) || /^0+$/.test(written)) return [];
    return [[...Buffer.from(written, 'hex')].reverse().join('.')];
  });
}

const nameServers = (file: string): string[] =>
  file.split('\n').flatMap((line) => {
    const address = /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? '';
    return isIPv4(address) ? [address] : [];
  });
