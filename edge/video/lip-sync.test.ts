import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { AudioFrame } from './audio.ts';
import { LipSync, type SoundMoment } from './lip-sync.ts';
import { type AccessUnit, RtpReceiver } from './receiver.ts';
import { findSound, parseSdp } from './sdp.ts';
import { SoundReceiver } from './sound-receiver.ts';
import { H264_SETS, Packetizer, rtpPacket, slice } from './testing/packets.ts';

/** A sender report (RFC 3550 §6.4.1) of a camera whose clock shows `seconds` at this RTP timestamp. */
function senderReport(ssrc: number, seconds: number, timestamp: number): Buffer {
  const out = Buffer.alloc(28);
  out.set([0x80, 200, 0, 6]);
  out.writeUInt32BE(ssrc, 4);
  out.writeUInt32BE(Math.floor(seconds), 8);
  out.writeUInt32BE(Math.floor((seconds % 1) * 2 ** 32), 12);
  out.writeUInt32BE(timestamp >>> 0, 16);
  return out;
}

interface Camera {
  /** How much later than its pictures the sound of a moment comes. */
  lateMs: number;
  /** Its clock when the stream begins, in seconds since 1900, as the reports of each say. */
  clock?: { picture: number; sound: number };
  /** What its reports of the sound are wrong by. */
  wrongMs?: number;
  reorder?: boolean;
}

/** Plays 6 s and returns how much later than the pictures of its moment the sound is placed, each time in milliseconds. */
async function played({ lateMs, clock: says, wrongMs = 0, reorder = false }: Camera): Promise<number[]> {
  const clock = new ManualClock();
  const sync = new LipSync();
  const units: (AccessUnit & { moment: number })[] = [];
  const frames: AudioFrame[] = [];
  const track = { kind: 'h264', payloadType: 96, clockRate: 90_000, control: null, donl: false } as const;
  const pictures = new RtpReceiver({
    track: { ...track, parameterSets: Object.values(H264_SETS) },
    clock,
    epoch: 0,
    emit: (unit) => units.push({ ...unit, moment: 0 }),
  });
  const sound = new SoundReceiver({
    track: findSound(parseSdp('m=audio 0 RTP/AVP 0'))!,
    clock,
    anchor: () => units.at(-1) ?? null,
    place: (at: SoundMoment) => sync.place(at, pictures, 90_000),
    emit: (frame) => frames.push(frame),
  });
  const first = { picture: 4_294_000_000, sound: 4_294_960_000 };
  const p = new Packetizer(1, first.picture);
  const apart: number[] = [];
  const order = reorder ? [0, 3, 1, 2] : [0, 1, 2, 3];
  for (let n = 0; n < 150; n++) {
    const shown = reorder ? n - (n % 4) + order[n % 4]! : n;
    p.timestamp = first.picture + shown * 3_600;
    for (const packet of p.picture([slice(n % 48 === 0)])) pictures.push(packet);
    const moment = n * 40 - lateMs;
    if (moment >= 0) {
      const timestamp = first.sound + moment * 8;
      const packet = rtpPacket(Buffer.alloc(320), { sequence: n, timestamp, ssrc: 0x77 });
      packet[1] = 0;
      sound.push(packet);
      const frame = frames.at(-1);
      if (frame && units.length > 0) {
        // Where the picture of this moment is shown.
        const at = pictures.shownAt((first.picture + moment * 90) >>> 0);
        apart.push(Math.round(frame.time / 8 - at!.time / 90));
      }
    }
    if (says && n % 25 === 10) {
      sync.report('picture', senderReport(0x1234, says.picture + n / 25, first.picture + n * 3_600), clock.mono());
      sync.report(
        'sound',
        senderReport(0x77, says.sound + n / 25 + wrongMs / 1000, first.sound + n * 320),
        clock.mono(),
      );
    }
    await clock.advance(40);
  }
  return apart;
}

const NOW = 4_000_000_000.25;
const last = (apart: number[]) => apart.at(-1)!;

describe('sound beside its pictures', () => {
  it('is where it comes as long as nothing else is known', async () => {
    expect(last(await played({ lateMs: 400 }))).toBe(400);
    expect(last(await played({ lateMs: 0 }))).toBe(0);
  });

  it('is where the camera’s sender reports say, however much later it comes (LIVE-01)', async () => {
    const apart = await played({ lateMs: 400, clock: { picture: NOW, sound: NOW } });
    expect(apart[0]).toBe(400);
    expect(Math.max(...apart.slice(30).map(Math.abs))).toBeLessThan(2);
    // Whether the camera knows what year it is does not matter.
    expect(Math.abs(last(await played({ lateMs: 400, clock: { picture: 1_000, sound: 1_000 } })))).toBeLessThan(2);
  });

  it('is not moved by reports of two clocks, of a clock that is set in between, or that are nonsense', async () => {
    expect(last(await played({ lateMs: 80, clock: { picture: NOW, sound: NOW + 30 } }))).toBe(80);
    expect(last(await played({ lateMs: 80, clock: { picture: NOW, sound: 0 } }))).toBe(80);
    expect(last(await played({ lateMs: 80, clock: { picture: NOW, sound: NOW }, wrongMs: 2_500 }))).toBe(80);
  });

  it('is beside the picture that is shown, not the one that is decoded, where the camera reorders them', async () => {
    const apart = await played({ lateMs: 0, reorder: true });
    expect(Math.abs(last(apart))).toBeLessThanOrEqual(130);
    const said = await played({ lateMs: 0, reorder: true, clock: { picture: NOW, sound: NOW } });
    expect(Math.abs(last(said))).toBeLessThan(2);
  });
});
