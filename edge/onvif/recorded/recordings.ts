import type { Result } from '../../isapi/answer.ts';
import { clean } from '../../isapi/xml.ts';
import type { Source } from '../media.ts';
import type { OnvifDevice } from '../onvif-device.ts';
import { all, attribute, type Element, first, textAt } from '../tree.ts';
import { search } from './search-session.ts';

/** One recording of a device: a container that is filled over months, or as little as one event. Times as it wrote them. */
export interface OnvifRecording {
  token: string;
  /** Where its pictures come from: what stands there is the device's choice. */
  sourceId: string;
  name: string;
  /** null: it does not say, or not sensibly. */
  fromMs: number | null;
  toMs: number | null;
  /** It is being filled now. */
  growing: boolean;
  /** Tokens of its tracks with pictures. */
  tracks: string[];
}
export interface Recorded {
  recordings: OnvifRecording[];
  complete: boolean;
  /** Tokens of profiles by recording that they are recorded to (GetRecordingJobs). */
  jobs: Map<string, string[]>;
}

const MAX_RECORDINGS = 2_000;
const MAX_JOBS = 512;
const MAX_TOKEN = 512;
const MAX_TRACKS = 16;
const OLDEST_MS = Date.UTC(1980, 0, 1);
const NEWEST_MS = Date.UTC(2200, 0, 1);

/** xs:dateTime in ms; without a zone it is UTC. null for what is no time, or none of a recording. */
export function readDateTime(written: string): number | null {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,12})?(Z|[+-]\d\d:\d\d)?$/.exec(written.trim());
  if (!found) return null;
  const [y, mo, d, h, mi, s] = found.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  if (mo < 1 || mo > 12 || d < 1 || d > 31 || h > 24 || mi > 59 || s > 60) return null;
  const zone = /^([+-])(\d\d):(\d\d)$/.exec(found[8] ?? '');
  const shift = zone ? (zone[1] === '-' ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3])) * 60_000 : 0;
  const ms = Date.UTC(y, mo - 1, d, h, mi, s) + Math.floor(Number(found[7] ?? 0) * 1000) - shift;
  return ms >= OLDEST_MS && ms < NEWEST_MS ? ms : null;
}

/** A RecordingInformation; null without a token. */
export function readRecording(element: Element): OnvifRecording | null {
  const token = textAt(element, 'RecordingToken');
  if (token === '' || token.length > MAX_TOKEN) return null;
  const tracks = all(element, 'Track').slice(0, MAX_TRACKS);
  const video = tracks.filter((t) => /^video$/i.test(textAt(t, 'TrackType')));
  const times = (name: string) => video.flatMap((t) => readDateTime(textAt(t, name)) ?? []);
  const [starts, ends] = [times('DataFrom'), times('DataTo')];
  const fromMs = readDateTime(textAt(element, 'EarliestRecording')) ?? (starts.length > 0 ? Math.min(...starts) : null);
  const toMs = readDateTime(textAt(element, 'LatestRecording')) ?? (ends.length > 0 ? Math.max(...ends) : null);
  return {
    token,
    sourceId: clean(textAt(element, 'Source', 'SourceId'), 256),
    name: clean(textAt(element, 'Source', 'Name'), 128),
    fromMs,
    toMs: toMs !== null && fromMs !== null && toMs < fromMs ? null : toMs,
    growing: /^recording$/i.test(textAt(element, 'RecordingStatus')),
    tracks: video.map((t) => textAt(t, 'TrackToken')).filter((t) => t !== '' && t.length <= MAX_TOKEN),
  };
}

/** Everything that it has recorded, with pictures in it. */
export async function readRecorded(device: OnvifDevice, signal?: AbortSignal): Promise<Result<Recorded>> {
  const found = await search(device, {
    begin: '<tse:FindRecordings><tse:Scope/><tse:KeepAliveTime>PT60S</tse:KeepAliveTime></tse:FindRecordings>',
    results: 'GetRecordingSearchResults',
    item: 'RecordingInformation',
    read: (element) => {
      const recording = readRecording(element);
      // Some tell no tracks at all.
      const hasPictures = recording && (recording.tracks.length > 0 || all(element, 'Track').length === 0);
      return hasPictures ? recording : null;
    },
    max: MAX_RECORDINGS,
    signal,
  });
  if (!found.ok) return found;
  const recordings = new Map(found.value.items.map((recording) => [recording.token, recording]));
  const jobs = device.has('recording')
    ? await device.call('recording', '<trc:GetRecordingJobs/>', { signal, maxBytes: 4 * 1024 * 1024 })
    : null;
  const value = {
    recordings: [...recordings.values()],
    complete: found.value.complete,
    jobs: jobs?.ok ? readJobs(jobs.value) : new Map<string, string[]>(),
  };
  return { ok: true, value };
}

/** What each recording is filled from. */
export function readJobs(response: Element): Map<string, string[]> {
  const jobs = new Map<string, string[]>();
  for (const job of all(response, 'JobItem').slice(0, MAX_JOBS)) {
    const configuration = first(job, 'JobConfiguration');
    const recording = textAt(configuration, 'RecordingToken');
    const tokens = all(configuration, 'Source')
      .flatMap((s) => all(s, 'SourceToken'))
      .map((s) => textAt(s, 'Token') || attribute(s, 'token'))
      .filter((t) => t !== '' && t.length <= MAX_TOKEN);
    if (recording !== '') jobs.set(recording, [...(jobs.get(recording) ?? []), ...tokens]);
  }
  return jobs;
}

const namesOf = (s: Source): string[] =>
  [s.token, ...s.profiles.flatMap((p) => [p.token, p.sourceConfiguration])].filter((t) => t !== '');
/** The last number in it, as recorders count cameras; null without one. */
const numberIn = (text: string): number | null => {
  const digits = /(\d{1,4})\D{0,32}$/.exec(text.slice(-64))?.[1];
  return digits === undefined ? null : Number(digits);
};

/**
 * The recordings of one channel, the best first. What a recording's job names is certain, and what its own source does. Where
 * neither is said, a device with one channel has recorded that; otherwise the numbers in the names of sources tell.
 */
export function recordingsOf(
  channel: number,
  sources: readonly Source[],
  { recordings, jobs }: Recorded,
): OnvifRecording[] {
  const source = sources.find((s) => s.channel === channel);
  if (!source) return [];
  const named = (r: OnvifRecording): Source | undefined => {
    const tokens = jobs.get(r.token) ?? [];
    return (
      sources.find((s) => namesOf(s).some((t) => tokens.includes(t))) ??
      sources.find((s) => namesOf(s).some((t) => t === r.sourceId || t === r.name))
    );
  };
  const byName = new Map(recordings.map((r) => [r, named(r)]));
  const open = recordings.filter((r) => byName.get(r) === undefined);
  const mine = recordings.filter((r) => byName.get(r) === source);
  if (sources.length === 1) mine.push(...open);
  else mine.push(...byNumber(source, sources, open));
  const rank = (r: OnvifRecording) => {
    const tokens = jobs.get(r.token) ?? [];
    const at = source.streams.findIndex((p) => tokens.includes(p.token));
    return at < 0 ? source.streams.length : at;
  };
  return mine.sort((a, b) => rank(a) - rank(b));
}

/** `Camera 3` is of `VideoSource_3`; every number of a recording must be one of a source, and those differ. */
function byNumber(source: Source, sources: readonly Source[], open: OnvifRecording[]): OnvifRecording[] {
  const numbers = sources.map((s) => numberIn(s.token));
  if (numbers.includes(null) || new Set(numbers).size < numbers.length) return [];
  for (const text of [
    (r: OnvifRecording) => r.sourceId,
    (r: OnvifRecording) => r.name,
    (r: OnvifRecording) => r.token,
  ]) {
    const told = open.map((r) => numberIn(text(r)));
    if (told.every((n) => n !== null && numbers.includes(n)))
      return open.filter((_, i) => told[i] === numberIn(source.token));
  }
  return [];
}
