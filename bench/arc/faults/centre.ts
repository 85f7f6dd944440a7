import { type Received, StrictReceiver } from '../../../edge/arc/testing/strict-receiver.ts';
import { FaultProxy } from '../../../lab/faults/fault-proxy.ts';
import { numberOf } from './box.ts';
import { Tap } from './tap.ts';

/** An alarm receiver that somebody else wrote, listening already, with this account. */
export interface ForeignReceiver {
  host: string;
  port: number;
  account: string;
  key: Buffer | null;
}

/** A message that the receiver has acknowledged. */
export interface Arrival {
  what: 'event' | 'restore' | 'path-fault' | 'path-restore' | 'poll' | 'other';
  /** Which event; of path messages the zone. */
  n: number;
  code: string;
  account: string;
  sequence: number;
  data: string;
  via: 'direct' | 'relay';
  at: number;
}

type End = Pick<StrictReceiver, 'received' | 'start' | 'stop'> & { options?: { clockMs?: number } };

const RESTORES = /^(.H|UJ|3\d{3})$/;
/** The relay says YC when all paths are lost; the box YS of one. */
const PATH_FAULT = ['YS', 'YC', '1350'];
const PATH_RESTORE = ['YK', '3350'];

/** The alarm receiving centre: one account, an address for each path, each behind a fault proxy of its own. */
export class Centre {
  readonly #ends: Record<Arrival['via'], End>;
  readonly proxies = {} as Record<Arrival['via'], FaultProxy>;
  readonly #slowMs: number;
  readonly account: string;
  readonly key: Buffer | null;

  constructor(o: {
    account: string;
    accounts?: string[];
    key: Buffer | null;
    slowMs: number;
    clockMs?: number;
    foreign: ForeignReceiver | null;
  }) {
    const { foreign } = o;
    this.account = foreign?.account ?? o.account;
    this.key = foreign ? foreign.key : o.key;
    this.#slowMs = o.slowMs;
    const accounts = Object.fromEntries((o.accounts ?? [this.account]).map((account) => [account, this.key]));
    const end = (): End => (foreign ? new Tap(foreign) : new StrictReceiver({ accounts, clockMs: o.clockMs }));
    this.#ends = { direct: end(), relay: end() };
  }

  async start(): Promise<void> {
    for (const via of ['direct', 'relay'] as const) {
      const upstream = await this.#ends[via].start();
      const proxy = new FaultProxy({ host: '127.0.0.1', port: 0, upstream, dc09: true, slowMs: this.#slowMs });
      await proxy.start();
      this.proxies[via] = proxy;
    }
  }

  async stop(): Promise<void> {
    for (const via of ['direct', 'relay'] as const) {
      await this.proxies[via]?.stop();
      await this.#ends[via].stop();
    }
  }

  address(via: Arrival['via']): { host: string; port: number } {
    return { host: this.proxies[via].host, port: this.proxies[via].port };
  }

  /** How far its clock is ahead of the real one. */
  setClock(ms: number): void {
    for (const { options } of Object.values(this.#ends)) if (options) options.clockMs = ms;
  }

  /** Everything it has acknowledged, polls included, by time. */
  arrivals(): Arrival[] {
    const all = (['direct', 'relay'] as const).flatMap((via) =>
      this.#ends[via].received
        .filter((r) => r.reply.endsWith('ACK') || (r.token === 'NULL' && r.reply !== '-'))
        .map((r) => read(r, via)),
    );
    return all.sort((a, b) => a.at - b.at);
  }

  /** Sequence number → acknowledgements of it that the proxies did not let through. */
  swallowed(): Map<number, number> {
    const counts = new Map<number, number>();
    for (const { sequence } of [...this.proxies.direct.swallowed, ...this.proxies.relay.swallowed]) {
      if (sequence !== 0) counts.set(sequence, (counts.get(sequence) ?? 0) + 1);
    }
    return counts;
  }
}

function read(r: Received, via: Arrival['via']): Arrival {
  const base = { account: r.account, sequence: Number(r.sequence), data: r.data, via, at: r.at };
  if (r.token === 'NULL') return { ...base, what: 'poll', n: 0, code: '' };
  const sia = /\|[NO]ri(\d{1,2})\/([A-Z]{2})(\d{1,4})/.exec(r.data);
  const cid = /\|([136]\d{3}) (\d{2}) (\d{3})/.exec(r.data);
  if (!sia && !cid) return { ...base, what: 'other', n: 0, code: '' };
  const [area, code, zone] = sia ? [sia[1], sia[2]!, sia[3]] : [cid![2], cid![1]!, cid![3]];
  const path = PATH_FAULT.includes(code) ? 'path-fault' : PATH_RESTORE.includes(code) ? 'path-restore' : null;
  if (path) return { ...base, what: path, n: Number(zone), code };
  if (Number(area) === 0 || Number(zone) === 0) return { ...base, what: 'other', n: 0, code };
  return { ...base, what: RESTORES.test(code) ? 'restore' : 'event', n: numberOf(Number(area), Number(zone)), code };
}
