import type { Logger } from 'pino';
import { Backoff, backoffMs } from '../../protocol/backoff.ts';
import { type Clock, iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { ChannelName, ChannelStatus, NoticeCode } from '../../protocol/wire/notify.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { Channel, Outcome } from './channel.ts';
import type { OutboxRow } from './schema.ts';

const POLL_MS = 2_000;
const SWEEP_MS = 60_000;
/** No transaction takes longer. */
const COMMIT_WITHIN_MS = 60_000;
/** Tries for one recipient. */
const FIRST_MS = 30_000;
const CAP_MS = 3_600_000;
/** Tries of a whole channel that is down. */
const DOWN_FIRST_MS = 5_000;
const DOWN_CAP_MS = 300_000;
/** A message is given up after this long. */
export const GIVE_UP_MS: Record<ChannelName, number> = {
  email: 72 * 3_600_000,
  sms: 24 * 3_600_000,
  push: 24 * 3_600_000,
};
/** What was given up stays visible, without its words, for this long. */
export const KEEP_FAILED_MS = 7 * 86_400_000;
/** What is on its way at a stop may take so long. */
const STOP_MS = 3_000;
export const MAX_WAITING = 10_000;
/**
 * How much of the room a message may find taken. What tenants tell each other leaves some to strangers who register, and
 * these leave some to people who want to get into their account: nobody can fill the last part.
 */
const ORDINARY = 0.8;
const ROOM: Partial<Record<NoticeCode, number>> = {
  registration: 0.9,
  'address-known': 0.9,
  'phone-code': 0.9,
  'password-forgotten': 1,
  'password-changed': 1,
  'new-sign-in': 1,
  'email-change': 1,
  'email-changed': 1,
  'two-factor-on': 1,
  'two-factor-off': 1,
};
const LANES_AT_ONCE = 4;
/** Of one lane in one turn, so that others get theirs. */
const PER_TURN = 20;

export type NewMessage = Pick<
  OutboxRow,
  'channel' | 'lane' | 'address' | 'name' | 'userId' | 'locale' | 'code' | 'link'
> & {
  values: Record<string, string>;
  dueMs?: number;
};

/** One way out at work. */
interface Lineup {
  channel: Channel;
  backoff: Backoff;
  /** Monotonic; while it is down. */
  pausedUntil: number;
  down: string | null;
  running: Promise<void> | null;
  again: boolean;
  toldMissing: boolean;
  /** Monotonic; nothing waits, and until then nothing that was added can still commit. Infinity: something waits. */
  idleFrom: number;
}

/**
 * Messages that must leave the relay. A row is written in the transaction of what it tells about, so that it is there
 * exactly when that happened; it is deleted when the next server took it over. Rows of a lane go in order, one at a time;
 * lanes do not wait for each other. A crash between a server's word and the deletion sends once more, with the same
 * Message-ID; nothing else sends twice.
 */
export class Outbox {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #lineups: Map<ChannelName, Lineup>;
  readonly #maxWaiting: number;
  readonly #abort = new AbortController();
  #stopping = false;
  #owned: (() => void)[] = [];
  #waiting = 0;

  constructor(deps: { db: Db; clock: Clock; log: Logger; channels: Channel[]; maxWaiting?: number }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#maxWaiting = deps.maxWaiting ?? MAX_WAITING;
    const lineup = (channel: Channel): Lineup => ({
      channel,
      pausedUntil: 0,
      down: null,
      running: null,
      again: false,
      toldMissing: false,
      idleFrom: Infinity,
      backoff: new Backoff(DOWN_FIRST_MS, DOWN_CAP_MS),
    });
    this.#lineups = new Map(deps.channels.map((channel) => [channel.name, lineup(channel)]));
  }

  start(): void {
    this.#owned = [
      this.#clock.every(POLL_MS, () => {
        for (const lineup of this.#lineups.values()) if (this.#clock.mono() < lineup.idleFrom) this.#wake(lineup);
      }),
      this.#clock.every(SWEEP_MS, () => {
        this.#sweep().catch((error) => this.#log.error({ err: error }, 'old messages could not be swept'));
      }),
    ];
    this.kick();
  }

  /** What is on its way is given a moment to arrive; the rest waits for the next start. */
  async stop(): Promise<void> {
    for (const release of this.#owned) release();
    this.#stopping = true;
    const cancel = this.#clock.after(STOP_MS, () => this.#abort.abort());
    await Promise.allSettled([...this.#lineups.values()].map((lineup) => lineup.running));
    cancel();
  }

  /** Messages that wait, as last counted. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether there is no room for a message of this kind. */
  async isFull(trx: DbOrTrx, channel: ChannelName, code: NoticeCode): Promise<boolean> {
    const last = await trx
      .selectFrom('outbox')
      .select('rowId')
      .where('channel', '=', channel)
      .where('state', '=', 'waiting')
      .offset(this.#room(ROOM[code]) - 1)
      .limit(1)
      .executeTakeFirst();
    return last !== undefined;
  }

  #room(share = ORDINARY): number {
    return Math.max(1, Math.floor(this.#maxWaiting * share));
  }

  /** Inside the caller's transaction, who has asked {@link isFull}; {@link kick} after its commit. */
  async add(trx: DbOrTrx, messages: NewMessage[]): Promise<void> {
    if (messages.length === 0) return;
    for (const { channel } of messages) this.#lineups.get(channel)!.idleFrom = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    const rows = messages.map(({ values, dueMs, ...message }) => ({
      ...message,
      id: uuidv7(now),
      args: JSON.stringify(values),
      state: 'waiting' as const,
      tries: 0,
      reason: null,
      createdMs: now,
      dueMs: dueMs ?? now,
      untilMs: (dueMs ?? now) + GIVE_UP_MS[message.channel],
    }));
    for (let i = 0; i < rows.length; i += 500) {
      await trx
        .insertInto('outbox')
        .values(rows.slice(i, i + 500))
        .execute();
    }
  }

  /** Delivers what is due now. */
  kick(): void {
    for (const lineup of this.#lineups.values()) this.#wake(lineup);
  }

  #wake(lineup: Lineup): void {
    if (lineup.running) {
      lineup.again = true;
      return;
    }
    lineup.running = this.#run(lineup)
      .catch((error) => {
        if (!this.#stopping) this.#log.error({ err: error }, 'messages could not be delivered');
      })
      .finally(() => {
        lineup.running = null;
        if (lineup.again && !lineup.down && !this.#stopping) this.#wake(lineup);
      });
  }

  /** How each channel does. */
  async status(): Promise<ChannelStatus[]> {
    const rows = await this.#db
      .selectFrom('outbox')
      .select(({ fn }) => ['channel', 'state', fn.countAll<number>().as('n'), fn.min('createdMs').as('oldestMs')])
      .groupBy(['channel', 'state'])
      .execute();
    const of = (channel: ChannelName, state: string) => rows.find((r) => r.channel === channel && r.state === state);
    this.#waiting = rows.reduce((sum, row) => sum + (row.state === 'waiting' ? Number(row.n) : 0), 0);
    return [...this.#lineups.values()].map(({ channel, down, pausedUntil }) => {
      const found = of(channel.name, 'waiting');
      const waiting = Number(found?.n ?? 0);
      const pausedMs = Math.max(0, pausedUntil - this.#clock.mono());
      const state = channel.missing ? 'not-configured' : down ? 'down' : 'ok';
      return {
        channel: channel.name,
        state: waiting >= this.#room() ? 'full' : state,
        reason: channel.missing ?? down,
        retryAt: down ? iso(this.#clock.now() + pausedMs) : null,
        waiting,
        oldestAt: found?.oldestMs == null ? null : iso(Number(found.oldestMs)),
        failed: Number(of(channel.name, 'failed')?.n ?? 0),
      };
    });
  }

  async #run(lineup: Lineup): Promise<void> {
    do {
      lineup.again = false;
      if (this.#stopping || this.#clock.mono() < lineup.pausedUntil) return;
      const lanes = await this.#dueLanes(lineup.channel.name);
      if (lanes.length > 0 && lineup.channel.missing) {
        if (!lineup.toldMissing) this.#log.warn({ channel: lineup.channel.name }, lineup.channel.missing);
        lineup.toldMissing = true;
        return;
      }
      if (lanes.length === 0) return this.#rest(lineup);
      lineup.again = true;
      const next = lanes.values();
      const work = async () => {
        for (const lane of next) {
          if (lineup.down || this.#stopping) return;
          await this.#deliverLane(lineup, lane);
        }
      };
      // After an outage one message goes first, to see whether it is over.
      if (lineup.down) {
        lineup.down = null;
        await this.#deliverLane(lineup, lanes[0]!, 1);
      }
      await Promise.all(Array.from({ length: LANES_AT_ONCE }, work));
      if (lineup.down) return;
    } while (lineup.again);
  }

  /** With nothing waiting the table is left alone, once what was added lately must have committed. */
  async #rest(lineup: Lineup): Promise<void> {
    const row = await this.#db
      .selectFrom('outbox')
      .select('rowId')
      .where('channel', '=', lineup.channel.name)
      .where('state', '=', 'waiting')
      .limit(1)
      .executeTakeFirst();
    if (row) lineup.idleFrom = Number.POSITIVE_INFINITY;
    else if (lineup.idleFrom === Number.POSITIVE_INFINITY) lineup.idleFrom = this.#clock.mono() + COMMIT_WITHIN_MS;
  }

  async #dueLanes(channel: ChannelName): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('outbox')
      .select('lane')
      .distinct()
      .where('channel', '=', channel)
      .where('state', '=', 'waiting')
      .where('dueMs', '<=', this.#clock.now())
      .limit(100)
      .execute();
    return rows.map((row) => row.lane);
  }

  async #deliverLane(lineup: Lineup, lane: string, max = PER_TURN): Promise<void> {
    for (let i = 0; i < max; i++) {
      const row = await this.#db
        .selectFrom('outbox')
        .selectAll()
        .where('lane', '=', lane)
        .where('state', '=', 'waiting')
        .orderBy('rowId')
        .limit(1)
        .executeTakeFirst();
      if (!row || this.#stopping) return;
      // Later ones of the lane came meanwhile: they wait behind it.
      if (Number(row.dueMs) > this.#clock.now()) return this.#postpone(lane, Number(row.dueMs));
      if (row.userId && !(await this.#reachable(row.userId))) {
        await this.#remove(row.id);
        continue;
      }
      const { args, ...message } = row;
      const outcome = await lineup.channel
        .deliver({ ...message, createdMs: Number(row.createdMs), values: JSON.parse(args) }, this.#abort.signal)
        .catch((error): Outcome => {
          this.#log.error({ err: error, id: row.id, channel: row.channel }, 'a message broke its channel');
          return { kind: 'later', reason: 'internal error' };
        });
      if (!(await this.#settle(lineup, row, outcome))) return;
    }
  }

  /** Whether the lane goes on. */
  async #settle(lineup: Lineup, row: OutboxRow, outcome: Outcome): Promise<boolean> {
    const now = this.#clock.now();
    const told = { id: row.id, channel: row.channel, code: row.code, userId: row.userId };
    if (outcome.kind === 'sent') {
      await this.#remove(row.id);
      if (lineup.backoff.tries > 0) this.#log.info({ channel: row.channel }, 'messages are delivered again');
      lineup.backoff.reset();
      this.#log.debug(told, 'message delivered');
      return true;
    }
    // Broken off by our own stop: it counts as not tried.
    if (this.#abort.signal.aborted) return false;
    if (outcome.kind === 'refused') {
      await this.#giveUp(row, outcome.reason);
      return true;
    }
    if (outcome.kind === 'gone') {
      await this.#db.deleteFrom('outbox').where('lane', '=', row.lane).where('state', '=', 'waiting').execute();
      return false;
    }
    const { reason } = outcome;
    if (outcome.kind === 'down') {
      const waitMs = lineup.backoff.next();
      if (lineup.backoff.tries === 1) this.#log.warn({ channel: row.channel, reason }, 'messages cannot be delivered');
      lineup.down = reason;
      lineup.pausedUntil = this.#clock.mono() + waitMs;
      await this.#db
        .updateTable('outbox')
        .set({ tries: row.tries + 1, reason })
        .where('id', '=', row.id)
        .execute();
      return false;
    }
    const tries = row.tries + 1;
    const dueMs = Math.min(Number(row.untilMs), now + (outcome.afterMs ?? backoffMs(row.tries, FIRST_MS, CAP_MS)));
    this.#log.info({ ...told, reason, tries }, 'message not taken: later again');
    await this.#db.updateTable('outbox').set({ tries, reason }).where('id', '=', row.id).execute();
    await this.#postpone(row.lane, Math.round(dueMs));
    return false;
  }

  /** Somebody who was disabled or deleted meanwhile is told nothing more. */
  async #reachable(userId: string): Promise<boolean> {
    const row = await this.#db
      .selectFrom('users as u')
      .innerJoin('companies as c', 'c.id', 'u.companyId')
      .select('u.id')
      .where('u.id', '=', userId)
      .where('u.enabled', '=', 1)
      .where('u.deletedAt', 'is', null)
      .where('c.suspendedMs', 'is', null)
      .executeTakeFirst();
    return row !== undefined;
  }

  async #postpone(lane: string, dueMs: number): Promise<void> {
    await this.#db
      .updateTable('outbox')
      .set({ dueMs })
      .where('lane', '=', lane)
      .where('state', '=', 'waiting')
      .where('dueMs', '<', dueMs)
      .execute();
  }

  async #remove(id: string): Promise<void> {
    await this.#db.deleteFrom('outbox').where('id', '=', id).execute();
  }

  /** Its words and its link, which may be a secret, are forgotten at once. */
  async #giveUp(row: Pick<OutboxRow, 'id' | 'channel' | 'code' | 'userId' | 'tries'>, reason: string): Promise<void> {
    const { id, channel, code, userId, tries } = row;
    this.#log.warn({ id, channel, code, userId, tries, reason }, 'a message was given up');
    await this.#db
      .updateTable('outbox')
      .set({ state: 'failed', reason: reason.slice(0, 256), args: '{}', link: '', name: '' })
      .set({ dueMs: this.#clock.now(), untilMs: this.#clock.now() + KEEP_FAILED_MS })
      .where('id', '=', id)
      .execute();
  }

  async #sweep(): Promise<void> {
    const now = this.#clock.now();
    const late = await this.#db
      .selectFrom('outbox')
      .select(['id', 'channel', 'code', 'userId', 'tries', 'reason'])
      .where('state', '=', 'waiting')
      .where('untilMs', '<=', now)
      .limit(500)
      .execute();
    for (const row of late) {
      const { channel } = this.#lineups.get(row.channel)!;
      const why = channel.missing ?? row.reason ?? 'not tried';
      await this.#giveUp(row, `not delivered in ${GIVE_UP_MS[row.channel] / 3_600_000} h: ${why}`);
    }
    await this.#db.deleteFrom('outbox').where('state', '=', 'failed').where('untilMs', '<=', now).execute();
    await this.status();
  }
}
