import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { type MediaMessage, readMedia } from '../../protocol/wire/media.ts';
import { MessageSink } from './media-writer.ts';
import { Playing } from './playing.ts';
import { ReplayPull } from './replay-pull.ts';
import { decodeClocks } from './testing/lab.ts';

/* Against gst-rtsp-server's ONVIF server, whose pipeline runs on NTP time and stamps by rtponviftimestamp. */
const FROM = Math.floor(Date.now() / 1000) * 1000 - 600_000;
const TO = FROM + 60_000;
const log = pino({ level: 'silent' });
let url = '';
let dir: string;
const plays: Record<string, string | null>[] = [];
let stop: () => Promise<void>;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-replay-'));
  const options = { pictures: join(import.meta.dirname, '../../lab/camera'), name: 'yard', fromMs: FROM, toMs: TO };
  const more = { fps: 10, user: 'admin', password: 'p@ss:word/123' };
  const script = join(import.meta.dirname, 'testing/onvif-replay.py');
  const child = spawn('/usr/bin/python3', ['-B', script, JSON.stringify({ ...options, ...more })], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // It looks for properties that a payloader would have.
    env: { ...process.env, PYTHONWARNINGS: 'ignore' },
  });
  const lines = createInterface({ input: child.stdout });
  const [first] = (await once(lines, 'line')) as [string];
  lines.on('line', (line) => line.startsWith('{') && plays.push(JSON.parse(line).play));
  url = `rtsp://127.0.0.1:${JSON.parse(first).port}/onvif/replay/Recording_1`;
  stop = async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  };
});
afterAll(async () => {
  await stop();
  rmSync(dir, { recursive: true });
});

async function play(fromMs: number, toMs: number, speed = 1, file = false) {
  let sink: MessageSink | null = null;
  const spans = [{ fromMs, toMs, recording: 'Recording_1' }];
  const playing = new Playing({
    spans,
    speed,
    clock,
    log,
    gapsLast: file,
    accept: ['h264'],
    convert: () => null,
    target: {
      track: '',
      username: 'admin',
      password: 'p@ss:word/123',
      offset: () => 0,
      keepAlive: { method: null },
    },
    faster: (ways) =>
      new ReplayPull({
        ways,
        file,
        onGap: () => {},
        replay: async () => ({ ok: true, value: { url, aheadMs: 0 } }),
      }),
    sink: (push) => {
      sink = new MessageSink(push);
      return sink;
    },
    released: () => {},
  });
  const began = performance.now();
  const begun = await playing.begin();
  if (!begun.ok) throw begun.end;
  const parts: Uint8Array[] = [];
  for await (const part of begun.stream) parts.push(part);
  const seconds = (performance.now() - began) / 1000;
  const bytes = Buffer.concat(parts);
  const found: MediaMessage[] = [];
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt32BE(at))
    found.push(readMedia(bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at)))!);
  const told = found.flatMap((m) => (m.type === 'key' || m.type === 'delta' ? [m.wallMs] : []));
  const mp4 = join(dir, `${Math.random()}.mp4`);
  writeFileSync(mp4, Buffer.concat(found.flatMap((m) => (m.type === 'note' || m.type === 'audio' ? [] : [m.data]))));
  return { told, seconds, clocks: await decodeClocks(['-i', mp4], 1000) };
}

describe('replay by an independent server (gst-rtsp-server)', { timeout: 40_000 }, () => {
  it('plays from the asked moment, each picture with the time that is in it (LIVE-06)', async () => {
    const { told, clocks } = await play(FROM + 20_000, FROM + 22_000);
    expect(told[0]).toBe(FROM + 20_000);
    expect(clocks[0]).toBe(FROM + 20_000);
    expect(clocks.length).toBe(20);
    for (const ms of told) expect(Math.min(...clocks.map((c) => Math.abs(c - ms)))).toBeLessThan(60);
  });

  it('gives a file as fast as the line allows', async () => {
    const { clocks, seconds } = await play(FROM + 5_000, FROM + 20_000, 1, true);
    expect(seconds).toBeLessThan(14);
    expect(clocks[0]).toBe(FROM + 5_000);
    expect(clocks.length).toBe(150);
    expect(plays.at(-1)).toMatchObject({ rate_control: 'no' });
  });

  it('plays eight times as fast', async () => {
    const { told, seconds } = await play(FROM + 10_000, FROM + 26_000, 8);
    expect(told[0]).toBe(FROM + 10_000);
    expect(told.at(-1)).toBeGreaterThan(FROM + 23_000);
    expect(seconds).toBeGreaterThan(1.5);
    expect(seconds).toBeLessThan(14);
    expect(plays.at(-1)).toMatchObject({ scale: '8.000', frames: 'intra' });
  });
});
