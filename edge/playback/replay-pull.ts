import type { Result } from '../isapi/answer.ts';
import { PullError } from '../video/pull.ts';
import { type AccessUnit, RtpReceiver } from '../video/receiver.ts';
import { header, type RtspMessage } from '../video/rtsp-message.ts';
import { RtspSession } from '../video/rtsp-session.ts';
import type { SoundTrack } from '../video/sdp.ts';
import { SoundReceiver } from '../video/sound-receiver.ts';
import type { Replay } from './onvif-recordings.ts';
import type { RecordedPlace } from './recorded-clock.ts';
import { ReplayClock } from './replay-clock.ts';
import { type ReplayStamp, ReplayStamps, readReplayStamp } from './replay-extension.ts';
import type { Pull, SpanWays } from './span-download.ts';
import { type RecordedPicture, sameClock, scalesFrom } from './span-pull.ts';

export interface ReplayPullOptions {
  ways: SpanWays;
  /** Asked when it is to be played: addresses do not last. */
  replay: (recording: string, signal?: AbortSignal) => Promise<Result<Replay>>;
  /** Of a file: as fast as it comes, and what was not recorded takes as long as it was. */
  file: boolean;
  /** Within the span nothing was recorded until then. */
  onGap: (toMs: number) => void;
}

/** Disks start up first. */
const SILENT_MS = 8_000;
/** After the last picture, as sure as it is that it was: the device said so, it is near the end, a gap may follow. */
const TERMINAL_SILENT_MS = 300;
const LAST_SILENT_MS = 1_500;
const GAP_SILENT_MS = 3_000;
const LAST_MS = 1_500;
const LAST_GROUP_MS = 5_000;
/** From this speed on key frames are enough. */
const KEYS_FROM = 4;
/** The key frame before what was asked for is no further away. */
const NEAR_MS = 60_000;
/** So long it takes to see how fast it really plays. */
const MEASURE_MS = 2_000;
/** Slower than this it plays as ever. */
const SLOW_RATE = 1.5;

/**
 * Plays one span of one recording of an ONVIF device (ONVIF Streaming §6): an RTSP session with `Require: onvif-replay`, Range in
 * UTC and Scale, each picture with its own time. For a file it comes as fast as the line allows (`Rate-Control: no`).
 */
export class ReplayPull implements Pull {
  readonly #o: ReplayPullOptions;
  readonly #clock: ReplayClock;
  readonly #abort = new AbortController();
  readonly #stamps = new ReplayStamps();
  #session: RtspSession | null = null;
  #receiver: RtpReceiver | null = null;
  #heard: SoundTrack | null = null;
  #sound: SoundReceiver | null = null;
  /** When the last sound was, by its own stamp. */
  #soundMs = 0;
  #last: (RecordedPicture & { ticks: number }) | null = null;
  #cancelEnd: () => void = () => {};
  #over = false;
  /** The device said that nothing follows, or nothing for a while. */
  #said: 'end' | 'terminal' | null = null;
  #failed: PullError | null = null;
  #held = false;
  #crowded = false;
  #shift = 0;
  /** When the first picture came; null: none yet, or the reader was waited for. */
  #measuredFrom: number | null = null;
  #measured = false;

  constructor(o: ReplayPullOptions) {
    this.#o = o;
    const { span, speed, shown } = o.ways;
    this.#clock = new ReplayClock({ fromMs: span.fromMs, speed, shown, gapsLast: o.file });
  }

  /** null: it was played to its end. */
  async run(signal: AbortSignal): Promise<PullError | null> {
    const { replay, ways } = this.#o;
    const found = await replay(ways.span.recording ?? '', signal);
    if (signal.aborted) return new PullError('stopped', 'the box ended it');
    if (!found.ok) return pullError(found.code, found.text);
    this.#clock.aheadMs = found.value.aheadMs;
    const onAbort = () => this.#abort.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#session = this.#open(found.value.url);
    const end = await this.#session.run(this.#abort.signal);
    signal.removeEventListener('abort', onAbort);
    this.#cancelEnd();
    if (signal.aborted) return new PullError('stopped', end.message);
    if (this.#failed) return this.#failed;
    if (this.#over || end.code === 'ended') return null;
    const silent = end.code === 'stalled' || end.code === 'closed';
    return silent && (this.#said !== null || this.#nearEnd()) ? null : end;
  }

  /** Where the next span goes on, on the time line of what is shown. */
  get shownTo(): number | null {
    return this.#last ? this.#last.shown + 3_600 : null;
  }

  hold(): void {
    this.#held = true;
    this.#pause();
  }
  release(): void {
    this.#held = false;
    this.#resume();
  }

  #pause(): void {
    this.#cancelEnd();
    // How fast it comes is now the reader's doing.
    this.#measured = true;
    this.#session?.hold();
  }
  #resume(): void {
    if (this.#held || this.#crowded) return;
    this.#session?.release();
    this.#awaitEnd();
  }

  /** What comes faster than it was waits for what works on it. */
  async #room(): Promise<void> {
    if (this.#crowded) return;
    this.#crowded = true;
    this.#pause();
    await this.#o.ways.room();
    this.#crowded = false;
    this.#resume();
  }

  #open(url: string): RtspSession {
    const { target, speed, clock } = this.#o.ways;
    return new RtspSession({
      url,
      clock,
      stallMs: SILENT_MS,
      keepAlive: target.keepAlive,
      username: target.username,
      password: target.password,
      tls: target.tls,
      play: {
        require: 'onvif-replay',
        headers: this.#ways(),
        started: (reply) => {
          const played = speed === 1 ? 1 : (scaleOf(reply) ?? 1);
          this.#clock.started(this.#startOf(reply), played);
          if (speed !== played) this.#o.ways.onSpeed(played);
        },
      },
      handlers: {
        track: (track, sound) => {
          const emit = (unit: AccessUnit, timestamp: number) => this.#picture(unit, this.#stamps.of(timestamp));
          this.#receiver = new RtpReceiver({ track, clock, epoch: 0, emit });
          // Fast or slow sound is no sound.
          const heard = speed === 1 ? sound : null;
          this.#o.ways.onTrack(heard?.codec.kind ?? null);
          this.#heard = heard;
        },
        packet: (rtp) => {
          if (this.#over) return;
          this.#stamps.take(rtp);
          this.#receiver?.push(rtp);
        },
        sound: (rtp) => {
          if (!this.#over) this.#listen(rtp);
        },
      },
    });
  }

  /** Headers of PLAY, from what the standard has to what everybody understands. */
  #ways(): Record<string, string>[] {
    const { file, ways } = this.#o;
    const { span, speed } = ways;
    const label = (ms: number) => new Date(ms + this.#clock.aheadMs).toISOString().replace(/[-:]/g, '');
    const Range = `clock=${label(span.fromMs)}-${label(span.toMs)}`;
    if (file) return [{ Range, 'Rate-Control': 'no' }, { Range }];
    if (speed === 1) return [{ Range }];
    const scaled = scalesFrom(speed).flatMap((scale): Record<string, string>[] => {
      const Scale = scale.toFixed(3);
      return scale >= KEYS_FROM
        ? [
            { Range, Scale, Frames: 'intra' },
            { Range, Scale },
          ]
        : [{ Range, Scale }];
    });
    return [...scaled, { Range }];
  }

  /** Sound is placed by its own stamps, for it may come much faster than it was; without such by when it comes. */
  #listen(rtp: Buffer): void {
    const stamp = readReplayStamp(rtp);
    if (stamp) this.#soundMs = stamp.ms - this.#clock.aheadMs;
    if (!this.#sound && this.#heard && this.#last)
      this.#sound = this.#listener(this.#heard, stamp !== null && (this.#clock.precise || stamp.ms % 1000 !== 0));
    this.#sound?.push(rtp);
  }

  #listener(track: SoundTrack, stamped: boolean): SoundReceiver {
    const { clock, onSound } = this.#o.ways;
    const shownAt = ({ time, compositionOffset }: AccessUnit) => time + (stamped ? compositionOffset : 0);
    return new SoundReceiver({
      track,
      clock: stamped ? { ...sameClock(clock), mono: () => this.#soundMs } : clock,
      anchor: () => {
        const last = this.#last;
        if (!last || !stamped) return last?.unit ?? null;
        return { ...last.unit, time: shownAt(last.unit), monoMs: last.recordedMs };
      },
      emit: (frame) => {
        const beside = this.#last;
        if (!beside || frame.epoch !== beside.unit.epoch) return;
        const ahead = (frame.time * 1000) / frame.codec.clockRate - shownAt(beside.unit) / 90;
        onSound(frame, beside.recordedMs + ahead);
      },
    });
  }

  #picture(unit: AccessUnit, stamp: ReplayStamp | null): void {
    if (this.#over) return;
    const last = this.#last;
    if (last && unit.epoch !== last.unit.epoch) this.#shift = last.ticks + 3_600 - unit.time;
    const ticks = unit.time + this.#shift;
    const { compositionOffset, monoMs } = unit;
    const place = this.#clock.place({ ticks, compositionOffset, monoMs }, stamp);
    const wrong = this.#wrong(place);
    if (wrong !== null) this.#failed = new PullError('protocol', wrong);
    if (wrong !== null || place.recordedMs >= this.#o.ways.span.toMs) {
      this.#end();
      return;
    }
    if (place.gapToMs !== null) this.#o.onGap(place.gapToMs);
    this.#measure();
    this.#said = stamp?.terminal ? 'terminal' : stamp?.end ? 'end' : null;
    this.#last = { recordedMs: place.recordedMs, shown: place.shown, unit, ticks };
    this.#awaitEnd();
    this.#o.ways.onPicture({ recordedMs: place.recordedMs, shown: place.shown, unit });
    if (this.#o.file) void this.#room();
  }

  /** A device may take Scale without a word, or say that it did and play as ever. */
  #measure(): void {
    const { speed, clock } = this.#o.ways;
    if (speed === 1 || this.#measured) return;
    const now = clock.mono();
    this.#measuredFrom ??= now;
    const { playedMs } = this.#clock;
    if (playedMs === null || now - this.#measuredFrom < MEASURE_MS) return;
    this.#measured = true;
    const rate = playedMs / (now - this.#measuredFrom);
    const believed = this.#clock.speed;
    // One that says so and is merely slow is believed.
    const least = believed === 1 ? Math.sqrt(speed) : Math.min(Math.sqrt(speed), SLOW_RATE);
    const real = (speed > 1 ? rate > least : rate < Math.sqrt(speed)) ? speed : 1;
    if (real === believed) return;
    this.#clock.started(null, real);
    this.#o.ways.onSpeed(real);
  }

  #nearEnd(): boolean {
    const last = this.#last;
    if (!last) return false;
    return last.recordedMs > this.#o.ways.span.toMs - (this.#clock.speed > 1 ? LAST_GROUP_MS : LAST_MS);
  }

  #awaitEnd(): void {
    this.#cancelEnd();
    if (this.#over || (this.#said === null && !this.#nearEnd())) return;
    const ms = this.#said === 'terminal' ? TERMINAL_SILENT_MS : this.#nearEnd() ? LAST_SILENT_MS : GAP_SILENT_MS;
    this.#cancelEnd = this.#o.ways.clock.after(ms, () => this.#end());
  }

  #end(): void {
    this.#over = true;
    this.#abort.abort();
  }

  #wrong({ recordedMs, shown }: RecordedPlace): string | null {
    const { span, shown: begun } = this.#o.ways;
    if (recordedMs < span.fromMs - NEAR_MS) return 'it plays another time than it was asked for';
    // Back and forth for ever is no way to play what has an end.
    const most = ((span.toMs - span.fromMs + 2 * NEAR_MS) * 90) / Math.min(1, this.#clock.speed);
    return shown - begun > most ? 'what it plays does not come to an end' : null;
  }

  /** From where it plays, where it stamps nothing. */
  #startOf(reply: RtspMessage): number | null {
    const label = /clock\s*=\s*(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\.\d{1,9})?Z/i.exec(header(reply, 'range') ?? '');
    if (!label) return null;
    const [y, mo, d, h, mi, s] = label.slice(1, 7).map(Number) as [number, number, number, number, number, number];
    const told = Date.UTC(y, mo - 1, d, h, mi, s) + Number(label[7] ?? 0) * 1000 - this.#clock.aheadMs;
    return Math.abs(told - this.#o.ways.span.fromMs) <= NEAR_MS ? told : null;
  }
}

/** Null: it says nothing of speed, and plays as it was. */
function scaleOf(reply: RtspMessage): number | null {
  const scale = Number(header(reply, 'scale') ?? Number.NaN);
  return scale > 0 && scale <= 64 ? scale : null;
}

function pullError(code: string, text: string): PullError {
  const words = text.replace(/\.$/, '');
  if (code === 'device-refused-login' || code === 'device-locked') return new PullError('forbidden', words);
  if (code === 'not-found') return new PullError('not-found', words);
  return new PullError(code === 'device-unreachable' ? 'unreachable' : 'protocol', words);
}
