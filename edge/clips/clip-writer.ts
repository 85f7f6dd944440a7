import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { clipObjectId, sealBytes } from '../../protocol/codec/object-cipher.ts';
import type { ClipReport } from '../../protocol/wire/event.ts';
import type { FragmentInfo } from '../../protocol/wire/uploads.ts';
import type { FootageKind, NewFragment } from '../upload/store.ts';
import type { AudioFrame } from '../video/audio.ts';
import type { CodecInfo } from '../video/codec.ts';
import type { AccessUnit } from '../video/receiver.ts';
import type { ClipSound } from './clip-sound.ts';
import { initSegment, mediaFragment } from './fmp4.ts';
import { type Cut, Fragmenter } from './fragmenter.ts';

/** The upload queue as the recorder sees it. */
export interface Uploads {
  /** Durable when it returns; the file belongs to the queue from then on. The same fragment again changes nothing. */
  add(fragment: NewFragment): void;
  /** The clip shows an event after all. */
  prefer(clipId: string): void;
  /** The disk is full: gives up something of less worth than this clip. False: there is nothing. */
  free(clipId: string, kind: FootageKind): boolean;
  /** Sends what was held; returns how many fragments. */
  release(clipId: string): number;
  hasUnsent(clipId: string): boolean;
  onLost(fn: (clipId: string, reason: string) => void): unknown;
}

export interface ClipWriterOptions {
  clipId: string;
  codec: CodecInfo;
  /** null: without sound. */
  sound: ClipSound | null;
  /** What fragments are encrypted with; null: they are not. */
  key: Buffer | null;
  /** Asked for each fragment: both may change while the clip is recorded. */
  state: () => { kind: FootageKind; held: boolean };
  dir: string;
  uploads: Uploads;
  /** Before the fragment is handed to the queue: the manifest must know it first. `endMs`: length of the clip by then. */
  written: (fragment: FragmentInfo, endMs: number) => void;
  /** A fragment could not be stored (null: the next one could). */
  trouble: (error: Error | null) => void;
}

export interface ClipEnd {
  fragments: number;
  durationMs: number;
  /** Video that could not be stored. */
  lostMs: number;
  gaps: ClipReport['gaps'];
  /** The sound could not be encoded. */
  noEncoder: boolean;
}

const MAX_GAPS = 100;
/** Decode times are whole ticks: what lies closer is no gap. */
const TOUCHING_MS = 100;
const MAX_FREED = 1_000;
/** What may wait for a slow disk; beyond it video is lost, and counted. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

export const fragmentPath = (dir: string, clipId: string, n: number): string =>
  join(dir, n === 0 ? `${clipId}-init.mp4` : `${clipId}-${n}.m4s`);

/**
 * Writes one clip, fragment by fragment, each into a file of its own that is synced before the queue gets it: a thief's
 * pulled plug costs a second of video, not the clip. A fragment that cannot be stored leaves a hole, after which the
 * clip goes on at the next key frame.
 */
export class ClipWriter {
  readonly fragmenter: Fragmenter;
  readonly codec: CodecInfo;
  readonly #o: ClipWriterOptions;
  #jobs: Cut[] = [];
  #waitingBytes = 0;
  #running: Promise<void> | null = null;
  #n = 0;
  #hasInit = false;
  #hole = false;
  #endMs = 0;
  #lostMs = 0;
  readonly #gaps: ClipReport['gaps'] = [];
  #soundEnds: Promise<void> | null = null;
  /** Codec of the sound that the init segment promises. */
  #audioCodec: string | null = null;

  constructor(options: ClipWriterOptions) {
    this.#o = options;
    this.codec = options.codec;
    this.fragmenter = new Fragmenter((cut) => this.#enqueue(cut));
  }

  get durationMs(): number {
    return Math.round(this.fragmenter.lengthMs);
  }

  get audioCodec(): string | null {
    return this.#audioCodec;
  }

  add(unit: AccessUnit): void {
    this.fragmenter.add(unit);
  }

  /** Sound that stands beside no picture of the clip is left out. */
  audio(frame: AudioFrame): void {
    const at = this.#o.sound && this.fragmenter.soundTime(frame);
    if (at !== null) this.#o.sound!.add(frame, at);
  }

  /** Resolves when everything is with the queue, or lost. */
  async close(): Promise<ClipEnd> {
    this.#soundEnds = this.#o.sound?.end() ?? null;
    this.fragmenter.end();
    await this.#soundEnds;
    await this.#running;
    const noEncoder = this.#o.sound?.failed ?? false;
    return { fragments: this.#n, durationMs: this.#endMs, lostMs: this.#lostMs, gaps: this.#gaps, noEncoder };
  }

  #enqueue(cut: Cut): void {
    if (this.#waitingBytes + cut.bytes > MAX_WAITING_BYTES) {
      this.#lose(cut, new Error('the disk is too slow'));
      return;
    }
    this.#jobs.push(cut);
    this.#waitingBytes += cut.bytes;
    this.#running ??= this.#drain();
  }

  async #drain(): Promise<void> {
    for (let cut = this.#jobs[0]; cut; cut = this.#jobs[0]) {
      await this.#store(cut);
      this.#jobs.shift();
      this.#waitingBytes -= cut.bytes;
    }
    this.#running = null;
  }

  async #store(cut: Cut): Promise<void> {
    if (this.#hole && !cut.keyFrame) {
      this.#lostMs += cut.durationMs;
      return;
    }
    // The last fragment takes what sound there is left.
    await this.#soundEnds;
    const startMs = Math.round(cut.decodeTime / 90);
    const endMs = Math.round(cut.decodeTime / 90 + cut.samples.reduce((sum, s) => sum + s.duration, 0) / 90);
    const { sound, codec } = this.#o;
    try {
      if (!this.#hasInit) {
        const audio = sound?.codec ?? undefined;
        await this.#write(0, initSegment(codec, audio), 0, true, 0);
        this.#hasInit = true;
        this.#audioCodec = audio?.codec ?? null;
      }
      const taken = this.#audioCodec === null ? null : sound!.upTo(this.#soundEnds ? Number.POSITIVE_INFINITY : endMs);
      const data = mediaFragment(this.#n + 1, cut.decodeTime, cut.samples, taken);
      await this.#write(this.#n + 1, data, cut.durationMs, cut.keyFrame, endMs);
      this.#n++;
      this.#noteGap(startMs);
      this.#endMs = endMs;
      this.#hole = false;
      this.#o.trouble(null);
    } catch (error) {
      this.#lose(cut, error as Error);
    }
  }

  /** Pictures of the camera, or what could not be stored, are missing before this fragment. */
  #noteGap(startMs: number): void {
    const durationMs = startMs - this.#endMs;
    if (durationMs < TOUCHING_MS) return;
    const last = this.#gaps.at(-1);
    // Rather too long a gap than one that is not shown.
    if (last && this.#gaps.length === MAX_GAPS) last.durationMs = startMs - last.atMs;
    else this.#gaps.push({ atMs: this.#endMs, durationMs });
  }

  async #write(n: number, content: Buffer, durationMs: number, keyFrame: boolean, endMs: number): Promise<void> {
    const { clipId, dir, uploads, key } = this.#o;
    const path = fragmentPath(dir, clipId, n);
    const data = key ? sealBytes(key, clipObjectId(clipId, n), content) : content;
    const sha256 = createHash('sha256').update(data).digest('hex');
    const fragment = { clipId, n, size: data.length, sha256, durationMs, keyFrame };
    for (let freed = 0; ; freed++) {
      try {
        await store(path, data);
        this.#o.written(fragment, endMs);
        uploads.add({ ...fragment, path, ...this.#o.state() });
        return;
      } catch (error) {
        await rm(path, { force: true }).catch(() => {});
        const full = /ENOSPC|SQLITE_FULL/.test((error as { code?: string }).code ?? '');
        if (!full || freed >= MAX_FREED || !uploads.free(clipId, this.#o.state().kind)) throw error;
      }
    }
  }

  #lose(cut: Cut, error: Error): void {
    this.#hole = true;
    this.#lostMs += cut.durationMs;
    this.#o.trouble(error);
  }
}

async function store(path: string, data: Buffer): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(data);
    await file.datasync();
  } finally {
    await file.close();
  }
}
