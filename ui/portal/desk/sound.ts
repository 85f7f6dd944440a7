/*
 * The sound of alarms that wait. Browsers let a page sound only after somebody has pressed or clicked something on it, so
 * whether it is heard is asked, not assumed.
 */

/** `blocked`: the browser does not allow it yet. */
export type SoundState = 'silent' | 'sounding' | 'muted' | 'blocked';

interface Pattern {
  /** Tones of one repetition: hertz, and from when to when in seconds. */
  tones: readonly (readonly [hz: number, from: number, to: number])[];
  everyMs: number;
}
const PATTERNS: Record<0 | 1 | 2 | 'lost', Pattern> = {
  // Life: quick and high. Other alarms: a calmer pair. A fault: one short tone now and then.
  0: {
    tones: [
      [988, 0, 0.14],
      [1319, 0.18, 0.32],
      [988, 0.36, 0.5],
      [1319, 0.54, 0.7],
    ],
    everyMs: 1_200,
  },
  1: {
    tones: [
      [784, 0, 0.22],
      [659, 0.3, 0.55],
    ],
    everyMs: 2_000,
  },
  2: { tones: [[523, 0, 0.15]], everyMs: 15_000 },
  lost: {
    tones: [
      [330, 0, 0.3],
      [262, 0.35, 0.7],
    ],
    everyMs: 10_000,
  },
};
export type Cause = keyof typeof PATTERNS;

export const MUTE_MS = 120_000;

/** What the page needs of a browser to sound. */
export interface Speaker {
  allowed(): boolean;
  /** Asks the browser; it may need somebody's press. */
  allow(): void;
  play(tones: Pattern['tones']): void;
}

/** Sounds for as long as there is a cause, apart from a mute that ends by itself. */
export class AlarmSound {
  readonly #speaker: Speaker;
  readonly #onState: (state: SoundState, mutedUntil: number | null) => void;
  #cause: Cause | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;
  #mutedUntil: number | null = null;
  #unmute: ReturnType<typeof setTimeout> | null = null;

  constructor(speaker: Speaker, onState: (state: SoundState, mutedUntil: number | null) => void) {
    this.#speaker = speaker;
    this.#onState = onState;
  }

  start(): void {
    this.#apply();
  }

  /** What has to be heard now; the same again changes nothing. */
  set(cause: Cause | null): void {
    if (cause === this.#cause) return;
    this.#cause = cause;
    this.#apply();
  }

  /** Alarms of life that are new end a mute: it was for the ones before. */
  fresh(urgency: number): void {
    if (urgency === 0) this.unmute();
  }

  mute(): void {
    this.#mutedUntil = Date.now() + MUTE_MS;
    if (this.#unmute) clearTimeout(this.#unmute);
    this.#unmute = setTimeout(() => this.unmute(), MUTE_MS);
    this.#apply();
  }

  unmute(): void {
    if (this.#unmute) clearTimeout(this.#unmute);
    this.#unmute = null;
    this.#mutedUntil = null;
    this.#apply();
  }

  /** Somebody pressed something: the browser may allow it now. */
  pressed(): void {
    if (this.#speaker.allowed()) return;
    this.#speaker.allow();
    // Browsers answer a moment later.
    setTimeout(() => this.#apply(), 100);
  }

  stop(): void {
    this.#cause = null;
    this.unmute();
  }

  #apply(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    const muted = this.#mutedUntil !== null;
    const allowed = this.#speaker.allowed();
    if (!muted && allowed && this.#cause !== null) {
      const { tones, everyMs } = PATTERNS[this.#cause];
      this.#speaker.play(tones);
      this.#timer = setInterval(() => this.#speaker.play(tones), everyMs);
    }
    const state = muted ? 'muted' : !allowed ? 'blocked' : this.#cause === null ? 'silent' : 'sounding';
    this.#onState(state, this.#mutedUntil);
  }
}

/** The browser's own. */
export function browserSpeaker(): Speaker {
  let context: AudioContext | null = null;
  const get = (): AudioContext | null => {
    try {
      context ??= new AudioContext();
    } catch {
      // No way to sound at all: said as not allowed.
    }
    return context;
  };
  return {
    allowed: () => get()?.state === 'running',
    allow: () => void get()?.resume(),
    play: (tones) => {
      const audio = get();
      if (!audio) return;
      for (const [hz, from, to] of tones) {
        const oscillator = audio.createOscillator();
        const volume = audio.createGain();
        const [begin, end] = [audio.currentTime + from, audio.currentTime + to];
        oscillator.frequency.value = hz;
        // Without a slope it clicks.
        volume.gain.setValueAtTime(0, begin);
        volume.gain.linearRampToValueAtTime(0.25, begin + 0.01);
        volume.gain.setValueAtTime(0.25, end - 0.02);
        volume.gain.linearRampToValueAtTime(0, end);
        oscillator.connect(volume).connect(audio.destination);
        oscillator.start(begin);
        oscillator.stop(end);
      }
    },
  };
}
