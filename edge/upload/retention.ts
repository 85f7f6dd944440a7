import { statfsSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Warnables } from '../warnables.ts';
import type { FragmentRow, UploadStore } from './store.ts';

const DISK_FULL = 0.9;
/** A disk that something else has filled must not cost all clips. */
const ALWAYS_KEEP_BYTES = 64 * 1024 * 1024;
const LOST_WARNABLE_MS = 3_600_000;

export type LossListener = (clipId: string, reason: string) => void | Promise<void>;

/**
 * What is kept and what is given up. Files that the relay has are kept while all files need less than `maxBytes`, then the
 * oldest goes first. What is unsent goes only from 90 % disk on (or at `maxFiles`), oldest clip first, never the clip
 * that is being written. Each clip that can no longer be complete is told to the {@link onLost} listeners.
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
  #running = false;
  #lostCount = 0;
  #cancelLost: (() => void) | null = null;

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
    this.#maxFiles = o.maxFiles ?? 50_000;
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
    this.#cancelLost?.();
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

  /** Before a fragment of `clipId` is added. */
  makeRoom(clipId: string): void {
    const all = () => {
      const [waiting, stored, refused] = (['waiting', 'stored', 'refused'] as const).map((s) => this.#store.totals(s));
      return {
        files: waiting!.files + stored!.files + refused!.files,
        bytes: waiting!.bytes + stored!.bytes + refused!.bytes,
      };
    };
    const tooMany = () => all().files >= this.#maxFiles;
    const full = () => this.#diskUsed() >= DISK_FULL;
    while ((all().bytes > this.#maxBytes || tooMany() || full()) && this.#store.dropOldestKept() > 0);
    while (tooMany() || (full() && this.#store.totals('waiting').bytes > ALWAYS_KEEP_BYTES)) {
      const oldest = this.#store.oldestWaitingClip(clipId);
      if (!oldest) break;
      const rows = this.#store.waitingOf(oldest, this.#maxFiles);
      this.lose(oldest, rows, 'the box had no room left before it could be sent');
    }
    this.#warnRefused();
  }

  /** Gives up fragments that wait, with their files. */
  lose(clipId: string, rows: FragmentRow[], reason: string): void {
    this.#store.lose(clipId, rows, reason);
    this.#onDrop(rows);
    this.#lost(clipId, reason);
  }

  /** The relay will not take it: the file is kept for support, but out of everyone's way. */
  refused(row: FragmentRow, text: string): void {
    const reason = `the relay refused part ${row.n}: ${text}`;
    this.#store.noteLoss(row.clipId, reason);
    this.#store.set(row, 'refused');
    this.#warnRefused();
    this.#lost(row.clipId, reason);
  }

  #lost(clipId: string, reason: string): void {
    this.#lostCount++;
    const text = `Parts of clips cannot reach the relay (${this.#lostCount} times). Last: clip ${clipId}, ${reason}.`;
    this.#warnables.raise('clip-lost', 'box', 'error', text);
    this.#cancelLost?.();
    this.#cancelLost = this.#clock.after(LOST_WARNABLE_MS, () => this.#warnables.clear('clip-lost', 'box'));
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
