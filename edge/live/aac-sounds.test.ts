import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, expect, it, vi } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { type MediaMessage, readMedia } from '../../protocol/wire/media.ts';
import { AacSounds } from './aac-sounds.ts';
import { MediaFeed } from './media-feed.ts';
import { FakeSource, FakeSources, H264, PCMU } from './testing/fake-source.ts';

const log = pino({ level: 'silent' });
/** Its pictures are none that could be decoded. */
const QUIETLY: ('ignore' | 'pipe')[] = ['ignore', 'pipe', 'ignore'];
const dir = mkdtempSync(join(tmpdir(), 'gatepost-sounds-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** 20 ms of µ-law: a square wave, or silence. */
const tone = Buffer.from(Array.from({ length: 160 }, (_, i) => (i % 16 < 8 ? 0x90 : 0x10)));
const quiet = Buffer.alloc(160, 0xff);

function feedOf(sources: FakeSources, sounds: AacSounds | null) {
  const said: MediaMessage[] = [];
  const feed = new MediaFeed({
    sources,
    clock,
    deviceId: uuidv7(),
    channel: 1,
    stream: 'main',
    accept: ['h264'],
    sounds,
    send: (message) => said.push(readMedia(message)!),
    end: () => {},
  });
  feed.start();
  return { feed, said };
}

it('gives those who keep it AAC of G.711, in step, by one encoder for all of them and none for nobody', async () => {
  const sources = new FakeSources();
  const main = new FakeSource(H264);
  sources.main = main;
  main.sound = PCMU;
  const sounds = new AacSounds({ clock, log });
  const seen = feedOf(sources, null);
  const [one, two] = [feedOf(sources, sounds), feedOf(sources, sounds)];
  // At twice the speed: a beep of 200 ms at the beginning of every second.
  for (let i = 0; i < 125; i++) {
    main.push(i % 25 === 0);
    for (const at of [0, 20]) {
      const ms = i * 40 + at;
      main.say(ms * 8, ms % 1000 < 200 ? tone : quiet);
    }
    if (i === 10) expect(sounds.count).toBe(1);
    await sleep(20);
  }
  // Who only looks hears G.711 beside the pictures, and costs no encoder.
  expect(seen.said[0]).toMatchObject({ init: { audio: 'pcmu', codecs: H264.codec } });
  expect(seen.said.filter(({ type }) => type === 'audio').length).toBeGreaterThan(200);
  for (const { said } of [one, two]) {
    expect(said[0]).toMatchObject({ init: { audio: null, codecs: `${H264.codec}, mp4a.40.2` } });
    expect(said.some(({ type }) => type === 'audio')).toBe(false);
  }
  const file = join(dir, 'kept.mp4');
  writeFileSync(
    file,
    Buffer.concat(one.said.flatMap((m) => (m.type === 'note' || m.type === 'audio' ? [] : [m.data]))),
  );
  const probe = ['-v', 'error', '-select_streams', 'a', '-show_entries', 'stream=codec_name,start_time,duration'];
  const { streams } = JSON.parse(
    execFileSync('ffprobe', [...probe, '-of', 'json', file], { stdio: QUIETLY }).toString(),
  );
  expect(streams).toMatchObject([{ codec_name: 'aac' }]);
  expect(Number(streams[0].duration)).toBeGreaterThan(3.5);
  const decode = [
    ...['-v', 'error', '-i', file, '-map', '0:a', '-af', 'aresample=async=1:first_pts=0'],
    ...['-f', 's16le', '-ar', '8000', '-ac', '1', '-'],
  ];
  const pcm = execFileSync('ffmpeg', decode, { stdio: QUIETLY });
  const begins: number[] = [];
  let loudAt = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < pcm.length / 2; i++) {
    if (Math.abs(pcm.readInt16LE(i * 2)) < 3_000) continue;
    if (i - loudAt > 2_000) begins.push(i / 8_000);
    loudAt = i;
  }
  // The first one comes before the encoder runs.
  expect(begins.length).toBeGreaterThanOrEqual(3);
  for (const at of begins.slice(1)) expect(Math.abs(at - Math.round(at))).toBeLessThan(0.06);

  one.feed.stop();
  expect(sounds.count).toBe(1);
  two.feed.stop();
  expect(sounds.count).toBe(0);
  expect(main.consumers.size).toBe(1);
  seen.feed.stop();
});

it('makes no more of them than it may, and goes on with another one when one dies', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
  const sounds = new AacSounds({ clock, log, ffmpeg: '/bin/false' });
  const sources = Array.from({ length: 9 }, () => new FakeSource(H264));
  for (const source of sources) source.sound = PCMU;
  const taken = sources.map((source) => sounds.take(source, () => {}));
  expect(taken.filter((release) => release === null)).toHaveLength(1);
  for (let i = 0; i < 5; i++) {
    sources[0]!.say(i * 160);
    await sleep(10);
  }
  for (const release of taken) release?.();
  expect(sounds.count).toBe(0);
  expect(sources.reduce((sum, { consumers }) => sum + consumers.size, 0)).toBe(0);
  vi.useRealTimers();
});
