import { Resolver } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { ProblemError } from '../api/problem.ts';

/** Nothing of ours to reach: this host, private and shared networks, link-local, multicast, documentation, tunnels. */
const INTERNAL = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
  ...[
    '::/96',
    '::ffff:0:0:0/96',
    '64:ff9b::/96',
    '64:ff9b:1::/48',
    '100::/64',
    '2001::/23',
    '2001:db8::/32',
    '2002::/16',
    'fc00::/7',
  ],
  ...['fe80::/10', 'fec0::/10', 'ff00::/8'],
];

export type Dialable = { ok: true; address: string } | { ok: false; reason: 'unknown-host' | 'internal'; text: string };

/**
 * Stands before everything that the relay dials because a person entered it: names are resolved here, once, and the
 * address found is what is dialled, so that a name cannot point elsewhere a moment later.
 */
export class DialGuard {
  readonly #internal = blockList(INTERNAL);
  readonly #allowed: BlockList;
  readonly #resolver = new Resolver({ timeout: 2_000, tries: 2 });

  /** `allow`: CIDRs that may be dialled although they are internal. Throws on one that cannot be read. */
  constructor({ allow }: { allow: string[] }) {
    this.#allowed = blockList(allow);
  }

  /** Where to dial for a name or address; refused when any address behind a name is internal. */
  async resolve(host: string): Promise<Dialable> {
    let addresses: string[];
    try {
      const bare = host.replace(/^\[(.*)\]$/, '$1');
      addresses = isIP(bare) ? [bare] : await this.#lookup(bare);
    } catch (error) {
      const text = `${host} is not found (${(error as NodeJS.ErrnoException).code ?? 'error'})`;
      return { ok: false, reason: 'unknown-host', text };
    }
    const [address] = addresses;
    if (address && addresses.every((a) => this.#allows(a))) return { ok: true, address };
    return { ok: false, reason: 'internal', text: `${host} is an address inside the relay's own network` };
  }

  /** Not the system's lookup: a slow name server must not use up the threads that passwords and files need. */
  async #lookup(name: string): Promise<string[]> {
    if (name === 'localhost') return ['127.0.0.1'];
    const found = await Promise.allSettled([this.#resolver.resolve4(name), this.#resolver.resolve6(name)]);
    const addresses = found.flatMap((f) => (f.status === 'fulfilled' ? f.value : []));
    if (addresses.length === 0) throw (found[0] as PromiseRejectedResult).reason;
    return addresses;
  }

  #allows(address: string): boolean {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    return !this.#internal.check(address, family) || this.#allowed.check(address, family);
  }
}

/** Refuses what the relay must not dial; a name that is not found now may be found when it is needed. */
export async function mustBeDialable(guard: DialGuard, host: string, path = 'relay.host'): Promise<void> {
  const target = await guard.resolve(host);
  if (!target.ok && target.reason === 'internal')
    throw new ProblemError('invalid-request', `${path}: ${target.text}`, {
      errors: [{ path, message: target.text }],
    });
}

function blockList(cidrs: string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [net, bits] = cidr.split('/') as [string, string | undefined];
    const family = isIP(net);
    if (!family || !/^\d{1,3}$/.test(bits ?? '')) throw new Error(`${cidr} is no address range like 10.0.0.0/8`);
    list.addSubnet(net, Number(bits), family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}
