import type { AudioFrame } from './audio.ts';
import type { AccessUnit } from './receiver.ts';

/** More than this without a picture is a hole, not a slow camera. */
const HOLE_MS = 2_000;
/** Of sound: minutes of AAC. Uncompressed it is 8 kB a second. */
const MAX_AUDIO_BYTES = 2 * 1024 * 1024;
/** Pictures, and pieces of sound: minutes of them. Each takes memory beside its bytes, however few these are. */
const MAX_ENTRIES = 32_768;

interface Group {
  units: AccessUnit[];
  bytes: number;
}

/**
 * The last seconds of a channel in whole groups of pictures, so that whatever is read from it begins with a key frame.
 * It keeps the newest key frame that is at least `holdMs` old, and what came after it; whole groups fall off its tail.
 * Over `maxBytes`, or of too many pictures, the oldest groups go early, in the end even the one being filled: memory is bounded whatever a camera
 * sends.
 */
export class Ring {
  holdMs = 0;
  readonly #maxBytes: number;
  #groups: Group[] = [];
  #bytes = 0;
  #units = 0;
  #overflowed = false;
  #audio: AudioFrame[] = [];
  #audioBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes + this.#audioBytes;
  }
  /** True while less than `holdMs` fits: the bytes ran out. */
  get overflowed(): boolean {
    return this.#overflowed;
  }
  get newest(): AccessUnit | null {
    return this.#groups.at(-1)?.units.at(-1) ?? null;
  }
  get oldest(): AccessUnit | null {
    return this.#groups[0]?.units[0] ?? null;
  }

  push(unit: AccessUnit): void {
    const open = this.#groups.at(-1);
    if (unit.keyFrame) this.#groups.push({ units: [unit], bytes: unit.data.length });
    else if (open) {
      open.units.push(unit);
      open.bytes += unit.data.length;
    } else return;
    this.#bytes += unit.data.length;
    this.#units++;
    const since = unit.monoMs - this.holdMs;
    while (this.#groups.length > 1 && this.#groups[1]!.units[0]!.monoMs <= since) {
      this.#drop();
      this.#overflowed = false;
    }
    while (this.#bytes > this.#maxBytes || this.#units > MAX_ENTRIES) {
      this.#drop();
      this.#overflowed = true;
    }
  }

  /** Everything from the last key frame taken at or before `monoMs`, else from the oldest one after it. */
  from(monoMs: number): AccessUnit[] {
    let first = 0;
    for (let i = 1; i < this.#groups.length; i++) if (this.#groups[i]!.units[0]!.monoMs <= monoMs) first = i;
    // A group that broke off before the moment asked for shows nothing of it: the stream was lost in between.
    const last = this.#groups[first]?.units.at(-1);
    if (last && last.monoMs < monoMs - HOLE_MS) first++;
    return this.#groups.slice(first).flatMap((g) => g.units);
  }

  /** Sound is kept for as long as the pictures beside it. */
  pushAudio(frame: AudioFrame): void {
    this.#audio.push(frame);
    this.#audioBytes += frame.data.length;
    const since = this.oldest?.monoMs ?? frame.monoMs;
    let drop = 0;
    for (let bytes = this.#audioBytes; drop < this.#audio.length; drop++) {
      const oldest = this.#audio[drop]!;
      if (oldest.monoMs >= since && bytes <= MAX_AUDIO_BYTES && this.#audio.length - drop <= MAX_ENTRIES) break;
      bytes -= oldest.data.length;
      this.#audioBytes = bytes;
    }
    if (drop > 0) this.#audio.splice(0, drop);
  }

  /** The sound from `monoMs` on. */
  audioFrom(monoMs: number): AudioFrame[] {
    return this.#audio.filter((frame) => frame.monoMs >= monoMs);
  }

  clear(): void {
    this.#groups = [];
    this.#audio = [];
    this.#audioBytes = 0;
    this.#bytes = 0;
    this.#units = 0;
    this.#overflowed = false;
  }

  #drop(): void {
    const { units, bytes } = this.#groups.shift()!;
    this.#bytes -= bytes;
    this.#units -= units.length;
  }
}
