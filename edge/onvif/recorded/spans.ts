import type { Result } from '../../isapi/answer.ts';
import type { OnvifDevice } from '../onvif-device.ts';
import { booleanOf } from '../soap.ts';
import { readNotification } from '../topics.ts';
import { type Element, first, textAt, xmlText } from '../tree.ts';
import { type OnvifRecording, readDateTime } from './recordings.ts';
import { isUnable, search } from './search-session.ts';

/** Recorded without a gap; times as the device wrote them. */
export interface OnvifSpan {
  recording: string;
  fromMs: number;
  toMs: number;
}
/** From then on the track has pictures, or none. */
export interface TrackState {
  recording: string;
  track: string;
  atMs: number;
  present: boolean;
}

const MAX_EVENTS = 4_000;
/** So many recordings at once are each as good as a file: they have no gaps of their own. */
const MAX_INCLUDED = 50;
const CONCRETE = 'http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet';

/** A Result of GetEventSearchResults that tells of a track; null for anything else. */
export function readTrackState(element: Element): TrackState | null {
  const event = first(element, 'Event');
  const notification = event ? readNotification(event) : null;
  const [history, of, state] = notification?.topic.map((t) => t.toLowerCase()) ?? [];
  if (!notification || history !== 'recordinghistory' || of !== 'track' || state !== 'state') return null;
  const recording = textAt(element, 'RecordingToken') || notification.source.get('recordingtoken') || '';
  const track = textAt(element, 'TrackToken') || notification.source.get('track') || '';
  const atMs = readDateTime(textAt(element, 'Time')) ?? readDateTime(notification.deviceTime ?? '');
  const present = booleanOf(notification.data.get('isdatapresent') ?? '');
  return recording === '' || atMs === null || present === null ? null : { recording, track, atMs, present };
}

/** When a recording had pictures, from what its tracks told in any order; of one that told nothing: from its beginning to its end. */
export function spansOf(
  r: OnvifRecording,
  states: readonly TrackState[],
  { fromMs, toMs }: { fromMs: number; toMs: number },
): OnvifSpan[] {
  const recording = r.token;
  const own = states.filter((s) => s.recording === recording && (r.tracks.length === 0 || r.tracks.includes(s.track)));
  const from = Math.max(fromMs, r.fromMs ?? fromMs);
  const to = Math.min(toMs, r.growing ? toMs : (r.toMs ?? toMs));
  if (own.length === 0) return from < to ? [{ recording, fromMs: from, toMs: to }] : [];
  const spans: OnvifSpan[] = [];
  const add = (begin: number, end: number) => {
    const span = { recording, fromMs: Math.max(begin, fromMs), toMs: Math.min(end, toMs) };
    if (span.fromMs < span.toMs) spans.push(span);
  };
  // At one moment an end comes before a beginning, unless nothing was open.
  const sorted = own.toSorted((a, b) => a.atMs - b.atMs || Number(a.present) - Number(b.present));
  let open: number | null = sorted[0]!.present ? null : from;
  for (const { atMs, present } of sorted) {
    if (present) open ??= atMs;
    else if (open !== null) {
      add(open, atMs);
      open = null;
    }
  }
  if (open !== null) add(open, to);
  return spans;
}

/** What several recordings of one channel have, each moment once: earlier ones in the list come first. */
export function withoutDoubles(lists: readonly (readonly OnvifSpan[])[]): OnvifSpan[] {
  let taken: OnvifSpan[] = [];
  for (const list of lists) {
    let rest = [...list];
    for (const t of taken)
      rest = rest.flatMap((s) => {
        if (s.toMs <= t.fromMs || s.fromMs >= t.toMs) return [s];
        const before = s.fromMs < t.fromMs ? [{ ...s, toMs: t.fromMs }] : [];
        return s.toMs > t.toMs ? [...before, { ...s, fromMs: t.toMs }] : before;
      });
    taken = [...taken, ...rest].sort((a, b) => a.fromMs - b.fromMs);
  }
  return taken;
}

/** When these recordings had pictures in that time (FindEvents of `tns1:RecordingHistory/Track/State`). */
export async function findSpans(
  device: OnvifDevice,
  o: { recordings: readonly OnvifRecording[]; fromMs: number; toMs: number; signal?: AbortSignal },
): Promise<Result<{ spans: OnvifSpan[]; complete: boolean }>> {
  const { fromMs, toMs, signal } = o;
  const there = o.recordings.filter((r) => (r.fromMs ?? fromMs) < toMs && (r.growing || (r.toMs ?? toMs) > fromMs));
  if (there.length === 0) return { ok: true, value: { spans: [], complete: true } };
  let states: TrackState[] = [];
  let complete = true;
  if (there.length <= MAX_INCLUDED) {
    const label = (ms: number) => new Date(ms).toISOString();
    const included = there.map((r) => `<tt:IncludedRecordings>${xmlText(r.token)}</tt:IncludedRecordings>`).join('');
    const found = await search(device, {
      begin: `<tse:FindEvents><tse:StartPoint>${label(fromMs)}</tse:StartPoint><tse:EndPoint>${label(toMs)}</tse:EndPoint><tse:Scope>${included}</tse:Scope><tse:SearchFilter><wsnt:TopicExpression Dialect="${CONCRETE}" xmlns:tns1="http://www.onvif.org/ver10/topics">tns1:RecordingHistory/Track/State</wsnt:TopicExpression></tse:SearchFilter><tse:IncludeStartState>true</tse:IncludeStartState><tse:KeepAliveTime>PT60S</tse:KeepAliveTime></tse:FindEvents>`,
      results: 'GetEventSearchResults',
      item: 'Result',
      read: readTrackState,
      max: MAX_EVENTS,
      signal,
    });
    // One that cannot search for gaps still tells from when to when it has something.
    if (!found.ok && !isUnable(found)) return found;
    if (found.ok) {
      states = found.value.items;
      complete = found.value.complete;
    }
  }
  const spans = withoutDoubles(there.map((r) => spansOf(r, states, { fromMs, toMs })));
  return { ok: true, value: { spans, complete } };
}
