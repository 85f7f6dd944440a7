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
import { decodeClocks } from './testing/lab.ts';
import { type OnvifLab, startOnvifLab } from './testing/onvif-lab.ts';

/* Against the lab's ONVIF recorder with two cameras (profile G), over real sockets. */
const log = pino({ level: 'silent' });
const video = new Video({ clock, log, warnables: new Warnables({ clock, log }) });
const plain = {
  aheadMs: 0,
  stamps: 'exact',
  require: 'wanted',
  scale: 'taken',
  end: 'terminal',
  maxSessions: 4,
  breaks: null,
};
let lab: OnvifLab;
let playback: Playback;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-replay-'));
  lab = await startOnvifLab(97, log);
  playback = fresh();
});
// Also after a test that failed, which is tried again.
afterEach(async () => {
  await lab.replay(plain);
  await lab.odd({ clockAheadMs: 0 });
  await lab.recorded(null);
});
afterAll(async () => {
  playback.stop();
  await lab.stop();
  rmSync(dir, { recursive: true });
});

/** One that has listed nothing yet. */
function fresh(): Playback {
  playback?.stop();
  playback = new Playback({ devices: lab.devices, video, clock, log });
  return playback;
}
const ago = (seconds: number) => Math.floor(Date.now() / 1000) * 1000 - seconds * 1000;
const query = (fromMs: number, toMs: number, o: Partial<PlaybackQuery> = {}): PlaybackQuery => ({
  deviceId: lab.deviceId,
  channel: 2,
  stream: 'main',
  accept: ['h264'],
  speed: 1,
  from: iso(fromMs),
  to: iso(toMs),
  ...o,
});

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
async function play(fromMs: number, toMs: number, o: Partial<PlaybackQuery> = {}): Promise<MediaMessage[]> {
  const played = await fresh().stream(query(fromMs, toMs, o));
  if (!played.ok) throw new Error(played.detail);
  const bytes = await bytesOf(played.value);
  const found: MediaMessage[] = [];
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt32BE(at))
    found.push(readMedia(bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at)))!);
  return found;
}
const toldBy = (found: MediaMessage[]) =>
  found.flatMap((m) => (m.type === 'key' || m.type === 'delta' ? [m.wallMs] : []));
const notesOf = (found: MediaMessage[]) => found.flatMap((m) => (m.type === 'note' ? [m.note] : []));
async function clocksOf(bytes: Uint8Array | Uint8Array[]) {
  const file = join(dir, `${Math.random()}.mp4`);
  writeFileSync(file, bytes instanceof Uint8Array ? bytes : Buffer.concat(bytes));
  return decodeClocks(['-i', file], 1000);
}
/** Times of the packets of sound. */
const soundOf = (file: string): number[] => {
  const what = ['-v', 'error', '-select_streams', 'a:0', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0'];
  return execFileSync('ffprobe', [...what, file])
    .toString()
    .trim()
    .split('\n')
    .map(Number);
};
const mediaOf = (found: MediaMessage[]) =>
  found.flatMap((m) => (m.type === 'init' || m.type === 'key' || m.type === 'delta' ? [m.data] : []));

describe('recordings of an ONVIF recorder', { timeout: 60_000 }, () => {
  it('play in four windows that open together with their time line, on a recorder that does two searches (LIVE-07)', async () => {
    const box = fresh();
    const [from, to] = [ago(1_200), ago(600)];
    const windows = [1, 2, 1, 2].map((channel) => box.stream(query(from, to, { channel })));
    const lists = [1, 2].map((channel) => box.search(query(from - 3_600_000, to, { channel })));
    const played = await Promise.all(windows);
    expect((await Promise.all(lists)).map(({ ok }) => ok)).toEqual([true, true]);
    expect(played.map((one) => (one.ok ? 'plays' : one.detail))).toEqual(Array(4).fill('plays'));
    for (const one of played) if (one.ok) await one.value.cancel();
  });

  it('are listed as spans with the gaps between them, and counted by day (LIVE-06)', async () => {
    const now = Date.now();
    const found = await fresh().search(query(now - 2 * 86_400_000, now + 60_000));
    if (!found.ok) throw new Error(found.detail);
    const { items, complete } = found.value;
    expect(complete).toBe(true);
    // It was away for a while in each of two nights.
    expect(items.length).toBeGreaterThanOrEqual(2);
    expect(items.length).toBeLessThanOrEqual(3);
    const away = items.slice(1).map((item, i) => Date.parse(item.from) - Date.parse(items[i]!.to));
    expect(away).toEqual(away.map(() => 35 * 60_000));
    expect(Date.parse(items[0]!.from)).toBe(now - 2 * 86_400_000);
    expect(Math.abs(Date.parse(items.at(-1)!.to) - now)).toBeLessThan(5_000);
    const today = new Date(now + 2 * 3_600_000);
    const at = { deviceId: lab.deviceId, channel: 2, year: today.getUTCFullYear(), month: today.getUTCMonth() + 1 };
    const days = await playback.days(at);
    expect(days.ok && days.value).toContain(today.getUTCDate());
    expect(await playback.offered(lab.deviceId)).toBe(true);
    // Each search was given back.
    expect((await lab.status()).onvif).toMatchObject({ searches: 0 });
  });

  it('play from the asked moment by the time that is stamped on each picture, over a gap that is told (LIVE-06)', async () => {
    const start = ago(900);
    await lab.recorded([
      { fromMs: start - 60_000, toMs: start + 2_000 },
      { fromMs: start + 300_000, toMs: start + 360_000 },
    ]);
    const found = await play(start, start + 301_000);
    expect(found[0]).toMatchObject({ type: 'init', init: { width: 1280, height: 720, transcoded: false } });
    expect(found.find((m) => m.type === 'key')).toMatchObject({ wallMs: start });
    expect(notesOf(found)).toEqual([
      expect.objectContaining({ code: 'gap', toMs: start + 300_000 }),
      expect.objectContaining({ code: 'ended' }),
    ]);
    expect(found.filter((m) => m.type === 'audio').length).toBeGreaterThan(100);
    const clocks = await clocksOf(mediaOf(found));
    expect(clocks[0]).toBe(start);
    expect(clocks.at(-1)).toBeGreaterThan(start + 300_800);
    expect(clocks.length).toBeGreaterThan(70);
    for (const wallMs of toldBy(found)) expect(Math.min(...clocks.map((c) => Math.abs(c - wallMs)))).toBeLessThan(50);
    await vi.waitFor(async () => expect((await lab.status()).rtspSessions).toBe(0));
  });

  it('play at 8× in key frames, and at 1× where Scale is refused or not done', async () => {
    const start = ago(600);
    await lab.recorded(null);
    const fast = await play(start, start + 9_000, { speed: 8 });
    expect(fast.flatMap((m) => (m.type === 'key' ? [Math.round((m.wallMs - start) / 1000)] : [])).slice(0, 4)).toEqual([
      0, 2, 4, 6,
    ]);
    expect((await lab.status()).onvif.played).toMatchObject({ scale: '8.000', frames: 'intra' });
    await lab.replay({ ...plain, scale: 'refused' });
    const refused = await play(start, start + 600, { speed: 4 });
    expect(notesOf(refused)[0]).toMatchObject({ code: 'speed', text: 'The device plays at 1×.' });
    await lab.replay({ ...plain, scale: 'claimed' });
    const claimed = await play(start, start + 3_500, { speed: 2 });
    expect(notesOf(claimed).map((n) => n.text)).toContain('The device plays at 1×.');
  });

  it('play backward, and go on where the recorder ends the session', async () => {
    const start = ago(1_000);
    await lab.recorded([{ fromMs: start, toMs: start + 60_000 }]);
    await lab.replay({ ...plain, breaks: { afterMs: 6_000, how: 'bye' } });
    const back = await play(start + 10_000, start + 20_000, { speed: -8 });
    const said = back.flatMap((m) => (m.type === 'key' ? [Math.round((m.wallMs - start) / 1000)] : []));
    expect(said).toEqual([18, 16, 14, 12, 10]);
    expect(await clocksOf(mediaOf(back))).toEqual(said.map((s) => start + s * 1000));
    expect(notesOf(back).map(({ code }) => code)).toEqual(['ended']);
    const taken = await fresh().file(query(start, start + 10_000));
    if (!taken.ok) throw new Error(taken.detail);
    const own = new Set((await clocksOf(await bytesOf(taken.value))).map((clock) => Math.round((clock - start) / 40)));
    expect(own.size).toBeGreaterThanOrEqual(248);
  });

  it('play on a recorder that does not know the extension, stamps nothing, and ends with a BYE', async () => {
    const start = ago(700);
    await lab.recorded([{ fromMs: start, toMs: start + 60_000 }]);
    await lab.replay({ ...plain, require: 'unknown', stamps: 'none', end: 'bye' });
    const bare = await play(start + 10_000, start + 11_000);
    expect(toldBy(bare)[0]).toBe(start + 10_000);
    const shown = await clocksOf(mediaOf(bare));
    expect(shown[0]).toBe(start + 10_000);
    expect(shown.length).toBeGreaterThan(22);
  });

  it('are a file as fast as the line allows, in which a second is a second of then (LIVE-08, LIVE-09)', async () => {
    const start = ago(1200);
    await lab.recorded([
      { fromMs: start, toMs: start + 10_000 },
      { fromMs: start + 15_000, toMs: start + 60_000 },
    ]);
    const taken = await fresh().file(query(start, start + 16_000));
    if (!taken.ok) throw new Error(taken.detail);
    const file = join(dir, 'cut.mp4');
    writeFileSync(file, await bytesOf(taken.value));
    const { played } = (await lab.status()).onvif;
    expect(played).toMatchObject({ require: 'onvif-replay', 'rate-control': 'no' });
    const [early] = await decodeClocks(['-ss', '5', '-i', file], 1);
    const [late] = await decodeClocks(['-ss', '15.2', '-i', file], 1);
    expect(Math.abs(early! - (start + 5_000))).toBeLessThan(100);
    expect(Math.abs(late! - (start + 15_200))).toBeLessThan(100);
    // Its sound is AAC, in the same places, none left out.
    const heard = soundOf(file);
    expect(heard.filter((time) => time > 10.3 && time < 14.8)).toEqual([]);
    const steps = heard.slice(1).map((time, i) => time - heard[i]!);
    expect(heard[0]).toBeLessThan(0.05);
    expect(Math.max(...steps.slice(0, 100))).toBeLessThan(0.07);
    expect(heard.length).toBeGreaterThan(160);
  });

  it('of a device whose clock is three hours ahead have their real times', async () => {
    const start = ago(800);
    await lab.recorded([{ fromMs: start, toMs: start + 60_000 }]);
    await lab.odd({ clockAheadMs: 3 * 3_600_000 });
    const found = await fresh().search(query(start - 3_600_000, start + 3_600_000));
    const clocks = await clocksOf(mediaOf(await play(start + 1_000, start + 2_000)));
    if (!found.ok) throw new Error(found.detail);
    expect(Math.abs(Date.parse(found.value.items[0]!.from) - start)).toBeLessThan(1_500);
    expect(Math.abs(clocks[0]! - (start + 1_000))).toBeLessThan(1_500);
  });

  it('are refused in words: none there, no place left', async () => {
    const start = ago(900);
    await lab.recorded([]);
    expect(await fresh().stream(query(start - 3_600_000, start))).toMatchObject({ ok: false, code: 'not-found' });
    await lab.recorded(null);
    await lab.replay({ ...plain, maxSessions: 0 });
    expect(await fresh().stream(query(start, start + 1_000))).toMatchObject({
      code: 'device-error',
      detail: expect.stringContaining('as many recordings as it can'),
    });
  });
});
