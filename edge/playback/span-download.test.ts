import { execFileSync } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import { systemClock as clock, ManualClock } from '../../protocol/clock.ts';
import { refusalIn } from './download.ts';
import { SpanDownload } from './span-download.ts';

/* A device's file that nobody takes any more. */
const file = execFileSync(
  'ffmpeg',
  ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=25:duration=2', '-c:v', 'libx264', '-bf', '0'].concat(
    ['-g', '25', '-f', 'vob', 'pipe:1'],
  ),
  { maxBuffer: 1e8 },
);

it('a download that is held when its viewer goes is over, and lets the device go', async () => {
  const res = Object.assign(new PassThrough(), { headers: {} });
  const over = new AbortController();
  let pictures = 0;
  const download: SpanDownload = new SpanDownload({
    files: [{ fromMs: 0, toMs: 60_000, uri: 'x?name=1', sizeBytes: file.length, kind: 'continuous' }],
    ways: {
      target: { track: '', username: '', password: '', keepAlive: { method: null }, offset: () => 0 },
      span: { fromMs: 0, toMs: 60_000 },
      speed: 1,
      shown: 0,
      clock,
      onPicture: () => {
        pictures++;
        // Nobody reads it.
        download.hold();
      },
      onSound: () => {},
      onSpeed: () => {},
      onTrack: () => {},
      room: async () => {},
    },
    clock,
    log: pino({ level: 'silent' }),
    open: async () => ({ ok: true, value: res as unknown as IncomingMessage }),
    measured: () => {},
  });
  const ended = download.run(over.signal);
  for (let at = 0; at < file.length; at += 10_000) res.write(file.subarray(at, at + 10_000));
  await vi.waitFor(() => expect(pictures).toBeGreaterThan(0));
  over.abort();
  expect((await ended)?.code).toBe('stopped');
  expect(res.destroyed).toBe(true);
});

it('a device that answers with a header and nothing else is not waited for', async () => {
  const time = new ManualClock(0);
  const res = new PassThrough();
  const said = refusalIn(res as unknown as IncomingMessage, time);
  await time.advance(20_000);
  expect(await said).toMatchObject({ code: 'device-error' });
  expect(res.destroyed).toBe(true);
});
