import type { Clock } from '../../../protocol/clock.ts';

/** How long each thing lasts before it counts, in milliseconds. */
export const WATCH_TIMES = {
  tickMs: 5_000,
  /** Silent for this long: raised. The rest of the 90 s of EN 50136 DP4 belongs to the tick and to two tries. */
  silentMs: 60_000,
  /** After a start every box has this long to connect, however long it had been away before. */
  graceMs: 75_000,
  /** A box that said that it stops (update, restart) is not missed for this long. */
  announcedMs: 180_000,
  /** Back for this long: restored. */
  returnMs: 30_000,
  /** The same for an account that was lost twice within `flapWindowMs` already. */
  flapReturnMs: 600_000,
  flapWindowMs: 3_600_000,
  /** The relay's own process stood still for this long: what it did not hear meanwhile proves nothing. */
  stallMs: 20_000,
  /** When every box is gone at once it is the relay that is looked at first, for this long at most. */
  doubtMs: 300_000,
};
export type WatchTimes = typeof WATCH_TIMES;

/** This many boxes gone and none left: rather the relay's own connection than theirs. */
const MANY = 3;

export interface Watched {
  accountId: string;
  boxSerial: string;
}
interface State {
  boxSerial: string;
  /** When it was last heard of (monotonic ms); null: it has a path. */
  badSince: number | null;
  goodSince: number | null;
  open: boolean;
}

/** What {@link LossWatch.look} found; times are monotonic. */
export interface Found {
  lost: { accountId: string; sinceMono: number }[];
  /** Has a path again, since then. */
  back: { accountId: string; sinceMono: number }[];
  /** Every box is gone: before anything is raised the relay's own connection is to be proved. */
  doubtful: boolean;
}

/**
 * Decides which accounts have lost every path: their box is silent, or says itself that neither way works. Only decides:
 * it neither sends nor stores.
 */
export class LossWatch {
  readonly #clock: Clock;
  readonly #times: WatchTimes;
  readonly #online: (serial: string) => boolean;
  readonly #pathless: (serial: string, accountId: string) => boolean;
  readonly #heard: (accountId: string) => number | null;
  readonly #connections: () => number;
  readonly #accounts = new Map<string, State>();
  /** Last heard of, for boxes that are away. */
  readonly #gone = new Map<string, number>();
  readonly #announced = new Map<string, number>();
  #graceUntil: number;
  #startedAt: number;
  #lookedAt: number;
  #doubtSince: number | null = null;

  constructor(deps: {
    clock: Clock;
    times: WatchTimes;
    online: (serial: string) => boolean;
    /** Does the connected box say that this account has no path? */
    pathless: (serial: string, accountId: string) => boolean;
    /** When a receiver that the relay is itself last heard the account's box (monotonic ms); null: not known. */
    heard: (accountId: string) => number | null;
    /** Boxes that are connected now. */
    connections: () => number;
  }) {
    this.#clock = deps.clock;
    this.#times = deps.times;
    this.#online = deps.online;
    this.#pathless = deps.pathless;
    this.#heard = deps.heard;
    this.#connections = deps.connections;
    const now = this.#clock.mono();
    this.#startedAt = now;
    this.#lookedAt = now;
    this.#graceUntil = now + this.#times.graceMs;
  }

  /** The accounts to watch from now on; `open`: those whose loss was told. */
  watch(accounts: Watched[], open: ReadonlySet<string>): void {
    const wanted = new Map(accounts.map((account) => [account.accountId, account.boxSerial]));
    for (const accountId of this.#accounts.keys()) if (!wanted.has(accountId)) this.#accounts.delete(accountId);
    for (const [accountId, boxSerial] of wanted) {
      const state = this.#accounts.get(accountId);
      if (state?.boxSerial === boxSerial) state.open = open.has(accountId);
      else this.#accounts.set(accountId, { boxSerial, badSince: null, goodSince: null, open: open.has(accountId) });
    }
  }

  /** A connection of a box ended; `heardMono`: when it was last heard on it. */
  gone(serial: string, heardMono: number): void {
    this.#gone.set(serial, Math.max(heardMono, this.#gone.get(serial) ?? 0));
  }

  /** The box says that it stops and will be back in about so long; null: it is here. */
  announced(serial: string, backMs: number | null): void {
    if (backMs === null) this.#announced.delete(serial);
    else this.#announced.set(serial, this.#clock.mono() + Math.min(backMs, this.#times.announcedMs));
  }

  /** The relay can hear again: boxes that are away now have this long to come back. */
  grace(ms: number): void {
    this.#graceUntil = Math.max(this.#graceUntil, this.#clock.mono() + ms);
  }

  get inGrace(): boolean {
    return this.#clock.mono() < this.#graceUntil;
  }

  /** Has this account a path at this moment? */
  good(accountId: string): boolean {
    const state = this.#accounts.get(accountId);
    return state !== undefined && !this.#bad(state, accountId);
  }

  look(): Found {
    const now = this.#clock.mono();
    if (now - this.#lookedAt > this.#times.stallMs) this.grace(this.#times.graceMs);
    this.#lookedAt = now;
    for (const serial of this.#gone.keys()) if (this.#online(serial)) this.#gone.delete(serial);
    for (const [serial, until] of this.#announced) if (until < now) this.#announced.delete(serial);
    this.#doubt(now);
    const found: Found = { lost: [], back: [], doubtful: this.#doubtSince !== null };
    for (const [accountId, state] of this.#accounts) {
      if (this.#bad(state, accountId)) {
        state.goodSince = null;
        const gone = this.#gone.get(state.boxSerial) ?? this.#startedAt;
        state.badSince ??= this.#online(state.boxSerial) ? now : Math.max(gone, this.#heard(accountId) ?? 0);
        const due = Math.max(
          state.badSince + this.#times.silentMs,
          this.#graceUntil,
          this.#online(state.boxSerial) ? 0 : (this.#announced.get(state.boxSerial) ?? 0),
        );
        if (!state.open && now >= due) found.lost.push({ accountId, sinceMono: state.badSince });
      } else {
        state.badSince = null;
        state.goodSince ??= now;
        const sinceMono = state.goodSince;
        if (state.open && now - sinceMono >= this.#times.returnMs) found.back.push({ accountId, sinceMono });
      }
    }
    return found;
  }

  /** The loss was queued, or its end was. */
  settled(accountId: string, open: boolean): void {
    const state = this.#accounts.get(accountId);
    if (state) state.open = open;
  }

  #bad(state: State, accountId: string): boolean {
    if (this.#online(state.boxSerial)) return this.#pathless(state.boxSerial, accountId);
    const heard = this.#heard(accountId);
    return heard === null || this.#clock.mono() - heard >= this.#times.silentMs;
  }

  /** Doubts the relay itself while many boxes are gone and none is left. The first one back ends it and gives the rest time. */
  #doubt(now: number): void {
    if (this.#connections() > 0) {
      if (this.#doubtSince !== null) this.grace(this.#times.silentMs);
      this.#doubtSince = null;
      return;
    }
    const since = now - this.#times.doubtMs;
    const lately = [...this.#gone.values()].filter((mono) => mono >= since).length;
    if (lately >= MANY) this.#doubtSince ??= now;
    else this.#doubtSince = null;
  }
}
