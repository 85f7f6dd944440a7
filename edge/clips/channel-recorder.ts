import type { Clock } from '../../protocol/clock.ts';
import { iso } from '../../protocol/clock.ts';
import type { ClipReport, Event } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { RecordingConfig } from '../config/desired-config.ts';
import type { Consumer } from '../video/channel-source.ts';
import type { AccessUnit } from '../video/receiver.ts';
import type { Ring } from '../video/ring.ts';
import { ClipWriter, type Uploads } from './clip-writer.ts';
import type { ClipRow } from './manifest.ts';

/** A channel's pictures: those of the last seconds, and those to come. */
export interface Source {
  readonly ring: Ring;
  acquire(consumer: Consumer): () => void;
}

/** What a channel's recorder needs of the recorder. */
export interface RecorderPort {
  clock: Clock;
  dir: string;
  uploads: Uploads;
  /** Makes the row durable; storage trouble is the recorder's to report. */
  save(row: ClipRow): void;
  remove(id: string): void;
  /** Journals a report that is not final. */
  report(report: ClipReport): void;
  /** Saves and journals the final report. */
  finish(row: ClipRow): void;
  trouble(error: Error | null): void;
}

interface Active {
  row: ClipRow;
  firstEventMonoMs: number;
  endsAtMonoMs: number;
  /** null while waiting for a first key frame. */
  writer: ClipWriter | null;
  beganMonoMs: number;
  /** First picture to first event, negative when the recording began after it. */
  preRollMs: number;
  cancelReport: (() => void) | null;
}

const MAX_EVENTS = 1000;
const EXTENDED_REPORT_MS = 1_000;
/** A beginning this much after the event is a clip that misses what happened. */
const LATE_MS = 1_000;
/** Pictures arrive a little after they were taken. */
const GRACE_MS = 5_000;

/**
 * Cuts the clips of one channel: from the last key frame at least `preRollMs` before an event to `postRollMs` after the last
 * one, at most `maxClipMs`, then a next clip begins at the key frame before the cut.
 *
 * Everything is measured on the monotonic clock, so that a step of the wall clock moves no cut.
 */
export class ChannelRecorder implements Consumer {
  recording: RecordingConfig;
  readonly #port: RecorderPort;
  #active: Active | null = null;
  #source: Source | null = null;
  #release: (() => void) | null = null;
  readonly #closing = new Set<Promise<void>>();

  constructor(recording: RecordingConfig, port: RecorderPort) {
    this.recording = recording;
    this.#port = port;
  }

  get preRollMs(): number {
    return this.recording.preRollMs;
  }
  get busy(): boolean {
    return this.#active !== null;
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
    const active = this.#active;
    if (active) {
      active.endsAtMonoMs = Math.max(active.endsAtMonoMs, endsAtMonoMs);
      active.row.endsAtMs = Math.max(active.row.endsAtMs, eventMs + this.recording.postRollMs);
      if (active.row.eventIds.length < MAX_EVENTS) active.row.eventIds.push(event.id);
      this.#port.save(active.row);
      if (active.writer) active.cancelReport ??= clock.after(EXTENDED_REPORT_MS, () => this.#reportExtended(active));
      return;
    }
    const row = this.#row([event.id], eventMs, eventMs + this.recording.postRollMs, false);
    if (endsAtMonoMs <= now) {
      this.#neverBegan({ ...row, state: 'waiting' }, 'the box was not running when it happened');
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
    this.#arm(row, now + row.firstEventMs - wall, now + row.endsAtMs - wall);
  }

  accessUnit(unit: AccessUnit): void {
    const active = this.#active;
    if (!active) return;
    if (!active.writer) {
      if (unit.keyFrame) this.#begin([unit]);
      return;
    }
    if (unit.codec !== active.writer.codec) {
      this.#end('the camera changed its picture format; the next clip goes on');
      this.#chain(active, [unit]);
    } else if (unit.monoMs >= active.endsAtMonoMs) {
      this.#end(null);
    } else {
      const full = active.writer.fragmenter.offsetMs(unit) >= this.recording.maxClipMs;
      const next = full ? this.#nextClip(active, unit) : null;
      if (next) {
        this.#end(null);
        this.#chain(active, next);
      } else active.writer.add(unit);
    }
  }

  /** The group of pictures that a next clip begins with; null while it is the one that this clip began with. */
  #nextClip(active: Active, unit: AccessUnit): AccessUnit[] | null {
    if (unit.keyFrame) return [unit];
    const units = this.#source?.ring.from(unit.monoMs).filter((u) => u.monoMs <= unit.monoMs) ?? [];
    return units.length > 0 && units[0]!.monoMs > active.beganMonoMs ? units : null;
  }

  lost(reason: string): void {
    const active = this.#active;
    if (!active?.writer) return;
    this.#end(`the video of the camera broke off (${reason})`);
    this.#chain(active, []);
  }

  /** Once a second: gives up waiting for pictures when an event's time is over. */
  tick(): void {
    const active = this.#active;
    if (!active || this.#port.clock.mono() < active.endsAtMonoMs + GRACE_MS) return;
    if (active.writer) this.#end('the video of the camera stood still');
    else {
      this.#active = null;
      if (active.row.chained) this.#port.remove(active.row.id);
      else this.#neverBegan(active.row, 'the camera gave no video');
    }
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

  #row(eventIds: string[], firstEventMs: number, endsAtMs: number, chained: boolean): ClipRow {
    const { deviceId, channel } = this.recording;
    return {
      ...{ id: uuidv7(this.#port.clock.now()), deviceId, channel, state: 'waiting', reported: false, chained },
      ...{ eventIds, firstEventMs, endsAtMs, report: null, fragments: 0, durationMs: 0, last: null },
    };
  }

  #arm(row: ClipRow, firstEventMonoMs: number, endsAtMonoMs: number): void {
    const empty = { writer: null, beganMonoMs: 0, preRollMs: 0, cancelReport: null };
    this.#active = { row, firstEventMonoMs, endsAtMonoMs, ...empty };
    this.#port.save(row);
  }

  /** The next clip of the same event. */
  #chain(former: Active, units: AccessUnit[]): void {
    const row = this.#row(former.row.eventIds.slice(-1), former.row.firstEventMs, former.row.endsAtMs, true);
    this.#arm(row, former.firstEventMonoMs, former.endsAtMonoMs);
    if (units.length > 0) this.#begin(units);
  }

  #begin(units: AccessUnit[]): void {
    const active = this.#active!;
    const [first] = units as [AccessUnit];
    const { row } = active;
    const { dir, uploads, trouble, save } = this.#port;
    row.state = 'recording';
    active.beganMonoMs = first.monoMs;
    active.preRollMs = Math.round(active.firstEventMonoMs - first.monoMs);
    active.writer = new ClipWriter({
      clipId: row.id,
      codec: first.codec,
      dir,
      uploads,
      trouble,
      written: (fragment, endMs) => {
        Object.assign(row, { fragments: fragment.n, durationMs: endMs, last: fragment });
        save(row);
      },
    });
    row.report = {
      ...{ id: row.id, deviceId: row.deviceId, channel: row.channel, eventIds: [...row.eventIds], ...PLAIN },
      ...{ state: 'recording', startedAt: iso(first.wallMs), preRollMs: Math.max(0, active.preRollMs), durationMs: 0 },
      ...{ codec: first.codec.codec, width: first.codec.width, height: first.codec.height },
      ...{ fragments: null, reason: null },
    };
    save(row);
    this.#port.report(row.report);
    active.writer.add(first);
    for (const unit of units.slice(1)) this.accessUnit(unit);
    // What is there of the present goes at once.
    this.#active?.writer?.fragmenter.flush();
  }

  #reportExtended(active: Active): void {
    active.cancelReport = null;
    const { row, writer } = active;
    if (this.#active !== active || !row.report || !writer) return;
    row.report = { ...row.report, eventIds: [...row.eventIds], durationMs: writer.durationMs };
    this.#port.report(row.report);
  }

  #end(problem: string | null): void {
    const active = this.#active!;
    const { row } = active;
    this.#active = null;
    active.cancelReport?.();
    const done = active.writer!.close().then(({ fragments, durationMs, lostMs }) => {
      const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
      const lateMs = row.chained ? 0 : -active.preRollMs;
      const reasons = [
        lateMs > LATE_MS ? `the recording began ${seconds(lateMs)} after the event` : null,
        lostMs > 0 ? `${seconds(lostMs)} of video could not be stored` : null,
        problem,
      ].filter((r) => r !== null);
      this.#port.finish({
        ...row,
        state: 'done',
        fragments,
        durationMs,
        report: {
          ...row.report!,
          eventIds: row.eventIds,
          state: reasons.length > 0 ? 'incomplete' : 'ended',
          durationMs,
          fragments,
          reason: reasons.join('; ').slice(0, 512) || null,
        },
      });
    });
    this.#closing.add(done);
    void done.finally(() => this.#closing.delete(done));
  }

  #neverBegan(row: ClipRow, reason: string): void {
    this.#port.finish({ ...row, state: 'done', report: emptyReport(row, reason) });
  }
}

const PLAIN: Pick<ClipReport, 'kind' | 'stream' | 'twinId' | 'keyId' | 'audioCodec' | 'gaps'> = {
  ...{ kind: 'event', stream: 'main', twinId: null, keyId: null, audioCodec: null, gaps: [] },
};

/** The report of a clip that has no picture: it says why an event has none. */
export function emptyReport(row: ClipRow, reason: string): ClipReport {
  return {
    ...{
      id: row.id,
      deviceId: row.deviceId,
      channel: row.channel,
      eventIds: row.eventIds,
      state: 'incomplete',
      ...PLAIN,
    },
    ...{ startedAt: iso(row.firstEventMs), preRollMs: 0, durationMs: 0, codec: '', width: 0, height: 0 },
    ...{ fragments: 0, reason },
  };
}
