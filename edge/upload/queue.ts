import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { DesiredStorage } from '../../protocol/wire/desired.ts';
import type { RelayAuth } from '../uplink/relay-auth.ts';
import type { Warnables } from '../warnables.ts';
import { infoOf } from './confirmations.ts';
import type { Pacer } from './pacer.ts';
import { type LossListener, Retention } from './retention.ts';
import { newBackoff, Retries } from './retries.ts';
import { type FootageKind, type FragmentRow, type NewFragment, type Totals, UploadStore } from './store.ts';
import { type Grant, type Outcome, Transfer } from './transfer.ts';
import { isOpen } from './window.ts';

/*
 * Order of sending:
 *   1. Clips of events that are being recorded (a fragment came in the last 30 s): the lowest n first, then the newest clip.
 *      The init segment and the first parts of a new event thus pass the later parts of other cameras.
 *   2. The backlog of events, oldest first.
 *   3. Continuous recording, oldest first, in its window of the day.
 * Up to 4 fragments are in flight (3 of the backlog), so that a round trip or a slow answer does not idle the uplink; the
 * pacer gives the rate to the first of them.
 */
const LIVE_MS = 30_000;
const MAX_ACTIVE = 4;
/** So many tries without a success between them: no part was at fault. */
const OUTAGE_TRIES = 4;
const MAX_BACKLOG_ACTIVE = 3;
const GRANTS_A_REQUEST = 16;
const WAITING_WARNABLE_MS = 60_000;
/** The pacer keeps its round-trip samples between the fragments of a running clip. */
const PACER_LINGER_MS = 5_000;
const BACKLOG_RANK = 1_000_000;
const CONTINUOUS_RANK = 1_000_000_000_000;
/** How often it is looked whether the window of continuous recording has opened. */
const WINDOW_CHECK_MS = 30_000;

/** Durable, bounded queue of clip fragments to the relay. The files are its own from {@link add} on. */
export class UploadQueue {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #warnables: Warnables;
  readonly #pacer: Pacer;
  readonly #transfer: Transfer;
  readonly #store: UploadStore;
  readonly #retention: Retention;

  #stopping: AbortController | null = null;
  #scheduled = false;
  #asking = false;
  #batch = GRANTS_A_REQUEST;
  #pausedUntil = 0;
  #cancelTimer: (() => void) | null = null;
  #releasePacer: (() => void) | null = null;
  #cancelLinger: (() => void) | null = null;
  #cancelWaiting: (() => void) | null = null;
  #window: DesiredStorage['window'] = null;
  readonly #backoff = newBackoff();
  /** Who said so last: an address tells nothing of whether parts are taken there. */
  #pausedBy: 'asking' | 'sending' = 'asking';
  readonly #live = new Map<string, number>();
  readonly #active = new Map<
    number,
    { row: FragmentRow; live: boolean; abort: AbortController; done: Promise<void> }
  >();
  readonly #grants = new Map<number, Grant & { until: number }>();
  readonly #retries: Retries;
  readonly #listeners = new Set<() => void>();

  constructor(o: {
    /** For the queue's own file. */
    dir: string;
    auth: RelayAuth;
    pacer: Pacer;
    clock: Clock;
    log: Logger;
    warnables: Warnables;
    /** Room for files, sent ones included. */
    maxBytes?: number;
    maxFiles?: number;
    /** Used share of the disk, 0–1. */
    diskUsed?: () => number;
  }) {
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'upload' });
    this.#warnables = o.warnables;
    this.#pacer = o.pacer;
    this.#transfer = new Transfer(o);
    this.#retries = new Retries(o);
    this.#store = new UploadStore(o.dir);
    this.#retention = new Retention({ ...o, log: this.#log, store: this.#store, onDrop: (rows) => this.#forget(rows) });
  }

  start(signal?: AbortSignal): void {
    if (!this.#store.open()) {
      const text = 'The list of clips to be sent was damaged and is lost. Clips recorded before now may be incomplete.';
      this.#warnables.raise('upload-queue-damaged', 'box', 'error', text);
    }
    this.#stopping = new AbortController();
    signal?.addEventListener('abort', () => void this.stop(), { once: true });
    this.#retention.start();
    this.#wake();
  }

  async stop(): Promise<void> {
    if (!this.#stopping) return;
    this.#stopping.abort();
    const running = [...this.#active.values()];
    for (const a of running) a.abort.abort();
    await Promise.all(running.map((a) => a.done));
    for (const cancel of [this.#cancelTimer, this.#cancelLinger, this.#cancelWaiting]) cancel?.();
    this.#releasePacer?.();
    this.#transfer.close();
    this.#retention.stop();
    this.#stopping = null;
    this.#store.close();
  }

  /** How uplink and disk are to be spent; null: as it is best for the clips. */
  configure(wish: DesiredStorage | null): void {
    this.#pacer.limit(wish?.uploadKbps ? wish.uploadKbps * 125 : null);
    this.#retention.diskBytes = wish?.diskBytes ?? null;
    this.#window = wish?.window ?? null;
    this.#wake();
  }

  /**
   * Takes a fragment over: durable when it returns. The file must be complete and synced. Adding the same again changes
   * nothing. Throws when the queue's own file cannot be written, and when continuous recording has no room left.
   */
  add(fragment: NewFragment): void {
    const { clipId, kind = 'event', held = false } = fragment;
    this.#retention.makeRoom(clipId, kind);
    if (!this.#store.add(fragment) || held) return;
    this.#live.delete(clipId);
    if (kind === 'event') this.#live.set(clipId, this.#clock.mono());
    this.#changed();
    this.#wake();
  }

  /** Something happened in a clip of continuous recording: it is sent and kept as an event's. */
  prefer(clipId: string): void {
    this.#store.setKind(clipId, 'event');
    this.#live.set(clipId, this.#clock.mono());
    this.#wake();
  }

  /** {@link Retention.free}: the disk is full, and a file of this clip is to be written. */
  free(clipId: string, kind: FootageKind): boolean {
    return this.#retention.free(clipId, kind);
  }

  /** Sends what was held of a clip. Returns how many fragments. */
  release(clipId: string): number {
    const count = this.#store.release(clipId);
    if (count > 0) {
      this.#changed();
      this.#wake();
    }
    return count;
  }

  /** Whether something of this clip is here that the relay does not have. */
  hasUnsent(clipId: string): boolean {
    return this.#store.hasUnsent(clipId);
  }

  /** {@link Retention.onLost} */
  onLost(fn: LossListener): () => void {
    return this.#retention.onLost(fn);
  }

  /** Offers a clip's files that are still here again, for a relay that was restored from a backup. Returns how many. */
  requeue(clipId: string): number {
    const count = this.#store.requeue(clipId);
    if (count > 0) {
      this.#changed();
      this.#wake();
    }
    return count;
  }

  /** The network changed: try now. */
  kick(): void {
    this.#backoff.reset();
    this.#pausedUntil = 0;
    this.#retries.allNow();
    this.#wake();
  }

  /** What waits to be sent. */
  stats(): Totals {
    return this.#store.totals('waiting');
  }

  onChange(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  // --- scheduling

  #wake(): void {
    if (this.#scheduled || !this.#stopping) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#stopping && !this.#stopping.signal.aborted) this.#pump();
    });
  }

  #wakeAt(mono: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#clock.after(Math.max(1, mono - this.#clock.mono()), () => this.#wake());
  }

  #pump(): void {
    const now = this.#clock.mono();
    if (now < this.#pausedUntil) {
      this.#holdPacer(this.#active.size > 0);
      this.#wakeAt(this.#pausedUntil);
      return;
    }
    const next = this.#next(now);
    this.#holdPacer(next.length > 0 || this.#active.size > 0);
    for (const { row, live, rank } of next) {
      if (this.#active.size >= MAX_ACTIVE) break;
      const backlogActive = [...this.#active.values()].filter((a) => !a.live).length;
      if (!live && backlogActive >= MAX_BACKLOG_ACTIVE) break;
      const grant = this.#grants.get(row.seq);
      if (grant && grant.until > now) this.#start(row, live, rank, grant);
    }
    const ungranted = next.map((c) => c.row).filter((row) => !((this.#grants.get(row.seq)?.until ?? 0) > now));
    const idle = next.slice(0, MAX_ACTIVE).some((c) => ungranted.includes(c.row));
    if (idle && !this.#asking) void this.#ask(ungranted.slice(0, this.#batch));
    const retryAt = this.#retries.nextAt(now);
    const opensAt = this.#windowOpen() ? Number.POSITIVE_INFINITY : now + WINDOW_CHECK_MS;
    const wakeAt = Math.min(retryAt, opensAt);
    if (Number.isFinite(wakeAt)) this.#wakeAt(wakeAt);
  }

  /** What to send next, in order, without what is in flight or waits for its retry. */
  #next(now: number): { row: FragmentRow; live: boolean; rank: number }[] {
    for (const [clipId, at] of this.#live) if (now - at > LIVE_MS) this.#live.delete(clipId);
    const spare = this.#active.size + this.#retries.size;
    const free = (row: FragmentRow) => !this.#active.has(row.seq) && !this.#retries.waits(row.seq, now);
    // Clip ids are UUIDv7: the greater one is the newer one.
    const live = [...this.#live.keys()]
      .flatMap((clipId) => this.#store.waitingOf(clipId, GRANTS_A_REQUEST + spare))
      .filter(free)
      .sort((a, b) => a.n - b.n || (a.clipId < b.clipId ? 1 : -1))
      .slice(0, GRANTS_A_REQUEST)
      .map((row) => ({ row, live: true, rank: row.n }));
    const next: { row: FragmentRow; live: boolean; rank: number }[] = live;
    const waiting = (kind: FootageKind, from: number) => {
      const missing = GRANTS_A_REQUEST - next.length;
      if (missing <= 0) return;
      const rows = this.#store.backlog(kind, [...this.#live.keys()], missing + spare).filter(free);
      next.push(...rows.map((row) => ({ row, live: false, rank: from + row.seq })));
    };
    waiting('event', BACKLOG_RANK);
    if (this.#windowOpen()) waiting('continuous', CONTINUOUS_RANK);
    return next;
  }

  #windowOpen(): boolean {
    return isOpen(this.#window, this.#clock.now());
  }

  async #ask(rows: FragmentRow[]): Promise<void> {
    this.#asking = true;
    const outcome = await this.#transfer.grants(rows.map(infoOf), this.#stopping!.signal);
    this.#asking = false;
    if (!this.#stopping) return;
    if (outcome.kind === 'granted') {
      if (this.#pausedBy === 'asking') this.#reached();
      const now = this.#clock.mono();
      const answers = new Map(outcome.grants.map((g) => [`${g.clipId} ${g.n}`, g]));
      for (const row of rows) {
        const grant = answers.get(`${row.clipId} ${row.n}`);
        if (grant?.stored) this.#settle(row, { kind: 'stored' });
        else if (grant?.url) {
          const { url, headers, confirm } = grant;
          this.#grants.set(row.seq, { url, headers, confirm, until: now + grant.expiresInMs * 0.9 });
        } else this.#settle(row, { kind: 'refused', code: 'not-allowed', text: 'the relay gives no address for it' });
      }
      this.#batch = GRANTS_A_REQUEST;
    } else if (outcome.kind === 'refused' && rows.length > 1) {
      // One of them spoils the request: ask one by one until it is found.
      this.#batch = 1;
    } else if (outcome.kind === 'waiting' || outcome.kind === 'expired') {
      this.#pause(
        'asking',
        outcome.kind === 'waiting' ? outcome : { code: 'expired', text: 'the relay refused the box' },
      );
    } else for (const row of rows) this.#settle(row, outcome);
    this.#wake();
  }

  #start(row: FragmentRow, live: boolean, rank: number, grant: Grant): void {
    const abort = new AbortController();
    const done = this.#transfer.put(row, grant, rank, abort.signal).then((outcome) => {
      this.#active.delete(row.seq);
      this.#settle(row, outcome);
      this.#wake();
    });
    this.#active.set(row.seq, { row, live, abort, done });
  }

  /** Notes what came of a fragment. What cannot be noted (full disk) is asked again later: the relay knows. */
  #settle(row: FragmentRow, outcome: Outcome): void {
    try {
      this.#note(row, outcome);
    } catch (error) {
      this.#log.error({ err: error, clipId: row.clipId, n: row.n }, 'the list of clips to be sent cannot be written');
      this.#note(row, { kind: 'waiting', code: 'disk-full', text: 'the disk of this box is full' });
    }
  }

  #note(row: FragmentRow, outcome: Outcome): void {
    if (outcome.kind === 'stopped') return;
    if (outcome.kind === 'waiting') {
      this.#retries.later(row.seq);
      this.#pause('sending', outcome);
      return;
    }
    this.#grants.delete(row.seq);
    if (outcome.kind === 'stored') {
      this.#reached();
      this.#store.set(row, 'stored');
    } else if (outcome.kind === 'lost') {
      this.#retention.lose(row.clipId, [row], `part ${row.n} is lost: ${outcome.text}`);
    } else if (outcome.kind === 'expired') {
      if (this.#retries.address(row.seq)) this.#pause('sending', outcome);
      return;
    } else {
      if (!this.#retries.refused(row.seq)) return;
      this.#retention.refused(row, `${outcome.text} (${outcome.code})`);
    }
    this.#retries.delete(row.seq);
    this.#changed();
  }

  // --- the relay's state

  #reached(): void {
    if (this.#backoff.tries > 0) this.#log.info('the relay takes clips again');
    // What was tried meanwhile is the oldest: it does not wait for turns of its own.
    if (this.#backoff.tries >= OUTAGE_TRIES) this.#retries.allNow();
    this.#backoff.reset();
    this.#cancelWaiting?.();
    this.#cancelWaiting = null;
    this.#warnables.clear('clips-waiting', 'box');
  }

  #pause(by: 'asking' | 'sending', { code, text }: { code: string; text: string }): void {
    this.#pausedBy = by;
    if (this.#backoff.tries === 0) this.#log.info({ code, reason: text }, 'clips wait: they are not taken now');
    // Those in flight together fail together: one step of the back-off for all of them.
    if (this.#clock.mono() >= this.#pausedUntil) this.#pausedUntil = this.#clock.mono() + this.#backoff.next();
    const warn = () => {
      const { files, bytes } = this.stats();
      const why = code === 'storage-full' ? 'the relay has no room left: enlarge its storage' : `${text} (${code})`;
      const what = `${files} clip parts (${Math.ceil(bytes / 1e6)} MB) wait on this box, because ${why}. They are sent when it can.`;
      this.#warnables.raise('clips-waiting', 'box', 'warning', what);
    };
    if (code === 'storage-full') warn();
    else this.#cancelWaiting ??= this.#clock.after(WAITING_WARNABLE_MS, warn);
  }

  #holdPacer(busy: boolean): void {
    if (busy) {
      this.#cancelLinger?.();
      this.#cancelLinger = null;
      this.#releasePacer ??= this.#pacer.begin();
    } else if (this.#releasePacer && !this.#cancelLinger) {
      this.#cancelLinger = this.#clock.after(PACER_LINGER_MS, () => {
        this.#releasePacer?.();
        this.#releasePacer = this.#cancelLinger = null;
      });
    }
  }

  #forget(rows: FragmentRow[]): void {
    for (const { seq } of rows) {
      this.#active.get(seq)?.abort.abort();
      this.#grants.delete(seq);
      this.#retries.delete(seq);
    }
    this.#changed();
  }

  #changed(): void {
    for (const fn of this.#listeners) fn();
  }
}
