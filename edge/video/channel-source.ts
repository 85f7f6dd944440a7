import type { Logger } from 'pino';
import { Backoff } from '../../protocol/backoff.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { StreamName } from '../../protocol/wire/video.ts';
import type { ChannelConfig } from '../devices/types.ts';
import type { Warnables } from '../warnables.ts';
import type { AudioCodec, AudioFrame } from './audio.ts';
import type { CodecInfo, VideoKind } from './codec.ts';
import { Description } from './description.ts';
import { FfmpegPull } from './ffmpeg-pull.ts';
import { LipSync, type SoundMoment } from './lip-sync.ts';
import { lookAgain } from './look-again.ts';
import { type KeepAliveMemory, PullError, type PullHandlers } from './pull.ts';
import { type AccessUnit, RtpReceiver } from './receiver.ts';
import { Ring } from './ring.ts';
import { RtspSession } from './rtsp-session.ts';
import type { SoundTrack } from './sdp.ts';
import { SoundReceiver, type SoundReceiverOptions } from './sound-receiver.ts';
import { costWarning, PULL_WARNABLES, pullWarning, soundWarning } from './source-warnings.ts';

/** Someone who wants a channel's pictures, and perhaps its sound. */
export interface Consumer {
  /** How much of the past it wants to find in the ring. */
  preRollMs: number;
  accessUnit(unit: AccessUnit): void;
  audio?(frame: AudioFrame): void;
  /** The stream broke off: what comes next begins with a key frame of another epoch. */
  lost(reason: string): void;
}

export interface ChannelState {
  video: 'none' | 'connecting' | 'streaming' | 'stalled' | 'refused';
  codec: string | null;
  /** Longest of the last distances between key frames. */
  keyFrameIntervalMs: number | null;
}

export interface ChannelSourceOptions {
  config: ChannelConfig;
  stream: StreamName;
  clock: Clock;
  log: Logger;
  warnables: Warnables;
  ringBytes: number;
  ffmpeg: string;
  /** Of the box: how many channels may be made H.264 at once. */
  encoders: { free: number };
  /** Of the device: shared by its channels. */
  keepAlive: KeepAliveMemory;
  onChange: () => void;
}

/** Events reach the recorder a little after they happened: the ring holds that much more. */
const EVENT_DELAY_MS = 3_000;
/** A consumer that comes back soon finds the session still there. */
const LINGER_MS = 5_000;
const LONG_INTERVAL_MS = 10_000;
/** RTP flows, but nothing can be decoded. */
const NO_PICTURE_MS = 90_000;
const STEADY_MS = 30_000;
/** Whether a camera that is pulled through ffmpeg can do without by now. */
const LOOK_AGAIN_MS = 10 * 60_000;
const MAX_PROTOCOL_ERRORS = 3;
/** Of these a person must change something at the camera: asking often does not help. */
const SLOW_RETRY_MS = { 'unsupported-codec': 60_000, 'not-found': 60_000, forbidden: 300_000 } as const;

/** One pull of one stream of a channel, however many consumers it has. It runs while somebody holds it. */
export class ChannelSource {
  readonly ring: Ring;
  #o: ChannelSourceOptions;
  #log: Logger;
  readonly #subject: string;
  readonly #consumers = new Set<Consumer>();
  #state: ChannelState = { video: 'none', codec: null, keyFrameIntervalMs: null };
  #run: { abort: AbortController; done: Promise<void> } | null = null;
  #closed: Promise<void> = Promise.resolve();
  #cancelLinger: (() => void) | null = null;
  #epoch = 0;
  #ffmpeg: 'no' | 'copy' | 'encode' = 'no';
  #useUdp = false;
  #protocolErrors = 0;
  #intervals: number[] = [];
  #lastKey: AccessUnit | null = null;
  #last: AccessUnit | null = null;
  #codec: CodecInfo | null = null;
  #sound: AudioCodec | null = null;
  readonly #description = new Description();

  constructor(options: ChannelSourceOptions) {
    const { deviceId, channel } = options.config;
    const { stream } = options;
    this.#o = options;
    this.#log = options.log.child({ module: 'video', deviceId, channel, stream });
    this.#subject = `channel:${deviceId}/${channel}${stream === 'sub' ? '/sub' : ''}`;
    this.ring = new Ring(options.ringBytes);
  }

  get state(): ChannelState {
    return this.#state;
  }
  /** Of its last picture; null: it was not pulled yet. Stays when the pull ends. */
  get codec(): CodecInfo | null {
    return this.#codec;
  }
  /** Of the sound beside it; null: it has none, or it was not pulled yet. */
  get sound(): AudioCodec | null {
    return this.#sound;
  }
  /** What its pictures are coded in, as soon as the camera that is being asked has said so; null: it says nothing now. */
  described(): Promise<VideoKind | null> {
    return this.#description.kind();
  }
  get #url(): string {
    const { config, stream } = this.#o;
    return stream === 'main' ? config.rtspUrl : (config.sub ?? '');
  }
  get #name(): string {
    const { config, stream } = this.#o;
    return stream === 'main' ? config.name : `${config.name} (sub-stream)`;
  }

  /** Starts the pull when this is the first consumer. The returned function releases it. */
  acquire(consumer: Consumer): () => void {
    this.#consumers.add(consumer);
    this.#hold();
    this.#cancelLinger?.();
    this.#cancelLinger = null;
    this.#start();
    return () => {
      if (!this.#consumers.delete(consumer)) return;
      this.#hold();
      if (this.#consumers.size > 0) return;
      this.#cancelLinger = this.#o.clock.after(LINGER_MS, () => void this.stop());
    };
  }

  /** Follows a new address or new credentials; nothing happens when they are the same. */
  configure(config: ChannelConfig): void {
    const former = this.#o.config;
    const formerUrl = this.#url;
    const same = (['username', 'password', 'guard', 'tls'] as const).every((k) => former[k] === config[k]);
    this.#o = { ...this.#o, config };
    if ((same && formerUrl === this.#url) || !this.#run) return;
    this.#ffmpeg = 'no';
    this.#protocolErrors = 0;
    this.#end();
    if (this.#consumers.size > 0) this.#start();
  }

  /** Ends the session. Resolves when it is closed. */
  async stop(): Promise<void> {
    this.#cancelLinger?.();
    this.#cancelLinger = null;
    this.#end();
    await this.#closed;
    if (this.#run) return;
    this.ring.clear();
    this.#set({ video: 'none', codec: null, keyFrameIntervalMs: null });
    for (const code of [...PULL_WARNABLES, 'long-key-frame-interval', 'unsupported-sound'] as const)
      this.#o.warnables.clear(code, this.#subject);
  }

  #hold(): void {
    this.ring.holdMs = Math.max(0, ...[...this.#consumers].map((c) => c.preRollMs)) + EVENT_DELAY_MS;
  }

  #start(): void {
    if (this.#run) return;
    this.#description.ask();
    const abort = new AbortController();
    // The camera must have let go of the old session before a new one asks.
    const done = this.#closed.then(() => this.#loop(abort.signal));
    this.#run = { abort, done };
  }

  #end(): void {
    if (!this.#run) return;
    this.#run.abort.abort();
    this.#closed = this.#run.done;
    this.#run = null;
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { clock } = this.#o;
    const backoff = new Backoff(2_000, 30_000);
    let staleUntilMs = 0;
    while (!signal.aborted) {
      if (this.#o.config.guard.refused) {
        this.#set({ ...this.#state, video: 'refused' });
        this.#description.said(null);
        await this.#guardChange(signal);
        continue;
      }
      if (this.#state.video !== 'stalled') this.#set({ ...this.#state, video: 'connecting' });
      const startedMs = clock.mono();
      this.#description.ask();
      const end = await this.#pull(signal);
      this.#description.said(null);
      if (this.#lastKey) {
        this.#lastKey = null;
        for (const consumer of [...this.#consumers]) consumer.lost(end.message);
      }
      if (signal.aborted) return;
      if (clock.mono() - startedMs > STEADY_MS) backoff.reset();
      // Without TEARDOWN a camera keeps the old session until it expires; a camera that is full is asked after that.
      if (end.code === 'closed' || end.code === 'stalled') staleUntilMs = clock.mono() + end.sessionTimeoutMs;
      const changed = this.#report(end);
      let waitMs = backoff.next();
      if (end.code === 'busy') waitMs = Math.max(waitMs, Math.min(staleUntilMs - clock.mono(), 60_000));
      else if (!changed) waitMs = SLOW_RETRY_MS[end.code as keyof typeof SLOW_RETRY_MS] ?? waitMs;
      if (end.code !== 'refused') await clock.sleep(waitMs, signal);
    }
  }

  /** One session from connecting to its end. */
  async #pull(signal: AbortSignal): Promise<PullError> {
    const { clock, config, keepAlive, ffmpeg, encoders } = this.#o;
    this.#last = null;
    const encode = this.#ffmpeg === 'encode';
    if (encode && encoders.free < 1) {
      return new PullError('unsupported-codec', 'the box converts as many cameras as it can already');
    }
    const session = new AbortController();
    const onAbort = () => session.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    let receiver: RtpReceiver | null = null;
    let sound: SoundReceiver | null = null;
    const sync = new LipSync();
    let lastUnitMs = clock.mono();
    const handlers: PullHandlers = {
      described: (track, soundTrack) => {
        this.#sound = soundTrack?.codec ?? null;
        this.#description.said(track.kind);
      },
      track: (track, soundTrack, unheard = null) => {
        this.#judgeSound(unheard);
        lastUnitMs = clock.mono();
        this.#sound = soundTrack?.codec ?? null;
        this.#description.said(track.kind);
        const pictures = new RtpReceiver({
          track,
          clock,
          epoch: this.#epoch,
          emit: (unit) => {
            lastUnitMs = clock.mono();
            this.#unit(unit);
          },
        });
        receiver = pictures;
        const place = (at: SoundMoment) => sync.place(at, pictures, track.clockRate);
        sound = soundTrack && this.#soundReceiver(soundTrack, place);
      },
      packet: (rtp) => receiver?.push(rtp),
      sound: (rtp) => sound?.push(rtp),
      report: (of, rtcp) => sync.report(of, rtcp, clock.mono()),
    };
    const watchdog = clock.every(5_000, () => clock.mono() - lastUnitMs > NO_PICTURE_MS && session.abort());
    const { username, password, tls } = config;
    const url = this.#url;
    const pull =
      this.#ffmpeg === 'no'
        ? new RtspSession({ url, username, password, tls, keepAlive, clock, handlers })
        : new FfmpegPull({
            url,
            username,
            password,
            ffmpeg,
            clock,
            handlers,
            udp: this.#useUdp,
            encode,
            memory: keepAlive,
          });
    if (encode) encoders.free--;
    let better: PullError | null = null;
    const look = async () => {
      better ??= await lookAgain({ url, username, password, tls, keepAlive, clock, play: !encode }, session.signal);
      if (better) session.abort();
    };
    const cancelLooks = this.#ffmpeg === 'no' ? () => {} : clock.every(LOOK_AGAIN_MS, () => void look());
    let end = await pull.run(session.signal);
    if (encode) encoders.free++;
    cancelLooks();
    watchdog();
    signal.removeEventListener('abort', onAbort);
    const stats = (receiver as RtpReceiver | null)?.stats;
    this.#epoch = (receiver as RtpReceiver | null)?.nextEpoch ?? this.#epoch;
    if (better && !signal.aborted) end = better;
    else if (end.code === 'stopped' && !signal.aborted)
      end = new PullError('stalled', 'no picture that can be decoded');
    this.#log.info({ code: end.code, reason: end.message, err: end.cause, ...stats }, 'the pull of the channel ended');
    return end;
  }

  #soundReceiver(track: SoundTrack, place: SoundReceiverOptions['place']): SoundReceiver {
    const { clock } = this.#o;
    return new SoundReceiver({
      track,
      clock,
      place,
      anchor: () => this.#last,
      emit: (frame) => {
        this.ring.pushAudio(frame);
        for (const consumer of this.#consumers) consumer.audio?.(frame);
      },
    });
  }

  /** True: the next try takes another way. */
  #report(end: PullError): boolean {
    const { guard } = this.#o.config;
    this.#protocolErrors = end.code === 'protocol' ? this.#protocolErrors + 1 : 0;
    const former = this.#ffmpeg;
    if (former === 'no' && end.code === 'unsupported-transport') [this.#ffmpeg, this.#useUdp] = ['copy', true];
    else if (former === 'no' && this.#protocolErrors >= MAX_PROTOCOL_ERRORS)
      [this.#ffmpeg, this.#useUdp] = ['copy', false];
    else if (former !== 'encode' && end.code === 'unsupported-codec') this.#ffmpeg = 'encode';
    else if (former !== 'no') {
      // A person may have changed the camera, a new firmware may speak better: once more without, and back at once.
      this.#ffmpeg = 'no';
      this.#protocolErrors = MAX_PROTOCOL_ERRORS - 1;
    }
    const changed = former !== this.#ffmpeg && this.#ffmpeg !== 'no';
    if (changed) this.#log.warn({ code: end.code, how: this.#ffmpeg }, 'the camera is pulled through ffmpeg for now');
    const had = this.#state.codec !== null;
    this.#set({ ...this.#state, video: end.code === 'refused' ? 'refused' : had ? 'stalled' : 'connecting' });
    const [code, severity, text] = pullWarning(this.#name, end);
    for (const other of PULL_WARNABLES) if (other !== code) this.#o.warnables.clear(other, this.#subject);
    this.#o.warnables.raise(code, this.#subject, severity, text);
    if (end.code === 'refused') guard.refuse('rtsp', end.message);
    return changed;
  }

  #unit(unit: AccessUnit): void {
    const first = this.#lastKey === null;
    const overflowed = this.ring.overflowed;
    this.ring.push(unit);
    this.#last = unit;
    this.#codec = unit.codec;
    if (unit.keyFrame) this.#measure(unit);
    else if (this.ring.overflowed && !overflowed) this.#judgeInterval();
    if (first || this.#state.codec !== unit.codec.codec) {
      this.#set({ ...this.#state, video: 'streaming', codec: unit.codec.codec });
      for (const code of PULL_WARNABLES) this.#o.warnables.clear(code, this.#subject);
      if (this.#ffmpeg === 'encode')
        this.#o.warnables.raise('unsupported-codec', this.#subject, 'warning', costWarning(this.#name));
    }
    for (const consumer of this.#consumers) consumer.accessUnit(unit);
  }

  #measure(key: AccessUnit): void {
    const former = this.#lastKey;
    this.#lastKey = key;
    if (!former || former.epoch !== key.epoch) return;
    this.#intervals = [...this.#intervals.slice(-3), (key.time - former.time) / 90];
    const intervalMs = Math.round(Math.max(...this.#intervals));
    const known = this.#state.keyFrameIntervalMs ?? 0;
    if (Math.abs(intervalMs - known) > known * 0.1) this.#set({ ...this.#state, keyFrameIntervalMs: intervalMs });
    this.#judgeInterval();
  }

  #judgeSound(unheard: string | null): void {
    const { warnables } = this.#o;
    if (unheard === null) warnables.clear('unsupported-sound', this.#subject);
    else warnables.raise('unsupported-sound', this.#subject, 'warning', soundWarning(this.#name, unheard));
  }

  #judgeInterval(): void {
    const { warnables } = this.#o;
    const intervalMs = Math.max(0, ...this.#intervals);
    const code = 'long-key-frame-interval';
    if (intervalMs <= LONG_INTERVAL_MS && !this.ring.overflowed) {
      warnables.clear(code, this.#subject);
      return;
    }
    const what = this.ring.overflowed ? 'The time before an event cannot be kept.' : 'Clips begin much too early.';
    const far =
      intervalMs > 0 ? `${(intervalMs / 1000).toFixed(1)} s lie between key frames.` : 'Key frames are far apart.';
    const text = `${this.#name}: ${far} ${what} Switch off "H.264+/H.265+" on the camera and set its I-frame interval to 2 s.`;
    warnables.raise(code, this.#subject, 'warning', text);
  }

  #guardChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        off();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const off = this.#o.config.guard.onChange(done);
      signal.addEventListener('abort', done);
    });
  }

  #set(state: ChannelState): void {
    const changed = (Object.keys(state) as (keyof ChannelState)[]).some((k) => state[k] !== this.#state[k]);
    this.#state = state;
    if (changed) this.#o.onChange();
  }
}
