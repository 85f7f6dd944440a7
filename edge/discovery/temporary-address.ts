import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { writePrivateFile } from '../identity/identity.ts';
import { failure, type Result } from '../isapi/answer.ts';
import { type Interface, onLink, toAddress, toNumber } from './interfaces.ts';
import { tcpPing } from './ping.ts';

/** The kernel takes an address back by itself after this, should the box die in between. */
const LIFETIME_S = 120;
/** A host that is there answers ARP within milliseconds. */
const ARP_MS = 1_000;
const ARP_POLL_MS = 100;
const CONNECT_MS = 2_000;
const MAX_TRIES = 8;
const MAX_WAITING = 64;
const CAP_NET_ADMIN = 12;
/** Subnets in which a device without set-up, or from another site, may be; nothing of the Internet. */
const PRIVATE: [string, number][] = [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
];

/** A device that is heard and cannot be talked to, as the inventory lists it. */
export interface Unreachable {
  mac: string;
  address: string;
  subnetMask: string | null;
  gateway: string | null;
  httpPort: number | null;
  /** Null: any of them. */
  interface?: string | null;
}
interface Used {
  own: string;
  target: string;
  device: string;
}
export type Command = (program: string, args: string[]) => Promise<{ ok: boolean; out: string }>;

/**
 * A way to a device whose address is in none of the box's subnets (`192.168.1.64` from the factory, which several may have):
 * for a moment the box has an address beside it, a route to this one host, and a neighbour entry that pins the host to
 * the device's MAC. Needs CAP_NET_ADMIN. Everything goes away afterwards: at once, at the next start after a crash, and the
 * address by the kernel's own clock.
 */
export class TemporaryAddresses {
  readonly #file: string;
  readonly #interfaces: () => Interface[];
  readonly #taken: () => Iterable<string>;
  readonly #needed: () => Promise<ReadonlySet<string>>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #run: Command;
  readonly #may: () => boolean;
  /** Whether it is on that network at all: what was heard by the group may be on any of them. */
  readonly #answers: (address: string, port: number) => Promise<boolean>;
  readonly #used = new Set<Used>();
  /** Addresses of the box's own, from the moment that they are considered. */
  readonly #reserved = new Set<string>();
  /** By address, for all devices from one factory have the same. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #waiting = 0;

  constructor(o: {
    /** What is set now, for the case that the box dies. */
    file: string;
    interfaces: () => Interface[];
    /** Addresses that devices say they have. */
    taken: () => Iterable<string>;
    /** What the box talks to itself. */
    needed: () => Promise<ReadonlySet<string>>;
    clock: Clock;
    log: Logger;
    run?: Command;
    may?: () => boolean;
    answers?: (address: string, port: number) => Promise<boolean>;
  }) {
    this.#file = o.file;
    this.#interfaces = o.interfaces;
    this.#taken = o.taken;
    this.#needed = o.needed;
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'temporary-address' });
    this.#run = o.run ?? run;
    this.#may = o.may ?? mayChangeNetwork;
    const connects = async (address: string, port: number) =>
      (await tcpPing(address, port, CONNECT_MS, o.clock)) !== null;
    this.#answers = o.answers ?? connects;
  }

  /** Takes away what a former run left. */
  async start(): Promise<void> {
    if (!existsSync(this.#file)) return;
    for (const left of readLeft(this.#file)) {
      this.#log.warn(left, 'an address of a former run is taken away');
      await this.#remove(left);
    }
    rmSync(this.#file, { force: true });
  }

  /**
   * Whether this box may set addresses, and that device is where one would help. Where a device says to be, another host may be:
   * in the box's own subnets, and where it talks to itself, nothing is changed.
   */
  async helps(device: Unreachable): Promise<boolean> {
    const inside = PRIVATE.some(
      ([net, bits]) => toNumber(net) >>> (32 - bits) === toNumber(device.address) >>> (32 - bits),
    );
    if (!isIPv4(device.address) || !inside || this.#isOwn(device.address) || !this.#may()) return false;
    return !(await this.#needed()).has(device.address);
  }

  #isOwn(address: string): boolean {
    const all = this.#interfaces();
    return all.some((i) => i.address === address) || onLink(address, all).length > 0;
  }

  /** Calls `use` while the device can be talked to at its address; one at a time for each address. */
  async with<T>(device: Unreachable, use: () => Promise<Result<T>>, signal?: AbortSignal): Promise<Result<T>> {
    if (this.#waiting >= MAX_WAITING)
      return failure('device-unreachable', 'Too many devices are waiting for their turn.');
    this.#waiting++;
    const before = this.#turns.get(device.address) ?? Promise.resolve();
    const turn = before.then(() => this.#try(device, use, signal));
    const settled = turn.catch(() => {});
    this.#turns.set(device.address, settled);
    try {
      return await turn;
    } finally {
      this.#waiting--;
      if (this.#turns.get(device.address) === settled) this.#turns.delete(device.address);
    }
  }

  async #try<T>(device: Unreachable, use: () => Promise<Result<T>>, signal?: AbortSignal): Promise<Result<T>> {
    const all = [...new Set(this.#interfaces().map((i) => i.name))];
    const names = device.interface ? all.filter((name) => name === device.interface) : all;
    for (const name of names) {
      if (signal?.aborted || !(await this.helps(device))) break;
      const own = await this.#free(device, name, signal);
      if (own === undefined) continue;
      const used = { own, target: device.address, device: name };
      this.#used.add(used);
      this.#keep();
      try {
        if ((await this.#set(used, device.mac)) && (await this.#answers(device.address, device.httpPort ?? 80)))
          return await use();
      } finally {
        await this.#remove(used);
        this.#used.delete(used);
        this.#reserved.delete(own);
        this.#keep();
      }
    }
    return failure(
      'device-unreachable',
      `It does not answer at ${device.address}, although the box had an address beside it for a moment.`,
    );
  }

  /**
   * An address in the device's subnet that nobody says to have, and nobody answers ARP at; undefined: none found.
   */
  async #free(device: Unreachable, name: string, signal?: AbortSignal): Promise<string | undefined> {
    const taken = new Set([...this.#taken(), ...(await this.#needed()), device.address, device.gateway]);
    for (const { address } of this.#interfaces()) taken.add(address);
    let tries = 0;
    for (const candidate of candidates(device.address, device.subnetMask)) {
      if (taken.has(candidate) || this.#reserved.has(candidate)) continue;
      if (tries++ >= MAX_TRIES || signal?.aborted) return undefined;
      this.#reserved.add(candidate);
      if (!(await this.#isUsed(candidate, name))) return candidate;
      this.#reserved.delete(candidate);
    }
    return undefined;
  }

  /** Whether somebody answers ARP for that address; the kernel asks, needing no route there. */
  async #isUsed(address: string, name: string): Promise<boolean> {
    const begun = this.#clock.mono();
    try {
      if (!(await this.#ip('neigh', 'replace', address, 'dev', name, 'use', 'nud', 'none'))) return true;
      while (this.#clock.mono() - begun < ARP_MS) {
        await this.#clock.sleep(ARP_POLL_MS);
        const { out } = await this.#run('ip', ['-4', 'neigh', 'show', 'to', address, 'dev', name]);
        if (/lladdr/i.test(out)) return true;
      }
      return false;
    } finally {
      await this.#ip('neigh', 'del', address, 'dev', name);
    }
  }

  async #set({ own, target, device }: Used, mac: string): Promise<boolean> {
    const life = ['valid_lft', `${LIFETIME_S}`, 'preferred_lft', `${LIFETIME_S}`];
    if (!(await this.#ip('addr', 'add', `${own}/32`, 'dev', device, 'scope', 'link', ...life))) return false;
    if (!(await this.#ip('route', 'add', `${target}/32`, 'dev', device, 'src', own, 'scope', 'link'))) return false;
    const pinned = ['lladdr', mac.replaceAll('-', ':'), 'dev', device, 'nud', 'permanent'];
    return this.#ip('neigh', 'replace', target, ...pinned);
  }

  /** All of it, whatever of it is there. */
  async #remove({ own, target, device }: Used): Promise<void> {
    await this.#ip('neigh', 'del', target, 'dev', device);
    await this.#ip('route', 'del', `${target}/32`, 'dev', device);
    await this.#ip('addr', 'del', `${own}/32`, 'dev', device);
  }

  async #ip(...args: string[]): Promise<boolean> {
    const { ok, out } = await this.#run('ip', ['-4', ...args]);
    if (!ok) this.#log.debug({ args, out }, 'ip refused');
    return ok;
  }

  #keep(): void {
    if (this.#used.size === 0) rmSync(this.#file, { force: true });
    else writePrivateFile(this.#file, JSON.stringify([...this.#used]));
  }
}

/** Addresses for the box in the device's subnet, from its upper end down: people and DHCP servers begin below. */
export function* candidates(address: string, subnetMask: string | null): Generator<string> {
  const mask = toNumber(subnetMask && isIPv4(subnetMask) ? subnetMask : '255.255.255.0');
  // In a large subnet beside the device; a mask that is none counts as the usual one.
  const near = (mask | 0xffffff00) >>> 0;
  const network = (toNumber(address) & near) >>> 0;
  const last = (network | ~near) >>> 0;
  for (let n = last - 1; n > network; n--) yield toAddress(n);
}

function readLeft(file: string): Used[] {
  try {
    const left: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(left) ? left.filter(isUsed) : [];
  } catch {
    return [];
  }
}

const isUsed = (value: unknown): value is Used => {
  const { own, target, device } = (value ?? {}) as Record<string, unknown>;
  const address = (text: unknown) => typeof text === 'string' && isIPv4(text);
  return address(own) && address(target) && typeof device === 'string' && /^[\w.@:-]{1,15}$/.test(device);
};

/** Whether programs that the box starts may change its network: CAP_NET_ADMIN must be one that they inherit. */
function mayChangeNetwork(): boolean {
  const bits = (status: string, name: string) =>
    BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)`, 'm').exec(status)?.[1] ?? '0'}`);
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    const sets = process.getuid?.() === 0 ? ['CapEff', 'CapBnd'] : ['CapAmb'];
    return sets.every((name) => ((bits(status, name) >> BigInt(CAP_NET_ADMIN)) & 1n) === 1n);
  } catch {
    return false;
  }
}

/** No shell; nothing of a device goes in but addresses and a MAC that were read as such. */
const run: Command = (program, args) =>
  new Promise((resolve) => {
    const env = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`, LC_ALL: 'C' };
    execFile(program, args, { timeout: 5_000, env }, (error, out, err) => resolve({ ok: !error, out: `${out}${err}` }));
  });
