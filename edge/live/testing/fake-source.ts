import type { StreamName } from '../../../protocol/wire/video.ts';
import type { AudioCodec, AudioFrame } from '../../video/audio.ts';
import type { ChannelState, Consumer } from '../../video/channel-source.ts';
import { type CodecInfo, ParameterSets, type VideoKind, withLength } from '../../video/codec.ts';
import type { AccessUnit } from '../../video/receiver.ts';
import { Ring } from '../../video/ring.ts';
import { H264_SETS, H265_SETS, h265Slice, slice } from '../../video/testing/packets.ts';
import type { PictureSource, PictureSources } from '../pictures.ts';

export const H264 = new ParameterSets('h264', Object.values(H264_SETS)).codec()!;
export const H265 = new ParameterSets('h265', Object.values(H265_SETS)).codec()!;
export const PCMU: AudioCodec = { kind: 'pcmu', clockRate: 8000, channels: 1, config: null, codec: 'PCMU' };
export const AAC: AudioCodec = {
  kind: 'aac',
  clockRate: 16_000,
  channels: 1,
  codec: 'mp4a.40.2',
  config: Buffer.from('1408', 'hex'),
};
export const OPUS: AudioCodec = { kind: 'opus', clockRate: 48_000, channels: 2, config: null, codec: 'opus' };

/** A stream whose pictures a test pushes, 25 a second. */
export class FakeSource implements PictureSource {
  readonly ring = new Ring(16 * 1024 * 1024);
  readonly consumers = new Set<Consumer>();
  state: ChannelState = { video: 'streaming', codec: null, keyFrameIntervalMs: null };
  sound: AudioCodec | null = null;
  codec: CodecInfo | null = null;
  kind: CodecInfo;
  /** What the camera has not said yet. */
  said: Promise<VideoKind | null> = Promise.resolve(null);
  epoch = 0;
  time = 0;
  monoMs: number;

  constructor(kind: CodecInfo, monoMs = 0) {
    this.kind = kind;
    this.monoMs = monoMs;
  }

  acquire(consumer: Consumer): () => void {
    this.consumers.add(consumer);
    return () => this.consumers.delete(consumer);
  }

  described(): Promise<VideoKind | null> {
    return this.said;
  }

  push(keyFrame: boolean, size = 400): AccessUnit {
    const nal = this.kind.kind === 'h264' ? slice(keyFrame, size) : h265Slice(keyFrame, size);
    const unit: AccessUnit = {
      data: Buffer.concat([...(keyFrame ? [this.kind.prefix] : []), ...withLength(nal)]),
      keyFrame,
      time: this.time,
      compositionOffset: 0,
      epoch: this.epoch,
      codec: this.kind,
      wallMs: 1_000_000 + this.monoMs,
      monoMs: this.monoMs,
    };
    this.time += 3600;
    this.monoMs += 40;
    this.codec = this.kind;
    this.ring.push(unit);
    for (const consumer of [...this.consumers]) consumer.accessUnit(unit);
    return unit;
  }

  /** One frame of sound; `time` in its own clock. */
  say(time: number, data = Buffer.alloc(160, 1)): void {
    const { monoMs, epoch } = this;
    const frame: AudioFrame = { codec: this.sound!, data, time, wallMs: 1_000_000 + monoMs, monoMs, epoch };
    for (const consumer of [...this.consumers]) consumer.audio?.(frame);
  }

  lose(reason: string): void {
    this.epoch++;
    this.time = 0;
    for (const consumer of [...this.consumers]) consumer.lost(reason);
  }
}

/** The streams of one channel. */
export class FakeSources implements PictureSources {
  main: FakeSource | null = null;
  sub: FakeSource | null = null;
  made: FakeSource | null = null;

  source(_deviceId: string, channel: number, stream: StreamName): FakeSource | null {
    return channel === 1 ? this[stream] : null;
  }
  transcoded(): FakeSource | null {
    return this.made;
  }
}
