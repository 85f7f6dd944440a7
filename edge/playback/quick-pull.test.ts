import type { Socket } from 'node:net';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { Packetizer, slice } from '../video/testing/packets.ts';
import { type ScriptedCamera, scriptedCamera, usual } from '../video/testing/scripted-camera.ts';
import { type QuickMemory, QuickPull } from './quick-pull.ts';

/* Against a recorder whose every packet and answer the test decides. */
const T0 = Date.UTC(2026, 10, 20, 12);
const LENGTH_MS = 20_000;
let camera: ScriptedCamera;
afterEach(() => camera?.stop());

/** One that answers Speed, and then sends `each` pictures every 20 ms, each so many pictures after the last. */
async function take(o: Sent & { told?: string }) {
  let plays = 0;
  camera = await scriptedCamera({
    answer: (request) => {
      const answer = usual(request);
      if (request.method === 'PLAY' && plays++ === 0 && o.told) answer!.headers = { ...answer!.headers, Speed: o.told };
      return answer;
    },
    played: (socket, connection) => send(socket, connection === 1 ? o : { each: 500 }),
  });
  const seen: number[] = [];
  const memory: QuickMemory = { takes: null, untilMs: 0 };
  const pull = new QuickPull({
    memory,
    clock,
    log: pino({ level: 'silent' }),
    ways: {
      speed: 1,
      shown: 0,
      clock,
      span: { fromMs: T0, toMs: T0 + LENGTH_MS },
      target: {
        track: camera.url,
        username: 'admin',
        password: 'secret',
        offset: () => 0,
        keepAlive: { method: null },
      },
      onPicture: ({ recordedMs }) => seen.push(recordedMs - T0),
      onTrack: () => {},
      onSound: () => {},
      onSpeed: () => {},
      room: async () => {},
    },
  });
  const end = await pull.run(new AbortController().signal);
  return { end, seen, memory, connections: camera.connections.length };
}

interface Sent {
  each: number;
  /** Of timestamps, a picture. */
  ticks?: number;
  /** From this picture on only every 25th comes. */
  thinFrom?: number;
}

function send(socket: Socket, { each, ticks = 3_600, thinFrom = Number.POSITIVE_INFINITY }: Sent): void {
  const packetizer = new Packetizer();
  let n = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < each && n * 40 < LENGTH_MS; i++) {
      const step = n >= thinFrom ? 25 : 1;
      for (const rtp of packetizer.picture([slice(n % 25 === 0)]))
        socket.write(Buffer.concat([Buffer.from([0x24, 0, rtp.length >> 8, rtp.length & 255]), rtp]));
      packetizer.timestamp += ticks * step - 3_600;
      n += step;
    }
    if (n * 40 >= LENGTH_MS) socket.end();
  }, 20);
  socket.on('close', () => clearInterval(timer));
}
/** All of it, in order, each once. */
const whole = (seen: number[]) => {
  expect(seen.length).toBe(LENGTH_MS / 40);
  expect(Math.max(...seen.slice(1).map((ms, i) => ms - seen[i]!))).toBeLessThan(45);
};

describe('a file that is taken sooner than it was recorded', { timeout: 20_000 }, () => {
  it('comes so where the device does that, and its timestamps prove it', async () => {
    const found = await take({ told: '8.000', each: 4 });
    expect(found.end).toBeNull();
    whole(found.seen);
    expect([found.memory.takes, found.connections]).toEqual([true, 1]);
  });

  it.each([
    ['says so and does not', { told: '8.000', each: 1, ticks: 1_800 }],
    ['runs its timestamps along', { told: '8.000', each: 4, ticks: 450 }],
  ])('is played where the device %s', async (_, o) => {
    const found = await take(o);
    expect(found.end).toBeNull();
    whole(found.seen);
    expect([found.memory.takes, found.connections]).toEqual([false, 2]);
  });

  it('is played where the device leaves pictures out, from there on where it begins with that later', async () => {
    const found = await take({ told: '8.000', each: 4, thinFrom: 50 });
    expect(found.end).toBeNull();
    whole(found.seen);
    await camera.stop();
    const later = await take({ told: '8.000', each: 4, thinFrom: 400 });
    // Whoever asked for it goes on from here.
    expect([later.end?.code, later.memory.takes]).toEqual(['closed', false]);
    expect(later.seen).toHaveLength(401);
  });

  it('is played in the same session where the device does not look at Speed', async () => {
    const found = await take({ each: 500 });
    expect(found.end).toBeNull();
    whole(found.seen);
    expect([found.memory.takes, found.connections]).toEqual([false, 1]);
  });
});
