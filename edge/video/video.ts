import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { StreamName } from '../../protocol/wire/video.ts';
import type { ChannelConfig } from '../devices/types.ts';
import type { Warnables } from '../warnables.ts';
import { ChannelSource, type ChannelState } from './channel-source.ts';
import type { KeepAliveMemory } from './pull.ts';
import { TranscodedSource, type TranscodedSourceOptions } from './transcoded-source.ts';

export interface VideoOptions {
  clock: Clock;
  log: Logger;
  warnables: Warnables;
  /** Bound of each channel's ring; 48 MiB holds 9 s of a 40 Mbit/s stream. */
  ringBytes?: number;
  /** Program for cameras that our own client cannot speak to. */
  ffmpeg?: string;
}

/** Cameras whose pictures must be made H.264 for whatever is done with them. */
const MAX_ENCODERS = 4;
/** Each takes most of a core. */
const MAX_TRANSCODES = 2;
const NONE: ChannelState = { video: 'none', codec: null, keyFrameIntervalMs: null };
/** A sub-stream is small: 9 s of 10 Mbit/s. */
const SUB_RING_BYTES = 12 * 1024 * 1024;
const keyOf = (deviceId: string, channel: number, stream: StreamName) => `${deviceId}/${channel}/${stream}`;

/** The box's video channels: at most one session with the camera for each stream of each, shared by recorder, live view and whoever else. */
export class Video {
  readonly #o: Required<VideoOptions>;
  readonly #sources = new Map<string, ChannelSource>();
  readonly #keepAlive = new Map<string, KeepAliveMemory>();
  readonly #encoders = { free: MAX_ENCODERS };
  /** Those that are held, by what they are made of. */
  readonly #transcodes = new Map<string, TranscodedSource>();
  readonly #listeners = new Set<() => void>();

  constructor(options: VideoOptions) {
    this.#o = { ringBytes: 48 * 1024 * 1024, ffmpeg: 'ffmpeg', ...options };
  }

  /** Nothing runs until a channel is held. */
  start(): void {}

  async stop(): Promise<void> {
    for (const transcode of [...this.#transcodes.values()]) transcode.stop();
    const sources = [...this.#sources.values()];
    this.#sources.clear();
    await Promise.all(sources.map((s) => s.stop()));
  }

  /** The channels there are. One that is gone ends; one whose address or credentials changed connects anew. */
  setChannels(channels: ChannelConfig[]): void {
    const wanted = new Map<string, { config: ChannelConfig; stream: StreamName }>();
    for (const config of channels) {
      const { deviceId, channel } = config;
      wanted.set(keyOf(deviceId, channel, 'main'), { config, stream: 'main' });
      if (config.sub !== null) wanted.set(keyOf(deviceId, channel, 'sub'), { config, stream: 'sub' });
    }
    const devices = new Set(channels.map((config) => config.deviceId));
    for (const deviceId of this.#keepAlive.keys()) if (!devices.has(deviceId)) this.#keepAlive.delete(deviceId);
    let changed = false;
    for (const [key, source] of this.#sources) {
      if (wanted.has(key)) continue;
      this.#sources.delete(key);
      for (const [of, transcode] of this.#transcodes) if (of.startsWith(`${key} `)) transcode.stop();
      void source.stop();
      changed = true;
    }
    for (const [key, { config, stream }] of wanted) {
      const source = this.#sources.get(key);
      if (source) {
        source.configure(config);
        continue;
      }
      const { clock, log, warnables, ffmpeg } = this.#o;
      const ringBytes = stream === 'main' ? this.#o.ringBytes : Math.min(this.#o.ringBytes, SUB_RING_BYTES);
      const keepAlive = this.keepAliveOf(config.deviceId);
      const onChange = () => this.#changed();
      this.#sources.set(
        key,
        new ChannelSource({
          config,
          stream,
          clock,
          log,
          warnables,
          ringBytes,
          ffmpeg,
          encoders: this.#encoders,
          keepAlive,
          onChange,
        }),
      );
      changed = true;
    }
    if (changed) this.#changed();
  }

  /** What a device was found to take, for all that is pulled from it; forgotten with its last channel. */
  keepAliveOf(deviceId: string): KeepAliveMemory {
    const memory = this.#keepAlive.get(deviceId) ?? { method: null };
    this.#keepAlive.set(deviceId, memory);
    return memory;
  }

  /** null: there is no such channel (yet), or it has no sub-stream. The same object for as long as it is configured. */
  source(deviceId: string, channel: number, stream: StreamName = 'main'): ChannelSource | null {
    return this.#sources.get(keyOf(deviceId, channel, stream)) ?? null;
  }

  /**
   * H.264 of at most `height` lines, made of what the channel sends, with its sound. null: there is no such channel, or the
   * box makes as many as it can. Nothing runs, and nothing counts, until it is acquired, at once.
   */
  transcoded(deviceId: string, channel: number, o: { height: number; stream?: StreamName }): TranscodedSource | null {
    const stream = o.stream ?? 'main';
    const base = this.source(deviceId, channel, stream);
    if (!base) return null;
    const key = `${keyOf(deviceId, channel, stream)} ${o.height}`;
    const held = this.#transcodes.get(key);
    if (held) return held;
    if (this.#transcodes.size >= MAX_TRANSCODES) return null;
    const { clock, ffmpeg } = this.#o;
    const log = this.#o.log.child({ module: 'video', deviceId, channel, stream, height: o.height });
    const made: TranscodedSource = new TranscodedSource({
      base,
      height: o.height,
      clock,
      log,
      ffmpeg,
      onHeld: (is) => {
        if (is) this.#transcodes.set(key, made);
        else if (this.#transcodes.get(key) === made) this.#transcodes.delete(key);
      },
    });
    return made;
  }

  /** The same of pictures that come from elsewhere; it counts from now on, until nobody holds it any more. */
  converted(base: TranscodedSourceOptions['base'], height: number): TranscodedSource | null {
    if (this.#transcodes.size >= MAX_TRANSCODES) return null;
    const { clock, ffmpeg } = this.#o;
    const log = this.#o.log.child({ module: 'video', height });
    const key = crypto.randomUUID();
    const onHeld = (is: boolean) => is || this.#transcodes.delete(key);
    const made = new TranscodedSource({ base, height, clock, log, ffmpeg, onHeld });
    this.#transcodes.set(key, made);
    return made;
  }

  /** Of its main stream. */
  state(deviceId: string, channel: number): ChannelState {
    return this.source(deviceId, channel)?.state ?? NONE;
  }

  /** Calls `fn` when channels came or went, or the state of one changed. */
  onChange(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  #changed(): void {
    for (const fn of [...this.#listeners]) fn();
  }
}
