import type { Clock } from '../../protocol/clock.ts';
import { MAX_TALK_WAITING_BYTES, TALK_FRAME_BYTES, TALK_RATE, TALK_SILENCE } from '../../protocol/wire/talk.ts';

const TICK_MS = 20;
const FRAME = TALK_FRAME_BYTES.usual;
/** So much is there before it begins, and again after a pause: pieces come unevenly. */
const LEAD_BYTES = (TALK_RATE * 40) / 1000;
/** A backlog that stands for a second only makes everything later: it is taken out. */
const LEVEL_MS = 1_000;
const MAX_LEVEL_BYTES = (TALK_RATE * 100) / 1000;
/** After so long without sound, silence is sent: a loudspeaker that hears nothing at all may close. */
const PAUSE_MS = 200;
/** Ticks that a busy box makes up for at once. */
const MAX_CATCH_UP = 5;

/**
 * Gives out what comes in pieces of any size at the pace at which it was said, 20 ms at a time. Never more than half a second
 * waits: of what comes in a heap after a hole in the line, only the newest is said.
 */
export class PacedSound {
  readonly #clock: Clock;
  readonly #out: (mu: Buffer, spoken: boolean) => void;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #flowing = false;
  #startMs = 0;
  #ticks = 0;
  #soundMs: number;
  #low = Number.POSITIVE_INFINITY;
  #levelMs: number;
  #stop = () => {};
  /** Nothing more comes: no lead is waited for. */
  #last = false;
  /** Bytes that were left out. */
  dropped = 0;

  constructor({ clock, out }: { clock: Clock; out: (mu: Buffer, spoken: boolean) => void }) {
    this.#clock = clock;
    this.#out = out;
    this.#soundMs = this.#levelMs = clock.mono();
  }

  start(): void {
    this.#startMs = this.#clock.mono();
    this.#stop = this.#clock.every(TICK_MS, () => this.#tick());
  }

  stop(): void {
    this.#stop();
    this.#waiting = [];
    this.#bytes = 0;
  }

  /** Resolves when what is here has been said. */
  async finish(): Promise<void> {
    this.#last = true;
    while (this.#bytes >= FRAME) await this.#clock.sleep(TICK_MS);
  }

  push(mu: Buffer): void {
    this.#waiting.push(mu);
    this.#bytes += mu.length;
    if (this.#bytes > MAX_TALK_WAITING_BYTES) this.#drop(this.#bytes - MAX_LEVEL_BYTES);
  }

  #tick(): void {
    const now = this.#clock.mono();
    const due = Math.floor((now - this.#startMs) / TICK_MS);
    const times = Math.min(MAX_CATCH_UP, due - this.#ticks);
    this.#ticks = due;
    for (let n = 0; n < times; n++) this.#say(now);
    this.#low = Math.min(this.#low, this.#bytes);
    if (now - this.#levelMs < LEVEL_MS) return;
    if (this.#low > MAX_LEVEL_BYTES) this.#drop(this.#low - LEAD_BYTES);
    this.#low = Number.POSITIVE_INFINITY;
    this.#levelMs = now;
  }

  #say(now: number): void {
    if (this.#bytes >= (this.#flowing || this.#last ? FRAME : LEAD_BYTES)) {
      this.#flowing = true;
      this.#soundMs = now;
      return void this.#out(this.#take(FRAME), true);
    }
    this.#flowing = false;
    if (now - this.#soundMs >= PAUSE_MS) this.#out(Buffer.alloc(FRAME, TALK_SILENCE), false);
  }

  #take(size: number): Buffer {
    const all = this.#waiting.length === 1 ? this.#waiting[0]! : Buffer.concat(this.#waiting);
    this.#waiting = all.length > size ? [all.subarray(size)] : [];
    this.#bytes = all.length - size;
    return all.subarray(0, size);
  }

  #drop(bytes: number): void {
    this.dropped += bytes;
    this.#take(bytes);
  }
}
