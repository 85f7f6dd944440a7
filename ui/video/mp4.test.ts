import { describe, expect, it } from 'vitest';
import type { MediaMessage } from '../../protocol/wire/media.ts';
import { decodeTimes, readHead } from './mp4.ts';
import { Recording } from './recording.ts';

const u32 = (...values: number[]) => {
  const out = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) out.writeUInt32BE(value, i * 4);
  return out;
};
const u64 = (value: number) => {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(value));
  return out;
};
const box = (type: string, ...parts: Buffer[]) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(body.length + 8), Buffer.from(type, 'latin1'), body]);
};
const trak = (id: number, timescale: number, handler: string) =>
  box(
    'trak',
    box('tkhd', u32(3, 0, 0, id, 0)),
    box('mdia', box('mdhd', u32(0, 0, 0, timescale, 0)), box('hdlr', u32(0, 0), Buffer.from(handler), u32(0))),
  );
const init = Buffer.concat([
  box('ftyp', Buffer.from('iso6')),
  box('moov', trak(1, 90_000, 'vide'), trak(2, 16_000, 'soun'), box('mvex', box('mehd', u32(0x01000000), u64(0)))),
]);
const traf = (track: number, time: number) =>
  box('traf', box('tfhd', u32(0, track)), box('tfdt', u32(0x01000000), u64(time)));
const fragment = (video: number, sound: number) =>
  Buffer.concat([box('moof', box('mfhd', u32(0, 1)), traf(1, video), traf(2, sound)), box('mdat', Buffer.alloc(10))]);

describe('fragmented MP4', () => {
  it('says its tracks and the time of each in a fragment', () => {
    const head = readHead(init);
    expect(head.tracks).toEqual([
      { id: 1, timescale: 90_000, video: true },
      { id: 2, timescale: 16_000, video: false },
    ]);
    expect(decodeTimes(fragment(900_000, 159_000)).map(({ track, time }) => [track, time])).toEqual([
      [1, 900_000],
      [2, 159_000],
    ]);
  });

  it('gives nothing, and no error, of what is none', () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('nonsense nonsense'),
      init.subarray(0, 60),
      Buffer.alloc(64, 0xff),
    ]) {
      expect(decodeTimes(bytes)).toEqual([]);
      expect(readHead(bytes).lengthAt).toBeNull();
    }
  });
});

describe('a recording of what is seen', () => {
  const start: MediaMessage = {
    type: 'init',
    init: { codecs: 'avc1.42c01f', width: 640, height: 360, audio: null, transcoded: false },
    data: init,
  };
  const part = (type: 'key' | 'delta', wallMs: number, video: number, sound: number): MediaMessage => ({
    type,
    wallMs,
    data: fragment(video, sound),
  });

  it('begins at 0 with a key frame, whatever the times of the stream are; its length stands in it', async () => {
    const recording = new Recording();
    recording.push(start);
    recording.push(part('delta', 1_000, 8_999_000, 1_599_000));
    recording.push(part('key', 2_000, 9_000_000, 1_600_160));
    recording.push(part('delta', 3_500, 9_135_000, 1_624_160));
    expect([recording.startMs, recording.lengthMs]).toEqual([2_000, 1_500]);
    const bytes = Buffer.from(await recording.file()!.arrayBuffer());
    const { lengthAt } = readHead(bytes);
    expect(bytes.readBigUInt64BE(lengthAt!)).toBe(1_500n);
    const times: number[][] = [];
    for (let at = init.length; at < bytes.length; at += fragment(0, 0).length)
      times.push(decodeTimes(bytes.subarray(at, at + fragment(0, 0).length)).map(({ time }) => time));
    expect(times).toEqual([
      [0, 160],
      [135_000, 24_160],
    ]);
  });

  it('ends when the camera changes its stream; there is no file of nothing', () => {
    const recording = new Recording();
    recording.push(start);
    expect(recording.file()).toBeNull();
    recording.push(start);
    expect(recording.over).toBe(false);
    recording.push(part('key', 0, 0, 0));
    recording.push(start);
    expect(recording.over).toBe(true);
  });
});
