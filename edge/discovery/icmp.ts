import { execFile } from 'node:child_process';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { tcpPing } from './ping.ts';

const TIMEOUT_MS = 1_000;
/** A process each, so few at a time. */
const PINGS_AT_ONCE = 4;
const OWN_HOST = '127.0.0.1';

export interface Measured {
  ms: number | null;
  method: 'icmp' | 'tcp';
}

/**
 * Ping values (DISC-04). Node has no ICMP, so one of Debian's two programs sends it: `fping`, one process for all devices
 * that are due, else `ping`, one for each. Without either, for what does not answer ICMP, and on loopback, where the kernel
 * would answer for every device, it is the time of a TCP connect.
 */
export class Pinger {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #programs: { fping: string; ping: string };
  readonly #tcpOnly: boolean;
  #with: 'fping' | 'ping' | null = null;
  #running = 0;
  #abort = new AbortController();

  constructor(o: {
    clock: Clock;
    log: Logger;
    /** On loopback the kernel answers for every device. */
    tcpOnly: boolean;
    programs?: { fping: string; ping: string };
  }) {
    this.#clock = o.clock;
    this.#log = o.log;
    this.#tcpOnly = o.tcpOnly;
    this.#programs = o.programs ?? { fping: 'fping', ping: 'ping' };
  }

  /** Finds out whether this box may send ICMP at all. */
  async start(): Promise<void> {
    this.#abort = new AbortController();
    this.#with = null;
    if (this.#tcpOnly) return;
    if ((await this.#fping([OWN_HOST])).has(OWN_HOST)) this.#with = 'fping';
    else if ((await this.#ping(OWN_HOST)) !== null) this.#with = 'ping';
    this.#log.info({ icmp: this.#with ?? 'none' }, this.#with ? 'pings go by ICMP' : 'pings are TCP connects');
  }

  stop(): void {
    this.#abort.abort();
  }

  /** Calls `done` once for each target, as soon as its value is known. */
  async measure<T extends { address: string; port: number }>(
    targets: T[],
    done: (target: T, measured: Measured) => void,
  ): Promise<void> {
    if (targets.length === 0) return;
    const byTcp = async (target: T) =>
      done(target, { ms: await tcpPing(target.address, target.port, TIMEOUT_MS, this.#clock), method: 'tcp' });
    if (this.#with === 'fping' && this.#running === 0) {
      const found = await this.#fping([...new Set(targets.map((t) => t.address))]);
      await Promise.all(
        targets.map(async (target) => {
          const ms = found.get(target.address);
          if (ms === undefined) await byTcp(target);
          else done(target, { ms, method: 'icmp' });
        }),
      );
      return;
    }
    // What is silent takes its time: who comes meanwhile does not wait for it.
    const may = this.#with === 'ping' && this.#running === 0;
    const queue = [...targets];
    const work = async () => {
      for (let target = queue.shift(); target; target = queue.shift()) {
        const ms = may ? await this.#ping(target.address) : null;
        if (ms === null) await byTcp(target);
        else done(target, { ms, method: 'icmp' });
      }
    };
    await Promise.all(Array.from({ length: may ? PINGS_AT_ONCE : targets.length }, work));
  }

  /** Milliseconds by address, of those that answered. */
  async #fping(addresses: string[]): Promise<Map<string, number>> {
    const said = await this.#run(this.#programs.fping, [
      '-C',
      '1',
      '-q',
      '-r',
      '0',
      '-t',
      `${TIMEOUT_MS}`,
      ...addresses,
    ]);
    const found = new Map<string, number>();
    for (const [, address, ms] of said.matchAll(/^(\d{1,3}(?:\.\d{1,3}){3})\s+: (\d+(?:\.\d+)?)\s*$/gm))
      found.set(address!, Number(ms));
    return found;
  }

  async #ping(address: string): Promise<number | null> {
    const said = await this.#run(this.#programs.ping, ['-n', '-c', '1', '-W', `${TIMEOUT_MS / 1000}`, address]);
    const ms = /\btime[=<](\d+(?:\.\d+)?) ?ms/.exec(said)?.[1];
    return ms === undefined ? null : Number(ms);
  }

  /** What it says on both outputs; '' when it cannot be run. Addresses are checked ones: none begins with a dash. */
  #run(program: string, args: string[]): Promise<string> {
    this.#running++;
    return new Promise((resolve) => {
      const options = {
        timeout: 4 * TIMEOUT_MS,
        signal: this.#abort.signal,
        env: { PATH: process.env.PATH, LC_ALL: 'C' },
      };
      execFile(program, args, options, (_, out, err) => {
        this.#running--;
        resolve(`${out}\n${err}`);
      });
    });
  }
}
