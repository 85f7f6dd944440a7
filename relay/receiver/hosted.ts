import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Dc09Peer } from '../../protocol/dc09/listener.ts';
import type { ReceiverEnd } from '../../protocol/wire/arc-receiver.ts';
import type { HostedPort } from '../../protocol/wire/receiver.ts';
import type { Api } from '../api/app.ts';
import type { DialGuard } from '../arc/dial-guard.ts';
import type { Scope } from '../auth/scope.ts';
import type { Vault } from '../auth/vault.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import { ReceivingCentre } from './centre.ts';
import { ReceiverLine } from './line.ts';
import type { NewMessage } from './message.ts';
import { OutputAdmin, purpose } from './output-admin.ts';
import { type OutputNews, OutputWatch } from './output-watch.ts';
import { type PortRange, Ports } from './ports.ts';
import { mustBeCentre } from './rights.ts';
import { registerOutputRoutes } from './routes.ts';
import { registerSenderRoutes } from './sender-routes.ts';
import { Senders } from './senders.ts';

/** What a relay that receives alarms itself is told at its start. */
export interface HostedOptions {
  /** Where it listens for devices and automation software. */
  host: string;
  /** DC-09: a port for each receiver. null: the relay receives nothing. */
  ports: PortRange | null;
  /** MLR2 as server: a port for each output. */
  softwarePorts: PortRange | null;
  /** How devices reach it; null: as browsers do. */
  address: string | null;
}

export const NOT_RECEIVING: HostedOptions = { host: '127.0.0.1', ports: null, softwarePorts: null, address: null };

const REFRESH_MS = 10_000;

/**
 * Receivers of centres that are this relay itself: a port for each, so that account numbers of one centre are its own; one
 * inbox; each centre's outputs.
 */
export class HostedReceivers {
  readonly centre: ReceivingCentre;
  readonly senders: Senders;
  readonly outputs: OutputAdmin;
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #options: HostedOptions;
  readonly #address: () => string | null;
  readonly #moved: (receiverId: string) => Promise<void>;
  readonly #ports: Ports;
  readonly #watch: OutputWatch;
  readonly #lines = new Map<string, ReceiverLine>();
  /** Also of those that cannot listen at the moment. */
  readonly #claimed = new Map<string, number>();
  #turn: Promise<void> = Promise.resolve();
  #cancel: () => void = () => {};

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    vault: Vault;
    guard: DialGuard;
    options: HostedOptions;
    /** How browsers reach the relay; null: not known. */
    publicHost: () => string | null;
    receiverKey: (receiverId: string) => Promise<Buffer | null>;
    /** A receiver has another address: the accounts there must hear of it. */
    moved: (receiverId: string) => Promise<void>;
    /** A message that no box reports itself; in the transaction that stores it. */
    foreign: (trx: DbOrTrx, message: NewMessage & { id: string; repeat: boolean }) => Promise<void>;
    /** These were stored. */
    told: (ids: string[]) => void;
    /** For the people of a centre. */
    news: (news: OutputNews) => Promise<void>;
  }) {
    const { db, clock, vault, guard, options } = deps;
    const log = deps.log.child({ module: 'receiver' });
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
    this.#options = options;
    this.#address = () => options.address ?? deps.publicHost();
    this.#moved = deps.moved;
    this.#ports = new Ports({ db, range: options.ports });
    this.#watch = new OutputWatch({ db, clock, log, tell: deps.news });
    const softwarePorts = new Ports({ db, range: options.softwarePorts });
    this.senders = new Senders({ db, clock, vault, receiverKey: deps.receiverKey });
    this.centre = new ReceivingCentre({
      db,
      clock,
      log,
      guard,
      directory: this.senders,
      secret: (row) => (row.sealed === null ? null : vault.open(purpose(row.id), row.sealed)),
      outputHost: options.host,
      outputPort: (row) => softwarePorts.claim(row.id),
      stored: async (trx, message) => {
        if (message.accountId === null && message.source !== 'test') await deps.foreign(trx, message);
      },
      told: deps.told,
    });
    this.outputs = new OutputAdmin({ db, clock, log, vault, guard, centre: this.centre, ports: softwarePorts });
  }

  async start(): Promise<void> {
    await this.centre.start();
    await this.refresh();
    this.#watch.start();
    this.#cancel = this.#clock.every(REFRESH_MS, () => void this.refresh());
  }

  async stop(): Promise<void> {
    this.#cancel();
    await this.#watch.stop();
    await this.#turn;
    await Promise.all([...this.#lines.values()].map((line) => line.stop()));
    await this.centre.stop();
  }

  registerRoutes(api: Api): void {
    registerOutputRoutes(api, { outputs: this.outputs, pull: this.centre.pull });
    registerSenderRoutes(api, { hosted: this });
  }

  /** Where a receiver is reached; `id` null: one that is still to be made. null: this relay takes none (any more). */
  end(id: string | null): ReceiverEnd | null {
    const host = this.#address();
    const range = this.#options.ports;
    if (!host || !range) return null;
    if (id === null) return this.#claimed.size > range.to - range.from ? null : { host, port: range.from };
    const port = this.#claimed.get(id);
    return port === undefined ? null : { host, port };
  }

  /** How devices reach it; null: this relay receives none. */
  get host(): string | null {
    return this.#options.ports && this.#address();
  }

  /** A frame of a box that came over the relay, or of the relay's own line. */
  async answer(receiverId: string, frame: Buffer, peer: Dc09Peer): Promise<Buffer | null> {
    return (await this.#lines.get(receiverId)?.answer(frame, peer)) ?? null;
  }

  /** A message that came, or none did: for lists. */
  heard(receiverId: string, account: string) {
    return this.centre.supervision.state(receiverId, account);
  }

  /** When a receiver here last heard an account, by the monotonic clock. */
  heardMono(receiverId: string, account: string): number | null {
    return this.centre.supervision.heardMono(receiverId, account);
  }

  /** Ports of the centre's receivers here. */
  async ports(scope: Scope): Promise<HostedPort[]> {
    mustBeCentre(scope);
    const rows = await this.#receivers().where('companyId', '=', scope.companyId).orderBy('name').execute();
    return rows.map(({ id, name }) => ({ receiverId: id, name, port: this.#claimed.get(id) ?? null }));
  }

  #receivers() {
    return this.#db
      .selectFrom('arc_receivers')
      .select(['id', 'name', 'directHost', 'directPort', 'relayHost', 'relayPort'])
      .where('kind', '=', 'hosted');
  }

  /** Receivers were added, changed or taken away. */
  refresh(): Promise<void> {
    this.#turn = this.#turn
      .then(() => this.#refresh())
      .catch((error) => this.#log.error({ err: error }, 'hosted receivers could not be looked after'));
    return this.#turn;
  }

  async #refresh(): Promise<void> {
    if (!this.#options.ports) return;
    const rows = await this.#receivers().execute();
    const wanted = new Set(rows.map((row) => row.id));
    for (const id of this.#claimed.keys()) {
      if (wanted.has(id)) continue;
      this.#claimed.delete(id);
      const line = this.#lines.get(id);
      this.#lines.delete(id);
      await line?.stop();
      await this.#ports.release(id);
    }
    for (const row of rows) {
      if (!this.#lines.has(row.id)) await this.#open(row.id);
      const end = this.end(row.id);
      if (!end || (row.directHost === end.host && row.directPort === end.port && row.relayPort === end.port)) continue;
      const ends = { directHost: end.host, directPort: end.port, relayHost: end.host, relayPort: end.port };
      await this.#db.updateTable('arc_receivers').set(ends).where('id', '=', row.id).execute();
      await this.#moved(row.id);
    }
  }

  async #open(receiverId: string): Promise<void> {
    const port = await this.#ports.claim(receiverId);
    if (port === null) {
      this.#log.error({ receiverId }, 'a receiver got no port: the range is used up (--dc09-ports)');
      return;
    }
    this.#claimed.set(receiverId, port);
    const { inbox, supervision } = this.centre;
    const line = new ReceiverLine({
      receiverId,
      host: this.#options.host,
      port,
      transports: ['tcp', 'udp'],
      directory: this.senders,
      inbox,
      supervision,
      clock: this.#clock,
      log: this.#log,
    });
    try {
      await line.start();
      this.#lines.set(receiverId, line);
      this.#log.info({ receiverId, port }, 'a receiver listens');
    } catch (error) {
      this.#log.error({ err: error, receiverId, port }, 'a receiver cannot listen; tried again');
    }
  }
}
