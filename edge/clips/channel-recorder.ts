import { iso } from '../../protocol/clock.ts';
import type { Event } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { StreamName } from '../../protocol/wire/video.ts';
import type { RecordingConfig } from '../config/desired-config.ts';
import type { FootageKind } from '../upload/store.ts';
import { type AudioFrame, fitsMp4 } from '../video/audio.ts';
import type { Consumer } from '../video/channel-source.ts';
import type { AccessUnit } from '../video/receiver.ts';
import { type ClipRow, emptyReport, endedRow, reportBase, waitingRow } from './clip-row.ts';
import { ClipSound } from './clip-sound.ts';
import { ClipWriter } from './clip-writer.ts';
import type { RecorderPort, Source } from './recorder-port.ts';

interface Active {
  row: ClipRow;
  firstEventMonoMs: number;
  /** Continuous recording ends by its length alone. */
  endsAtMonoMs: number;
  /** The last event, however long it lasts, keeps the clip going until then. */
  lastsUntilMonoMs: number;
  /** null while waiting for a first key frame. */
  writer: ClipWriter | null;
  beganMonoMs: number;
  lastMonoMs: number;
  /** First picture to first event, negative when the recording began after it. */
  preRollMs: number;
  cancelReport: (() => void) | null;
}

const MAX_EVENTS = 1000;
const REPORT_AGAIN_MS = 1_000;
/** Pictures arrive a little after they were taken. */
const GRACE_MS = 5_000;
/** What goes on when its clip is about to end is looked at again after so long. */
const GOES_ON_MS = 5_000;
const ABOUT_TO_END_MS = 2_500;
/** A piece of continuous recording waits so much longer for a key frame to end at. */
const GROUP_MS = 12_000;
/** Clips of the two streams that begin so close together are twins. */
const TWINS_MS = 5_000;

/**
 * Cuts the clips of one stream of a channel. Of events: from the last key frame at least `preRollMs` before an event to
 * `postRollMs` after the last one began, or until that is over (it counts for `maxClipMs`); at most `maxClipMs`, then a next
 * clip begins at the key frame before the cut. Of 24/7
 * recording: pieces of `maxClipMs`, one after the other; with mode `both` an event interrupts it for a clip of its own,
 * with `continuous` the piece lists the event.
 *
 * Everything is measured on the monotonic clock, so that a step of the wall clock moves no cut.
 */
export class ChannelRecorder implements Consumer {
  recording: RecordingConfig;
  readonly stream: StreamName;
  /** Clips that begin from now on stay on the box until somebody asks for them. */
  hold = false;
  /** Records the other stream. */
  twin: ChannelRecorder | null = null;
  readonly #port: RecorderPort;
  #active: Active | null = null;
  #source: Source | null = null;
  #release: (() => void) | null = null;
  /** Event whose time goes on in the next piece of continuous recording. */
  #carried: { eventId: string; untilMonoMs: number } | null = null;
  /** The last clip's sound could not be encoded: the next ones promise none. */
  #noEncoder = false;
  readonly #closing = new Set<Promise<void>>();

  constructor(recording: RecordingConfig, stream: StreamName, port: RecorderPort) {
    this.recording = recording;
    this.stream = stream;
    this.#port = port;
  }

  get preRollMs(): number {
    return this.recording.preRollMs;
  }
  get busy(): boolean {
    return this.#active !== null;
  }
  /** A clip of an event runs. */
  get busyWithEvent(): boolean {
    return this.#active?.row.kind === 'event';
  }
  /** The clip that runs or waits for pictures. */
  get current(): ClipRow | null {
    return this.#active?.row ?? null;
  }

  /** Holds the channel's source; another one when the channel was set up anew. */
  attach(source: Source | null): void {
    if (source === this.#source) return;
    this.#release?.();
    this.#source = source;
    this.#release = source?.acquire(this) ?? null;
  }

  /** Something happened: begins a clip or extends the one that runs. */
  trigger(event: Event): void {
    const { clock } = this.#port;
    const now = clock.mono();
    const eventMs = Date.parse(event.occurredAt);
    const agoMs = Math.max(0, clock.now() - eventMs);
    const endsAtMonoMs = now - agoMs + this.recording.postRollMs;
    if (this.#active?.row.kind === 'continuous') {
      if (this.recording.mode === 'continuous') {
        this.#mark(this.#active, event.id, now - agoMs, endsAtMonoMs);
        return;
      }
      if (endsAtMonoMs > now) this.#end(null);
    } else if (this.#active) {
      const active = this.#active;
      active.endsAtMonoMs = Math.max(active.endsAtMonoMs, endsAtMonoMs);
      active.lastsUntilMonoMs = Math.max(active.lastsUntilMonoMs, this.#lastsUntil(now - agoMs));
      active.row.endsAtMs = Math.max(active.row.endsAtMs, eventMs + this.recording.postRollMs);
      if (active.row.eventIds.length < MAX_EVENTS) active.row.eventIds.push(event.id);
      this.#port.save(active.row);
      this.#reportSoon(active);
      return;
    }
    const row = this.#row('event', [event.id], eventMs, eventMs + this.recording.postRollMs, false);
    if (endsAtMonoMs <= now) {
      this.#neverBegan(row, 'the box was not running when it happened');
      return;
    }
    this.#arm(row, now - agoMs, endsAtMonoMs);
    // Even if the stream has just broken off: what was before it may be all there is to see.
    const units = this.#source?.ring.from(now - agoMs - this.recording.preRollMs) ?? [];
    if (units.length > 0) this.#begin(units);
  }

  /** Goes on after a restart with what is left of an event's time. */
  resume(row: ClipRow): void {
    const { clock } = this.#port;
    const now = clock.mono();
    const wall = clock.now();
    if (this.#active) this.#end(null);
    this.#arm(row, now + row.firstEventMs - wall, now + row.endsAtMs - wall);
  }

  /** What is held of the clip that runs is asked for. */
  sendCurrent(): void {
    const row = this.#active!.row;
    row.held = false;
    this.#port.save(row);
  }

  accessUnit(unit: AccessUnit): void {
    const active = this.#active;
    if (!active) {
      if (this.recording.mode !== 'event' && unit.keyFrame) this.#continuous([unit]);
      return;
    }
    if (!active.writer) {
      if (unit.keyFrame) this.#begin([unit]);
      return;
    }
    active.lastMonoMs = this.#port.clock.mono();
    const continuous = active.row.kind === 'continuous';
    if (unit.codec !== active.writer.codec) {
      this.#end('the camera changed its picture format; the next clip goes on');
      this.#chain(active, [unit]);
    } else if (unit.monoMs >= active.endsAtMonoMs || (continuous && this.recording.mode === 'event')) {
      this.#end(null);
      // What is recorded round the clock goes on without a hole.
      if (this.recording.mode !== 'event') this.#continuous(unit.keyFrame ? [unit] : this.#groupOf(unit));
    } else {
      const beyondMs = active.writer.fragmenter.offsetMs(unit) - this.recording.maxClipMs;
      const full = beyondMs >= 0 && (!continuous || unit.keyFrame || beyondMs >= GROUP_MS);
      const next = full ? this.#nextClip(active, unit) : null;
      if (next) {
        this.#end(null);
        this.#chain(active, next);
      } else active.writer.add(unit);
    }
  }

  audio(frame: AudioFrame): void {
    this.#active?.writer?.audio(frame);
  }

  /** The group of pictures that a next clip begins with; null while it is the one that this clip began with. */
  #nextClip(active: Active, unit: AccessUnit): AccessUnit[] | null {
    if (unit.keyFrame) return [unit];
    const units = this.#groupOf(unit);
    return units.length > 0 && units[0]!.monoMs > active.beganMonoMs ? units : null;
  }

  #groupOf(unit: AccessUnit): AccessUnit[] {
    return this.#source?.ring.from(unit.monoMs).filter((u) => u.monoMs <= unit.monoMs) ?? [];
  }

  lost(reason: string): void {
    const active = this.#active;
    if (!active?.writer) return;
    this.#end(`the video of the camera broke off (${reason})`);
    this.#chain(active, []);
  }

  /** Once a second: gives up waiting for pictures. */
  tick(): void {
    const active = this.#active;
    if (!active) return;
    const now = this.#port.clock.mono();
    if (active.row.kind === 'continuous') {
      if (this.recording.mode === 'event') this.#end(null);
      else if (now > active.lastMonoMs + 2 * GRACE_MS) this.#end('the video of the camera stood still');
      return;
    }
    this.#goOn(active, now);
    if (now < active.endsAtMonoMs + GRACE_MS) return;
    if (active.writer) this.#end('the video of the camera stood still');
    else {
      this.#active = null;
      if (active.row.chained) this.#port.remove(active.row.id);
      else this.#neverBegan(active.row, 'the camera gave no video');
    }
  }

  #lastsUntil(eventMonoMs: number): number {
    return eventMonoMs + this.recording.maxClipMs;
  }

  /** A clip does not end in the middle of what it shows. */
  #goOn(active: Active, now: number): void {
    const { row } = active;
    const moreMs = Math.min(now + GOES_ON_MS, active.lastsUntilMonoMs) - active.endsAtMonoMs;
    if (now < active.endsAtMonoMs - ABOUT_TO_END_MS || moreMs <= 0) return;
    if (!row.eventIds.some((id) => this.#port.lasts(id))) return;
    active.endsAtMonoMs += moreMs;
    row.endsAtMs += moreMs;
    this.#port.save(row);
  }

  /** Writes out what is there. A clip that runs stays open in the manifest: the next start closes it. */
  async stop(): Promise<void> {
    this.attach(null);
    const active = this.#active;
    this.#active = null;
    active?.cancelReport?.();
    await active?.writer?.close();
    await Promise.all(this.#closing);
  }

  #row(kind: FootageKind, eventIds: string[], firstEventMs: number, endsAtMs: number, chained: boolean): ClipRow {
    const { deviceId, channel } = this.recording;
    const { stream, hold: held } = this;
    // Of twins the one that is sent comes first, also by its id.
    const id = uuidv7(this.#port.clock.now() + (held ? 1 : 0));
    return waitingRow({ id, deviceId, channel, stream, kind, held, chained, eventIds, firstEventMs, endsAtMs });
  }

  #arm(
    row: ClipRow,
    firstEventMonoMs: number,
    endsAtMonoMs: number,
    lastsUntilMonoMs = this.#lastsUntil(firstEventMonoMs),
  ): void {
    const now = this.#port.clock.mono();
    const empty = { writer: null, beganMonoMs: now, lastMonoMs: now, preRollMs: 0, cancelReport: null };
    this.#active = { row, firstEventMonoMs, endsAtMonoMs, lastsUntilMonoMs, ...empty };
    this.#findTwin(row, now);
    this.#port.save(row);
  }

  /** The clip of the other stream that runs now shows the same; it learns of this one, if it did not begin much earlier. */
  #findTwin(row: ClipRow, now: number): void {
    const other = this.twin ? this.twin.#active : null;
    if (!other || !this.twin) return;
    row.twinId = other.row.id;
    if (other.row.twinId !== null && now - other.beganMonoMs > TWINS_MS) return;
    other.row.twinId = row.id;
    this.#port.save(other.row);
    this.twin.#reportSoon(other);
  }

  /** The next clip of the same event, or the next piece. */
  #chain(former: Active, units: AccessUnit[]): void {
    if (former.row.kind === 'continuous') {
      if (units.length > 0) this.#continuous(units);
      return;
    }
    const row = this.#row('event', former.row.eventIds.slice(-1), former.row.firstEventMs, former.row.endsAtMs, true);
    this.#arm(row, former.firstEventMonoMs, former.endsAtMonoMs, former.lastsUntilMonoMs);
    if (units.length > 0) this.#begin(units);
  }

  #continuous(units: AccessUnit[]): void {
    const [first] = units;
    if (!first?.keyFrame) return;
    const row = this.#row('continuous', [], first.wallMs, 0, true);
    this.#arm(row, first.monoMs, Number.POSITIVE_INFINITY);
    this.#begin(units);
    const carried = this.#carried;
    if (carried && this.#active?.row === row && carried.untilMonoMs > first.monoMs) {
      this.#mark(this.#active, carried.eventId, first.monoMs, carried.untilMonoMs);
    }
  }

  /** An event in continuous recording: the piece is an event's from now on, sent at once and kept as one. */
  #mark(active: Active, eventId: string, eventMonoMs: number, untilMonoMs: number): void {
    const { row, writer } = active;
    this.#carried = { eventId, untilMonoMs };
    if (row.eventIds.length >= MAX_EVENTS) return;
    row.eventIds.push(eventId);
    if (row.eventIds.length === 1) {
      active.preRollMs = Math.round(eventMonoMs - active.beganMonoMs);
      if (row.report) row.report.preRollMs = Math.max(0, active.preRollMs);
      if (!row.held) this.#port.prefer(row.id);
    }
    if (writer) {
      writer.fragmenter.large = false;
      writer.fragmenter.flush();
    }
    this.#port.save(row);
    this.#reportSoon(active);
  }

  #begin(units: AccessUnit[]): void {
    const active = this.#active!;
    const [first] = units as [AccessUnit];
    const { row } = active;
    const { dir, uploads, trouble, save, makeEncoder } = this.#port;
    const { key, audio } = this.recording;
    const codec = audio ? this.#source?.sound : null;
    const sound = codec && (fitsMp4(codec) || !this.#noEncoder) ? new ClipSound(codec, makeEncoder) : null;
    row.state = 'recording';
    active.beganMonoMs = first.monoMs;
    active.preRollMs = Math.round(active.firstEventMonoMs - first.monoMs);
    const writer = new ClipWriter({
      clipId: row.id,
      codec: first.codec,
      sound,
      key: key?.secret ?? null,
      state: () => ({ kind: row.eventIds.length > 0 ? 'event' : row.kind, held: row.held }),
      dir,
      uploads,
      trouble,
      written: (fragment, endMs) => {
        Object.assign(row, { fragments: fragment.n, durationMs: endMs, last: fragment });
        row.report!.audioCodec = writer.audioCodec;
        save(row);
      },
    });
    active.writer = writer;
    writer.fragmenter.large = row.kind === 'continuous';
    row.report = {
      ...reportBase(row),
      keyId: key?.id ?? null,
      audioCodec: null,
      gaps: [],
      state: 'recording',
      startedAt: iso(first.wallMs),
      preRollMs: Math.max(0, active.preRollMs),
      durationMs: 0,
      codec: first.codec.codec,
      width: first.codec.width,
      height: first.codec.height,
      fragments: null,
      reason: null,
    };
    save(row);
    this.#port.report(row.report);
    writer.add(first);
    const frames = sound ? this.#source!.ring.audioFrom(first.monoMs) : [];
    for (const unit of units.slice(1)) {
      while (frames[0] && frames[0].monoMs <= unit.monoMs) this.audio(frames.shift()!);
      this.accessUnit(unit);
    }
    for (const frame of frames) this.audio(frame);
    // What is there of the present goes at once.
    if (row.kind === 'event') this.#active?.writer?.fragmenter.flush();
  }

  #reportSoon(active: Active): void {
    if (active.writer) active.cancelReport ??= this.#port.clock.after(REPORT_AGAIN_MS, () => this.#reportAgain(active));
  }

  #reportAgain(active: Active): void {
    active.cancelReport = null;
    const { row, writer } = active;
    if (this.#active !== active || !row.report || !writer) return;
    row.report = { ...row.report, ...reportBase(row), durationMs: writer.durationMs };
    this.#port.report(row.report);
  }

  #end(problem: string | null): void {
    const active = this.#active!;
    const { row } = active;
    this.#active = null;
    active.cancelReport?.();
    const done = active.writer!.close().then((closed) => {
      this.#noEncoder ||= closed.noEncoder;
      const { preRollMs, writer } = active;
      this.#port.finish(endedRow(row, { ...closed, preRollMs, problem, audioCodec: writer!.audioCodec }));
    });
    this.#closing.add(done);
    void done.finally(() => this.#closing.delete(done));
  }

  #neverBegan(row: ClipRow, reason: string): void {
    this.#port.finish({ ...row, state: 'done', report: emptyReport(row, reason) });
  }
}
