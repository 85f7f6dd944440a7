import type { Logger } from 'pino';
import { Backoff, backoffMs } from '../../../protocol/backoff.ts';
import { type Clock, iso } from '../../../protocol/clock.ts';
import type { OutputState } from '../../../protocol/wire/receiver.ts';
import type { Db } from '../../db/database.ts';
import { type MessageRow, type Outgoing, toMessage } from '../message.ts';
import { MAX_REFUSALS, type Outcome, type OutputDriver } from './driver.ts';
import { ends } from './ends.ts';

const FIRST_MS = 1_000;
const CAP_MS = 60_000;
/** Read at once. */
const WINDOW = 200;

type Waiting = MessageRow & { tries: number; outSequence: number | null };

export interface WorkerState {
  state: OutputState;
  reason: string | null;
  since: string | null;
  listeningPort: number | null;
  unmapped: string[];
}

/**
 * Hands on what waits for one output, oldest first, each account in its order; a message ends only with the other side's
 * acknowledgement. What happened is written before the next one of the account goes, so that after a crash at most those
 * on their way are sent again.
 */
export class OutputWorker {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #outputId: string;
  readonly #driver: OutputDriver;
  readonly #abort = new AbortController();
  readonly #backoff = new Backoff(FIRST_MS, CAP_MS);
  /** Accounts whose first message was refused: until then (monotonic) they wait. */
  readonly #held = new Map<string, number>();
  /** How often each was refused; its row counts all tries. */
  readonly #refusals = new Map<number, number>();
  /** Why the last refused message was. */
  #refusedFor: string | null = null;
  /** Monotonic; nothing is tried before. */
  #resumeAt = 0;
  #down: string | null = null;
  #changedMs: number | null = null;
  #lastState: OutputState | null = null;
  #running: Promise<void> = Promise.resolve();
  #wake: (() => void) | null = null;
  #kicked = false;

  constructor(deps: { db: Db; clock: Clock; log: Logger; outputId: string; driver: OutputDriver }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log.child({ outputId: deps.outputId });
    this.#outputId = deps.outputId;
    this.#driver = deps.driver;
  }

  async start(): Promise<void> {
    await this.#driver.start(() => {
      this.#noteState();
      this.kick();
    });
    this.#noteState();
    this.#running = this.#run();
  }

  /** What is on its way is broken off: it stays, and goes again after the next start. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.kick();
    await this.#driver.stop();
    await this.#running;
  }

  /** There is something new. */
  kick(): void {
    this.#kicked = true;
    this.#wake?.();
  }

  state(): WorkerState {
    const { state, reason, ...rest } = this.#driver.state();
    const failing = this.#down !== null && state === 'ready';
    return {
      state: failing ? 'failing' : state,
      reason: reason ?? this.#down ?? this.#refusedFor,
      since: this.#changedMs === null ? null : iso(this.#changedMs),
      ...rest,
    };
  }

  #noteState(): void {
    const { state } = this.state();
    if (state === this.#lastState) return;
    this.#lastState = state;
    this.#changedMs = this.#clock.now();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      this.#kicked = false;
      try {
        const waitMs = this.#driver.usable() ? await this.#round() : CAP_MS;
        // What comes new does not make the other side come back sooner.
        if (this.#resumeAt > this.#clock.mono()) await this.#clock.sleep(this.#resumeAt - this.#clock.mono(), signal);
        else if (waitMs > 0) await this.#pause(waitMs);
      } catch (error) {
        if (signal.aborted) return;
        this.#log.error({ err: error }, 'an output broke');
        await this.#clock.sleep(FIRST_MS, signal);
      }
    }
  }

  /** Until something comes or `ms` passed. */
  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
      if (this.#abort.signal.aborted || this.#kicked) this.#wake();
    });
    this.#wake = null;
  }

  /** Tries what is due; gives how long to wait when nothing new comes. */
  async #round(): Promise<number> {
    for (const [account, until] of this.#held) if (until <= this.#clock.mono()) this.#held.delete(account);
    const rows = await this.#due();
    if (rows.length === 0) return this.#heldMs();
    // While it is down one message goes first, to see whether that is over.
    if (this.#down !== null && !(await this.#one(rows.shift()!))) return 0;
    const chains = this.#chains(rows).values();
    const work = async () => {
      for (const chain of chains) {
        for (const row of chain) {
          if (this.#down !== null || !this.#driver.usable() || this.#abort.signal.aborted) return;
          if (!(await this.#one(row))) break;
        }
      }
    };
    await Promise.all(Array.from({ length: this.#driver.lanes }, work));
    return 0;
  }

  #chains(rows: Waiting[]): Waiting[][] {
    const open = rows.filter((row) => !this.#held.has(this.#lane(row)));
    return [...Map.groupBy(open, (row) => this.#lane(row)).values()];
  }

  #lane(row: Pick<Waiting, 'account' | 'receiverId'>): string {
    return this.#driver.lanes === 1 ? '' : `${row.receiverId} ${row.account}`;
  }

  #heldMs(): number {
    const soonest = Math.min(...this.#held.values(), Number.POSITIVE_INFINITY);
    return Math.max(50, Math.min(CAP_MS, soonest - this.#clock.mono()));
  }

  async #due(): Promise<Waiting[]> {
    if (this.#driver.lanes === 1 && this.#held.size > 0) return [];
    const held = [...this.#held.keys()].map((lane) => lane.split(' ')[1]!);
    return (
      this.#waiting()
        // Of another receiver's account with the same number the turn comes a little later too: nothing is lost by it.
        .$if(held.length > 0, (q) => q.where('d.account', 'not in', held.slice(0, 500)))
        .orderBy('d.messageRowId')
        .limit(WINDOW)
        .execute()
    );
  }

  #waiting() {
    return this.#db
      .selectFrom('receiver_deliveries as d')
      .innerJoin('receiver_messages as m', 'm.rowId', 'd.messageRowId')
      .selectAll('m')
      .select(['d.tries', 'd.sequence as outSequence'])
      .where('d.outputId', '=', this.#outputId)
      .where('d.state', '=', 'waiting');
  }

  /** Whether the account goes on. */
  async #one(row: Waiting): Promise<boolean> {
    const { signal } = this.#abort;
    const out = outgoing(row);
    const outcome = await this.#try(out);
    // Broken off by our own stop: it counts as not tried.
    if (signal.aborted && outcome.is !== 'acknowledged') return false;
    if (outcome.is === 'acknowledged') {
      await this.#end(out, 'acknowledged', null);
      if (this.#down !== null) this.#log.info('messages are handed on again');
      this.#down = null;
      this.#backoff.reset();
      if (this.#refusals.delete(out.rowId)) this.#refusedFor = null;
      this.#noteState();
      return true;
    }
    if (outcome.is === 'unfit') {
      this.#log.warn({ messageId: out.message.id, reason: outcome.reason }, 'a message cannot be handed on: set aside');
      await this.#end(out, 'refused', outcome.reason);
      return true;
    }
    await this.#tried(out, outcome);
    if (outcome.is === 'refused') return this.#refused(row, out, outcome.reason);
    // Of several on their way one speaks for all.
    if (this.#down !== null && this.#resumeAt > this.#clock.mono()) return false;
    if (this.#down === null) this.#log.warn({ reason: outcome.reason }, 'messages cannot be handed on');
    this.#down = outcome.reason;
    this.#noteState();
    // A driver that says itself when it can be used again is not waited for.
    if (this.#driver.usable()) this.#resumeAt = this.#clock.mono() + (outcome.afterMs ?? this.#backoff.next());
    return false;
  }

  /** What breaks with one message must not hold up the others: it counts as a refusal of this one. */
  async #try(out: Outgoing): Promise<Outcome> {
    try {
      return await this.#driver.deliver(out, this.#abort.signal);
    } catch (error) {
      this.#log.error({ err: error, messageId: out.message.id }, 'a message could not be handed on');
      return { is: 'refused', reason: 'it could not be handed on because of an error here' };
    }
  }

  /**
   * Poison, or everything set up wrongly? The next message decides: acknowledged while this one still is not, this one is set
   * aside; else it stays where it is, and whoever looks at the outputs sees why.
   */
  async #refused(row: Waiting, out: Outgoing, reason: string): Promise<boolean> {
    const refusals = (this.#refusals.get(out.rowId) ?? 0) + 1;
    this.#refusals.set(out.rowId, refusals);
    if (refusals >= MAX_REFUSALS && (await this.#nextIsTaken(row))) {
      this.#refusals.delete(out.rowId);
      this.#refusedFor = null;
      this.#log.warn({ messageId: out.message.id, reason }, 'a message is refused for good: set aside');
      await this.#end(out, 'refused', reason);
      return true;
    }
    this.#refusedFor = reason;
    this.#held.set(this.#lane(row), this.#clock.mono() + backoffMs(refusals - 1, FIRST_MS, CAP_MS));
    return false;
  }

  async #nextIsTaken(row: Waiting): Promise<boolean> {
    const own = this.#driver.lanes > 1;
    const later = await this.#waiting()
      .where('d.messageRowId', '>', Number(row.rowId))
      .$if(own, (q) => q.where('d.account', '=', row.account).where('m.receiverId', '=', row.receiverId))
      // In one order for all, another account's message says more.
      .orderBy((e) => e.case().when('d.account', '=', row.account).then(1).else(0).end())
      .orderBy('d.messageRowId')
      .limit(WINDOW)
      .execute();
    const events = JSON.parse(row.events);
    const next = later.find((one) => one.account !== row.account || !ends(JSON.parse(one.events), events));
    if (!next || !this.#driver.usable()) return false;
    const out = outgoing(next);
    const outcome = await this.#driver.deliver(out, this.#abort.signal);
    if (outcome.is !== 'acknowledged') await this.#tried(out, outcome);
    else await this.#end(out, 'acknowledged', null);
    return outcome.is === 'acknowledged';
  }

  async #tried(out: Outgoing, outcome: Exclude<Outcome, { is: 'acknowledged' }>): Promise<void> {
    await this.#db
      .updateTable('receiver_deliveries')
      .set({ tries: out.tries + 1, reason: outcome.reason.slice(0, 256) })
      .where('outputId', '=', this.#outputId)
      .where('messageRowId', '=', out.rowId)
      .execute();
  }

  async #end(out: Outgoing, state: 'acknowledged' | 'refused', reason: string | null): Promise<void> {
    const endedMs = this.#clock.now();
    await this.#db.transaction().execute(async (trx) => {
      await trx
        .updateTable('receiver_deliveries')
        .set({ state, tries: out.tries + 1, endedMs, reason: reason?.slice(0, 256) ?? null })
        .where('outputId', '=', this.#outputId)
        .where('messageRowId', '=', out.rowId)
        .execute();
      if (state === 'acknowledged')
        await trx
          .updateTable('receiver_outputs')
          .set({ acknowledgedMs: endedMs })
          .where('id', '=', this.#outputId)
          .execute();
    });
  }
}

const outgoing = (row: Waiting): Outgoing => ({
  rowId: Number(row.rowId),
  message: toMessage(row),
  tries: row.tries,
  sequence: row.outSequence,
});
