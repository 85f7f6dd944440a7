import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { type AudioFrame, audioTicks } from './audio.ts';
import { decodeG711, toMu } from './g711.ts';
import { G726Decoder } from './g726.ts';
import { latmFrames, parseStreamMux } from './latm.ts';
import type { AccessUnit } from './receiver.ts';
import { findSound, offeredSound, parseSdp } from './sdp.ts';
import { SoundReceiver } from './sound-receiver.ts';
import { SPEECH_RATE, SpeechDecoder } from './speech.ts';
import { rtpPacket } from './testing/packets.ts';

const describedAs = (text: string) =>
  findSound(parseSdp(`v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\nm=audio 0 RTP/AVP ${text}`));

/** A tone that swells and fades. */
const tone = (rate: number, seconds: number, channels = 1) =>
  Int16Array.from({ length: rate * seconds * channels }, (_, i) => {
    const t = Math.floor(i / channels) / rate;
    return Math.round(9_000 * Math.sin(2 * Math.PI * 440 * t) * Math.sin(3 * t));
  });
/** How much louder the sound is than what was changed in it, in decibels. */
function likeness(wanted: Int16Array, heard: Int16Array): number {
  let [signal, noise] = [0, 0];
  for (let i = 0; i < Math.min(wanted.length, heard.length); i++) {
    signal += wanted[i]! ** 2;
    noise += (wanted[i]! - heard[i]!) ** 2;
  }
  return 10 * Math.log10(signal / Math.max(noise, 1));
}
const bigEndian = (samples: Int16Array) => {
  const out = Buffer.alloc(samples.length * 2);
  for (const [i, sample] of samples.entries()) out.writeInt16BE(sample, i * 2);
  return out;
};

describe('sound of cameras that is neither G.711 nor AAC in MPEG4-GENERIC', () => {
  it.each([
    [2, 16, false],
    [3, 25, true],
    [4, 28, false],
    [4, 28, true],
  ] as const)('G.726 of %i bits is decoded as ffmpeg encodes it', (bits, decibels, highFirst) => {
    const samples = tone(8_000, 1);
    const raw = Buffer.from(samples.buffer);
    const format = highFirst ? 'g726' : 'g726le';
    const input = ['-v', 'error', '-f', 's16le', '-ar', '8000', '-ac', '1', '-i', 'pipe:0'];
    const coded = execFileSync('ffmpeg', [...input, '-c:a', format, '-b:a', `${bits * 8}k`, '-f', format, 'pipe:1'], {
      input: raw,
    });
    expect(likeness(samples, new G726Decoder(bits, highFirst).decode(coded))).toBeGreaterThan(decibels);
  });

  it('G.711 survives both ways; linear PCM, other rates and stereo become µ-law of 8 kHz with the same length', () => {
    expect([...decodeG711('pcmu', Buffer.from([0xff, 0x7f, 0x80, 0x00]))]).toEqual([0, 0, 32_124, -32_124]);
    expect([...decodeG711('pcma', Buffer.from([0xd5, 0x55, 0xaa, 0x2a]))]).toEqual([8, -8, 32_256, -32_256]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), (code) => {
        const [sample] = decodeG711('pcmu', Buffer.from([code]));
        expect(decodeG711('pcmu', Buffer.from([toMu(sample!)]))[0]).toBe(sample);
      }),
    );
    for (const [rate, channels] of [
      [44_100, 2],
      [48_000, 1],
      [16_000, 1],
      [8_000, 2],
    ] as const) {
      const decoder = new SpeechDecoder({ format: { kind: 'linear', unsure: false }, rate, channels });
      const all = bigEndian(tone(rate, 1, channels));
      const pieces: Buffer[] = [];
      for (let at = 0; at < all.length; at += 882 * channels)
        pieces.push(decoder.decode(all.subarray(at, at + 882 * channels)));
      const heard = decodeG711('pcmu', Buffer.concat(pieces));
      expect(Math.abs(heard.length - SPEECH_RATE)).toBeLessThan(2);
      expect(likeness(tone(8_000, 1), heard), `${rate}/${channels}`).toBeGreaterThan(12);
    }
  });

  it('PCM under a name that no standard knows is heard right, whichever byte comes first', () => {
    const samples = tone(48_000, 1);
    for (const data of [bigEndian(samples), Buffer.from(samples.buffer)]) {
      const decoder = new SpeechDecoder({ format: { kind: 'linear', unsure: true }, rate: 48_000, channels: 1 });
      const pieces: Buffer[] = [];
      for (let at = 0; at < data.length; at += 1_920) pieces.push(decoder.decode(data.subarray(at, at + 1_920)));
      expect(likeness(tone(8_000, 1), decodeG711('pcmu', Buffer.concat(pieces)))).toBeGreaterThan(10);
    }
  });

  it('is recognized as cameras describe it, and what is not is named', () => {
    const µlaw = { kind: 'pcmu', clockRate: 8_000, channels: 1 };
    expect(describedAs('2')).toMatchObject({
      codec: µlaw,
      speech: { format: { kind: 'g726', bits: 4, highFirst: false } },
    });
    expect(describedAs('97\na=rtpmap:97 AAL2-G726-24/8000')).toMatchObject({
      speech: { format: { bits: 3, highFirst: true } },
    });
    expect(describedAs('10')).toMatchObject({ codec: µlaw, clockRate: 44_100, speech: { rate: 44_100, channels: 2 } });
    expect(describedAs('11\na=rtpmap:11 PCM/48000')).toMatchObject({ clockRate: 48_000, speech: { rate: 48_000 } });
    expect(describedAs('97\na=rtpmap:97 PCMU/16000')).toMatchObject({ codec: µlaw, clockRate: 16_000 });
    expect(describedAs('97\na=rtpmap:97 PCMA/8000/2')).toMatchObject({ codec: µlaw, speech: { channels: 2 } });
    expect(describedAs('98\na=rtpmap:98 opus/48000/2')).toMatchObject({ codec: { kind: 'opus', codec: 'opus' } });
    expect(describedAs('97\na=rtpmap:97 G722/8000')).toBeNull();
    expect(offeredSound(parseSdp('m=audio 0 RTP/AVP 97\na=rtpmap:97 G722/8000'))).toBe('G722');
    // HE-AAC: RTP counts twice what is coded.
    const he = describedAs(
      '97\na=rtpmap:97 MPEG4-GENERIC/48000/2\na=fmtp:97 mode=AAC-hbr;sizelength=13;indexlength=3;config=2B118800',
    );
    expect(he).toMatchObject({ clockRate: 48_000, codec: { clockRate: 24_000, codec: 'mp4a.40.5' } });
  });

  it('AAC in LATM: one element or several in a packet, long ones, and a configuration in the stream', () => {
    const mux = parseStreamMux(Buffer.from('400028103fc0', 'hex'))!;
    expect(mux).toMatchObject({ config: Buffer.from('1408', 'hex'), frames: 1 });
    const element = (unit: Buffer) => {
      const length = Buffer.alloc(Math.floor(unit.length / 255) + 1, 255);
      length[length.length - 1] = unit.length % 255;
      return Buffer.concat([length, unit]);
    };
    const units = [Buffer.alloc(100, 1), Buffer.alloc(255, 2), Buffer.alloc(700, 3)];
    expect(latmFrames(Buffer.concat(units.map(element)), mux, false)).toEqual(units);
    // In band: one bit says that the configuration is the former one, and moves everything by one.
    const shifted = (bits: string) =>
      Buffer.from(
        (bits.padEnd(Math.ceil(bits.length / 8) * 8, '0').match(/.{8}/g) ?? []).map((b) => Number.parseInt(b, 2)),
      );
    const bits = (data: Buffer) => [...data].map((b) => b.toString(2).padStart(8, '0')).join('');
    const config = bits(Buffer.from('400028103fc0', 'hex')).slice(0, 44);
    expect(latmFrames(shifted(`1${bits(element(units[0]!))}`), mux, true)).toEqual([units[0]]);
    expect(latmFrames(shifted(`0${config}${bits(element(units[0]!))}`), mux, true)).toEqual([units[0]]);
    expect(parseStreamMux(Buffer.from('ff', 'hex'))).toBeNull();
    // As many units as a packet has bytes are no sound.
    expect(latmFrames(Buffer.alloc(1_000_000, 1), mux, false)).toHaveLength(64);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (data, inBand) => {
        parseStreamMux(Buffer.from(data));
        latmFrames(Buffer.from(data), mux, inBand);
      }),
    );
  });

  it('comes out of packets as one row of frames', async () => {
    const units = [Buffer.alloc(300, 1), Buffer.alloc(90, 2)];
    const cases = [
      // The marker stands on the last piece of an element.
      {
        as: '97\na=rtpmap:97 MP4A-LATM/16000\na=fmtp:97 cpresent=0;config=400028103fc0',
        ticks: 1_024,
        pieces: [
          [Buffer.concat([Buffer.from([255, 45]), units[0]!.subarray(0, 100)]), units[0]!.subarray(100)],
          [Buffer.concat([Buffer.from([90]), units[1]!])],
        ],
      },
      {
        as: '98\na=rtpmap:98 opus/48000/2',
        ticks: 960,
        pieces: [[Buffer.from('f8fffe', 'hex')], [Buffer.from('f8fffe', 'hex')]],
      },
      { as: '11', ticks: 441, pieces: [[Buffer.alloc(882)], [Buffer.alloc(882)], [Buffer.alloc(882)]] },
    ];
    for (const { as, ticks, pieces } of cases) {
      const track = describedAs(as)!;
      const clock = new ManualClock();
      const frames: AudioFrame[] = [];
      const anchor = () => ({ monoMs: clock.mono(), epoch: 0, time: 90_000 + clock.mono() * 90 }) as AccessUnit;
      const receiver = new SoundReceiver({ track, clock, anchor, emit: (f) => frames.push(f) });
      let sequence = 0;
      for (const [i, packets] of pieces.entries()) {
        for (const [n, payload] of packets.entries()) {
          const packet = rtpPacket(payload, {
            sequence: sequence++,
            timestamp: 7 + i * ticks,
            marker: n === packets.length - 1,
          });
          packet[1] = track.payloadType | (packet[1]! & 0x80);
          receiver.push(packet);
        }
        await clock.advance((ticks * 1000) / track.clockRate);
      }
      expect(frames).toHaveLength(pieces.length);
      for (const [i, frame] of frames.slice(1).entries())
        expect(frame.time - frames[i]!.time).toBe(audioTicks(frames[i]!));
    }
  });
});
