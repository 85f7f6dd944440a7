import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { ArcTimings } from '../../../edge/arc/types.ts';
import type { EventType } from '../../../protocol/wire/event.ts';
import type { ArcPathHealth } from '../../../protocol/wire/uplink.ts';
import { COMPILED, until } from './wait.ts';

export interface BoxOptions {
  dir: string;
  relay: string;
  timings: Partial<ArcTimings>;
  /** A name for the receiver that the box's own name server knows. */
  directName: string | null;
  /** The box's clock minus the real one. */
  clockMs?: number;
  logLevel?: string;
}
export type ToBox =
  | { do: 'event'; n: number; type: EventType; area: number; zone: number; ends: boolean }
  | { do: 'end'; n: number }
  | { do: 'names'; silentMs: number }
  | { do: 'speed'; factor: number }
  | { do: 'stop' };
export type FromBox =
  | { is: 'up'; serial: string; code: string }
  | { is: 'online' }
  | { is: 'health'; arc: ArcPathHealth[] }
  | { is: 'journalled'; n: number }
  /** How far its clock is ahead of the real one, after a change of speed. */
  | { is: 'ahead'; ms: number };

/** One event that the source handed over: what the receiver must get. */
export interface Handed {
  n: number;
  type: EventType;
  /** Priority class: within one the order holds. */
  rank: number;
  ends: boolean;
  at: number;
  /** When the box said that it is on disk; null: it never did, and owes nothing. */
  journalledAt: number | null;
}

/** Unix milliseconds with fractions, as the receiver's. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

const ZONES = 999;
export const placeOf = (n: number) => ({ area: Math.floor(n / ZONES) + 1, zone: (n % ZONES) + 1 });
export const numberOf = (area: number, zone: number): number => (area - 1) * ZONES + zone - 1;

const RANKS: Partial<Record<EventType, number>> = { panic: -1, fire: -1, videoLoss: 1, panelTest: 2 };

/** A box in a process of its own, and the source of its events. */
export class BoxUnderTest {
  readonly options: BoxOptions;
  readonly handed: Handed[] = [];
  readonly #byNumber = new Map<number, Handed>();
  /** All that it said of its paths. */
  readonly paths: { at: number; path: string }[] = [];
  health: ArcPathHealth[] = [];
  identity: { serial: string; code: string } | null = null;
  starts = 0;
  aheadMs: number | null = null;
  /** It was connected to the relay since it was started. */
  online = false;
  #child: ChildProcess | null = null;
  #up = false;
  readonly #nice: number;
  readonly #env: NodeJS.ProcessEnv;

  /** `trusts`: a file of certificates. */
  constructor(options: BoxOptions, { nice = 0, trusts }: { nice?: number; trusts?: string } = {}) {
    this.options = options;
    this.#nice = nice;
    this.#env = { ...process.env, NODE_COMPILE_CACHE: COMPILED, ...(trusts && { NODE_EXTRA_CA_CERTS: trusts }) };
  }

  /** Does not wait until it is up. */
  spawn(): void {
    mkdirSync(this.options.dir, { recursive: true });
    const log = openSync(join(this.options.dir, 'box.log'), 'a');
    const program = [join(import.meta.dirname, 'box-process.ts'), JSON.stringify(this.options)];
    const child = spawn('nice', ['-n', `${this.#nice}`, process.execPath, ...program], {
      stdio: ['ignore', log, log, 'ipc'],
      env: this.#env,
    });
    closeSync(log);
    this.#child = child;
    this.#up = false;
    this.online = false;
    this.starts++;
    child.on('error', () => {});
    child.on('message', (message: FromBox) => {
      if (child !== this.#child) return;
      if (message.is === 'up') {
        this.identity = message;
        this.#up = true;
      } else if (message.is === 'online') this.online = true;
      else if (message.is === 'ahead') this.aheadMs = message.ms;
      else if (message.is === 'health') this.#tookHealth(message.arc);
      else {
        const event = this.#byNumber.get(message.n);
        if (event) event.journalledAt ??= nowMs();
      }
    });
    child.on('exit', () => {
      if (child === this.#child) this.#up = false;
    });
  }

  async start(): Promise<void> {
    this.spawn();
    await until('the box to be up', () => this.#up, 30_000);
  }

  get up(): boolean {
    return this.#up;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  /** The source hands over event `n`; a box that is down gets none. */
  hand(n: number, type: EventType, ends = false): void {
    if (!this.#up) return;
    const event: Handed = { n, type, rank: RANKS[type] ?? 0, ends, at: nowMs(), journalledAt: null };
    this.handed.push(event);
    this.#byNumber.set(n, event);
    this.say({ do: 'event', n, type, ...placeOf(n), ends });
  }

  say(message: ToBox): void {
    this.#child?.send(message, () => {});
  }

  async kill(): Promise<void> {
    const child = this.#child!;
    this.#up = false;
    const gone = once(child, 'exit');
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await gone;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGCONT');
    this.say({ do: 'stop' });
    const late = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await gone;
    clearTimeout(late);
    this.#child = null;
  }

  #tookHealth(arc: ArcPathHealth[]): void {
    this.health = arc;
    const path = arc[0]?.path;
    if (path && path !== this.paths.at(-1)?.path) this.paths.push({ at: nowMs(), path });
  }
}
