import type { Clock } from '../../protocol/clock.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import type { AudioCodec, AudioFrame } from '../video/audio.ts';
import { type KeepAliveMemory, PullError } from '../video/pull.ts';
import { type AccessUnit, RtpReceiver } from '../video/receiver.ts';
import { header, type RtspMessage } from '../video/rtsp-message.ts';
import { RtspSession } from '../video/rtsp-session.ts';
import { SoundReceiver } from '../video/sound-receiver.ts';
import { type LabelOffset, readLabel, writeLabel } from './labels.ts';
import type { QuickMemory } from './quick-pull.ts';
import { RecordedClock, type RecordedPlace, type RtpMemory } from './recorded-clock.ts';

export interface Span {
  fromMs: number;
  toMs: number;
  /** Of a span that is one file: where the device says that it is played; some find it by its name and size only. */
  uri?: string;
  /** The recording of an ONVIF device that it is of. */
  recording?: string;
}
export interface RecordedPicture extends RecordedPlace {
  unit: AccessUnit;
}
export interface PlaybackTarget {
  /** Address of the track, without query and credentials. */
  track: string;
  username: string;
  password: string;
  /** For `rtsps:`. */
  tls?: DeviceTls;
  keepAlive: KeepAliveMemory;
  memory?: RtpMemory;
  /** Files are taken sooner than they were, where the device does that. */
  quick?: QuickMemory;
  offset: LabelOffset;
}

/** What comes without a picture for so long is over: not every device says so. */
const SILENT_MS = 6_000;
/** After what may be the last picture so long, after what must be it less. */
const LAST_SILENT_MS = 3_000;
const VERY_LAST_SILENT_MS = 1_000;
const VERY_LAST_MS = 200;
/** A start that is further from what was asked for is another time line. */
const NEAR_MS = 60_000;
/** So long before the end of a span a last picture may be: times of files are whole seconds. */
const LAST_MS = 1_500;
/** Of fast playback, which is in key frames. */
const LAST_GROUP_MS = 5_000;
/** Of Speed; a device gives less where it has no more. */
const QUICK_SPEED = 16;

/**
 * Plays one span that was recorded without a gap, from the key frame before its beginning to its end, in one RTSP session:
 * `rtsp://…/Streaming/tracks/101/?starttime=…&endtime=…`, with Range and Scale for devices that go by those.
 */
export class SpanPull {
  readonly #session: RtspSession;
  readonly #clock: RecordedClock;
  readonly #abort = new AbortController();
  readonly #span: Span;
  readonly #time: Clock;
  #cancelEnd: () => void = () => {};
  #receiver: RtpReceiver | null = null;
  #sound: SoundReceiver | null = null;
  #last: (RecordedPicture & { ticks: number }) | null = null;
  #done = false;
  /** It comes sooner than it was: sound is placed by its own timestamps, which begin with the pictures. */
  #quick = false;
  #heardRate = 0;
  #soundMs = 0;
  #soundRtp: number | null = null;
  /** From the times of the receiver's epoch to one row of times. */
  #shift = 0;

  constructor(o: {
    target: PlaybackTarget;
    span: Span;
    speed: number;
    shown: number;
    clock: Clock;
    /** What comes beside the pictures; before the first of them. */
    onTrack: (sound: AudioCodec['kind'] | null) => void;
    onPicture: (picture: RecordedPicture) => void;
    onSound: (frame: AudioFrame, recordedMs: number) => void;
    /** The device plays at another speed. */
    onSpeed: (speed: number) => void;
    /** Asks for all of it sooner (Speed), and is told what the device answers to that; null: nothing. */
    quick?: (told: number | null) => void;
  }) {
    const { target, span, speed, clock } = o;
    const { offset } = target;
    this.#span = span;
    this.#time = clock;
    // Labels are whole seconds, and that is where it begins.
    const fromMs = Math.floor(span.fromMs / 1000) * 1000;
    this.#clock = new RecordedClock({ fromMs, speed, shown: o.shown, memory: target.memory });
    const [from, to] = [short(span.fromMs, offset), short(span.toMs + 999, offset)];
    const range = `clock=${from}-${to}`;
    const headers = scalesFrom(speed).map((scale) => ({ Range: range, Scale: scale.toFixed(3) }));
    let answered = o.quick === undefined;
    this.#session = new RtspSession({
      url: addressOf(target.track, span.uri ?? '', from, to),
      username: target.username,
      password: target.password,
      tls: target.tls,
      keepAlive: target.keepAlive,
      clock,
      stallMs: SILENT_MS,
      play: {
        headers: [...(o.quick ? [{ Range: range, Speed: QUICK_SPEED.toFixed(3) }] : headers), { Range: range }, {}],
        started: (reply) => {
          const sooner = Number(header(reply, 'speed') ?? Number.NaN);
          this.#quick = o.quick !== undefined && sooner > 1 && sooner <= 64;
          answered = true;
          o.quick?.(this.#quick ? sooner : null);
          const played = speedOf(reply);
          this.#clock.started(startOf(reply, offset, span.fromMs), played ?? 1);
          if (speed !== (played ?? 1)) o.onSpeed(played ?? 1);
        },
      },
      handlers: {
        track: (track, sound) => {
          const emit = (unit: AccessUnit) => this.#picture(unit, o.onPicture);
          this.#receiver = new RtpReceiver({ track, clock, epoch: 0, emit });
          // Fast or slow sound is no sound.
          const heard = speed === 1 ? sound : null;
          o.onTrack(heard?.codec.kind ?? null);
          if (!heard) return;
          this.#heardRate = heard.clockRate;
          this.#sound = new SoundReceiver({
            track: heard,
            clock: { ...sameClock(clock), mono: () => (this.#quick ? this.#soundMs : clock.mono()) },
            anchor: () => {
              const last = this.#last;
              return last && this.#quick ? { ...last.unit, monoMs: last.recordedMs } : (last?.unit ?? null);
            },
            emit: (frame) => {
              const beside = this.#last;
              if (!beside || frame.epoch !== beside.unit.epoch) return;
              const ahead = (frame.time * 1000) / frame.codec.clockRate - beside.unit.time / 90;
              o.onSound(frame, beside.recordedMs + ahead);
            },
          });
        },
        packet: (rtp) => this.#done || this.#receiver?.push(rtp),
        sound: (rtp) => {
          // What comes with the answer to PLAY, or before the first picture, has no time that would be right later.
          if (this.#done || !answered) return;
          if (this.#quick && this.#heardRate > 0 && !this.#hear(rtp)) return;
          this.#sound?.push(rtp);
        },
      },
    });
  }

  /** null: it was played to its end. */
  async run(signal: AbortSignal): Promise<PullError | null> {
    const onAbort = () => this.#abort.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const end = await this.#session.run(this.#abort.signal);
    signal.removeEventListener('abort', onAbort);
    this.#cancelEnd();
    if (signal.aborted) return new PullError('stopped', end.message);
    if (this.#done || end.code === 'ended') return null;
    const last = this.#last?.recordedMs ?? Number.NEGATIVE_INFINITY;
    // Silence and a closed connection are ways to say that it is over, but not in the middle of it.
    const over = end.code === 'stalled' || end.code === 'closed';
    return over && this.#isLast(last) ? null : end;
  }

  #hear(rtp: Buffer): boolean {
    const timestamp = rtp.length >= 8 ? rtp.readUInt32BE(4) : null;
    if (timestamp === null || !this.#last) return false;
    if (this.#soundRtp === null) this.#soundMs = this.#last.recordedMs;
    else this.#soundMs += (((timestamp - this.#soundRtp) | 0) * 1000) / this.#heardRate;
    this.#soundRtp = timestamp;
    return true;
  }

  #isLast(recordedMs: number): boolean {
    return recordedMs > this.#span.toMs - (this.#clock.speed > 1 ? LAST_GROUP_MS : LAST_MS);
  }

  /** The faster it plays, the sooner the next one would be there. */
  get #silentMs(): number {
    return Math.max(VERY_LAST_SILENT_MS, LAST_SILENT_MS / Math.max(1, this.#clock.speed / 2));
  }

  #end(): void {
    this.#done = true;
    this.#abort.abort();
  }

  /** Where the next span goes on, on the time line of what is shown. */
  get shownTo(): number | null {
    return this.#last ? this.#last.shown + 3_600 : null;
  }

  /** Nothing is read: the device waits, and the silence says nothing. */
  hold(): void {
    this.#cancelEnd();
    this.#session.hold();
  }
  release(): void {
    this.#session.release();
    this.#awaitEnd();
  }

  #awaitEnd(): void {
    this.#cancelEnd();
    if (this.#last && !this.#done && this.#isLast(this.#last.recordedMs))
      this.#cancelEnd = this.#time.after(
        this.#last.recordedMs > this.#span.toMs - VERY_LAST_MS ? VERY_LAST_SILENT_MS : this.#silentMs,
        () => this.#end(),
      );
  }

  #picture(unit: AccessUnit, onPicture: (picture: RecordedPicture) => void): void {
    // A new epoch has times of its own; the session itself goes on.
    const last = this.#last;
    if (last && unit.epoch !== last.unit.epoch) this.#shift = last.ticks + 3_600 - unit.time;
    const ticks = unit.time + this.#shift;
    const place = this.#clock.place(ticks, unit.monoMs);
    if (place.recordedMs >= this.#span.toMs) {
      this.#end();
      return;
    }
    this.#last = { ...place, unit, ticks };
    this.#awaitEnd();
    onPicture({ ...place, unit });
  }
}

/** Another object that tells the same time. */
export const sameClock = (clock: Clock): Clock => ({
  now: () => clock.now(),
  mono: () => clock.mono(),
  after: (ms, fn) => clock.after(ms, fn),
  every: (ms, fn) => clock.every(ms, fn),
  sleep: (ms, signal) => clock.sleep(ms, signal),
});

/** The track with what the device told of the file, and the times that are wanted of it. */
export function addressOf(track: string, told: string, from: string, to: string): string {
  const kept = (/\?([!-~]{1,500})$/.exec(told)?.[1] ?? '')
    .split('&')
    .filter((part) => /^(?!starttime=|endtime=)\w+=/i.test(part));
  return `${track}?${[`starttime=${from}`, `endtime=${to}`, ...kept].join('&')}`;
}

const short = (ms: number, offset: LabelOffset) => writeLabel(ms, offset).replace(/[-:]/g, '');

function startOf(reply: RtspMessage, offset: LabelOffset, askedMs: number): number | null {
  const label = /clock\s*=\s*([\dTZ.]+)\s*-/i.exec(header(reply, 'range') ?? '')?.[1];
  const ms = label ? readLabel(label, offset) : null;
  return ms !== null && Math.abs(ms - askedMs) <= NEAR_MS ? ms : null;
}

/** What is asked for, then what comes nearest of what devices do: one that says 16 may refuse it. */
export function scalesFrom(speed: number): number[] {
  const scales: number[] = [];
  for (let scale = speed; scale > 1 || scale < 1; scale = scale > 1 ? scale / 2 : scale * 2) scales.push(scale);
  return scales;
}

/** Null: it says nothing of speed, and plays as it was. */
function speedOf(reply: RtspMessage): number | null {
  const speed = Number(header(reply, 'scale') ?? header(reply, 'scales') ?? Number.NaN);
  return speed > 0 && speed <= 64 ? speed : null;
}
