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
  const end = await pullOf(memory, (ms) => seen.push(ms)).run(new AbortController().signal);
  return { end, seen, memory, connections: camera.connections.length };
}

function pullOf(memory: QuickMemory, seen: (ms: number) => void): QuickPull {
  return new QuickPull({
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
      onPicture: ({ recordedMs }) => seen(recordedMs - T0),
      onTrack: () => {},
      onSound: () => {},
      onSpeed: () => {},
      room: async () => {},
    },
  });
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

  it('keeps no more than seconds of it until it is seen, also of sound without pictures', async () => {
    const media = ['m=audio 0 RTP/AVP 0', 'a=control:trackID=2'];
    let sent = 0;
    let quit = () => {};
    camera = await scriptedCamera({
      answer: (request) => {
        const answer = usual(request)!;
        if (request.method === 'DESCRIBE') answer.body = [answer.body, ...media].join('\r\n');
        if (request.uri.endsWith('trackID=2')) answer.headers!.Transport = 'RTP/AVP/TCP;unicast;interleaved=2-3';
        if (request.method === 'PLAY') answer.headers = { ...answer.headers, Speed: '8.000' };
        return answer;
      },
      played: (socket, connection) => {
        if (connection > 1) return quit();
        const packetizer = new Packetizer();
        for (let n = 0; n < 3; n++)
          for (const rtp of packetizer.picture([slice(n === 0)]))
            socket.write(Buffer.concat([Buffer.from([0x24, 0, rtp.length >> 8, rtp.length & 255]), rtp]));
        const sound = Buffer.alloc(4 + 12 + 8_000, 0xff);
        sound.set([0x24, 2, (12 + 8_000) >> 8, (12 + 8_000) & 255, 0x80, 0]);
        const more = () => {
          for (let n = 0; n < 100; n++, sent++) {
            sound.writeUInt16BE(sent & 0xffff, 6);
            sound.writeUInt32BE((sent * 8_000) >>> 0, 8);
            if (n < 99) socket.write(Buffer.from(sound));
            else socket.write(Buffer.from(sound), () => socket.destroyed || more());
          }
          if (sent >= 10_000) quit();
        };
        more();
      },
    });
    const abort = new AbortController();
    quit = () => abort.abort();
    const pull = pullOf({ takes: null, untilMs: 0 }, () => {});
    await pull.run(abort.signal);
    // 24 MB, and what was under way.
    expect(sent * 8_000).toBeLessThan(60_000_000);
  });

  it('is played in the same session where the device does not look at Speed', async () => {
    const found = await take({ each: 500 });
    expect(found.end).toBeNull();
    whole(found.seen);
    expect([found.memory.takes, found.connections]).toEqual([false, 1]);
  });
});
