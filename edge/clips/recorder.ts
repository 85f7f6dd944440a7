import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { ClipReport, Event, JournalRecord, NewRecord } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { StreamName } from '../../protocol/wire/video.ts';
import type { RecordingConfig } from '../config/desired-config.ts';
import { AacEncoder, ENCODED_AAC } from '../video/aac.ts';
import type { AudioFrame } from '../video/audio.ts';
import type { Warnables } from '../warnables.ts';
import { ChannelRecorder } from './channel-recorder.ts';
import { type ClipRow, emptyReport, lossEvent, lossyReport } from './clip-row.ts';
import type { MakeEncoder, SoundEncoder } from './clip-sound.ts';
import { fragmentPath, type Uploads } from './clip-writer.ts';
import { Manifest } from './manifest.ts';
import type { RecorderPort, Source } from './recorder-port.ts';

/** The journal as the recorder sees it. */
interface RecorderJournal {
  append(records: NewRecord[]): Promise<JournalRecord[]>;
  consumer(name: string, from: 'start' | 'end'): { next(limit: number): JournalRecord[]; commit(seq: number): void };
  onAppend(fn: () => void): () => void;
}

export interface RecorderOptions {
  journal: RecorderJournal;
  video: {
    source(deviceId: string, channel: number, stream: StreamName): Source | null;
    onChange(fn: () => void): () => void;
  };
  uploads: Uploads;
  /** Whether an event is still under way; by default none is. */
  lasts?: (eventId: string) => boolean;
  /** For fragments and the recorder's own file. */
  dir: string;
  clock: Clock;
  log: Logger;
  warnables: Warnables;
  /** Makes AAC of other sound; by default by ffmpeg. */
  makeEncoder?: MakeEncoder;
}

/** What came of asking for a clip that is held on the box. */
export type SendOutcome = { ok: true; fragments: number } | { ok: false; code: 'not-found' | 'conflict'; text: string };

const BATCH = 100;
const LOSS_EVERY_MS = 3_600_000;
const channelOf = (r: { deviceId: string; channel: number }) => `${r.deviceId}/${r.channel}`;
const keyOf = (r: { deviceId: string; channel: number }, stream: StreamName) => `${channelOf(r)}/${stream}`;
/** Both streams are recorded where the sub-stream goes first. */
const streamsOf = ({ stream }: RecordingConfig): StreamName[] => (stream === 'adaptive' ? ['sub', 'main'] : [stream]);

/**
 * Turns events of the journal into clips, and records round the clock where that is wished. It keeps its own place in the journal and a manifest of its clips, so that it is
 * idempotent by event, and so that after a crash every clip begun is closed with what was stored of it, and an event
 * whose time is not over gets a further clip.
 */
export class Recorder {
  readonly #o: RecorderOptions;
  readonly #log: Logger;
  readonly #manifest: Manifest;
  readonly #channels = new Map<string, ChannelRecorder>();
  /** Channels no longer to be recorded whose clip still runs. */
  readonly #retired = new Set<ChannelRecorder>();
  #resume: ClipRow[] = [];
  #consumer: ReturnType<RecorderJournal['consumer']> | null = null;
  readonly #cleanups: (() => void)[] = [];
  readonly #reporting = new Set<string>();
  /** Losses of clips that still run. */
  readonly #losses = new Map<string, string>();
  #nextLossMonoMs = 0;
  #configured = false;
  #stopped = false;
  #closed = false;

  constructor(options: RecorderOptions) {
    this.#o = options;
    this.#log = options.log.child({ module: 'recorder' });
    this.#manifest = new Manifest(options.dir);
  }

  start(signal?: AbortSignal): void {
    const { journal, video, uploads, clock, warnables } = this.#o;
    if (!this.#manifest.open()) {
      const text = 'The list of clips was damaged and is lost: a clip that was being recorded stays unfinished.';
      warnables.raise('clip-list-damaged', 'box', 'warning', text);
    }
    for (const row of this.#manifest.unfinished()) this.#recover(row);
    const lost = uploads.onLost((clipId, reason) => this.#lost(clipId, reason));
    if (typeof lost === 'function') this.#cleanups.push(lost as () => void);
    this.#consumer = journal.consumer('recorder', 'end');
    this.#cleanups.push(
      journal.onAppend(() => this.#pump()),
      video.onChange(() => this.#attach()),
      clock.every(1_000, () => this.#tick()),
    );
    signal?.addEventListener('abort', () => void this.stop(), { once: true });
    this.#pump();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const cleanup of this.#cleanups.splice(0)) cleanup();
    await Promise.all([...this.#channels.values(), ...this.#retired].map((c) => c.stop()));
    this.#closed = true;
    this.#manifest.close();
  }

  /** Which channels to record, and on which events. A clip that runs on a channel taken out goes on to its end. */
  apply(items: RecordingConfig[]): { id: string; code: string; text: string }[] {
    const errors: { id: string; code: string; text: string }[] = [];
    const seen = new Set<string>();
    const wanted = new Map<string, { recording: RecordingConfig; stream: StreamName }>();
    for (const item of items) {
      const id = channelOf(item);
      if (seen.has(id))
        errors.push({ id, code: 'duplicate', text: 'This channel is listed twice; the first one counts.' });
      else for (const stream of streamsOf(item)) wanted.set(keyOf(item, stream), { recording: item, stream });
      seen.add(id);
    }
    for (const [key, channel] of this.#channels) {
      if (wanted.has(key)) continue;
      this.#channels.delete(key);
      this.#retired.add(channel);
      channel.twin = null;
      // Round the clock is over at once.
      channel.recording = { ...channel.recording, mode: 'event' };
    }
    for (const [key, { recording, stream }] of wanted) {
      const channel = this.#channels.get(key);
      if (channel) {
        // Held anew, the source keeps as much of the past as is wanted now.
        if (channel.preRollMs !== recording.preRollMs) channel.attach(null);
        channel.recording = recording;
      } else {
        // Taken out and put back while its clip ran: the same recorder goes on.
        const retired = [...this.#retired].find((c) => keyOf(c.recording, c.stream) === key);
        if (retired) {
          this.#retired.delete(retired);
          retired.recording = recording;
        }
        this.#channels.set(key, retired ?? new ChannelRecorder(recording, stream, this.#port()));
      }
    }
    this.#configured = true;
    this.#attach();
    this.#resumeClips();
    this.#tick();
    this.#pump();
    return errors;
  }

  /** Sends a clip that is held on the box, or will be when it is whole. */
  send(clipId: string): SendOutcome {
    const running = [...this.#channels.values(), ...this.#retired].find((c) => c.current?.id === clipId);
    if (running) {
      if (!running.current!.held) return { ok: false, code: 'conflict', text: 'This clip is being sent already.' };
      running.sendCurrent();
      return { ok: true, fragments: this.#o.uploads.release(clipId) };
    }
    const row = this.#safely(() => this.#manifest.get(clipId));
    if (!row) return { ok: false, code: 'not-found', text: 'This box does not know such a clip (any more).' };
    const { report } = row;
    if (row.state !== 'done' || report?.state !== 'held') {
      const text =
        row.state === 'done' ? 'This clip is not held: it was sent, or lost.' : 'This clip has just ended: ask again.';
      return { ok: false, code: 'conflict', text };
    }
    const fragments = this.#o.uploads.release(clipId);
    const state = report.reason === null ? 'ended' : 'incomplete';
    void this.#finish({ ...row, held: false, reported: false, report: { ...report, state } });
    return { ok: true, fragments };
  }

  #port(): RecorderPort {
    const { clock, dir, uploads } = this.#o;
    return {
      clock,
      dir,
      uploads,
      lasts: this.#o.lasts ?? (() => false),
      makeEncoder: this.#o.makeEncoder ?? ((out) => this.#encoder(out)),
      save: (row: ClipRow) => this.#safely(() => this.#manifest.save(row)),
      remove: (id: string) => this.#safely(() => this.#manifest.remove(id)),
      prefer: (id: string) => this.#safely(() => uploads.prefer(id)),
      report: (report: ClipReport) => void this.#journal(report),
      finish: (row: ClipRow) => void this.#finish(row),
      trouble: (error: Error | null) => this.#trouble(error),
    };
  }

  #encoder(out: (frame: AudioFrame) => void): SoundEncoder {
    const encoder = new AacEncoder({ log: this.#log, out });
    return { codec: ENCODED_AAC, push: (frame) => encoder.push(frame), end: () => encoder.end() };
  }

  #attach(): void {
    for (const channel of this.#channels.values()) {
      const { recording, stream } = channel;
      const { deviceId } = recording;
      channel.attach(this.#o.video.source(deviceId, recording.channel, stream));
      const adaptive = recording.stream === 'adaptive';
      // A camera without a sub-stream has its main stream sent as it is.
      channel.hold = adaptive && stream === 'main' && this.#o.video.source(deviceId, recording.channel, 'sub') !== null;
      const other = stream === 'main' ? 'sub' : 'main';
      channel.twin = adaptive ? (this.#channels.get(keyOf(recording, other)) ?? null) : null;
    }
  }

  /** Handles what is new in the journal. Nothing is handled before it is known what to record. */
  #pump(): void {
    const consumer = this.#consumer;
    if (!consumer || this.#stopped || !this.#configured) return;
    for (;;) {
      const records = consumer.next(BATCH);
      for (const record of records) if (record.kind === 'event') this.#event(record.body);
      if (records.length === 0) return;
      consumer.commit(records.at(-1)!.seq);
    }
  }

  /** Whether a clip shows this event, or will. */
  records(event: Event): boolean {
    return this.#recording(event).length > 0;
  }

  #recording(event: Event): ChannelRecorder[] {
    return [...this.#channels.values()].filter(({ recording: r }) => {
      if (r.deviceId !== event.deviceId || !r.triggers.includes(event.type)) return false;
      // The number of an alarm input says nothing about the camera that looks at it.
      return event.channel === null || event.type === 'alarmInput' || event.channel === r.channel;
    });
  }

  #event(event: Event): void {
    const recorded = this.#recording(event);
    const known = new Set(
      recorded
        .map((c) => c.recording.channel)
        .filter((n) => this.#safely(() => this.#manifest.knowsEvent(event.id, n))),
    );
    // A stream that there is not shows nothing of it.
    const there = (c: ChannelRecorder) => c.stream === 'main' || c.twin === null || c.twin.hold;
    for (const c of recorded) if (!known.has(c.recording.channel) && there(c)) c.trigger(event);
  }

  #tick(): void {
    if (this.#stopped) return;
    for (const channel of [...this.#channels.values(), ...this.#retired]) channel.tick();
    for (const channel of this.#retired) {
      if (channel.busy) continue;
      this.#retired.delete(channel);
      void channel.stop();
    }
    for (const row of this.#safely(() => this.#manifest.unfinished()) ?? []) {
      if (row.state === 'done' && !this.#reporting.has(row.id)) void this.#finish(row);
    }
    this.#expireResumes();
  }

  /** A clip that was open when the box went down: closes it with what was stored. */
  #recover(row: ClipRow): void {
    if (row.state === 'done') return;
    if (row.state === 'waiting') {
      this.#resume.push(row);
      return;
    }
    const { dir, uploads, clock } = this.#o;
    const last = row.last;
    const path = last ? fragmentPath(dir, row.id, last.n) : '';
    // Killed between the manifest and the queue: the file is whole, the queue knows it or gets it now.
    if (last && existsSync(path) && createHash('sha256').update(readFileSync(path)).digest('hex') === last.sha256) {
      this.#safely(() =>
        uploads.add({ ...last, path, kind: row.eventIds.length > 0 ? 'event' : row.kind, held: row.held }),
      );
    }
    // What was being written when it happened was never anybody's.
    rmSync(fragmentPath(dir, row.id, last ? last.n + 1 : 0), { force: true });
    const reason = 'the box was restarted while the clip was recorded';
    const { fragments, durationMs } = row;
    const state = row.held && fragments > 0 ? ('held' as const) : ('incomplete' as const);
    const report = { ...row.report!, eventIds: row.eventIds, state, reason };
    void this.#finish({ ...row, state: 'done', report: { ...report, fragments, durationMs } });
    if (row.endsAtMs > clock.now()) {
      this.#resume.push({ ...row, id: '', chained: true, eventIds: row.eventIds.slice(-1), report: null, last: null });
    }
  }

  /** Clips for events whose time is not over, as soon as it is known that their channels are recorded. */
  #resumeClips(): void {
    const { clock } = this.#o;
    for (const row of this.#resume.splice(0)) {
      const channel = this.#channels.get(keyOf(row, row.stream));
      if (!channel || channel.busyWithEvent || row.endsAtMs <= clock.now()) {
        this.#resume.push(row);
        continue;
      }
      channel.resume({
        ...row,
        id: row.id || uuidv7(clock.now()),
        state: 'waiting',
        reported: false,
        twinId: null,
        fragments: 0,
        durationMs: 0,
      });
    }
  }

  #expireResumes(): void {
    const now = this.#o.clock.now();
    for (const row of this.#resume.filter((r) => r.endsAtMs <= now)) {
      this.#resume.splice(this.#resume.indexOf(row), 1);
      if (row.id === '') continue;
      if (row.chained) this.#safely(() => this.#manifest.remove(row.id));
      else void this.#finish({ ...row, state: 'done', report: emptyReport(row, 'the box was restarted') });
    }
  }

  /** The upload queue gave up fragments of this clip. Resolves when the journal has it. */
  async #lost(clipId: string, reason: string): Promise<void> {
    if (this.#closed) throw new Error('the recorder is stopped');
    const row = this.#safely(() => this.#manifest.get(clipId));
    if (row && row.state !== 'done') this.#losses.set(clipId, reason);
    if (row?.state !== 'done' || !row.report || row.lossTold) return;
    const report = lossyReport(row.report, reason);
    await this.#finish({ ...row, reported: false, lossTold: true, report }, true);
    await this.#tellLoss(row, reason);
  }

  /** A loss is an event, for those who look at no clips: each clip of an event, continuous recording once in a while. */
  async #tellLoss(row: ClipRow, reason: string): Promise<void> {
    const { clock, journal } = this.#o;
    const ofEvent = row.eventIds.length > 0;
    if (!ofEvent && clock.mono() < this.#nextLossMonoMs) return;
    if (!ofEvent) this.#nextLossMonoMs = clock.mono() + LOSS_EVERY_MS;
    try {
      await journal.append([{ kind: 'event', body: lossEvent(row, reason, clock.now()) }]);
    } catch (error) {
      this.#log.warn({ err: error, clipId: row.id }, 'the loss of a clip stands in its report alone');
    }
  }

  async #finish(row: ClipRow, mustReport = false): Promise<void> {
    if (this.#closed) return;
    const loss = this.#losses.get(row.id);
    this.#losses.delete(row.id);
    if (loss && row.report) Object.assign(row, { lossTold: true, report: lossyReport(row.report, loss) });
    if (loss) void this.#tellLoss(row, loss);
    this.#safely(() => this.#manifest.save(row));
    this.#reporting.add(row.id);
    const done = await this.#journal(row.report!);
    this.#reporting.delete(row.id);
    if (!done && mustReport) throw new Error('the journal cannot be written');
    if (!done || this.#closed) return;
    this.#safely(() => {
      this.#manifest.save({ ...row, reported: true });
      this.#manifest.prune((id) => this.#o.uploads.hasUnsent(id));
    });
  }

  async #journal(body: ClipReport): Promise<boolean> {
    try {
      await this.#o.journal.append([{ kind: 'clip', body }]);
      return true;
    } catch (error) {
      this.#log.warn({ err: error, clipId: body.id }, 'the journal did not take a clip report; it is tried again');
      return false;
    }
  }

  /** Runs what needs the disk; a full or failing disk is a state to show, not a reason to end the box. */
  #safely<T>(work: () => T): T | null {
    try {
      return work();
    } catch (error) {
      if (!/^SQLITE_(FULL|IOERR)|^ENOSPC|^EIO/.test((error as { code?: string }).code ?? '')) throw error;
      this.#trouble(error as Error);
      return null;
    }
  }

  #trouble(error: Error | null): void {
    const { warnables } = this.#o;
    if (!error) {
      warnables.clear('clip-not-stored', 'box');
      return;
    }
    const full = /ENOSPC|SQLITE_FULL/.test((error as { code?: string }).code ?? '');
    const what = full ? 'The disk of the box is full' : `The disk of the box does not take video (${error.message})`;
    const text = `${what}: parts of clips are missing. Make room, or replace the disk.`;
    this.#log.error({ err: error }, 'video could not be stored');
    warnables.raise('clip-not-stored', 'box', 'error', text);
  }
}
