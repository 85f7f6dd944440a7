import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { iso, type ManualClock } from '../../../protocol/clock.ts';
import {
  type ClipReport,
  ClipReport as ClipReportSchema,
  type Event,
  type JournalRecord,
  type NewRecord,
} from '../../../protocol/wire/event.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import { FragmentInfo } from '../../../protocol/wire/uploads.ts';
import type { RecordingConfig } from '../../config/desired-config.ts';
import type { FootageKind, NewFragment } from '../../upload/store.ts';
import type { AudioCodec } from '../../video/audio.ts';
import type { Consumer } from '../../video/channel-source.ts';
import { type CodecInfo, ParameterSets, withLength } from '../../video/codec.ts';
import type { AccessUnit } from '../../video/receiver.ts';
import { Ring } from '../../video/ring.ts';
import { DEVICE } from '../../video/testing/camera.ts';
import { H264_SETS, H264_SMALL_SETS, H265_SETS, h265Slice, slice } from '../../video/testing/packets.ts';
import type { Uploads } from '../clip-writer.ts';
import type { Source } from '../recorder-port.ts';

export const codecs = {
  big: new ParameterSets('h264', Object.values(H264_SETS)).codec()!,
  small: new ParameterSets('h264', Object.values(H264_SMALL_SETS)).codec()!,
  h265: new ParameterSets('h265', Object.values(H265_SETS)).codec()!,
};

export function unit(
  codec: CodecInfo,
  keyFrame: boolean,
  fields: Partial<AccessUnit> & { bytes?: number },
): AccessUnit {
  const nal = (codec.kind === 'h264' ? slice : h265Slice)(keyFrame, fields.bytes ?? 50);
  const data = Buffer.concat([...(keyFrame ? [codec.prefix] : []), ...withLength(nal)]);
  return { data, keyFrame, time: 0, compositionOffset: 0, epoch: 0, wallMs: 0, monoMs: 0, codec, ...fields };
}

/** A channel that gives 25 pictures a second as the clock is moved. */
export class FakeChannel implements Source {
  readonly ring = new Ring(64 * 1024 * 1024);
  readonly consumers = new Set<Consumer>();
  sound: AudioCodec | null = null;
  codec = codecs.big;
  epoch = 0;
  running = true;
  /** Size of a picture. */
  bytes = 50;
  /** Distance of key frames in pictures. */
  group: number;
  #n = 0;
  readonly #clock: ManualClock;

  constructor(clock: ManualClock, group = 50) {
    this.#clock = clock;
    this.group = group;
    clock.every(40, () => this.running && this.#picture());
  }
  acquire(consumer: Consumer): () => void {
    this.consumers.add(consumer);
    this.ring.holdMs = consumer.preRollMs + 3_000;
    return () => this.consumers.delete(consumer);
  }
  /** The camera sends nothing for so long, in the same session. */
  skip(ms: number): void {
    this.running = false;
    this.#n += Math.round(ms / 40) - 1;
    // Behind a hole comes a key frame, as after a loss.
    this.#n += (this.group - (this.#n % this.group)) % this.group;
    this.#clock.after(ms, () => {
      this.running = true;
    });
  }
  /** The stream breaks off; the next picture is a key frame of a new epoch. */
  breakOff(): void {
    this.running = false;
    this.epoch++;
    this.#n = 0;
    for (const c of [...this.consumers]) c.lost('the camera closed the connection');
  }
  #picture(): void {
    const picture = unit(this.codec, this.#n % this.group === 0, {
      time: 90_000 + this.#n * 3600,
      epoch: this.epoch,
      wallMs: this.#clock.now(),
      monoMs: this.#clock.mono(),
      bytes: this.bytes,
    });
    this.#n++;
    this.ring.push(picture);
    for (const c of [...this.consumers]) c.accessUnit(picture);
  }
}

/** The journal's face, in memory. */
export class FakeJournal {
  readonly records: JournalRecord[] = [];
  readonly cursors = new Map<string, number>();
  broken = false;
  #listeners = new Set<() => void>();
  readonly #clock: { now(): number };

  constructor(clock: { now(): number }) {
    this.#clock = clock;
  }
  async append(records: NewRecord[]): Promise<JournalRecord[]> {
    if (this.broken) throw new Error('the disk is full');
    const added = records.map((r, i) => {
      const id = r.kind === 'event' ? r.body.id : uuidv7(this.#clock.now());
      // What the wire does not allow would be quarantined by the relay.
      if (r.kind === 'clip') ClipReportSchema.parse(r.body);
      return { ...structuredClone(r), id, seq: this.records.length + 1 + i, at: iso(this.#clock.now()) };
    }) as JournalRecord[];
    this.records.push(...added);
    for (const fn of this.#listeners) fn();
    return added;
  }
  consumer(name: string, from: 'start' | 'end') {
    if (!this.cursors.has(name)) this.cursors.set(name, from === 'end' ? this.records.length : 0);
    return {
      next: (limit: number) => this.records.slice(this.cursors.get(name), this.cursors.get(name)! + limit),
      commit: (seq: number) => void this.cursors.set(name, seq),
    };
  }
  onAppend(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }
  clips(): ClipReport[] {
    return this.records.flatMap((r) => (r.kind === 'clip' ? [r.body] : []));
  }
  /** The last report of each clip, in the order they began. */
  latest(): ClipReport[] {
    return [...new Map(this.clips().map((c) => [c.id, c])).values()];
  }
}

/** Takes fragments over like the queue: checks, keeps the bytes. */
export class FakeUploads implements Uploads {
  readonly fragments: (FragmentInfo & { data: Buffer; kind: FootageKind; held: boolean })[] = [];
  lose: (clipId: string, reason: string) => unknown = () => {};
  failing: Error | null = null;

  add({ path, kind = 'event', held = false, ...info }: NewFragment): void {
    if (this.failing) throw this.failing;
    FragmentInfo.parse(info);
    const data = readFileSync(path);
    if (data.length !== info.size) throw new Error('size does not match');
    const known = this.fragments.find((f) => f.clipId === info.clipId && f.n === info.n);
    if (known && known.sha256 !== info.sha256) throw new Error('another fragment of that number');
    if (!known) this.fragments.push({ ...info, data, kind, held });
  }
  prefer(clipId: string): void {
    for (const f of this.of(clipId)) f.kind = 'event';
  }
  free(): boolean {
    return false;
  }
  release(clipId: string): number {
    const held = this.of(clipId).filter((f) => f.held);
    for (const f of held) f.held = false;
    return held.length;
  }
  hasUnsent(): boolean {
    return false;
  }
  onLost(fn: (clipId: string, reason: string) => unknown): () => void {
    this.lose = fn;
    return () => {};
  }
  of(clipId: string) {
    return this.fragments.filter((f) => f.clipId === clipId).sort((a, b) => a.n - b.n);
  }
  /** The clip as one file, as the relay serves it. */
  file(clipId: string): Buffer {
    return Buffer.concat(this.of(clipId).map((f) => f.data));
  }
}

export const SITE_KEY = { id: 'k1', secret: Buffer.alloc(32, 9) };

export const recording = (more: Partial<RecordingConfig> = {}): RecordingConfig => ({
  deviceId: DEVICE,
  channel: 1,
  triggers: ['motion', 'lineCrossing'],
  mode: 'event',
  stream: 'main',
  audio: true,
  key: null,
  preRollMs: 5_000,
  postRollMs: 30_000,
  maxClipMs: 300_000,
  ...more,
});

export function event(nowMs: number, more: Partial<Event> = {}): Event {
  return {
    id: uuidv7(nowMs),
    type: 'motion',
    deviceId: DEVICE,
    channel: 1,
    deviceTime: null,
    sourceRef: null,
    occurredAt: iso(nowMs),
    seenAt: iso(nowMs),
    text: null,
    ...more,
  };
}

/** The disk is done when `state` has not changed for a while. */
export async function calm(state: () => string): Promise<void> {
  for (let [times, last] = [0, '']; times < 5; times = state() === last ? times + 1 : 0) {
    last = state();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function temporary(): { dir: string; remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-clips-'));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

export interface Box {
  type: string;
  body: Buffer;
}
const CONTAINERS = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl', 'mvex', 'moof', 'traf', 'dinf']);

/** Boxes one after the other; throws when they do not fill the data. */
export function boxes(data: Buffer): Box[] {
  const out: Box[] = [];
  let at = 0;
  while (at < data.length) {
    const size = data.readUInt32BE(at);
    if (size < 8 || at + size > data.length) throw new Error(`bad box at ${at}`);
    out.push({ type: data.toString('latin1', at + 4, at + 8), body: data.subarray(at + 8, at + size) });
    at += size;
  }
  return out;
}

/** First box at a path such as `moof/traf/tfdt`. */
export function find(data: Buffer, path: string): Buffer | null {
  const [first, ...rest] = path.split('/');
  const box = boxes(data).find((b) => b.type === first);
  if (!box) return null;
  return rest.length === 0 ? box.body : CONTAINERS.has(first!) ? find(box.body, rest.join('/')) : null;
}

/** What a fragment says: decode time and the rows of its track run. */
export function readFragment(data: Buffer) {
  const tfdt = find(data, 'moof/traf/tfdt')!;
  const trun = find(data, 'moof/traf/trun')!;
  const flags = trun.readUInt32BE(0) & 0xffffff;
  const count = trun.readUInt32BE(4);
  const dataOffset = trun.readInt32BE(8);
  const width = flags & 0x800 ? 16 : 12;
  const rows = Array.from({ length: count }, (_, i) => {
    const at = 12 + i * width;
    return {
      duration: trun.readUInt32BE(at),
      size: trun.readUInt32BE(at + 4),
      sync: trun.readUInt32BE(at + 8) === 0x02000000,
      compositionOffset: width === 16 ? trun.readInt32BE(at + 12) : 0,
    };
  });
  return { decodeTime: Number(tfdt.readBigUInt64BE(4)), rows, dataOffset, mdat: find(data, 'mdat')! };
}
