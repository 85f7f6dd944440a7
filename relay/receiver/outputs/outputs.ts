import { BlockList, isIP } from 'node:net';
import type { Selectable } from 'kysely';
import type { Logger } from 'pino';
import { type Clock, iso } from '../../../protocol/clock.ts';
import { OutputConfig, type ReceiverOutput } from '../../../protocol/wire/receiver.ts';
import type { DialGuard } from '../../arc/dial-guard.ts';
import type { Db } from '../../db/database.ts';
import type { ReceiverTables } from '../schema.ts';
import { Dc09Driver } from './dc09.ts';
import type { OutputDriver } from './driver.ts';
import { Mlr2Driver } from './mlr2.ts';
import { WebhookDriver } from './webhook.ts';
import { webhookSecret } from './webhook-signature.ts';
import { OutputWorker, type WorkerState } from './worker.ts';

export type OutputRow = Selectable<ReceiverTables['receiver_outputs']>;

/** Every output at work. Which there are is in the database; who may change them is the caller's business. */
export class Outputs {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #guard: DialGuard;
  readonly #secret: (row: OutputRow) => string | null;
  readonly #host: string;
  readonly #port: (row: OutputRow, wanted: number | null) => Promise<number | null>;
  readonly #workers = new Map<string, OutputWorker>();
  /** Why an output is not at work although it should be. */
  readonly #broken = new Map<string, string>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    guard: DialGuard;
    /** Opens the sealed key or secret. */
    secret: (row: OutputRow) => string | null;
    /** Where automation software is waited for. */
    host: string;
    /** The port on which it is; null: there is none. */
    port: (row: OutputRow, wanted: number | null) => Promise<number | null>;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#guard = deps.guard;
    this.#secret = deps.secret;
    this.#host = deps.host;
    this.#port = deps.port;
  }

  async start(): Promise<void> {
    const rows = await this.#db.selectFrom('receiver_outputs').select('id').execute();
    for (const { id } of rows) await this.reload(id);
  }

  async stop(): Promise<void> {
    await this.#turn;
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
    this.#workers.clear();
  }

  /** There is something for these. */
  kick(ids: Iterable<string>): void {
    for (const id of ids) this.#workers.get(id)?.kick();
  }

  /** An output was added, changed or taken away. */
  reload(id: string): Promise<void> {
    const next = this.#turn.then(() => this.#reload(id));
    this.#turn = next.catch(() => {});
    return next;
  }

  async #reload(id: string): Promise<void> {
    await this.#workers.get(id)?.stop();
    this.#workers.delete(id);
    this.#broken.delete(id);
    const row = await this.#db.selectFrom('receiver_outputs').selectAll().where('id', '=', id).executeTakeFirst();
    if (!row || row.enabled === 0) return;
    const driver = await this.#driver(row);
    if (driver === null) return;
    if (typeof driver === 'string') {
      this.#broken.set(id, driver);
      this.#log.error({ outputId: id, reason: driver }, 'an output cannot work');
      return;
    }
    const deps = { db: this.#db, clock: this.#clock, log: this.#log };
    const worker = new OutputWorker({ ...deps, outputId: id, driver });
    this.#workers.set(id, worker);
    await worker.start();
  }

  /** null: nothing to do for this kind; a text: why it cannot. */
  async #driver(row: OutputRow): Promise<OutputDriver | string | null> {
    const config = OutputConfig.parse(JSON.parse(row.config));
    const { kind } = config;
    const [clock, guard, db] = [this.#clock, this.#guard, this.#db];
    if (kind === 'pull') return null;
    if (kind === 'webhook') {
      const secret = webhookSecret(this.#secret(row) ?? '');
      return secret ? new WebhookDriver({ url: config.url, secret, guard, clock }) : 'it has no secret (whsec_…)';
    }
    if (kind === 'dc09') {
      const key = this.#secret(row);
      return new Dc09Driver({
        ...config,
        outputId: row.id,
        key: key ? Buffer.from(key, 'hex') : null,
        db,
        guard,
        clock,
      });
    }
    const { receiver, line, heartbeatS, accounts, otherAccount, host } = config;
    const common = { source: { receiver, line }, heartbeatMs: heartbeatS * 1000, accounts, otherAccount, clock };
    if (config.mode === 'client') {
      if (host === null || config.port === null) return 'host and port are needed where we dial';
      const port = config.port;
      const resolve = async () => {
        const found = await guard.resolve(host);
        return found.ok ? { address: found.address, port } : { text: found.text };
      };
      return new Mlr2Driver({ ...common, way: { mode: 'client', resolve } });
    }
    const port = await this.#port(row, config.port);
    if (port === null) return 'there is no port left on which the automation software could be waited for';
    const allows = peers(config.peers);
    return new Mlr2Driver({ ...common, way: { mode: 'server', host: this.#host, port, allows } });
  }

  /** As shown to the owner, oldest first. */
  async list(owner: string): Promise<ReceiverOutput[]> {
    const rows = await this.#db
      .selectFrom('receiver_outputs')
      .selectAll()
      .where('owner', '=', owner)
      .orderBy('createdMs')
      .orderBy('id')
      .limit(100)
      .execute();
    return Promise.all(rows.map((row) => this.show(row)));
  }

  async show(row: OutputRow): Promise<ReceiverOutput> {
    const { waiting, oldestMs, refused } = await this.#counts(row);
    const acknowledgedMs = row.acknowledgedMs === null ? null : Number(row.acknowledgedMs);
    return {
      id: row.id,
      name: row.name,
      enabled: row.enabled === 1,
      secret: row.sealed !== null,
      repeats: row.repeats === 1,
      config: OutputConfig.parse(JSON.parse(row.config)),
      ...this.#state(row),
      waiting,
      refused,
      oldestWaitingAt: oldestMs === null ? null : iso(oldestMs),
      lastAcknowledgedAt: acknowledgedMs === null ? null : iso(acknowledgedMs),
    };
  }

  #state(row: OutputRow): WorkerState {
    const none = { since: null, listeningPort: null, unmapped: [] };
    const broken = this.#broken.get(row.id);
    if (broken !== undefined) return { state: 'failing', reason: broken, ...none };
    const worker = this.#workers.get(row.id);
    if (worker) return worker.state();
    return { state: row.enabled === 1 && row.kind === 'pull' ? 'ready' : 'off', reason: null, ...none };
  }

  async #counts(row: OutputRow): Promise<{ waiting: number; oldestMs: number | null; refused: number }> {
    const { count, min } = this.#db.fn;
    if (row.kind === 'pull') {
      const found = await this.#db
        .selectFrom('receiver_messages')
        .select([count<number>('rowId').as('n'), min('receivedMs').as('oldestMs')])
        .where('owner', '=', row.owner)
        .where('rowId', '>', Number(row.cursor))
        .executeTakeFirstOrThrow();
      return {
        waiting: Number(found.n),
        oldestMs: found.oldestMs === null ? null : Number(found.oldestMs),
        refused: 0,
      };
    }
    const found = await this.#db
      .selectFrom('receiver_deliveries as d')
      .innerJoin('receiver_messages as m', 'm.rowId', 'd.messageRowId')
      .select((e) => ['d.state', e.fn.countAll<number>().as('n'), e.fn.min('m.receivedMs').as('oldestMs')])
      .where('d.outputId', '=', row.id)
      .where('d.state', 'in', ['waiting', 'refused'])
      .groupBy('d.state')
      .execute();
    const waiting = found.find((f) => f.state === 'waiting');
    return {
      waiting: Number(waiting?.n ?? 0),
      oldestMs: waiting?.oldestMs == null ? null : Number(waiting.oldestMs),
      refused: Number(found.find((f) => f.state === 'refused')?.n ?? 0),
    };
  }

  /** Messages that wait at outputs at work, for metrics. */
  async waiting(): Promise<number> {
    const found = await this.#db
      .selectFrom('receiver_deliveries')
      .select((e) => e.fn.countAll<number>().as('n'))
      .where('state', '=', 'waiting')
      .executeTakeFirstOrThrow();
    return Number(found.n);
  }
}

/** Who may connect. Throws on what is no range. */
export function peers(ranges: string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [net = '', bits] = range.split('/');
    const family = isIP(net) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(net, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return (address) => {
    const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
    return isIP(plain) !== 0 && list.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
  };
}
