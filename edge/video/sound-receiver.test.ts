import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { type AudioFrame, audioTicks, parseAudioConfig } from './audio.ts';
import type { AccessUnit } from './receiver.ts';
import { findSound, parseSdp, type SoundTrack } from './sdp.ts';
import { SoundReceiver } from './sound-receiver.ts';
import { rtpPacket } from './testing/packets.ts';

const AAC =
  'm=audio 0 RTP/AVP 97\na=rtpmap:97 MPEG4-GENERIC/16000\na=control:track2\na=fmtp:97 streamtype=5;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1408;';
const sound = (text: string) => findSound(parseSdp(`v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n${text}`));
const PCMU = sound('m=audio 0 RTP/AVP 0')!;

/** The picture of `monoMs`: times run from 1 s at monoMs 0. */
const picture = (monoMs: number, epoch = 0) => ({ monoMs, epoch, time: 90_000 + monoMs * 90 }) as AccessUnit;

function receiver(track: SoundTrack, anchor: () => AccessUnit | null) {
  const clock = new ManualClock();
  const frames: AudioFrame[] = [];
  const receiving = new SoundReceiver({ track, clock, anchor, emit: (f) => frames.push(f) });
  return { clock, frames, receiving };
}

const packet = (track: SoundTrack, payload: Buffer, sequence: number, timestamp: number, marker = true) => {
  const data = rtpPacket(payload, { sequence, timestamp, marker });
  data[1] = track.payloadType | (marker ? 0x80 : 0);
  return data;
};
/** Access units behind their headers (RFC 3640 §3.3.6). */
const aac = (units: Buffer[], sizes = units.map((u) => u.length)) =>
  Buffer.concat([
    Buffer.from([0, units.length * 16]),
    ...sizes.map((s) => Buffer.from([s >> 5, (s << 3) & 255])),
    ...units,
  ]);

describe('sound of a session description', () => {
  it('finds G.711 and AAC as cameras describe them', () => {
    expect(PCMU).toMatchObject({
      payloadType: 0,
      codec: { kind: 'pcmu', clockRate: 8000, channels: 1, codec: 'PCMU' },
    });
    const mismatch = sound('m=audio 0 RTP/AVP 8\na=rtpmap:0 pcma/8000/1\na=control:track1');
    expect(mismatch).toMatchObject({ control: 'track1', codec: { kind: 'pcma' } });
    expect(sound(AAC)).toEqual({
      codec: { kind: 'aac', clockRate: 16_000, channels: 1, config: Buffer.from('1408', 'hex'), codec: 'mp4a.40.2' },
      payloadType: 97,
      control: 'track2',
      clockRate: 16_000,
      sizeLength: 13,
      indexLength: 3,
    });
    expect(parseAudioConfig(Buffer.from('1190', 'hex'))).toEqual({ objectType: 2, rate: 48_000, channels: 2 });
  });

  it('does not take what the camera wants to hear, nor what nobody here can decode', () => {
    const backchannel = 'm=audio 0 RTP/AVP 0\na=control:backchannel\na=sendonly';
    expect(sound(backchannel)).toBeNull();
    expect(sound(`${backchannel}\nm=audio 0 RTP/AVP 8\na=control:mic\na=recvonly`)?.control).toBe('mic');
    expect(
      findSound(parseSdp('v=0\nm=video 0 RTP/AVP 96\na=sendonly\nm=audio 0 RTP/AVP 0\na=sendonly')),
    ).not.toBeNull();
    expect(sound('m=audio 0 RTP/AVP 97\na=rtpmap:97 SPEEX/16000')).toBeNull();
    expect(sound('m=audio 0 RTP/AVP 97\na=rtpmap:97 MPEG4-GENERIC/16000')).toBeNull();
  });
});

describe('sound from RTP', () => {
  it('places every frame beside the pictures that were taken with it', async () => {
    let last: AccessUnit | null = null;
    const { clock, frames, receiving } = receiver(PCMU, () => last);
    for (let i = 0; i < 100; i++) {
      if (i >= 10) last = picture(clock.mono());
      receiving.push(packet(PCMU, Buffer.alloc(320, i), 65_500 + i, 0xffffff00 + i * 320));
      await clock.advance(40);
    }
    expect(frames).toHaveLength(90);
    expect(frames[0]).toMatchObject({ epoch: 0, time: 8000 + 400 * 8, monoMs: expect.closeTo(400, 0) });
    for (const [i, f] of frames.slice(1).entries()) expect(f.time - frames[i]!.time).toBe(320);
    expect(audioTicks(frames[0]!)).toBe(320);
    // The pictures begin a new epoch: so does the sound.
    last = picture(clock.mono(), 1);
    receiving.push(packet(PCMU, Buffer.alloc(320), 65_600, 0xffffff00 + 100 * 320));
    expect(frames.at(-1)!.epoch).toBe(1);
  });

  it('is placed anew when camera and pictures drift apart, and never runs backwards', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: -400, max: 2000 }), { maxLength: 60 }), async (jitter) => {
        const { clock, frames, receiving } = receiver(PCMU, () => picture(clock.mono()));
        for (const [i, ms] of jitter.entries()) {
          receiving.push(packet(PCMU, Buffer.alloc(320), i, i * 320 + ms));
          await clock.advance(40);
        }
        for (const [i, f] of frames.slice(1).entries()) {
          expect(f.time).toBeGreaterThanOrEqual(frames[i]!.time + 320);
        }
      }),
    );
  });

  it('takes AAC units one or several to a packet, and in pieces', async () => {
    const track = sound(AAC)!;
    const { clock, frames, receiving } = receiver(track, () => picture(clock.mono()));
    const push = async (payload: Buffer, sequence: number, timestamp: number, marker = true) => {
      await clock.advance((timestamp - 5000) / 16 - clock.mono());
      receiving.push(packet(track, payload, sequence, timestamp, marker));
    };
    const [a, b, c] = [Buffer.alloc(100, 1), Buffer.alloc(7, 2), Buffer.alloc(900, 3)];
    await push(aac([a]), 1, 5000);
    await push(aac([b, a]), 2, 6024);
    await push(aac([c.subarray(0, 500)], [900]), 3, 8072, false);
    await push(aac([c.subarray(500)], [900]), 4, 8072);
    // A piece is missing.
    await push(aac([c.subarray(0, 500)], [900]), 5, 9096, false);
    await push(aac([a]), 7, 10_120);
    expect(frames.map((f) => f.data.length)).toEqual([a, b, a, c, a].map((d) => d.length));
    expect(frames.map((f) => f.time - frames[0]!.time)).toEqual([0, 1024, 2048, 3072, 5120]);
    expect(frames[0]!.codec).toBe(track.codec);
  });

  it('survives any packet', () => {
    const track = sound(AAC)!;
    const { receiving } = receiver(track, () => picture(0));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(65_535), fc.nat(2 ** 31), (data, sequence, timestamp) => {
        receiving.push(packet(track, Buffer.from(data), sequence, timestamp, false));
        receiving.push(Buffer.from(data));
      }),
    );
  });
});
