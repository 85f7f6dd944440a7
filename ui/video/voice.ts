import { decodeG711 } from './g711.ts';

const RATE = 8_000;
/** Sound waits at least this long, so that a late packet is not heard. */
const LEAD_S = 0.04;
/** Off by more than this from its picture, it is put right. */
const DRIFT_S = 0.2;
const TOO_EARLY_S = 3;

/** G.711 that comes beside the pictures, which no video element can play: heard at the wall time that is on the screen. */
export class Voice {
  #context: AudioContext | null = null;
  #nextS = 0;

  get on(): boolean {
    return this.#context !== null;
  }

  /** Browsers let sound begin only after a click. */
  start(): void {
    if (this.#context || typeof globalThis.AudioContext !== 'function') return;
    this.#context = new AudioContext();
    this.#nextS = 0;
    this.#context.resume().catch(() => {});
  }

  stop(): void {
    this.#context?.close().catch(() => {});
    this.#context = null;
  }

  /** @param shownMs wall time of the picture on the screen */
  push(law: 'pcmu' | 'pcma', data: Uint8Array, wallMs: number, shownMs: number | null): void {
    const context = this.#context;
    if (context?.state !== 'running' || data.length === 0) return;
    const now = context.currentTime;
    const ideal = shownMs === null ? now + LEAD_S : now + (wallMs - shownMs) / 1000;
    if (ideal - now > TOO_EARLY_S || ideal < now - 1) return;
    if (Math.abs(this.#nextS - ideal) > DRIFT_S || this.#nextS < now) this.#nextS = Math.max(ideal, now + LEAD_S);
    const buffer = context.createBuffer(1, data.length, RATE);
    buffer.copyToChannel(decodeG711(law, data), 0);
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(context.destination);
    source.start(this.#nextS);
    this.#nextS += data.length / RATE;
  }
}
