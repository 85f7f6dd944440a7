import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { failure } from '../isapi/answer.ts';
import { Packetizer, slice } from '../video/testing/packets.ts';
import { type ScriptedCamera, scriptedCamera, usual } from '../video/testing/scripted-camera.ts';
import { ReplayPull } from './replay-pull.ts';

/* Against a recorder whose every packet the test decides. */
const T0 = Date.UTC(2026, 10, 20, 12);
const NTP_S = 2_208_988_800;
const [END, DISCONTINUITY, TERMINAL] = [0x40, 0x20, 0x10];
type Picture = [ms: number, flags?: number];

let camera: ScriptedCamera;
afterEach(() => camera?.stop());

/** Every picture a key frame with its stamp, all at once. */
function send(socket: Socket, packetizer: Packetizer, pictures: Iterable<Picture>): void {
  for (const [ms, flags = 0] of pictures) {
    for (const rtp of packetizer.picture([slice(true)])) {
      const stamp = Buffer.alloc(16);
      stamp.writeUInt32BE(0xabac0003, 0);
      stamp.writeUInt32BE(Math.floor((T0 + ms) / 1000) + NTP_S, 4);
      stamp.writeUInt32BE(Math.floor((((T0 + ms) % 1000) / 1000) * 2 ** 32), 8);
      stamp[12] = flags;
      const packet = Buffer.concat([rtp.subarray(0, 12), stamp, rtp.subarray(12)]);
      packet[0] = 0x90;
      socket.write(Buffer.concat([Buffer.from([0x24, 0, packet.length >> 8, packet.length & 255]), packet]));
    }
  }
}

async function play(
  pictures: Iterable<Picture>,
  o: { file?: boolean; after?: (socket: Socket, packetizer: Packetizer) => void } = {},
) {
  camera = await scriptedCamera({
    answer: usual,
    played: (socket) => {
      const packetizer = new Packetizer();
      send(socket, packetizer, pictures);
      o.after?.(socket, packetizer);
    },
  });
  const seen: { ms: number; shown: number }[] = [];
  const gaps: number[] = [];
  const pull = new ReplayPull({
    file: o.file ?? false,
    onGap: (toMs) => gaps.push(toMs - T0),
    replay: async () => ({ ok: true, value: { url: camera.url, aheadMs: 0 } }),
    ways: {
      speed: 1,
      shown: 0,
      clock,
      span: { fromMs: T0, toMs: T0 + 60_000, recording: 'R' },
      target: {
        track: '',
        username: 'admin',
        password: 'secret',
        offset: () => 0,
        keepAlive: { method: null },
      },
      onPicture: ({ recordedMs, shown }) => seen.push({ ms: recordedMs - T0, shown }),
      onTrack: () => {},
      onSound: () => {},
      onSpeed: () => {},
      room: async () => {},
    },
  });
  const began = performance.now();
  const end = await pull.run(new AbortController().signal);
  return { end, seen, gaps, tookMs: performance.now() - began };
}

describe('a replay', () => {
  it('tells of a gap that no event told, and ends where the device says so', async () => {
    const found = await play([[10], [50, END], [5_010, DISCONTINUITY], [5_050, END | TERMINAL]]);
    expect(found.end).toBeNull();
    expect(found.seen.map(({ ms }) => ms)).toEqual([10, 50, 5_010, 5_050]);
    expect(found.gaps).toEqual([5_010]);
    expect(found.tookMs).toBeLessThan(2_000);
  });

  it('goes on after an end that was none', async () => {
    const after = (socket: Socket, packetizer: Packetizer) =>
      setTimeout(() => send(socket, packetizer, [[59_000], [60_010]]), 150);
    const found = await play([[10, TERMINAL]], { after });
    expect(found.end).toBeNull();
    expect(found.seen.map(({ ms }) => ms)).toContain(59_000);
    // What is behind its span is another's.
    expect(found.seen.map(({ ms }) => ms)).not.toContain(60_010);
  });

  it('of another time than was asked for is none', async () => {
    const found = await play([[-7_200_000], [-7_199_960]]);
    expect(found.end).toMatchObject({ code: 'protocol', message: expect.stringContaining('another time') });
    expect(found.seen).toEqual([]);
  });

  it('that goes back and forth is given up', async () => {
    const found = await play(
      Array.from({ length: 200 }, (_, i): Picture => [i % 2 === 0 ? 5 : 50_005]),
      { file: true },
    );
    expect(found.end).toMatchObject({ code: 'protocol', message: expect.stringContaining('come to an end') });
    expect(found.seen.length).toBeLessThan(20);
  });

  it('that breaks off in the middle has not come to its end', async () => {
    const found = await play([[10], [50]], { after: (socket) => setTimeout(() => socket.destroy(), 100) });
    expect(found.end).toMatchObject({ code: 'closed' });
  });

  it('of a recording that is gone connects nowhere', async () => {
    camera = await scriptedCamera({});
    const pull = new ReplayPull({
      file: false,
      onGap: () => {},
      replay: async () => failure('not-found', 'It does not have that recording any more.'),
      ways: { span: { fromMs: T0, toMs: T0 + 1 }, speed: 1, shown: 0, clock } as never,
    });
    expect(await pull.run(new AbortController().signal)).toMatchObject({ code: 'not-found' });
    expect(camera.connections).toEqual([]);
  });
});
