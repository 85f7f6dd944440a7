import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ArcTimings, arcTimings } from '../../../edge/arc/types.ts';
import { FaultProxy } from '../../../lab/faults/fault-proxy.ts';
import type { EventType } from '../../../protocol/wire/event.ts';
import { DelayProxy } from '../delay-proxy.ts';
import { BoxUnderTest } from './box.ts';
import { Centre, type ForeignReceiver } from './centre.ts';
import type { RelayProcess } from './relay-process.ts';
import { tally } from './tally.ts';
import { TlsEnd } from './tls-end.ts';
import { soon, until } from './wait.ts';

/** What all parts of a run share. */
export interface Run {
  dir: string;
  relay: RelayProcess;
  events: number;
  kills: number;
  /** Events a second. */
  rate: number;
  /** All times of the box are divided by this. */
  scale: number;
  foreign: ForeignReceiver | null;
  log: (text: string) => void;
}

export interface WorldOptions {
  name: string;
  protocol?: 'SIA-DCS' | 'ADM-CID';
  /** AES; 0: plain. */
  keyBytes?: 0 | 16 | 32;
  mode?: 'direct-or-relay' | 'relay';
  accounts?: string[];
  timings?: Partial<ArcTimings>;
  tls?: boolean;
  /** Receiver and relay are this far away. */
  rttMs?: number;
  directName?: string;
  /** The box's clock minus the real one; the receiver's is right for it unless told otherwise. */
  clockMs?: number;
  relay?: RelayProcess;
  nice?: number;
}

const EVENTS: EventType[] = ['motion', 'intrusion', 'tamper', 'fire', 'panic', 'videoLoss', 'panelTest'];

/** Divided further, these would test how quickly a busy machine gets round to things. */
const LEAST: Partial<Record<keyof ArcTimings, number>> = {
  ackTimeoutMs: 2_000,
  connectTimeoutMs: 500,
  waitingAfterMs: 500,
};
/** What accounts say unless told otherwise. */
const ACK_TIMEOUT_MS = 5_000;

/** The product's own times, divided. */
export function scaled(scale: number, given: Partial<ArcTimings> = {}): Partial<ArcTimings> {
  if (scale === 1) return given;
  const { goodPolls, ...times } = { ...arcTimings({}), ackTimeoutMs: ACK_TIMEOUT_MS, ...given };
  const divided = Object.entries(times).map(([name, ms]) => [
    name,
    Math.max((ms ?? 0) / scale, LEAST[name as keyof ArcTimings] ?? 0),
  ]);
  return { goodPolls, ...Object.fromEntries(divided) };
}

/** One account: box, paths with their faults, receiver. */
export class World {
  readonly run: Run;
  readonly options: WorldOptions;
  readonly dir: string;
  readonly centre: Centre;
  readonly relay: RelayProcess;
  box!: BoxUnderTest;
  /** In front of the relay's port. */
  toRelay!: FaultProxy;
  tls: TlsEnd | null = null;
  readonly accountIds: string[] = [];
  receiverId = '';
  readonly #far: DelayProxy[] = [];

  constructor(run: Run, options: WorldOptions) {
    this.run = run;
    this.options = options;
    this.relay = options.relay ?? run.relay;
    this.dir = join(run.dir, options.name.replaceAll(/\W+/g, '-'));
    const key = options.keyBytes ? Buffer.alloc(options.keyBytes, `key of ${options.name} `) : null;
    const { accounts, clockMs } = options;
    const slowMs = 30_000 / run.scale;
    this.centre = new Centre({ account: '00A1', accounts, key, slowMs, clockMs, foreign: run.foreign });
  }

  async start(): Promise<this> {
    mkdirSync(this.dir, { recursive: true });
    await this.centre.start();
    const relay = { host: '127.0.0.1', port: this.relay.port };
    if (this.options.tls) this.tls = new TlsEnd(this.dir, relay);
    const upstream = this.tls ? await this.tls.start() : relay;
    this.toRelay = new FaultProxy({ host: '127.0.0.1', port: 0, upstream, dc09: false });
    await this.toRelay.start();
    const { port } = await this.#distant({ host: '127.0.0.1', port: this.toRelay.port });
    this.box = new BoxUnderTest(
      {
        dir: join(this.dir, 'box'),
        relay: `${this.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
        timings: scaled(this.run.scale, this.options.timings),
        directName: this.options.directName ?? null,
        clockMs: this.options.clockMs,
      },
      { nice: this.options.nice, trusts: this.tls ? join(this.dir, 'ca.pem') : undefined },
    );
    await this.box.start();
    await this.#enter();
    const mode = this.options.mode ?? 'direct-or-relay';
    await until(
      `${this.options.name}: paths to be up`,
      () =>
        this.box.health.length === this.accountIds.length &&
        this.box.health.every((h) => h.relay !== 'down' && (mode === 'relay' || h.direct === 'up')),
      60_000,
    );
    return this;
  }

  async stop(): Promise<void> {
    await this.box?.stop();
    await this.toRelay?.stop();
    this.tls?.stop();
    for (const far of this.#far) await far.stop();
    await this.centre.stop();
  }

  /** Waits until the receiver has whatever was handed over; false: not within `ms`. */
  arrived(ms: number): Promise<boolean> {
    const { box, centre } = this;
    return soon(
      () =>
        box.handed.every((e) => e.journalledAt !== null) &&
        tally(box.handed, centre.arrivals(), new Map()).lost.length === 0,
      ms,
    );
  }

  async #distant(to: { host: string; port: number }): Promise<{ host: string; port: number }> {
    if (!this.options.rttMs) return to;
    const far = new DelayProxy(to, this.options.rttMs);
    this.#far.push(far);
    return far.start();
  }

  /** The box claimed, the receiver and its accounts entered, as an installer does. */
  async #enter(): Promise<void> {
    const { relay, centre, options } = this;
    await until(`${options.name}: the box to be enrolled`, () => this.box.online, 30_000);
    const { serial, code } = this.box.identity!;
    await relay.api('POST', `/sites/${relay.siteId}/boxes`, { serial, code });
    const direct = await this.#distant(centre.address('direct'));
    const receiver = await relay.api<{ id: string }>('POST', '/receivers', {
      name: options.name,
      direct: { host: options.directName ?? direct.host, port: direct.port },
      relay: await this.#distant(centre.address('relay')),
    });
    this.receiverId = receiver.id;
    for (const account of options.accounts ?? [centre.account]) {
      const { id } = await relay.api<{ id: string }>('POST', `/sites/${relay.siteId}/arc`, {
        boxSerial: serial,
        receiverId: receiver.id,
        account,
        events: EVENTS,
        protocol: options.protocol ?? 'SIA-DCS',
        key: centre.key?.toString('hex') ?? null,
        mode: options.mode ?? 'direct-or-relay',
        supervision: { kind: 'off', intervalMs: 60_000 },
      });
      this.accountIds.push(id);
    }
  }
}
