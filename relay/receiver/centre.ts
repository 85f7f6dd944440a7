import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { cidData } from '../../protocol/codec/dc09-content.ts';
import type { DialGuard } from '../arc/dial-guard.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { Directory } from './directory.ts';
import { Inbox } from './inbox.ts';
import type { NewMessage } from './message.ts';
import { type OutputRow, Outputs } from './outputs/outputs.ts';
import { Pull } from './pull.ts';
import { Supervision } from './supervision.ts';

const DAY_MS = 86_400_000;
/** The pull API promises a week. */
export const KEEP_MIN_DAYS = 7;
const SWEEP_MS = 3_600_000;
const SWEEP_ROWS = 5_000;

export interface CentreOptions {
  db: Db;
  clock: Clock;
  log: Logger;
  guard: DialGuard;
  directory: Directory;
  secret: (row: OutputRow) => string | null;
  /** Where automation software (MLR2 as server) is waited for. */
  outputHost: string;
  outputPort: (row: OutputRow, wanted: number | null) => Promise<number | null>;
  /** In the transaction that stores a message. */
  stored?: (trx: DbOrTrx, message: NewMessage & { id: string; repeat: boolean }) => Promise<void>;
  /** After the commit. */
  told?: (ids: string[]) => void;
  repeatWindowMs?: number;
  keepDays?: number;
}

/**
 * The receiving centre: inbox, supervision, outputs and the pull API over one database. Its lines (ports) are the caller's: the
 * relay has one for each hosted receiver, the receiver alone has one.
 */
export class ReceivingCentre {
  readonly inbox: Inbox;
  readonly supervision: Supervision;
  readonly outputs: Outputs;
  readonly pull: Pull;
  readonly #o: CentreOptions;
  #cancel: () => void = () => {};
  #sweeping: Promise<void> = Promise.resolve();

  constructor(options: CentreOptions) {
    this.#o = options;
    const { db, clock, log, guard, directory } = options;
    this.pull = new Pull({ db, clock });
    this.outputs = new Outputs({
      db,
      clock,
      log,
      guard,
      secret: options.secret,
      host: options.outputHost,
      port: options.outputPort,
    });
    this.inbox = new Inbox({
      db,
      clock,
      log,
      repeatWindowMs: options.repeatWindowMs ?? 600_000,
      stored: (outputIds, owners, ids) => {
        this.outputs.kick(outputIds);
        this.pull.stored(owners);
        options.told?.(ids);
      },
      within: options.stored ?? (async () => {}),
    });
    this.supervision = new Supervision({ db, clock, log, directory, inbox: this.inbox });
  }

  async start(): Promise<void> {
    await this.outputs.start();
    await this.supervision.start();
    this.#cancel = this.#o.clock.every(SWEEP_MS, () => {
      this.#sweeping = this.#sweeping.then(() => this.sweep());
    });
  }

  /** After its lines. */
  async stop(): Promise<void> {
    this.#cancel();
    this.pull.stop();
    await this.supervision.stop();
    await this.inbox.stop();
    await this.outputs.stop();
    await this.#sweeping;
  }

  /** A test message for one output alone: Contact ID 602. */
  async test(output: Pick<OutputRow, 'id' | 'owner'>, account: string): Promise<string> {
    const { id } = await this.inbox.add({
      owner: output.owner,
      only: output.id,
      receiverId: '',
      accountId: null,
      account,
      source: 'test',
      protocol: 'ADM-CID',
      sequence: 0,
      line: null,
      encrypted: false,
      xdata: [],
      pictures: [],
      data: cidData(account, '602', false, 0, '000'),
      events: [{ event: '602', qualifier: 'begin', area: null, zone: null, text: 'test' }],
      occurredMs: null,
      receivedMs: this.#o.clock.now(),
      peer: '',
      frame: '',
    });
    return id;
  }

  /** Forgets what is older than the time to keep. What no output took by then is logged: it is lost. */
  async sweep(): Promise<void> {
    const { db, clock, log, keepDays = 30 } = this.#o;
    const before = clock.now() - Math.max(KEEP_MIN_DAYS, keepDays) * DAY_MS;
    try {
      const last = await db
        .selectFrom('receiver_messages')
        .select('rowId')
        .where('receivedMs', '<', before)
        .orderBy('rowId', 'desc')
        .limit(1)
        .executeTakeFirst();
      if (!last) return;
      const first = await db
        .selectFrom('receiver_messages')
        .select((e) => e.fn.min('rowId').as('rowId'))
        .executeTakeFirstOrThrow();
      const end = Math.min(Number(last.rowId), Number(first.rowId) + SWEEP_ROWS);
      await db.transaction().execute(async (trx) => {
        const gone = await trx
          .deleteFrom('receiver_deliveries')
          .where('messageRowId', '<=', end)
          .returning('state')
          .execute();
        const lost = gone.filter(({ state }) => state === 'waiting').length;
        if (lost > 0) log.error({ messages: lost }, 'messages that no output took in time are forgotten');
        await trx.deleteFrom('receiver_messages').where('rowId', '<=', end).execute();
      });
    } catch (error) {
      log.error({ err: error }, 'old messages could not be forgotten');
    }
  }
}
