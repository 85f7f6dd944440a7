import type { RecordedState } from './recorded-session.ts';
import type { Range } from './timeline.tsx';

/** What is needed of a window to keep it in step. */
export interface Follower {
  readonly state: RecordedState;
  readonly wallMs: number | null;
  readonly shown: boolean;
  readonly openedMs: number;
  seek(headMs: number, range: Range, speed: number): void;
  hold(on: boolean): void;
  park(): void;
  /** When the picture after the one on the screen was taken, or the one before it; null: it is not loaded. */
  neighbourMs(back: boolean): number | null;
  /** Stands still on the picture of then. */
  showAt(wallMs: number): void;
}
export interface InStepState {
  playing: boolean;
  headMs: number;
  /** Below zero: backward. */
  speed: number;
  /** Nothing was recorded there, and it went on behind it. */
  skipped: Range | null;
}

const LOOK_MS = 150;
/** A window that is so much ahead waits, at speed 1. */
const AHEAD_MS = 300;
const NEAR_MS = 100;
/** For a window that has no picture yet the others wait so long. */
const PATIENCE_MS = 8_000;
/** Paused for longer, the device is let go. */
const PARK_MS = 12_000;
/** A longer step than this, at speed 1, is one over what was not recorded; told for so long. */
const SKIP_MS = 4_000;
const TOLD_MS = 6_000;

/** Windows that show the same moment: whoever is ahead waits for the last one. What was not recorded keeps nobody. */
export class InStep {
  readonly #followers = new Map<string, Follower>();
  readonly #onChange: (state: InStepState) => void;
  readonly #onEnd: () => boolean;
  readonly #now: () => number;
  #state: InStepState;
  #range: Range;
  #timer: ReturnType<typeof setInterval> | undefined;
  #pausedMs = 0;
  #parked = false;

  constructor(o: {
    headMs: number;
    range: Range;
    onChange: (state: InStepState) => void;
    /** All was shown; true: it was brought to something else. */
    onEnd?: () => boolean;
    now?: () => number;
  }) {
    this.#state = { playing: true, headMs: o.headMs, speed: 1, skipped: null };
    this.#range = o.range;
    this.#onChange = o.onChange;
    this.#onEnd = o.onEnd ?? (() => false);
    this.#now = o.now ?? (() => performance.now());
  }

  get state(): InStepState {
    return this.#state;
  }

  get range(): Range {
    return this.#range;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The window joins where the others are. */
  add(key: string, follower: Follower): void {
    this.#followers.set(key, follower);
    follower.hold(!this.#state.playing);
    follower.seek(this.#state.headMs, this.#range, this.#state.speed);
  }

  /** A window is tried again: where none had anything to show, that alone had stopped them. */
  again(): void {
    if ([...this.#followers.values()].every(({ state }) => state.state === 'refused')) this.play();
  }

  remove(key: string): void {
    this.#followers.delete(key);
  }

  /** `range`: what can be played from now on. */
  seek(headMs: number, range = this.#range): void {
    this.#range = range;
    this.#parked = false;
    this.#pausedMs = this.#now();
    this.#set({ headMs, skipped: null });
    for (const follower of this.#followers.values()) follower.seek(headMs, range, this.#state.speed);
  }

  /** One picture on or back, of all windows together; false: what is loaded ends there. */
  step(back: boolean): boolean {
    this.pause();
    this.#pausedMs = this.#now();
    if (this.#parked) {
      this.seek(this.#state.headMs);
      return true;
    }
    const all = [...this.#followers.values()];
    const next = all.flatMap((follower) => follower.neighbourMs(back) ?? []);
    if (next.length === 0) return false;
    const headMs = back ? Math.max(...next) : Math.min(...next);
    for (const follower of all) follower.showAt(headMs);
    this.#set({ headMs });
    return true;
  }

  play(): void {
    if (this.#state.playing) return;
    this.#set({ playing: true });
    for (const follower of this.#followers.values()) follower.hold(false);
    if (this.#parked) this.seek(this.#state.headMs);
  }

  pause(): void {
    if (!this.#state.playing) return;
    this.#pausedMs = this.#now();
    this.#set({ playing: false });
    for (const follower of this.#followers.values()) follower.hold(true);
  }

  setSpeed(speed: number): void {
    if (speed === this.#state.speed) return;
    this.#set({ speed });
    this.seek(this.#state.headMs);
  }

  /** Looks where everybody is. */
  look(): void {
    const now = this.#now();
    const { playing, speed } = this.#state;
    if (!playing) {
      if (!this.#parked && now - this.#pausedMs > PARK_MS) {
        this.#parked = true;
        for (const follower of this.#followers.values()) follower.park();
      }
      return;
    }
    const all = [...this.#followers.values()];
    const seen = all.flatMap((follower) => {
      const { wallMs } = follower;
      return wallMs === null || follower.shown || follower.state.state === 'refused' ? [] : [{ follower, wallMs }];
    });
    const late = all.some(({ state, openedMs }) => state.state === 'loading' && now - openedMs < PATIENCE_MS);
    if (seen.length === 0) {
      const over = all.length > 0 && all.every((f) => f.shown || f.state.state === 'refused');
      if (over && !(all.some((f) => f.shown) && this.#onEnd())) this.pause();
      return;
    }
    const walls = seen.map(({ wallMs }) => wallMs);
    const sign = speed < 0 ? -1 : 1;
    const last = speed < 0 ? Math.max(...walls) : Math.min(...walls);
    const factor = Math.max(1, Math.abs(speed));
    for (const { follower, wallMs } of seen) {
      const ahead = (wallMs - last) * sign;
      if (late || ahead > AHEAD_MS * factor) follower.hold(true);
      else if (ahead < NEAR_MS * factor || seen.length === 1) follower.hold(false);
    }
    this.#set({ headMs: last, skipped: this.#skip(last, factor, sign) });
  }

  #skip(headMs: number, factor: number, sign: number): Range | null {
    const { headMs: was, skipped } = this.#state;
    if ((headMs - was) * sign > SKIP_MS * factor) return { fromMs: Math.min(was, headMs), toMs: Math.max(was, headMs) };
    const end = skipped && (sign > 0 ? skipped.toMs : skipped.fromMs);
    return end !== null && (headMs - end) * sign < TOLD_MS * factor ? skipped : null;
  }

  #set(change: Partial<InStepState>): void {
    const next = { ...this.#state, ...change };
    const same = (Object.keys(next) as (keyof InStepState)[]).every((key) => next[key] === this.#state[key]);
    this.#state = next;
    if (!same) this.#onChange(next);
  }
}
