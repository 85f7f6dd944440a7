import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * The addresses that devices have. On loopback every address of 127.0.0.0/8 is there; on an interface of its own (a network
 * namespace made by a test) the lab adds and removes them.
 */
export class Addresses {
  readonly #interface: string | null;
  readonly #added = new Map<string, number>();

  constructor(interfaceName: string | null) {
    this.#interface = interfaceName;
  }

  /** False: this machine has no such address. */
  async take(address: string): Promise<boolean> {
    if (address.startsWith('127.')) return true;
    const holders = this.#added.get(address) ?? 0;
    if (holders > 0) this.#added.set(address, holders + 1);
    if (holders > 0 || has(address)) return true;
    if (this.#interface === null) return false;
    // Without it, the first address of a subnet takes all others with it when it goes.
    writeFileSync(`/proc/sys/net/ipv4/conf/${this.#interface}/promote_secondaries`, '1');
    await run('ip', ['address', 'add', `${address}/24`, 'dev', this.#interface]);
    this.#added.set(address, 1);
    return true;
  }

  async leave(address: string): Promise<void> {
    const holders = this.#added.get(address) ?? 0;
    if (holders > 1) this.#added.set(address, holders - 1);
    if (holders !== 1) return;
    this.#added.delete(address);
    await run('ip', ['address', 'del', `${address}/24`, 'dev', this.#interface!]).catch(() => {});
  }

  async stop(): Promise<void> {
    for (const address of [...this.#added.keys()]) {
      this.#added.set(address, 1);
      await this.leave(address);
    }
  }
}

export const has = (address: string): boolean =>
  Object.values(networkInterfaces()).some((list) => list?.some((a) => a.address === address));
