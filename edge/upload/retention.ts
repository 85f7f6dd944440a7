import { statfsSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Warnables } from '../warnables.ts';
import type { FootageKind, FragmentRow, UploadStore } from './store.ts';

const DISK_FULL = 0.9;
/** A disk that something else has filled must not cost all clips. */
const ALWAYS_KEEP_BYTES = 64 * 1024 * 1024;
const LOST_WARNABLE_MS = 3_600_000;
/** In this order unsent footage is given up; the main stream that is held has a smaller twin which was sent. */
const TIERS = [
  ['held', 'continuous'],
  ['waiting', 'continuous'],
  ['held', 'event'],
  ['waiting', 'event'],
] as const;
const CONTINUOUS_TIERS = 2;

export type LossListener = (clipId: string, reason: string) => void | Promise<void>;

/** The disk did not take footage, and there is none that may go for it. */
export class NoRoomError extends Error {
  readonly code = 'ENOSPC';
}

/**
 * What is kept and what is given up. Files that the relay has are kept while all files need less than `maxBytes`, then the
 * oldest goes first. What is unsent goes only when it needs more than the box's room for it, from 90 % disk on, or at
 * `maxFiles`: continuous recording before clips of events, what is held before what waits, oldest clip first, never the
 * clip that is being written, and never a clip of an event for continuous recording. Each clip that can no longer be
 * complete is told to the {@link onLost} listeners.
 */
export class Retention {
  readonly #store: UploadStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #warnables: Warnables;
  readonly #maxBytes: number;
  readonly #maxFiles: number;
  readonly #diskUsed: () => number;
  readonly #onDrop: (rows: FragmentRow[]) => void;
  readonly #listeners = new Set<LossListener>();
  readonly #telling = new Set<string>();
  /** Room for what is unsent; null: what the disk has. */
  diskBytes: number | null = null;
  #running = false;
  readonly #lost = { event: 0, continuous: 0 };
  readonly #cancelLost = new Map<string, () => void>();

  constructor(o: {
    store: UploadStore;
    dir: string;
    clock: Clock;
    log: Logger;
    warnables: Warnables;
    maxBytes?: number;
    maxFiles?: number;
    diskUsed?: () => number;
    /** These fragments are given up: stop sending them. */
    onDrop: (rows: FragmentRow[]) => void;
  }) {
    this.#store = o.store;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#warnables = o.warnables;
    this.#maxBytes = o.maxBytes ?? 2 * 1024 ** 3;
    this.#maxFiles = o.maxFiles ?? 1_000_000;
    this.#diskUsed = o.diskUsed ?? (() => diskUsed(o.dir));
    this.#onDrop = o.onDrop;
  }

  start(): void {
    this.#running = true;
    this.#warnRefused();
    this.#tellLosses();
  }

  stop(): void {
    this.#running = false;
    for (const cancel of this.#cancelLost.values()) cancel();
  }

  /**
   * Called for each clip that can no longer be complete at the relay, at least once: a loss is forgotten only when all
   * listeners have noted it (their promise resolved), else it is told again at the next start.
   */
  onLost(fn: LossListener): () => void {
    this.#listeners.add(fn);
    this.#tellLosses();
    return () => this.#listeners.delete(fn);
  }

  /** Before a fragment of `clipId` is added. Throws {@link NoRoomError} for continuous recording that has no room. */
  makeRoom(clipId: string, kind: FootageKind = 'event'): void {
    const sum = (of: 'files' | 'bytes', ...states: ('waiting' | 'held' | 'stored' | 'refused')[]) =>
      states.reduce((total, state) => total + this.#store.totals(state)[of], 0);
    const everything = ['waiting', 'held', 'stored', 'refused'] as const;
    const tooMany = () => sum('files', ...everything) >= this.#maxFiles;
    const full = () => this.#diskUsed() >= DISK_FULL;
    while ((sum('bytes', ...everything) > this.#maxBytes || tooMany() || full()) && this.#store.dropOldestKept() > 0);
    const unsent = () => sum('bytes', 'waiting', 'held');
    const over = () =>
      tooMany() ||
      (this.diskBytes !== null && unsent() > this.diskBytes) ||
      (full() && unsent() > (kind === 'event' ? ALWAYS_KEEP_BYTES : ALWAYS_KEEP_BYTES / 2));
    while (over()) {
      if (this.#giveUp(clipId, kind)) continue;
      if (kind === 'continuous') throw new NoRoomError('there is no room for continuous recording');
      break;
    }
    this.#warnRefused();
  }

  /** The disk did not take a file of `clipId`: frees something. False when there is nothing that may go for it. */
  free(clipId: string, kind: FootageKind): boolean {
    return this.#store.dropOldestKept() > 0 || this.#giveUp(clipId, kind);
  }

  #giveUp(clipId: string, kind: FootageKind): boolean {
    for (const [state, of] of kind === 'event' ? TIERS : TIERS.slice(0, CONTINUOUS_TIERS)) {
      const rows = this.#store.oldestClip(state, of, clipId);
      if (rows.length === 0) continue;
      this.lose(rows[0]!.clipId, rows, 'the box had no room left before it could be sent');
      return true;
    }
    return false;
  }

  /** Gives up fragments that wait, with their files. */
  lose(clipId: string, rows: FragmentRow[], reason: string): void {
    this.#store.lose(clipId, rows, reason);
    this.#onDrop(rows);
    this.#noteLost(clipId, rows[0]!.kind, reason);
  }

  /** The relay will not take it: the file is kept for support, but out of everyone's way. */
  refused(row: FragmentRow, text: string): void {
    const reason = `the relay refused part ${row.n}: ${text}`;
    this.#store.noteLoss(row.clipId, reason);
    this.#store.set(row, 'refused');
    this.#warnRefused();
    this.#noteLost(row.clipId, row.kind, reason);
  }

  #noteLost(clipId: string, kind: FootageKind, reason: string): void {
    const times = ++this.#lost[kind];
    const [code, severity, what] =
      kind === 'event'
        ? (['clip-lost', 'error', 'Parts of clips'] as const)
        : (['continuous-lost', 'warning', 'Parts of continuous recording'] as const);
    const text = `${what} cannot reach the relay (${times} times). Last: clip ${clipId}, ${reason}.`;
    this.#warnables.raise(code, 'box', severity, text);
    this.#cancelLost.get(code)?.();
    this.#cancelLost.set(
      code,
      this.#clock.after(LOST_WARNABLE_MS, () => this.#warnables.clear(code, 'box')),
    );
    this.#tellLosses();
  }

  #warnRefused(): void {
    const { files } = this.#store.totals('refused');
    const text = `The relay refused ${files} clip parts; they are kept on this box while there is room. The log says why.`;
    if (files > 0) this.#warnables.raise('clip-part-refused', 'box', 'error', text);
    else this.#warnables.clear('clip-part-refused', 'box');
  }

  #tellLosses(): void {
    if (!this.#running || this.#listeners.size === 0) return;
    for (const { clipId, reason } of this.#store.losses()) {
      if (this.#telling.has(clipId)) continue;
      this.#telling.add(clipId);
      void Promise.all([...this.#listeners].map(async (fn) => fn(clipId, reason))).then(
        () => {
          this.#telling.delete(clipId);
          if (this.#running) this.#store.forgetLoss(clipId);
        },
        (error) => this.#log.error({ err: error, clipId }, 'a lost clip could not be noted; it is told again later'),
      );
    }
  }
}

function diskUsed(dir: string): number {
  const { bavail, blocks } = statfsSync(dir);
  return blocks === 0 ? 0 : 1 - bavail / blocks;
}
