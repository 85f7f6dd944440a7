import { failure, type Result } from '../isapi/answer.ts';
import { offsets, readDeviceTime } from '../onvif/device-time.ts';
import { streamUri } from '../onvif/media.ts';
import type { OnvifDevice } from '../onvif/onvif-device.ts';
import {
  type OnvifRecording,
  type Recorded,
  readDateTime,
  readRecorded,
  recordingsOf,
} from '../onvif/recorded/recordings.ts';
import { inWords } from '../onvif/recorded/search-session.ts';
import { findSpans } from '../onvif/recorded/spans.ts';
import { first, numberAt, textAt, xmlText } from '../onvif/tree.ts';
import type { Searched } from './search.ts';

interface Known extends Recorded {
  /** What its labels are ahead of the box's clock, and its calendar of that. */
  aheadMs: number;
  zoneMs: number;
  untilMs: number;
}
/** Where a recording is played, and by how much its labels are ahead of the box's clock. */
export interface Replay {
  url: string;
  aheadMs: number;
}
interface Wanted {
  channel: number;
  fromMs: number;
  toMs: number;
  nowMs: number;
  signal?: AbortSignal;
}

const KNOWN_MS = 60_000;
/** A clock that is this near is right. */
const RIGHT_MS = 20_000;
/** What is being recorded ends about now. */
const GROWS_MS = 2 * 60_000;
const MAX_ITEMS = 2_000;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const NONE = failure('not-found', 'It has no recordings that can be searched.');

/** What ONVIF devices have recorded (profile G): their recordings as spans of channels, and where each is played. */
export class OnvifRecordings {
  readonly #known = new WeakMap<OnvifDevice, Known>();
  readonly #reading = new WeakMap<OnvifDevice, { told: Promise<Result<Known>>; signal?: AbortSignal }>();

  /** Whether it records anything itself, and plays it. */
  async offered(device: OnvifDevice | null, signal?: AbortSignal): Promise<Result<boolean>> {
    if (!device) return NONE;
    if (!device.has('search') || !device.has('replay')) return { ok: true, value: false };
    const told = await device.call('search', '<tse:GetRecordingSummary/>', { signal });
    if (!told.ok) return told.code === 'device-error' ? { ok: true, value: true } : told;
    const summary = first(told.value, 'Summary');
    const until = readDateTime(textAt(summary, 'DataUntil'));
    return { ok: true, value: numberAt(summary, 'NumberRecordings') !== 0 || until !== null };
  }

  async find(device: OnvifDevice | null, o: Wanted): Promise<Result<Searched>> {
    const known = await this.#recorded(device, o.nowMs, o.signal);
    if (!known.ok) return known;
    const { aheadMs, complete } = known.value;
    const recordings = recordingsOf(o.channel, device!.media.sources, known.value);
    // What is still to come is not recorded.
    const toMs = Math.min(o.toMs, o.nowMs);
    if (recordings.length === 0 || toMs <= o.fromMs) return { ok: true, value: { items: [], complete } };
    const { fromMs } = o;
    const asked = { recordings, fromMs: fromMs + aheadMs, toMs: toMs + aheadMs, signal: o.signal };
    const found = await findSpans(device!, asked);
    if (!found.ok) return found;
    const items = found.value.spans.map((span) => ({
      fromMs: span.fromMs - aheadMs,
      toMs: span.toMs - aheadMs,
      recording: span.recording,
      // Why it was recorded is nowhere told.
      kind: 'continuous' as const,
      sizeBytes: null,
      uri: '',
    }));
    const whole = complete && found.value.complete && items.length <= MAX_ITEMS;
    return { ok: true, value: { items: items.slice(0, MAX_ITEMS), complete: whole } };
  }

  /** Days of a month with recordings, on the device's own calendar. */
  async days(
    device: OnvifDevice | null,
    o: Pick<Wanted, 'channel' | 'nowMs' | 'signal'> & { year: number; month: number },
  ): Promise<Result<number[]>> {
    const known = await this.#recorded(device, o.nowMs, o.signal);
    if (!known.ok) return known;
    const wallMs = known.value.aheadMs + known.value.zoneMs;
    const [fromMs, toMs] = [Date.UTC(o.year, o.month - 1, 1) - wallMs, Date.UTC(o.year, o.month, 1) - wallMs];
    const found = await this.find(device, { ...o, fromMs, toMs });
    if (!found.ok) return found;
    const days = new Set<number>();
    for (const item of found.value.items)
      for (let at = item.fromMs; at < item.toMs; at = (Math.floor((at + wallMs) / DAY_MS) + 1) * DAY_MS - wallMs)
        days.add(new Date(at + wallMs).getUTCDate());
    return { ok: true, value: [...days].sort((a, b) => a - b) };
  }

  /** Where a recording is played, on this host (GetReplayUri). */
  async replay(
    device: OnvifDevice | null,
    recording: string,
    nowMs: number,
    signal?: AbortSignal,
  ): Promise<Result<Replay>> {
    if (!device) return NONE;
    const kept = this.#known.get(device);
    const known = kept ? ({ ok: true, value: kept } as const) : await this.#recorded(device, nowMs, signal);
    if (!known.ok) return known;
    const { aheadMs } = known.value;
    const body = `<trp:GetReplayUri><trp:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol></tt:Transport></trp:StreamSetup><trp:RecordingToken>${xmlText(recording)}</trp:RecordingToken></trp:GetReplayUri>`;
    const answer = await device.call('replay', body, { signal });
    if (!answer.ok) return inWords(answer);
    const url = streamUri(textAt(answer.value, 'Uri') || textAt(answer.value, 'MediaUri', 'Uri'), device.client.host);
    if (url === null) return failure('device-error', 'It gives no address for its recording.');
    return { ok: true, value: { url, aheadMs } };
  }

  async #recorded(device: OnvifDevice | null, nowMs: number, signal?: AbortSignal): Promise<Result<Known>> {
    if (!device?.has('search') || !device.has('replay')) return NONE;
    const now = device.clock.mono();
    const known = this.#known.get(device);
    if (known && known.untilMs > now) return { ok: true, value: known };
    // Windows open together: one of them asks for all.
    const underWay = this.#reading.get(device);
    if (underWay) {
      const told = await underWay.told;
      // What it gave up the next one asks for itself.
      return underWay.signal?.aborted && !signal?.aborted ? this.#recorded(device, nowMs, signal) : told;
    }
    const told = this.#read(device, nowMs, signal).finally(() => this.#reading.delete(device));
    this.#reading.set(device, { told, signal });
    return told;
  }

  async #read(device: OnvifDevice, nowMs: number, signal?: AbortSignal): Promise<Result<Known>> {
    const now = device.clock.mono();
    const recorded = await readRecorded(device, signal);
    if (!recorded.ok) return recorded;
    const askedMs = device.clock.now();
    const told = await device.call('device', '<tds:GetSystemDateAndTime/>', { signal });
    // In the middle of asking; it tells whole seconds, half a second ago on average.
    const toldMs = (askedMs + device.clock.now()) / 2 - 500;
    const time = told.ok ? readDeviceTime(told.value) : null;
    const value: Known = {
      ...recorded.value,
      aheadMs: time ? aheadOf(offsets(time, toldMs), recorded.value.recordings, nowMs) : 0,
      zoneMs: time ? zoneOf(time.localMs, time.utcMs, time.zoneMs) : 0,
      untilMs: now + KNOWN_MS,
    };
    this.#known.set(device, value);
    return { ok: true, value };
  }
}

/** Its calendar against UTC. */
function zoneOf(localMs: number | null, utcMs: number | null, zoneMs: number | null): number {
  const told = localMs !== null && utcMs !== null ? localMs - utcMs : zoneMs;
  return told !== null && Math.abs(told) <= 15 * HOUR_MS ? told : 0;
}

/**
 * Labels of recordings are UTC by the device's own clock, which may be wrong, or show local time as UTC. `candidates`: by how much
 * that clock may be ahead, the likeliest first. No recording is of the future, and what is being recorded ends now.
 */
export function aheadOf(candidates: readonly number[], recordings: readonly OnvifRecording[], nowMs: number): number {
  const right = [...new Set([...candidates, 0].map((ms) => (Math.abs(ms) <= RIGHT_MS ? 0 : ms)))];
  const ends = recordings.flatMap((r) => r.toMs ?? []);
  if (ends.length === 0) return right[0]!;
  const latest = Math.max(...ends);
  const growing = recordings.some((r) => r.growing);
  const apart = (ahead: number) => nowMs - (latest - ahead);
  const possible = right.filter((ahead) => apart(ahead) >= -GROWS_MS);
  const fresh = growing ? possible.find((ahead) => apart(ahead) <= GROWS_MS) : undefined;
  return fresh ?? possible[0] ?? right[0]!;
}
