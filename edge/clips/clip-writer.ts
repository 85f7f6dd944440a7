import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FragmentInfo } from '../../protocol/wire/uploads.ts';
import type { CodecInfo } from '../video/codec.ts';
import type { AccessUnit } from '../video/receiver.ts';
import { initSegment, mediaFragment } from './fmp4.ts';
import { type Cut, Fragmenter } from './fragmenter.ts';

/** The upload queue as the recorder sees it. */
export interface Uploads {
  /** Durable when it returns; the file belongs to the queue from then on. The same fragment again changes nothing. */
  add(fragment: FragmentInfo & { path: string }): void;
  onLost(fn: (clipId: string, reason: string) => void): unknown;
}

export interface ClipWriterOptions {
  clipId: string;
  codec: CodecInfo;
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
}

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

  constructor(options: ClipWriterOptions) {
    this.#o = options;
    this.codec = options.codec;
    this.fragmenter = new Fragmenter((cut) => this.#enqueue(cut));
  }

  get durationMs(): number {
    return Math.round(this.fragmenter.lengthMs);
  }

  add(unit: AccessUnit): void {
    this.fragmenter.add(unit);
  }

  /** Resolves when everything is with the queue, or lost. */
  async close(): Promise<ClipEnd> {
    this.fragmenter.end();
    await this.#running;
    return { fragments: this.#n, durationMs: this.#endMs, lostMs: this.#lostMs };
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
    const endMs = Math.round(cut.decodeTime / 90 + cut.samples.reduce((sum, s) => sum + s.duration, 0) / 90);
    try {
      if (!this.#hasInit) {
        await this.#write(0, initSegment(this.codec), 0, true, 0);
        this.#hasInit = true;
      }
      const data = mediaFragment(this.#n + 1, cut.decodeTime, cut.samples);
      await this.#write(this.#n + 1, data, cut.durationMs, cut.keyFrame, endMs);
      this.#n++;
      this.#endMs = endMs;
      this.#hole = false;
      this.#o.trouble(null);
    } catch (error) {
      this.#lose(cut, error as Error);
    }
  }

  async #write(n: number, data: Buffer, durationMs: number, keyFrame: boolean, endMs: number): Promise<void> {
    const { clipId, dir, uploads } = this.#o;
    const path = fragmentPath(dir, clipId, n);
    try {
      const file = await open(path, 'w', 0o600);
      try {
        await file.writeFile(data);
        await file.datasync();
      } finally {
        await file.close();
      }
      const sha256 = createHash('sha256').update(data).digest('hex');
      const fragment = { clipId, n, size: data.length, sha256, durationMs, keyFrame };
      this.#o.written(fragment, endMs);
      uploads.add({ ...fragment, path });
    } catch (error) {
      await rm(path, { force: true }).catch(() => {});
      throw error;
    }
  }

  #lose(cut: Cut, error: Error): void {
    this.#hole = true;
    this.#lostMs += cut.durationMs;
    this.#o.trouble(error);
  }
}
