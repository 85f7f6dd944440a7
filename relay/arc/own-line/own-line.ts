import type { Logger } from 'pino';
import type { Clock } from '../../../protocol/clock.ts';
import { type ReceiverProfile, ReceiverSettings } from '../../../protocol/wire/arc-receiver.ts';
import type { Health } from '../../../protocol/wire/uplink.ts';
import type { Db, DbOrTrx } from '../../db/database.ts';
import type { DialGuard } from '../dial-guard.ts';
import type { AnswerHosted } from '../hosted.ts';
import { type LineAccount, LineQueue, type LineRow } from './queue.ts';
import { type Gate, type LinePeer, LineSender } from './sender.ts';
import { LossWatch, WATCH_TIMES, type WatchTimes } from './watch.ts';

const REFRESH_TICKS = 3;
/** Nobody answered for this long and no box is connected: the relay itself is cut off. */
const CUT_OFF_MS = 30_000;

export interface OwnLineDeps {
  db: Db;
  clock: Clock;
  log: Logger;
  guard: DialGuard;
  receivers: {
    profile(db: Db, receiverId: string): Promise<ReceiverProfile>;
    key(receiverId: string): Promise<Buffer | null>;
  };
  /** Is the box connected, be it for its journal or for its alarms? */
  online: (serial: string) => boolean;
  /** Boxes that are connected. */
  connections: () => number;
  /** What a connected box last said of itself. */
  health: (serial: string) => Health | null;
  hosted: AnswerHosted;
  /** When a receiver that the relay is itself last heard an account's box (monotonic ms); null: not known. */
  heard: (receiverId: string, account: string) => number | null;
  /** Can the relay be reached at the address that boxes use? */
  reachable: () => Promise<boolean>;
  /** A message of the line was written, or what became of it; within its transaction where there is one. */
  wrote: (db: DbOrTrx, alarmId: string) => Promise<void>;
  times?: Partial<WatchTimes>;
}

/**
 * What the relay itself tells receivers, on a line of its own of each account: that a box has fallen silent or has no path
 * left ("both paths lost", EN 50136-1 table 1), within 90 s, and once that it is back.
 */
export class OwnLine {
  readonly #o: OwnLineDeps;
  readonly #log: Logger;
  readonly #times: WatchTimes;
  readonly #queue: LineQueue;
  readonly #sender: LineSender;
  readonly #watch: LossWatch;
  #accounts = new Map<string, LineAccount>();
  #cancel: (() => void) | null = null;
  #ticks = 0;
  #looking: Promise<void> | null = null;
  #doubtSince: number | null = null;
  #failingSince: number | null = null;
  #cutOff = false;

  constructor(deps: OwnLineDeps) {
    const { db, clock, guard } = deps;
    this.#o = deps;
    this.#times = { ...WATCH_TIMES, ...deps.times };
    this.#log = deps.log.child({ module: 'own-line' });
    this.#queue = new LineQueue({ db, clock, wrote: deps.wrote });
    this.#watch = new LossWatch({
      clock,
      times: this.#times,
      online: deps.online,
      connections: deps.connections,
      heard: (accountId) => {
        const account = this.#accounts.get(accountId);
        return account?.polled ? deps.heard(account.receiverId, account.account) : null;
      },
      pathless: (serial, accountId) =>
        deps.health(serial)?.arc.some((a) => a.accountId === accountId && a.path === 'none') ?? false,
    });
    this.#sender = new LineSender({
      queue: this.#queue,
      guard,
      clock,
      log: this.#log,
      hosted: deps.hosted,
      peer: (receiverId) => this.#peer(receiverId),
      gate: (row) => this.#gate(row),
      heard: (_, answered) => this.#heard(answered),
    });
  }

  start(): void {
    this.#cancel = this.#o.clock.every(this.#times.tickMs, () => this.#tick());
    this.#sender.start().catch((error) => this.#log.error({ err: error }, 'own messages that wait were not read'));
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    await this.#looking;
    await this.#sender.stop();
  }

  /** A connection of a box ended; `heardMono`: when it was last heard on it. */
  gone(serial: string, heardMono: number): void {
    this.#watch.gone(serial, heardMono);
  }

  /** The box says that it stops and comes back in about `backMs`; null: that it is there. */
  announced(serial: string, backMs: number | null): void {
    this.#watch.announced(serial, backMs);
  }

  #tick(): void {
    if (this.#looking) return;
    this.#looking = this.#look()
      .catch((error) => this.#log.error({ err: error }, 'boxes could not be watched'))
      .finally(() => {
        this.#looking = null;
      });
  }

  async #look(): Promise<void> {
    const { clock } = this.#o;
    if (this.#ticks++ % REFRESH_TICKS === 0) await this.#refresh();
    if (this.#cutOff && this.#o.connections() > 0) this.#reconnected();
    const { lost, back, doubtful } = this.#watch.look();
    const wall = (mono: number) => Math.round(clock.now() - (clock.mono() - mono));
    if (!doubtful) this.#doubtSince = null;
    if (lost.length > 0 && !(doubtful && (await this.#atFault(lost.length)))) {
      for (const { accountId, sinceMono } of lost) {
        const account = this.#accounts.get(accountId);
        if (!account || this.#watch.good(accountId)) continue;
        await this.#queue.begin(account, wall(sinceMono));
        this.#watch.settled(accountId, true);
        this.#log.warn({ accountId, serial: account.boxSerial }, 'no path left: the receiver is told');
        this.#sender.kick(accountId);
      }
    }
    for (const { accountId, sinceMono } of back) {
      const account = this.#accounts.get(accountId);
      if (!account) continue;
      const flaps = (await this.#queue.told(accountId, clock.now() - this.#times.flapWindowMs)) > 2;
      if (flaps && clock.mono() - sinceMono < this.#times.flapReturnMs) continue;
      const told = await this.#queue.end(account, wall(sinceMono));
      this.#watch.settled(accountId, false);
      this.#log.info({ accountId, serial: account.boxSerial, told }, 'a path is back');
      this.#sender.kick(accountId);
    }
  }

  /** Every box is gone at once: is it the relay that cannot be reached? Held back for a while then, not for ever. */
  async #atFault(lost: number): Promise<boolean> {
    const now = this.#o.clock.mono();
    const first = this.#doubtSince === null;
    this.#doubtSince ??= now;
    if (now - this.#doubtSince > this.#times.doubtMs || (await this.#o.reachable())) return false;
    if (first) this.#log.error({ lost }, 'every box is gone and the relay does not reach itself: nothing is told yet');
    return true;
  }

  /** Which accounts there are, and which of them are told to be lost. */
  async #refresh(): Promise<void> {
    const { db } = this.#o;
    const receivers = await db
      .selectFrom('arc_receivers')
      .select(['id', 'settings', 'kind'])
      .where('settings', '<>', '{}')
      .execute();
    const lines = new Map<string, ReceiverSettings & { polled: boolean }>();
    for (const { id, settings, kind } of receivers) {
      const parsed = ReceiverSettings.safeParse(JSON.parse(settings));
      if (!parsed.success || !parsed.data.ownLine.enabled) continue;
      const { supervision } = parsed.data;
      // One poll may be lost and the box is still heard in time.
      const often = supervision.kind !== 'off' && supervision.intervalMs * 2 <= this.#times.silentMs;
      lines.set(id, { ...parsed.data, polled: kind === 'hosted' && often });
    }
    const rows = await db
      .selectFrom('arc_accounts')
      .select(['id as accountId', 'siteId', 'boxSerial', 'receiverId', 'account'])
      .where('deletedAt', 'is', null)
      .where('receiverId', 'in', [...lines.keys(), ''])
      .execute();
    const accounts = rows.map((row) => {
      const { ownLine, protocol, polled } = lines.get(row.receiverId)!;
      return { ...row, line: ownLine.line, protocol, polled };
    });
    const losses = await this.#queue.losses();
    this.#accounts = new Map(accounts.map((account) => [account.accountId, account]));
    const waiting = await this.#queue.waiting();
    const known = [...losses, ...waiting].map((row) => row.accountId);
    await this.#queue.drop([...new Set(known)].filter((accountId) => !this.#accounts.has(accountId)));
    for (const { accountId, account } of waiting) {
      const now = this.#accounts.get(accountId);
      if (!now || now.account === account) continue;
      await this.#queue.renumber(now);
      this.#sender.kick(accountId);
    }
    this.#watch.watch(accounts, new Set(losses.map((loss) => loss.accountId)));
  }

  async #peer(receiverId: string): Promise<LinePeer | null> {
    const profile = await this.#o.receivers.profile(this.#o.db, receiverId);
    return profile.ownLine.enabled ? { profile, key: await this.#o.receivers.key(receiverId) } : null;
  }

  /** Asked for a loss that has not left: the box may be back meanwhile, or the relay itself have been away. */
  #gate(row: LineRow): Gate {
    if (this.#watch.good(row.accountId) || this.#watch.inGrace) return 'hold';
    return this.#cutOff ? 'poll' : 'go';
  }

  #heard(answered: boolean): void {
    const now = this.#o.clock.mono();
    if (answered) {
      if (this.#cutOff) this.#reconnected();
      this.#failingSince = null;
    } else if (this.#o.connections() === 0) {
      this.#failingSince ??= now;
      if (now - this.#failingSince >= CUT_OFF_MS) this.#cutOff = true;
    }
  }

  /** The boxes will be back in a moment: what was not told yet waits for them. */
  #reconnected(): void {
    this.#cutOff = false;
    this.#failingSince = null;
    this.#watch.grace(this.#times.silentMs);
    this.#sender.wake();
  }
}
