import type { RecordedState } from './recorded-session.ts';

/** What is needed of a window to keep it in step. */
export interface Follower {
  readonly state: RecordedState;
  readonly wallMs: number | null;
  readonly shown: boolean;
  readonly openedMs: number;
  seek(fromMs: number, toMs: number, speed: number): void;
  hold(on: boolean): void;
  park(): void;
}
export interface InStepState {
  playing: boolean;
  headMs: number;
  speed: number;
}

const LOOK_MS = 150;
/** A window that is so much ahead waits, at speed 1. */
const AHEAD_MS = 300;
const NEAR_MS = 100;
/** For a window that has no picture yet the others wait so long. */
const PATIENCE_MS = 8_000;
/** Paused for longer, the device is let go. */
const PARK_MS = 12_000;

/** Windows that show the same moment: whoever is ahead waits for the last one. What was not recorded keeps nobody. */
export class InStep {
  readonly #followers = new Map<string, Follower>();
  readonly #onChange: (state: InStepState) => void;
  readonly #now: () => number;
  #state: InStepState;
  #toMs: number;
  #timer: ReturnType<typeof setInterval> | undefined;
  #pausedMs = 0;
  #parked = false;

  constructor(o: {
    headMs: number;
    toMs: number;
    onChange: (state: InStepState) => void;
    now?: () => number;
  }) {
    this.#state = { playing: true, headMs: o.headMs, speed: 1 };
    this.#toMs = o.toMs;
    this.#onChange = o.onChange;
    this.#now = o.now ?? (() => performance.now());
  }

  get state(): InStepState {
    return this.#state;
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
    follower.seek(this.#state.headMs, this.#toMs, this.#state.speed);
  }

  remove(key: string): void {
    this.#followers.delete(key);
  }

  /** `toMs`: where what can be played ends. */
  seek(headMs: number, toMs = this.#toMs): void {
    this.#toMs = toMs;
    this.#parked = false;
    this.#pausedMs = this.#now();
    this.#set({ headMs });
    for (const follower of this.#followers.values()) follower.seek(headMs, toMs, this.#state.speed);
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
      if (all.length > 0 && all.every((f) => f.shown || f.state.state === 'refused')) this.pause();
      return;
    }
    const last = Math.min(...seen.map(({ wallMs }) => wallMs));
    const factor = Math.max(1, speed);
    for (const { follower, wallMs } of seen) {
      const ahead = wallMs - last;
      if (late || ahead > AHEAD_MS * factor) follower.hold(true);
      else if (ahead < NEAR_MS * factor || seen.length === 1) follower.hold(false);
    }
    this.#set({ headMs: last });
  }

  #set(change: Partial<InStepState>): void {
    const next = { ...this.#state, ...change };
    const same = (Object.keys(next) as (keyof InStepState)[]).every((key) => next[key] === this.#state[key]);
    this.#state = next;
    if (!same) this.#onChange(next);
  }
}
