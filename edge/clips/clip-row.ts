import { iso } from '../../protocol/clock.ts';
import type { ClipReport, Event } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { FragmentInfo } from '../../protocol/wire/uploads.ts';
import type { StreamName } from '../../protocol/wire/video.ts';
import type { FootageKind } from '../upload/store.ts';

/** What the recorder remembers of a clip over a crash. */
export interface ClipRow {
  id: string;
  deviceId: string;
  channel: number;
  stream: StreamName;
  /** `continuous`: a piece of 24/7 recording. */
  kind: FootageKind;
  /** Kept on the box until somebody asks for it. */
  held: boolean;
  /** The clip of the other stream. */
  twinId: string | null;
  /** `waiting` for a first picture; `recording`; `done`: the report is final. */
  state: 'waiting' | 'recording' | 'done';
  /** Whether the journal has the final report. */
  reported: boolean;
  /** An earlier clip shows the same event: nothing is missing if this one never begins. */
  chained: boolean;
  eventIds: string[];
  /** Wall time of the first event and of the end of the post-roll, milliseconds; of continuous recording its beginning, and 0. */
  firstEventMs: number;
  endsAtMs: number;
  /** It stands in the report that parts were lost after they were recorded. */
  lossTold?: boolean;
  /** The last report made; null while waiting. */
  report: ClipReport | null;
  fragments: number;
  durationMs: number;
  /** The fragment that was handed to the upload queue last: maybe the queue never got it. */
  last: FragmentInfo | null;
}

/** A clip that waits for its first picture. */
export function waitingRow(
  clip: Pick<
    ClipRow,
    'id' | 'deviceId' | 'channel' | 'stream' | 'kind' | 'held' | 'chained' | 'eventIds' | 'firstEventMs' | 'endsAtMs'
  >,
): ClipRow {
  return {
    ...clip,
    twinId: null,
    state: 'waiting',
    reported: false,
    report: null,
    fragments: 0,
    durationMs: 0,
    last: null,
  };
}

/** What stands in every report of a clip, whatever became of it. */
export function reportBase(
  row: ClipRow,
): Pick<ClipReport, 'id' | 'deviceId' | 'channel' | 'kind' | 'stream' | 'twinId' | 'eventIds'> {
  const { id, deviceId, channel, kind, stream, twinId, eventIds } = row;
  return { id, deviceId, channel, kind, stream, twinId, eventIds: [...eventIds] };
}

/** A beginning this much after the event is a clip that misses what happened. */
const LATE_MS = 1_000;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** A clip that is over, with its final report. `preRollMs`: negative when it began after its event. */
export function endedRow(
  row: ClipRow,
  o: Pick<ClipReport, 'fragments' | 'durationMs' | 'gaps' | 'audioCodec'> & {
    fragments: number;
    lostMs: number;
    preRollMs: number;
    problem: string | null;
  },
): ClipRow {
  const { fragments, durationMs, gaps, audioCodec, lostMs } = o;
  const lateMs = row.chained ? 0 : -o.preRollMs;
  const reasons = [
    lateMs > LATE_MS ? `the recording began ${seconds(lateMs)} after the event` : null,
    lostMs > 0 ? `${seconds(lostMs)} of video could not be stored` : null,
    o.problem,
  ].filter((r) => r !== null);
  const state = reasons.length > 0 ? 'incomplete' : 'ended';
  const report: ClipReport = {
    ...row.report!,
    ...reportBase(row),
    durationMs,
    fragments,
    gaps,
    audioCodec,
    state: row.held && fragments > 0 ? 'held' : state,
    reason: reasons.join('; ').slice(0, 512) || null,
  };
  return { ...row, state: 'done', fragments, durationMs, report };
}

/** The report of a clip that has no picture: it says why an event has none. */
export function emptyReport(row: ClipRow, reason: string): ClipReport {
  return {
    ...reportBase(row),
    state: 'incomplete',
    keyId: null,
    audioCodec: null,
    gaps: [],
    startedAt: iso(row.firstEventMs),
    preRollMs: 0,
    durationMs: 0,
    codec: '',
    width: 0,
    height: 0,
    fragments: 0,
    reason,
  };
}

/** The report of a clip of which parts are lost, beside what was wrong with it before. */
export function lossyReport(report: ClipReport, reason: string): ClipReport {
  const before = report.reason === null || report.reason.includes(reason) ? [] : [report.reason];
  return { ...report, state: 'incomplete', reason: [...before, reason].join('; ').slice(0, 512) };
}

/** The event that footage is lost, for those who look at no clips. */
export function lossEvent({ id, deviceId, channel, eventIds }: ClipRow, reason: string, now: number): Event {
  const what = eventIds.length > 0 ? `Parts of clip ${id} are lost` : 'Continuous recording is lost';
  return {
    id: uuidv7(now),
    type: 'clipLost',
    deviceId,
    channel,
    occurredAt: iso(now),
    seenAt: iso(now),
    deviceTime: null,
    sourceRef: null,
    text: `${what}: ${reason}`.slice(0, 512),
  };
}
