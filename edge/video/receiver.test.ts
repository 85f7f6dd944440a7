import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { type AccessUnit, MAX_ACCESS_UNIT_BYTES, RtpReceiver } from './receiver.ts';
import {
  fuA,
  fuH265,
  H264_SETS,
  H264_SMALL_SETS,
  H265_SETS,
  h265Slice,
  Packetizer,
  rtpPacket,
  slice,
  stapA,
} from './testing/packets.ts';

const { sps, pps } = H264_SETS;
const START = Buffer.from([0, 0, 0, 1]);

function receive(packets: Buffer[], kind: 'h264' | 'h265' = 'h264', parameterSets: Buffer[] = [], donl = false) {
  const units: AccessUnit[] = [];
  const receiver = new RtpReceiver({
    track: { kind, payloadType: 96, clockRate: 90_000, control: null, parameterSets, donl },
    clock: new ManualClock(),
    epoch: 5,
    emit: (unit) => units.push(unit),
  });
  for (const packet of packets) receiver.push(packet);
  return { units, stats: receiver.stats, nextEpoch: receiver.nextEpoch };
}

function nals(unit: AccessUnit): Buffer[] {
  const out: Buffer[] = [];
  for (let at = 0; at < unit.data.length; at += 4 + unit.data.readUInt32BE(at)) {
    out.push(unit.data.subarray(at + 4, at + 4 + unit.data.readUInt32BE(at)));
  }
  return out;
}
const shape = (units: AccessUnit[]) => units.map((u) => [u.keyFrame, nals(u).map((n) => n.length)]);

describe('H.264 from RTP', () => {
  it('waits for a key frame when the clock of a camera without reordered pictures is set back a little', () => {
    const p = new Packetizer();
    const group = () => [0, 1, 2, 3].flatMap((n) => p.picture([slice(n === 0)]));
    const { sps, pps } = H264_SMALL_SETS;
    const before = [...group(), ...p.picture([slice(false)])];
    p.timestamp -= 9_000;
    const { units } = receive([...before, ...p.picture([slice(false)]), ...group()], 'h264', [sps, pps]);
    expect(units.map((u) => [u.epoch, u.keyFrame])).toEqual([
      ...[5, 5, 5, 5, 5].map((epoch, i) => [epoch, i === 0]),
      ...[6, 6, 6, 6].map((epoch, i) => [epoch, i === 0]),
    ]);
  });

  it('gives back every picture however it was packed, with parameter sets before each key frame', () => {
    const picture = fc.record({ size: fc.integer({ min: 3, max: 5000 }), mtu: fc.integer({ min: 50, max: 1500 }) });
    fc.assert(
      fc.property(fc.array(picture, { minLength: 1, maxLength: 12 }), fc.boolean(), (pictures, marker) => {
        const p = new Packetizer();
        const packets = pictures.flatMap(({ size, mtu }, i) => {
          const nal = slice(i % 4 === 0, size);
          const own = size > mtu ? fuA(nal, mtu) : [nal];
          return p.picture(i % 4 === 0 ? [stapA([sps, pps]), ...own] : own, marker);
        });
        // Without markers a picture ends when the next one begins.
        const { units } = receive([...packets, ...p.picture([slice(false)], true)]);
        const expected = pictures.map(({ size }, i) => (i % 4 === 0 ? [sps.length, pps.length, size] : [size]));
        expect(units.slice(0, pictures.length).map((u) => nals(u).map((n) => n.length))).toEqual(expected);
        expect(units[0]).toMatchObject({ keyFrame: true, epoch: 5, compositionOffset: 0 });
        expect(new Set(units.map((u) => u.codec)).size).toBe(1);
        for (const [i, u] of units.slice(1).entries()) expect(u.time - units[i]!.time).toBe(3600);
      }),
    );
  });

  it('begins at a recovery point where no IDR picture comes, without what is shown before it (H.264 §D.1.7)', async () => {
    const recoveryPoint = Buffer.from([6, 6, 1, 0xc4, 0x80]);
    const units: AccessUnit[] = [];
    const clock = new ManualClock();
    const track = { kind: 'h264' as const, payloadType: 96, clockRate: 90_000, control: null, donl: false };
    const receiver = new RtpReceiver({
      track: { ...track, parameterSets: [sps, pps] },
      clock,
      epoch: 0,
      emit: (unit) => units.push(unit),
    });
    const first = 1_000_000;
    // Groups of 24 as an encoder with open groups sends them: I, then B pictures that are shown before it.
    const p = new Packetizer(1, first);
    for (let n = 0; n < 240; n++) {
      const [group, of] = [Math.floor(n / 24), n % 24];
      const shown = of === 0 ? 2 : of < 3 ? of - 1 : of;
      p.timestamp = first + (group * 24 + shown) * 3_600;
      const intra = [recoveryPoint, slice(false, 900)];
      for (const packet of p.picture(of === 0 ? intra : [slice(false)])) receiver.push(packet);
      await clock.advance(40);
    }
    // The first group after 4 s.
    expect(units[0]).toMatchObject({ keyFrame: true, recovery: true });
    expect(nals(units[0]!)[0]).toEqual(sps);
    expect(units.filter((u) => u.keyFrame)).toHaveLength(5);
    expect(units).toHaveLength(5 * 24 - 2);
    expect(new Set(units.map((u) => u.epoch)).size).toBe(1);
    const shown = units.map((u) => u.time + u.compositionOffset);
    expect(Math.min(...shown)).toBe(shown[0]);
    expect(Math.max(...shown) - Math.min(...shown)).toBe((5 * 24 - 3) * 3_600);
  });

  it('takes parameter sets from the description when the camera sends none', () => {
    const { units } = receive(new Packetizer().picture([slice(true)]), 'h264', [sps, pps]);
    expect(nals(units[0]!)).toEqual([sps, pps, slice(true)]);
    expect(units[0]!.codec).toMatchObject({ codec: 'avc1.640028', width: 1920, height: 1080 });
    expect(receive(new Packetizer().picture([slice(true)])).units).toEqual([]);
  });

  it('cuts Annex-B start codes inside packets, single or fragmented', () => {
    const p = new Packetizer();
    const joined = Buffer.concat([sps, START, pps, START, slice(true, 900)]);
    const { units } = receive([...p.picture([joined]), ...p.picture(fuA(joined, 300)), ...p.picture([slice(false)])]);
    const key = [true, [sps.length, pps.length, 900]];
    expect(shape(units)).toEqual([key, key, [false, [40]]]);
  });

  it('is not misled by markers on parameter sets, delimiters and SEI', () => {
    const p = new Packetizer();
    const sei = Buffer.from([6, 5, 1, 0, 0x80]);
    const packets = [
      ...[sps, pps, Buffer.from([9, 0xf0]), sei].flatMap((n) => {
        const packet = p.picture([n]);
        p.timestamp -= 3600;
        return packet;
      }),
      ...p.picture([slice(true)]),
      ...p.picture([Buffer.from([12, 0xff, 0xff]), slice(false)]),
    ];
    expect(shape(receive(packets).units)).toEqual([
      [true, [sps.length, pps.length, sei.length, 40]],
      [false, [40]],
    ]);
  });

  it('learns that a camera sets the marker on every slice', () => {
    const p = new Packetizer();
    const picture = (key: boolean) => {
      const packets = [slice(key, 50), slice(key, 60, false)].flatMap((n) => {
        const packet = p.picture([n]);
        p.timestamp -= 3600;
        return packet;
      });
      p.timestamp += 3600;
      return packets;
    };
    const packets = [true, false, true, false, false].flatMap(picture);
    const { units } = receive(packets, 'h264', [sps, pps]);
    expect(shape(units).slice(-2)).toEqual([
      [true, [sps.length, pps.length, 50, 60]],
      [false, [50, 60]],
    ]);
  });

  it('accepts a fragment that is start and end at once', () => {
    const p = new Packetizer();
    expect(fuA(slice(true, 30), 100)).toHaveLength(1);
    const { units } = receive(p.picture(fuA(slice(true, 30), 100)), 'h264', [sps, pps]);
    expect(shape(units)).toEqual([[true, [sps.length, pps.length, 30]]]);
  });

  it('waits for the next key frame after a loss, and counts', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 59 }), (missing) => {
        const p = new Packetizer();
        // Three groups of four pictures, five packets a picture: a slice in three fragments and one more slice in two.
        const packets = Array.from({ length: 12 }, (_, i) =>
          p.picture([...fuA(slice(i % 4 === 0, 300), 100), ...fuA(slice(i % 4 === 0, 200, false), 100)]),
        ).flat();
        const { units, stats } = receive(packets.toSpliced(missing, 1), 'h264', [sps, pps]);
        const hurt = Math.floor(missing / 5);
        const whole = Array.from({ length: 12 }, (_, i) => i).filter(
          (i) => i < hurt || (i > hurt && Math.floor(i / 4) > Math.floor(hurt / 4)),
        );
        expect(units.map((u) => Math.round((u.time - 90_000) / 3600))).toHaveLength(whole.length);
        for (const u of units) expect(nals(u).filter((n) => n.length >= 200)).toHaveLength(2);
        // What is missing before the first or after the last packet cannot be seen.
        expect(stats.lostPackets).toBe(missing === 0 || missing === 59 ? 0 : 1);
      }),
    );
  });

  it('begins a new epoch with a key frame when the encoder restarts', () => {
    const p = new Packetizer();
    const before = [...p.picture([slice(true)]), ...p.picture([slice(false)])];
    p.ssrc = 0x9999;
    p.sequence = 7;
    p.timestamp = 50;
    const small = H264_SMALL_SETS;
    const after = [
      ...p.picture([slice(false)]),
      ...p.picture([small.sps, small.pps, slice(true)]),
      ...p.picture([slice(false)]),
    ];
    const stale = rtpPacket(slice(false), { sequence: 1, timestamp: 1, marker: true });
    const { units, nextEpoch } = receive([...before, ...after, stale], 'h264', [sps, pps]);
    expect(units.map((u) => [u.epoch, u.keyFrame, u.codec.width])).toEqual([
      [5, true, 1920],
      [5, false, 1920],
      [6, true, 640],
      [6, false, 640],
    ]);
    expect(nextEpoch).toBe(7);
  });

  it('drops a picture that never ends instead of keeping it', () => {
    const p = new Packetizer();
    const piece = slice(true, 60_000);
    const endless = Array.from({ length: MAX_ACCESS_UNIT_BYTES / 60_000 + 2 }, () => piece);
    const { units, stats } = receive(
      [...p.picture(endless), ...p.picture([slice(false)]), ...p.picture([slice(true)])],
      'h264',
      [sps, pps],
    );
    expect(shape(units)).toEqual([[true, [sps.length, pps.length, 40]]]);
    expect(stats.droppedUnits).toBe(2);
  });

  it('drops a picture of too many parts, at the limit to the byte', () => {
    const p = new Packetizer();
    // Each part stands behind its length of 4 bytes: the last one ends within those of the limit.
    for (const beyond of [0, 2, 4]) {
      const parts = [...Array.from({ length: 8 }, () => slice(true, 1024 * 1024 - 4)), slice(true, 60, false)];
      parts[0] = slice(true, 1024 * 1024 - 4 - 5 + beyond);
      const { units } = receive([...p.picture(parts), ...p.picture([slice(true)])], 'h264', [sps, pps]);
      expect(shape(units)).toEqual([[true, [sps.length, pps.length, 40]]]);
    }
  });

  it('takes a key frame of 4 MB', () => {
    const big = slice(true, 4 * 1024 * 1024);
    const { units } = receive(new Packetizer().picture(fuA(big, 9000)), 'h264', [sps, pps]);
    expect(nals(units[0]!).at(-1)!.equals(big)).toBe(true);
  });

  it('survives any packet', () => {
    const payload = fc.uint8Array({ maxLength: 100 }).map((b) => Buffer.from(b));
    const packet = fc.tuple(payload, fc.nat(65_535), fc.nat(2 ** 31), fc.boolean());
    fc.assert(
      fc.property(fc.constantFrom('h264' as const, 'h265' as const), fc.array(packet), (kind, list) => {
        const packets = list.map(([data, sequence, timestamp, marker]) =>
          rtpPacket(data, { sequence, timestamp, marker }),
        );
        receive([...packets, ...list.map(([data]) => data)], kind, [sps, pps, ...Object.values(H265_SETS)]);
      }),
    );
  });
});

describe('H.265 from RTP', () => {
  it('reads aggregation packets and fragments', () => {
    const p = new Packetizer();
    const sets = Object.values(H265_SETS);
    const aggregate = Buffer.concat([
      Buffer.from([48 << 1, 1]),
      ...sets.flatMap((n) => [Buffer.from([n.length >> 8, n.length & 255]), n]),
    ]);
    const key = h265Slice(true, 4000);
    const { units } = receive(
      [...p.picture([aggregate, ...fuH265(key, 1200)]), ...p.picture([h265Slice(false, 90)])],
      'h265',
    );
    expect(units.map(nals)).toEqual([[...sets, key], [h265Slice(false, 90)]]);
    expect(units[0]!.codec).toMatchObject({ codec: 'hvc1.1.6.L120.90', width: 1920, height: 1080 });
  });

  const sets = Object.values(H265_SETS);
  const withSets = (p: Packetizer, payloads: Buffer[]) => {
    const first = sets.flatMap((set) => {
      const packet = p.picture([set]);
      p.timestamp -= 3600;
      return packet;
    });
    return [...first, ...p.picture(payloads)];
  };

  it('accepts a fragment that is start and end at once', () => {
    const p = new Packetizer();
    const only = fuH265(h265Slice(true, 300), 400);
    expect(only).toHaveLength(1);
    const { units } = receive([...withSets(p, only), ...p.picture(fuH265(h265Slice(false, 500), 200))], 'h265');
    expect(units.map((u) => nals(u).at(-1)!.length)).toEqual([300, 500]);
  });

  it('cuts Annex-B start codes inside packets, single and fragmented', () => {
    const p = new Packetizer();
    const joined = Buffer.concat([...sets.flatMap((set) => [set, START]), h265Slice(true, 700)]);
    const { units } = receive([...p.picture([joined]), ...p.picture(fuH265(joined, 250))], 'h265');
    for (const unit of units) expect(nals(unit).map((n) => n.length)).toEqual([...sets.map((n) => n.length), 700]);
    expect(units).toHaveLength(2);
  });

  it('takes a clean random access picture for a key frame, and leaves out delimiters and filler', () => {
    const p = new Packetizer();
    const cra = h265Slice(true, 90);
    cra[0] = 21 << 1;
    const aud = Buffer.from([35 << 1, 1, 0x50]);
    const filler = Buffer.from([38 << 1, 1, 0xff, 0xff]);
    const sei = Buffer.from([39 << 1, 1, 5, 1, 0, 0x80]);
    const { units } = receive(withSets(p, [aud, sei, cra, filler]), 'h265');
    expect(shape(units)).toEqual([[true, [...sets.map((n) => n.length), sei.length, 90]]]);
  });

  it('takes decoding order numbers off where the description announced them', () => {
    const p = new Packetizer();
    const don = Buffer.from([0, 7]);
    const dond = Buffer.from([1]);
    const sized = (nal: Buffer) => [Buffer.from([nal.length >> 8, nal.length & 255]), nal];
    const aggregate = Buffer.concat([
      ...[Buffer.from([48 << 1, 1]), don, ...sized(sets[0]!)],
      ...sets.slice(1).flatMap((set) => [dond, ...sized(set)]),
    ]);
    const key = h265Slice(true, 900);
    const fragments = fuH265(key, 400).map((f, i) =>
      i === 0 ? Buffer.concat([f.subarray(0, 3), don, f.subarray(3)]) : f,
    );
    const single = h265Slice(false, 80);
    const packets = [
      ...p.picture([aggregate, ...fragments]),
      ...p.picture([Buffer.concat([single.subarray(0, 2), don, single.subarray(2)])]),
    ];
    expect(receive(packets, 'h265', [], true).units.map(nals)).toEqual([[...sets, key], [single]]);
  });

  it('waits for the next key frame after a loss inside a fragmented picture', () => {
    const p = new Packetizer();
    const packets = [
      ...withSets(p, fuH265(h265Slice(true, 900), 300)),
      ...p.picture(fuH265(h265Slice(false, 900), 300)),
      ...p.picture([h265Slice(false, 60)]),
      ...withSets(p, fuH265(h265Slice(true, 800), 300)),
    ];
    const { units, stats } = receive(packets.toSpliced(7, 1), 'h265');
    expect(units.map((u) => [u.keyFrame, nals(u).at(-1)!.length])).toEqual([
      [true, 900],
      [true, 800],
    ]);
    expect(stats.lostPackets).toBe(1);
  });
});
