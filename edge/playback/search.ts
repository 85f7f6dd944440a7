import type { Recording } from '../../protocol/wire/video.ts';
import { document, failure, judge, type Result } from '../isapi/answer.ts';
import type { IsapiClient } from '../isapi/client.ts';
import { list, text } from '../isapi/xml.ts';
import { type LabelOffset, localOffset, readLabel, readWallClock, writeLabel } from './labels.ts';

/** A span of one kind that a device recorded. */
export interface Found {
  fromMs: number;
  toMs: number;
  kind: Recording['kind'];
  sizeBytes: number | null;
  /** Where it is played, as the device says it; with its own name of this box's address. */
  uri: string;
  /** The recording of an ONVIF device that it is of. */
  recording?: string;
}

/** More are refused by some recorders. */
const PAGE = 40;
const MAX_PAGES = 50;
const MAX_BODY = 4 * 1024 * 1024;
/** Of a file; a longer one is none. */
const MAX_URI = 1_024;
const NAMESPACE = 'http://www.hikvision.com/ver20/XMLSchema';
/** What was recorded up to now ends about now. */
const FRESH_MS = 15 * 60_000;
const GROWS_MS = 2 * 60_000;
const HOUR_MS = 3_600_000;
/** Clocks of zones are no further apart; one that is just wrong may be. */
const MAX_APART_MS = 15 * HOUR_MS;
/** So many days are compared with those that the device counts. */
const COMPARED_DAYS = 7;

export interface Searched {
  items: Found[];
  complete: boolean;
}

/** Recordings of one track (channel × 100 + stream) that overlap [fromMs, toMs), in order of time (ISAPI ContentMgmt/search). */
export async function searchTrack(
  client: IsapiClient,
  o: { track: number; fromMs: number; toMs: number; offset: LabelOffset; maxItems?: number; signal?: AbortSignal },
): Promise<Result<Searched>> {
  const { track, offset, maxItems = 2000, signal } = o;
  // One id for all pages; some terminals take no long one, recorders want the form of a UUID.
  const searchId = crypto.randomUUID().toUpperCase();
  const items: Found[] = [];
  let position = 0;
  for (let page = 0; page < MAX_PAGES; page++) {
    const body = `<?xml version="1.0" encoding="UTF-8"?>
<CMSearchDescription version="1.0" xmlns="${NAMESPACE}"><searchID>${searchId}</searchID><trackIDList><trackID>${track}</trackID></trackIDList><timeSpanList><timeSpan><startTime>${writeLabel(o.fromMs, offset)}</startTime><endTime>${writeLabel(o.toMs, offset)}</endTime></timeSpan></timeSpanList><maxResults>${PAGE}</maxResults><searchResultPostion>${position}</searchResultPostion><metadataList><metadataDescriptor>//recordType.meta.std-cgi.com</metadataDescriptor></metadataList></CMSearchDescription>`;
    const asked = { body: Buffer.from(body), maxBytes: MAX_BODY, timeoutMs: 20_000, signal };
    const answer = await client.request('POST', '/ContentMgmt/search', asked);
    if (!answer.ok) return answer;
    const fault = judge(answer.value);
    if (fault) return fault;
    const node = document(answer.value.body, 'CMSearchResult');
    if (!node) return failure('device-error', 'What it answered to the search for recordings cannot be read.');
    const matches = list(node, 'matchList', 'searchMatchItem');
    for (const match of matches) {
      const found = readMatch(match, offset);
      // Devices round, and give whole files.
      if (found && found.toMs > o.fromMs && found.fromMs < o.toMs) items.push(found);
    }
    position += matches.length;
    const more = /more/i.test(text(node, 'responseStatusStrg')) && matches.length > 0;
    if (!more || items.length >= maxItems) {
      items.sort((a, b) => a.fromMs - b.fromMs);
      return { ok: true, value: { items: items.slice(0, maxItems), complete: !more && items.length <= maxItems } };
    }
  }
  items.sort((a, b) => a.fromMs - b.fromMs);
  return { ok: true, value: { items, complete: false } };
}

function readMatch(match: Parameters<typeof text>[0], offset: LabelOffset): Found | null {
  const fromMs = readLabel(text(match, 'timeSpan', 'startTime'), offset);
  const toMs = readLabel(text(match, 'timeSpan', 'endTime'), offset);
  const uri = text(match, 'mediaSegmentDescriptor', 'playbackURI');
  if (fromMs === null || toMs === null || fromMs >= toMs) return null;
  // A copy: a piece of the answer would keep all of it for as long as the list is kept.
  const kept = uri.length > MAX_URI ? '' : Buffer.from(uri).toString();
  const size = /[?&]size=(\d{1,15})/.exec(uri)?.[1];
  const words = `${text(match, 'metadataMatches', 'metadataDescriptor')} ${text(match, 'mediaSegmentDescriptor', 'name')}`;
  return { fromMs, toMs, kind: kindOf(words), sizeBytes: size ? Number(size) : null, uri: kept };
}

/** `recordType.meta.hikvision.com/timing`: the last word counts, and firmware has several for one thing. */
function kindOf(words: string): Recording['kind'] {
  const word = /recordType\.meta[^\s/]*\/(\w+)/i.exec(words)?.[1]?.toLowerCase() ?? '';
  if (/^(timing|cmr|continuous|schedule|normal|time)$/.test(word)) return 'continuous';
  if (/motion|vmd|move/.test(word)) return 'motion';
  if (/manual/.test(word)) return 'manual';
  if (/alarm|io|event|edr|line|field|region|smart|pir|vca/.test(word)) return 'alarm';
  return 'other';
}

/** Days of a month with recordings, on the device's own calendar (dailyDistribution). */
export async function searchDays(
  client: IsapiClient,
  o: { track: number; year: number; month: number; signal?: AbortSignal },
): Promise<Result<number[]>> {
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<trackDailyParam version="1.0" xmlns="${NAMESPACE}"><year>${o.year}</year><monthOfYear>${o.month}</monthOfYear></trackDailyParam>`;
  const path = `/ContentMgmt/record/tracks/${o.track}/dailyDistribution`;
  const asked = { body: Buffer.from(body), maxBytes: MAX_BODY, timeoutMs: 20_000, signal: o.signal };
  const answer = await client.request('POST', path, asked);
  if (!answer.ok) return answer;
  const fault = judge(answer.value);
  if (fault) return fault;
  const node = document(answer.value.body, 'trackDailyDistribution');
  if (!node) return failure('device-error', 'What it answered about its days cannot be read.');
  const days = list(node, 'dayList', 'day')
    .filter((day) => /^true$/i.test(text(day, 'record')))
    .map((day) => Number(text(day, 'dayOfMonth') || text(day, 'id')))
    .filter((day) => Number.isInteger(day) && day >= 1 && day <= 31);
  return { ok: true, value: [...new Set(days)].sort((a, b) => a - b) };
}

export interface Labels {
  offset: LabelOffset;
  /** What the device recorded shows it; otherwise it is what most firmware does. */
  sure: boolean;
}

/**
 * Whether the labels of a device are UTC or its own wall clock. No recording is of the future: one that would be, read in one
 * way, is meant in the other. What is being recorded now ends now. Otherwise the days tell on which the device says that it
 * recorded; where none of this shows it, it is the wall clock.
 */
export async function findLabels(
  client: IsapiClient,
  o: { track: number; nowMs: () => number; signal?: AbortSignal },
): Promise<Result<Labels>> {
  const clock = await readWallClock(client, o.nowMs, o.signal);
  if (!clock) return { ok: true, value: { offset: () => 0, sure: false } };
  const nowMs = o.nowMs();
  const local = localOffset(clock, nowMs);
  // UTC by its own clock, which may be wrong.
  const utc: LabelOffset = () => clock.wrongMs;
  const zoneMs = clock.offsetMs - clock.wrongMs;
  if (Math.abs(zoneMs) < HOUR_MS / 2) return { ok: true, value: { offset: local, sure: true } };
  const apartMs = Math.abs(zoneMs);
  /** How far behind now the last recording since then ends, read in one way; null: there is none. */
  const newest = async (offset: LabelOffset, fromMs: number): Promise<Result<number | null>> => {
    const range = { fromMs, toMs: nowMs + GROWS_MS, maxItems: PAGE };
    const found = await searchTrack(client, { ...range, track: o.track, offset, signal: o.signal });
    if (!found.ok) return found;
    const ends = found.value.items.map((item) => item.toMs);
    return { ok: true, value: ends.length === 0 ? null : nowMs - Math.max(...ends) };
  };
  const [later, earlier] = zoneMs > 0 ? [local, utc] : [utc, local];
  // Read the other way, whatever ends after this would end in the future.
  const first = await newest(later, nowMs + GROWS_MS - Math.min(apartMs, MAX_APART_MS));
  if (!first.ok) return first;
  if (first.value !== null) return { ok: true, value: { offset: later, sure: true } };
  const second = await newest(earlier, nowMs - FRESH_MS);
  if (!second.ok) return second;
  if (second.value !== null && Math.abs(second.value) <= GROWS_MS)
    return { ok: true, value: { offset: earlier, sure: true } };
  const told = await labelsByDays(client, { ...o, local, utc, nowMs });
  return { ok: true, value: told ? { offset: told, sure: true } : { offset: local, sure: false } };
}

/**
 * Days with recordings are counted on the device's own calendar: what it recorded around its midnights lies on other days
 * when its labels are read in the other way. Null: both readings give the days that it tells, or neither does.
 */
async function labelsByDays(
  client: IsapiClient,
  o: { track: number; nowMs: number; local: LabelOffset; utc: LabelOffset; signal?: AbortSignal },
): Promise<LabelOffset | null> {
  const { track, nowMs, local, utc, signal } = o;
  const wall = (ms: number) => new Date(ms + local(ms)).toISOString();
  const [year, month, today] = wall(nowMs).slice(0, 10).split('-').map(Number) as [number, number, number];
  const counted = await searchDays(client, { track, year, month, signal });
  // As it is written, so that one search serves both readings; a day more, for what the other one moves here.
  const range = { fromMs: Date.UTC(year, month - 1, Math.max(1, today - COMPARED_DAYS)), toMs: nowMs + MAX_APART_MS };
  const found = counted.ok
    ? await searchTrack(client, { ...range, track, offset: () => 0, maxItems: 400, signal })
    : counted;
  if (!counted.ok || !found.ok || !found.value.complete) return null;
  const told = counted.value.filter((day) => day > today - COMPARED_DAYS && day <= today);
  const days = (dayOf: (written: number) => string) => {
    const all = new Set<number>();
    for (const { fromMs, toMs } of found.value.items) {
      for (const at of [fromMs, toMs - 1]) {
        const [y, m, day] = dayOf(at).slice(0, 10).split('-').map(Number);
        if (y === year && m === month && day! > today - COMPARED_DAYS) all.add(day!);
      }
    }
    return [...all].sort((a, b) => a - b).join() === told.join();
  };
  const [asLocal, asUtc] = [
    days((written) => new Date(written).toISOString()),
    days((written) => wall(written - utc(written))),
  ];
  return asLocal === asUtc ? null : asUtc ? utc : local;
}
