import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock as clock, iso } from '../../protocol/clock.ts';
import { type MediaMessage, readMedia } from '../../protocol/wire/media.ts';
import type { PlaybackQuery } from '../../protocol/wire/video.ts';
import { Video } from '../video/video.ts';
import { Warnables } from '../warnables.ts';
import { Playback } from './playback.ts';
import { decodeClocks, startLab } from './testing/lab.ts';

/* Against the lab's cameras: one writes UTC into its labels, one its own wall clock, two hours ahead. */
const log = pino({ level: 'silent' });
let lab: Awaited<ReturnType<typeof startLab>>;
let playback: Playback;
const video = new Video({ clock, log, warnables: new Warnables({ clock, log }) });
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-playback-files-'));
  lab = await startLab(96, log);
  playback = new Playback({ devices: lab.devices, video, clock, log });
});
// Also after a test that failed, which is tried again.
afterEach(async () => {
  for (const { name } of lab.cameras) {
    await lab.recorded(name, null);
    await lab.tracks(name, { scale: 'taken', speed: 'ignored', breaks: null });
    await lab.clock(name, 0);
    await lab.download(name, name === 'camera-1' ? 'get' : 'post');
  }
});
afterAll(async () => {
  playback.stop();
  await lab.stop();
  rmSync(dir, { recursive: true });
});

/** One that has listed nothing yet. */
function fresh(): Playback {
  playback.stop();
  playback = new Playback({ devices: lab.devices, video, clock, log });
  return playback;
}

/** A whole second some minutes ago. */
const ago = (seconds: number) => Math.floor(Date.now() / 1000) * 1000 - seconds * 1000;
const query = (n: number, fromMs: number, toMs: number, o: Partial<PlaybackQuery> = {}): PlaybackQuery => ({
  deviceId: lab.cameras[n]!.deviceId,
  channel: 1,
  stream: 'main',
  accept: ['h264'],
  speed: 1,
  from: iso(fromMs),
  to: iso(toMs),
  ...o,
});

async function messages(stream: ReadableStream<Uint8Array>): Promise<MediaMessage[]> {
  let rest = Buffer.alloc(0);
  const found: MediaMessage[] = [];
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const end = 4 + rest.readUInt32BE(0);
      found.push(readMedia(rest.subarray(4, end))!);
      rest = rest.subarray(end);
    }
  }
  return found;
}
/** Times of the packets of sound. */
const soundOf = (file: string): number[] =>
  execFileSync('ffprobe', [
    '-v',
    'error',
    '-select_streams',
    'a:0',
    '-show_entries',
    'packet=pts_time',
    '-of',
    'csv=p=0',
    file,
  ])
    .toString()
    .trim()
    .split('\n')
    .map(Number);
const clocksOf = async (parts: Uint8Array[]) => {
  const file = join(dir, `${Math.random()}.mp4`);
  writeFileSync(file, Buffer.concat(parts));
  return decodeClocks(['-i', file], 1000);
};

describe('recordings of a device', () => {
  it.each([0, 1])('are listed with their real times, whatever clock camera %i writes (LIVE-06)', async (n) => {
    const now = Date.now();
    const found = await playback.search({ ...query(n, now - 3_600_000, now + 60_000) });
    if (!found.ok) throw new Error(found.detail);
    const { items } = found.value;
    expect(found.value.complete).toBe(true);
    expect(Date.parse(items[0]!.from)).toBe(now - 3_600_000);
    expect(Math.abs(Date.parse(items.at(-1)!.to) - now)).toBeLessThan(5_000);
  });

  it('are counted by day, and by pages', async () => {
    const { deviceId } = lab.cameras[1]!;
    const today = new Date(Date.now() + 2 * 3_600_000);
    const days = await playback.days({
      deviceId,
      channel: 1,
      year: today.getUTCFullYear(),
      month: today.getUTCMonth() + 1,
    });
    expect(days.ok && days.value).toContain(today.getUTCDate());
    const now = Date.now();
    const week = await playback.search(query(1, now - 6 * 86_400_000, now));
    expect(week.ok && week.value.items.length).toBeGreaterThan(200);
    expect(week.ok && new Set(week.value.items.map((item) => item.kind))).toEqual(new Set(['continuous', 'motion']));
  });

  it.each([
    0, 1,
  ])('of camera %i play from the asked moment, over a gap that is told, to their end (LIVE-06)', async (n) => {
    const start = ago(900);
    const { name } = lab.cameras[n]!;
    await lab.recorded(name, [
      { fromMs: start - 60_000, toMs: start + 2_000 },
      { fromMs: start + 300_000, toMs: start + 360_000 },
      { fromMs: Date.now() - 60_000, toMs: Date.now() },
    ]);
    const played = await fresh().stream(query(n, start, start + 301_000));
    if (!played.ok) throw new Error(played.detail);
    const found = await messages(played.value);
    expect(found[0]).toMatchObject({ type: 'init', init: { width: 1280, height: 720, transcoded: false } });
    // G.711 comes beside the pictures, and the first of them before it is known how long it lasts.
    expect(found.find((m) => m.type === 'key')).toMatchObject({ wallMs: start });
    const heard = found.flatMap((m) => (m.type === 'audio' ? [m.wallMs] : []));
    expect(heard.length).toBeGreaterThan(100);
    expect(heard.at(-1)).toBeGreaterThan(start + 300_500);
    const notes = found.flatMap((m) => (m.type === 'note' ? [m.note] : []));
    expect(notes).toEqual([
      expect.objectContaining({ code: 'gap', toMs: start + 300_000 }),
      expect.objectContaining({ code: 'ended' }),
    ]);
    const media = found.flatMap((m) => (m.type === 'note' || m.type === 'audio' ? [] : [m.data]));
    const clocks = await clocksOf(media);
    expect(clocks[0]).toBe(start);
    expect(clocks.at(-1)).toBeGreaterThan(start + 300_800);
    expect(clocks.length).toBeGreaterThan(70);
    // What the messages say is what the pictures show.
    const said = found.flatMap((m) => (m.type === 'key' || m.type === 'delta' ? [m.wallMs] : []));
    for (const wallMs of said) expect(Math.min(...clocks.map((c) => Math.abs(c - wallMs)))).toBeLessThan(50);
    await vi.waitFor(async () => expect(await lab.sessions(name)).toBe(0));
  });

  it('in H.265 play as they are where that can be decoded, elsewhere as H.264 with the same times', async () => {
    const start = ago(700);
    const { name } = lab.cameras[1]!;
    await lab.recorded(
      name,
      [
        { fromMs: start, toMs: start + 2_000 },
        { fromMs: Date.now() - 60_000, toMs: Date.now() },
      ],
      'h265',
    );
    const range = [start, start + 2_000] as const;
    fresh();
    const [own, made] = await Promise.all(
      (['h265', 'h264'] as const).map(async (kind) => {
        const played = await playback.stream(query(1, ...range, { accept: [kind] }));
        if (!played.ok) throw new Error(played.detail);
        return messages(played.value);
      }),
    );
    expect(own![0]).toMatchObject({ init: { codecs: expect.stringMatching(/^hvc1/), transcoded: false } });
    expect(made![0]).toMatchObject({ init: { codecs: expect.stringMatching(/^avc1/), transcoded: true } });
    for (const found of [own!, made!]) {
      const said = found.flatMap((m) => (m.type === 'key' || m.type === 'delta' ? [m.wallMs] : []));
      expect(said[0]).toBe(start);
      const clocks = await clocksOf(
        found.flatMap((m) => (m.type === 'init' || m.type === 'key' || m.type === 'delta' ? [m.data] : [])),
      );
      expect(clocks.length).toBeGreaterThan(30);
      // The first one of an encoder may be too coarse for the clock to be read.
      const read = clocks.flatMap((clock, i) => (clock === null ? [] : [{ clock, i }]));
      expect(read.length).toBeGreaterThan(25);
      for (const { clock, i } of read) expect(Math.abs(clock - (start + i * 40))).toBeLessThan(50);
    }
  });

  it('play faster, and say when each picture was', async () => {
    const start = ago(600);
    const played = await playback.stream(query(0, start, start + 16_000, { speed: 8 }));
    if (!played.ok) throw new Error(played.detail);
    const began = performance.now();
    const found = await messages(played.value);
    expect(performance.now() - began).toBeLessThan(6_000);
    const said = found.flatMap((m) => (m.type === 'key' ? [m.wallMs] : []));
    expect(said.slice(0, 4).map((ms) => Math.round((ms - start) / 1000))).toEqual([0, 2, 4, 6]);
  });

  it('play backward in key frames, over a gap, at the speed that was asked for', async () => {
    const start = ago(600);
    const { name } = lab.cameras[1]!;
    await lab.recorded(name, [
      { fromMs: start, toMs: start + 6_000 },
      { fromMs: start + 100_000, toMs: start + 110_000 },
      { fromMs: Date.now() - 60_000, toMs: Date.now() },
    ]);
    const played = await fresh().stream(query(1, start, start + 104_000, { speed: -8 }));
    if (!played.ok) throw new Error(played.detail);
    const found = await messages(played.value);
    const said = found.flatMap((m) => (m.type === 'key' ? [Math.round((m.wallMs - start) / 1000)] : []));
    expect(said).toEqual([100, 4, 0]);
    expect(found.flatMap((m) => (m.type === 'note' ? [m.note.code] : []))).toEqual(['gap', 'ended']);
    const clocks = await clocksOf(found.flatMap((m) => (m.type === 'init' || m.type === 'key' ? [m.data] : [])));
    expect(clocks.map((clock) => Math.round((clock - start) / 1000))).toEqual(said);
  });

  it('go on where the device ends the session, take the speed that it has, and have their real times by a wrong clock', async () => {
    const start = ago(500);
    const { name } = lab.cameras[0]!;
    await lab.recorded(name, [
      { fromMs: start, toMs: start + 40_000 },
      { fromMs: Date.now() - 60_000, toMs: Date.now() },
    ]);
    await lab.clock(name, 3_600_000);
    await lab.tracks(name, { scale: 'some', breaks: { afterMs: 6_000, how: 'reset' } });
    const played = await fresh().stream(query(0, start, start + 12_000, { speed: 16 }));
    if (!played.ok) throw new Error(played.detail);
    const found = await messages(played.value);
    expect(found.flatMap((m) => (m.type === 'note' ? [m.note] : []))).toEqual([
      expect.objectContaining({ code: 'speed', text: 'The device plays at 4×.' }),
      expect.objectContaining({ code: 'ended', text: 'That was all.' }),
    ]);
    const clocks = await clocksOf(found.flatMap((m) => (m.type === 'init' || m.type === 'key' ? [m.data] : [])));
    const seconds = clocks.map((clock) => (clock - start) / 1000);
    expect(seconds[0]).toBe(0);
    expect(seconds.at(-1)).toBe(10);
    for (const [i, at] of seconds.entries()) expect(at - (seconds[i - 1] ?? at)).toBeLessThanOrEqual(2);
  });

  it('come sooner than they were where the device does that, and it is proven', async () => {
    const start = ago(2400);
    const { name } = lab.cameras[1]!;
    const length = 10_000;
    await lab.download(name, 'none');
    await lab.recorded(name, [
      { fromMs: start, toMs: start + length },
      { fromMs: Date.now() - 60_000, toMs: Date.now() },
    ]);
    await lab.tracks(name, { speed: 'taken', breaks: { afterMs: 6_000, how: 'teardown' } });
    const taken = await fresh().file(query(1, start, start + length));
    if (!taken.ok) throw new Error(taken.detail);
    const parts: Uint8Array[] = [];
    for await (const part of taken.value) parts.push(part);
    const file = join(dir, 'sooner.mp4');
    writeFileSync(file, Buffer.concat(parts));
    const clocks = (await decodeClocks(['-i', file], 2000)).filter((clock) => clock !== null);
    // None is missing, and nothing is twice as long as it was.
    const own = new Set(clocks.map((clock) => Math.round((clock - start) / 40)));
    expect(own.size).toBeGreaterThanOrEqual(length / 40 - 3);
    const seconds = Number(
      execFileSync('ffprobe', ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', file]),
    );
    expect(Math.abs(seconds - length / 1000)).toBeLessThan(0.3);
    const packets = soundOf(file);
    expect(packets.length).toBeGreaterThan((length / 1000) * 15);
    expect(packets.at(-1)).toBeGreaterThan(length / 1000 - 1);
  });

  it('are a file in which a second is a second of then, gaps as well (LIVE-08, LIVE-09)', async () => {
    const start = ago(1200);
    const { name } = lab.cameras[1]!;
    await lab.recorded(name, [
      { fromMs: start, toMs: start + 2_000 },
      { fromMs: start + 10_000, toMs: start + 60_000 },
      { fromMs: Date.now() - 60_000, toMs: Date.now() },
    ]);
    const taken = await fresh().file(query(1, start, start + 11_000));
    if (!taken.ok) throw new Error(taken.detail);
    const parts: Uint8Array[] = [];
    for await (const part of taken.value) parts.push(part);
    const file = join(dir, 'cut.mp4');
    writeFileSync(file, Buffer.concat(parts));
    const [late] = await decodeClocks(['-ss', '10.2', '-i', file], 1);
    expect(Math.abs(late! - (start + 10_200))).toBeLessThan(100);
    // Its sound is AAC, in the same places.
    const packets = soundOf(file);
    expect(packets.filter((time) => time < 2.2).length).toBeGreaterThan(20);
    expect(packets.filter((time) => time > 2.3 && time < 9.8)).toEqual([]);
    expect(packets.filter((time) => time > 9.8).length).toBeGreaterThan(8);
  });

  it('wait for who looks at them, and end with him', async () => {
    const start = ago(1800);
    const { name } = lab.cameras[0]!;
    const played = await playback.stream(query(0, start, start + 600_000, { speed: 2 }));
    if (!played.ok) throw new Error(played.detail);
    const reader = played.value.getReader();
    await reader.read();
    expect(await lab.sessions(name)).toBe(1);
    await reader.cancel();
    await vi.waitFor(async () => expect(await lab.sessions(name)).toBe(0), { timeout: 3_000 });
  });

  it('are offered of a device that has something to record to, and of no other', async () => {
    expect(await playback.offered(lab.cameras[0]!.deviceId)).toBe(true);
    expect(await playback.offered('01980000-0000-7000-8000-000000000009')).toBe(false);
  });

  it('are refused in words: none there, no such channel, too long', async () => {
    const start = ago(900);
    const { name } = lab.cameras[0]!;
    await lab.recorded(name, []);
    expect(await fresh().stream(query(0, start - 3_600_000, start))).toMatchObject({ ok: false, code: 'not-found' });
    await lab.recorded(name, null);
    expect(await playback.stream(query(0, start, start + 1000, { channel: 9 }))).toMatchObject({ code: 'not-found' });
    expect(await playback.file(query(0, start - 7_200_000, start))).toMatchObject({ code: 'invalid-request' });
    expect(await playback.search(query(0, start, start - 1))).toMatchObject({ code: 'invalid-request' });
  });
});
