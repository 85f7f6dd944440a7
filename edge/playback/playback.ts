import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { ProblemCode } from '../../protocol/wire/problem.ts';
import type { PlaybackQuery, RecordingList, RecordingQuery, StreamName } from '../../protocol/wire/video.ts';
import { initSegment } from '../clips/fmp4.ts';
import type { DeviceManager } from '../devices/manager.ts';
import { failure, type Result } from '../isapi/answer.ts';
import { IsapiDriver } from '../isapi/driver.ts';
import { readDisks } from '../isapi/features/storage.ts';
import { OnvifDriver } from '../onvif/driver.ts';
import type { PullError } from '../video/pull.ts';
import type { Video } from '../video/video.ts';
import type { Convert } from './converter.ts';
import { Downloads } from './download.ts';
import { type MediaSink, MessageSink } from './media-writer.ts';
import { OnvifRecordings, type Replay } from './onvif-recordings.ts';
import { type Pace, paced } from './paced.ts';
import { Playing, type PlayingOptions } from './playing.ts';
import type { QuickMemory } from './quick-pull.ts';
import type { RtpMemory } from './recorded-clock.ts';
import { ReplayPull } from './replay-pull.ts';
import { type Found, findLabels, type Labels, searchDays, searchTrack } from './search.ts';
import type { PlaybackTarget, Span } from './span-pull.ts';

type Done<T> = { ok: true; value: T } | { ok: false; code: ProblemCode; detail: string };
interface Listed {
  deviceId: string;
  track: number;
  fromMs: number;
  toMs: number;
  atMs: number;
  items: Found[];
}
type Range = Pick<RecordingQuery, 'deviceId' | 'channel' | 'stream'> & { fromMs: number; toMs: number };

const MAX_SESSIONS = 16;
/** Recorders play few at once, and live view needs theirs. */
const MAX_SESSIONS_OF_DEVICE = 8;
const MAX_RANGE_MS = 31 * 86_400_000;
const MAX_FILE_MS = 3_600_000;
/** Of what is converted for a viewer. */
const CONVERTED_HEIGHT = 720;
/** Files follow one another with as much between them. */
const JOINED_MS = 2_000;
const SURE_MS = 10 * 60_000;
const UNSURE_MS = 60_000;
/** What was listed is played soon. */
const LISTED_MS = 60_000;
const MAX_LISTED = 64;
const OFFERED_WITHIN_MS = 500;
const MAX_OFFERED = 1_000;
/** After a refused login: each try counts towards the device's lock-out. */
const REFUSED_MS = 10 * 60_000;

const NONE = failure('not-found', 'It has no recordings that can be searched.');
const refused = (code: ProblemCode, detail: string) => ({ ok: false, code, detail }) as const;

/** What the devices of this box have recorded themselves: searched, played, taken as a file. */
export class Playback {
  readonly #devices: Pick<DeviceManager, 'operate' | 'channels'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #convert: Convert;
  readonly #onvif = new OnvifRecordings();
  readonly #labels = new Map<string, Labels & { untilMs: number }>();
  readonly #video: Pick<Video, 'converted' | 'keepAliveOf'>;
  readonly #refusedUntil = new Map<string, number>();
  readonly #playing = new Map<Playing, string>();
  readonly #downloads: Downloads;
  readonly #pace: (() => Pace) | undefined;
  readonly #memories = new Map<string, { rtp: RtpMemory; quick: QuickMemory }>();
  readonly #offered = new Map<string, { value: boolean; untilMs: number }>();
  #listed: Listed[] = [];

  constructor(o: {
    devices: Pick<DeviceManager, 'operate' | 'channels'>;
    video: Pick<Video, 'converted' | 'keepAliveOf'>;
    clock: Clock;
    log: Logger;
    /** Of what this box sends and nobody waits for at once. */
    pace?: () => Pace;
  }) {
    this.#devices = o.devices;
    this.#video = o.video;
    this.#convert = (base) => o.video.converted(base, CONVERTED_HEIGHT);
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'playback' });
    this.#downloads = new Downloads({ devices: o.devices, clock: o.clock, log: this.#log });
    this.#pace = o.pace;
  }

  stop(): void {
    for (const playing of [...this.#playing.keys()]) playing.stop();
  }

  /** Whether a device can be searched for recordings and has a disk that they are on; no, while it is away. */
  async offered(deviceId: string): Promise<boolean> {
    const known = this.#offered.get(deviceId);
    if (known && known.untilMs > this.#clock.mono()) return known.value;
    // Live view waits for the answer.
    const signal = AbortSignal.timeout(OFFERED_WITHIN_MS);
    const told = await this.#devices.operate(deviceId, async (driver) => {
      if (driver instanceof OnvifDriver) return this.#onvif.offered(driver.device(), signal);
      const disks = driver instanceof IsapiDriver && driver.device() ? await readDisks(driver.device()!, signal) : NONE;
      return disks.ok ? { ok: true, value: disks.value.length > 0 } : disks;
    });
    const value = told.ok && told.value;
    if (this.#offered.size >= MAX_OFFERED) this.#offered.clear();
    this.#offered.set(deviceId, { value, untilMs: this.#clock.mono() + (told.ok ? SURE_MS : UNSURE_MS) });
    return value;
  }

  async search(query: RecordingQuery, signal?: AbortSignal): Promise<Done<RecordingList>> {
    const range = rangeOf(query);
    if (!range) return refused('invalid-request', 'A search is for at most 31 days, its beginning before its end.');
    const found = await this.#find(range, signal);
    if (!found.ok) return found;
    const items = found.value.items.map(({ fromMs, toMs, kind, sizeBytes }) => ({
      from: iso(Math.max(fromMs, range.fromMs)),
      to: iso(Math.min(toMs, range.toMs)),
      kind,
      sizeBytes,
    }));
    return { ok: true, value: { items, complete: found.value.complete } };
  }

  /** Days of a month with recordings, by the device's own calendar. */
  days(
    at: { deviceId: string; channel: number; year: number; month: number },
    signal?: AbortSignal,
  ): Promise<Done<number[]>> {
    const { deviceId, channel, year, month } = at;
    return this.#devices.operate(deviceId, async (driver) => {
      if (driver instanceof OnvifDriver)
        return this.#onvif.days(driver.device(), { channel, year, month, nowMs: this.#clock.now(), signal });
      return driver instanceof IsapiDriver && driver.device()
        ? searchDays(driver.device()!.client, { track: trackOf(channel, 'main'), year, month, signal })
        : NONE;
    });
  }

  /** Media messages of what was recorded in that time. */
  async stream(query: PlaybackQuery, signal?: AbortSignal): Promise<Done<ReadableStream<Uint8Array>>> {
    let out: MessageSink | null = null;
    const note = (code: string, text: string, toMs?: number) => out?.note({ code, text, toMs });
    return this.#play(query, query.speed, signal, {
      gapsLast: false,
      accept: query.accept,
      sink: (push) => {
        out = new MessageSink(push);
        return out;
      },
      onGap: (toMs) => note('gap', 'Nothing was recorded for a while.', toMs),
      onSpeed: (speed) => note('speed', `The device plays at ${speed}×.`),
      onEnd: (end) => note(end?.code ?? 'ended', end?.text ?? 'That was all.'),
    });
  }

  /** One MP4 of what was recorded in that time; a second of it is a second of then, whatever was not recorded. */
  async file(query: PlaybackQuery, signal?: AbortSignal): Promise<Done<ReadableStream<Uint8Array>>> {
    if (Date.parse(query.to) - Date.parse(query.from) > MAX_FILE_MS)
      return refused('invalid-request', 'A file has an hour at most: take it in parts.');
    const taken = await this.#play(query, 1, signal, { gapsLast: true, accept: ['h264', 'h265'], sink: fileSink });
    return taken.ok && this.#pace ? { ok: true, value: paced(taken.value, this.#pace()) } : taken;
  }

  async #play(
    query: PlaybackQuery,
    speed: number,
    signal: AbortSignal | undefined,
    o: Pick<ConstructorParameters<typeof Playing>[0], 'gapsLast' | 'accept' | 'sink' | 'onGap' | 'onSpeed' | 'onEnd'>,
  ): Promise<Done<ReadableStream<Uint8Array>>> {
    const range = rangeOf(query);
    if (!range) return refused('invalid-request', 'Playback is for at most 31 days, its beginning before its end.');
    const { deviceId, channel } = query;
    const busy = () => {
      const ofDevice = [...this.#playing.values()].filter((id) => id === deviceId).length;
      return this.#playing.size >= MAX_SESSIONS || ofDevice >= MAX_SESSIONS_OF_DEVICE
        ? refused('limit-reached', 'So many recordings are being played already: close another window.')
        : null;
    };
    const full = busy();
    if (full) return full;
    const config = this.#devices.channels().find((c) => c.deviceId === deviceId && c.channel === channel);
    if (!config) return refused('not-found', 'This box knows no such channel, or not yet.');
    const login = this.#refusedUntil.get(deviceId) ?? 0;
    if (config.guard.refused || login > this.#clock.mono())
      return refused('device-refused-login', 'The device refused the login for its pictures: enter it again.');
    const found = await this.#find(range, signal);
    if (!found.ok) return found;
    const spans = spansOf(found.value.items, range);
    if (spans.length === 0) return refused('not-found', 'Nothing was recorded in this time.');
    const labels = this.#labels.get(deviceId);
    const memory = this.#memoryOf(deviceId);
    const target: PlaybackTarget = {
      track: trackUrl(config.rtspUrl, found.value.items[0]?.uri ?? '', trackOf(channel, query.stream)),
      username: config.username,
      password: config.password,
      tls: config.tls,
      keepAlive: this.#video.keepAliveOf(deviceId),
      offset: labels?.offset ?? (() => 0),
      memory: memory.rtp,
      quick: memory.quick,
    };
    const replayed = found.value.items[0]?.recording !== undefined;
    const download = o.gapsLast && !replayed ? await this.#downloads.begin(deviceId, found.value.items) : null;
    const again = busy();
    if (again || signal?.aborted) {
      download?.release();
      return again ?? refused('conflict', 'Nobody waits for it any more.');
    }
    const released = () => {
      download?.release();
      this.#playing.delete(playing);
      signal?.removeEventListener('abort', stop);
    };
    const { clock, log } = { clock: this.#clock, log: this.#log.child({ deviceId, channel }) };
    const playing: Playing = new Playing({
      ...o,
      target,
      spans,
      speed,
      clock,
      log,
      released,
      convert: this.#convert,
      faster: replayed ? this.#replays(deviceId, o) : download?.pull,
    });
    const stop = () => playing.stop();
    this.#playing.set(playing, deviceId);
    signal?.addEventListener('abort', stop, { once: true });
    const begun = await playing.begin();
    if (begun.ok) return { ok: true, value: begun.stream };
    if (begun.end.code === 'refused') this.#refusedUntil.set(deviceId, this.#clock.mono() + REFUSED_MS);
    return problemOf(begun.end, config.name);
  }

  /** Spans of an ONVIF device are played recording by recording. */
  #replays(
    deviceId: string,
    { gapsLast, onGap }: Pick<PlayingOptions, 'gapsLast' | 'onGap'>,
  ): PlayingOptions['faster'] {
    const replay = async (recording: string, signal?: AbortSignal) => {
      let told: Result<Replay> = NONE;
      await this.#devices.operate(deviceId, async (driver) => {
        if (driver instanceof OnvifDriver)
          told = await this.#onvif.replay(driver.device(), recording, this.#clock.now(), signal);
        return told;
      });
      return told;
    };
    return (ways) => new ReplayPull({ ways, replay, file: gapsLast, onGap: onGap ?? (() => {}) });
  }

  async #find(range: Range, signal?: AbortSignal): Promise<Done<{ items: Found[]; complete: boolean }>> {
    const { deviceId, fromMs, toMs } = range;
    this.#forget();
    const track = trackOf(range.channel, range.stream);
    const now = this.#clock.mono();
    this.#listed = this.#listed.filter((l) => now - l.atMs < LISTED_MS);
    const known = this.#listed.find(
      (l) => l.deviceId === deviceId && l.track === track && l.fromMs <= fromMs && l.toMs >= toMs,
    );
    // What is recorded now is not in a list of a minute ago.
    if (known && toMs < this.#clock.now() - LISTED_MS) {
      const items = known.items.filter((item) => item.fromMs < toMs && item.toMs > fromMs);
      return { ok: true, value: { items, complete: true } };
    }
    const found = await this.#devices.operate(deviceId, async (driver) => {
      if (driver instanceof OnvifDriver)
        return this.#onvif.find(driver.device(), { ...range, nowMs: this.#clock.now(), signal });
      const device = driver instanceof IsapiDriver ? driver.device() : null;
      if (!device) return NONE;
      const { client } = device;
      let labels = this.#labels.get(deviceId) ?? null;
      if (!labels || labels.untilMs < this.#clock.mono()) {
        const read = await findLabels(client, { track, nowMs: () => this.#clock.now(), signal });
        if (!read.ok) return read;
        // What was seen once holds until the contrary is seen.
        const value = read.value.sure || !labels?.sure ? read.value : labels;
        labels = { ...value, untilMs: this.#clock.mono() + (value.sure ? SURE_MS : UNSURE_MS) };
        this.#labels.set(deviceId, labels);
      }
      return searchTrack(client, { track, fromMs, toMs, offset: labels.offset, signal });
    });
    if (found.ok && found.value.complete) {
      this.#listed.push({ deviceId, track, fromMs, toMs, atMs: now, items: found.value.items });
      if (this.#listed.length > MAX_LISTED) this.#listed.shift();
    }
    return found;
  }

  #memoryOf(deviceId: string) {
    const none = { rtp: { media: null }, quick: { takes: null, untilMs: 0 } };
    const memory = this.#memories.get(deviceId) ?? none;
    this.#memories.set(deviceId, memory);
    return memory;
  }

  /** Labels of devices that are gone, refusals of which the time is over. */
  #forget(): void {
    const there = new Set(this.#devices.channels().map((c) => c.deviceId));
    for (const deviceId of this.#labels.keys()) if (!there.has(deviceId)) this.#labels.delete(deviceId);
    for (const deviceId of this.#memories.keys()) if (!there.has(deviceId)) this.#memories.delete(deviceId);
    for (const [deviceId, untilMs] of this.#refusedUntil)
      if (untilMs <= this.#clock.mono()) this.#refusedUntil.delete(deviceId);
  }
}

const trackOf = (channel: number, stream: StreamName): number => channel * 100 + (stream === 'main' ? 1 : 2);

function rangeOf(query: RecordingQuery | PlaybackQuery): Range | null {
  const { deviceId, channel, stream } = query;
  const [fromMs, toMs] = [Date.parse(query.from), Date.parse(query.to)];
  return fromMs < toMs && toMs - fromMs <= MAX_RANGE_MS ? { deviceId, channel, stream, fromMs, toMs } : null;
}

/** Files that follow one another are one span, and what is asked for is cut out of it. */
export function spansOf(items: readonly Span[], { fromMs, toMs }: Span): Span[] {
  const spans: Span[] = [];
  for (const item of items) {
    const span: Span = { fromMs: Math.max(item.fromMs, fromMs), toMs: Math.min(item.toMs, toMs) };
    if (item.uri) span.uri = item.uri;
    if (span.fromMs >= span.toMs) continue;
    const last = spans.at(-1);
    if (item.recording !== undefined) span.recording = item.recording;
    if (last && span.fromMs - last.toMs <= JOINED_MS && last.recording === span.recording) {
      last.toMs = Math.max(last.toMs, span.toMs);
      delete last.uri;
    } else spans.push(span);
  }
  return spans;
}

/** The path that the device told, at the address where this box reaches its video. */
export function trackUrl(rtspUrl: string, told: string, track: number): string {
  const at = /^rtsp:\/\/[^/]+/i.exec(rtspUrl)?.[0] ?? '';
  const path = /^rtsp:\/\/[^/]+(\/[^?\s]{1,200})\?/i.exec(told)?.[1] ?? `/Streaming/tracks/${track}/`;
  return at + path;
}

function problemOf(end: PullError, name: string): { ok: false; code: ProblemCode; detail: string } {
  const text = `${name}: ${end.message}.`;
  if (end.code === 'refused') return refused('device-refused-login', text);
  if (end.code === 'not-found' || end.code === 'ended') return refused('not-found', text);
  if (end.code === 'unreachable' || end.code === 'timeout') return refused('device-unreachable', text);
  if (end.code === 'busy') return refused('device-error', `${text} It plays as many recordings as it can.`);
  return refused('device-error', text);
}

/** A plain MP4. What a codec that changes in the middle would need, it cannot have. */
function fileSink(push: (bytes: Uint8Array) => void, fail: (code: string, text: string) => void): MediaSink {
  let begun = false;
  return {
    expect: () => {},
    init: (codec, audio) => {
      if (begun) {
        fail('codec-changed', 'the stream changed in the middle: take the time after it by itself');
        return;
      }
      begun = true;
      push(initSegment(codec, audio ?? undefined));
    },
    fragment: (_, bytes) => push(bytes),
    sound: () => {},
  };
}
