/*
 * The box's part of the long run: Video as the program has it, with consumers like those of the program, and its streams on
 * the LAN. Arguments: directory, the cameras' addresses. Answers every message of its parent with a Sample; `end` ends it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import pino from 'pino';
import { LoginGuard } from '../../edge/devices/login-guard.ts';
import { Restream } from '../../edge/restream/restream.ts';
import { AacEncoder } from '../../edge/video/aac.ts';
import type { Consumer } from '../../edge/video/channel-source.ts';
import { Video } from '../../edge/video/video.ts';
import { Warnables } from '../../edge/warnables.ts';
import { systemClock as clock } from '../../protocol/clock.ts';

export interface Sample {
  rssMb: number;
  /** Of it, what JavaScript holds. */
  heapMb: number;
  handles: number;
  processes: number;
  /** Pictures and pieces of sound so far, by channel; the last one: of the pictures made anew. */
  pictures: number[];
  sounds: number[];
  encoded: number;
  streams: { port: number; user: string; password: string; path: string } | null;
}

const CLIP_MS = 30_000;
const DEVICE = '00000000-0000-7000-8000-000000000001';
const [dir = '', ...urls] = process.argv.slice(2);

const log = pino({ level: 'silent' });
const video = new Video({ clock, log, warnables: new Warnables({ clock, log }) });
const channels = urls.map((rtspUrl, i) => ({
  deviceId: DEVICE,
  channel: i + 1,
  name: `Camera ${i + 1}`,
  rtspUrl,
  sub: null,
  username: 'admin',
  password: 'p@ss:word/123',
  guard: new LoginGuard(),
}));
const restream = new Restream({ port: 0, host: '127.0.0.1', dir, channels: () => channels, video, clock, log });
const pictures: number[] = [];
const sounds: number[] = [];
let encoded = 0;
let encoder: AacEncoder | null = null;

function watch(i: number, more: Partial<Consumer> = {}): Consumer {
  pictures[i] ??= 0;
  sounds[i] ??= 0;
  return {
    preRollMs: 5_000,
    lost: () => {},
    accessUnit: () => pictures[i]!++,
    audio: (frame) => {
      sounds[i]!++;
      more.audio?.(frame);
    },
  };
}

function sample(): Sample {
  const { rss, heapUsed } = process.memoryUsage();
  const children = readdirSync('/proc/self/task').flatMap((task) => {
    try {
      return readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean);
    } catch {
      return [];
    }
  });
  const info = restream.info();
  const mb = (bytes: number) => Math.round(bytes / 1e5) / 10;
  return {
    rssMb: mb(rss),
    heapMb: mb(heapUsed),
    handles: readdirSync('/proc/self/fd').length,
    processes: children.length,
    pictures: [...pictures],
    sounds: [...sounds],
    encoded,
    streams: info && { port: info.port, user: info.username, password: info.password, path: info.streams[0]!.path },
  };
}

process.on('disconnect', () => process.exit());
restream.start();
video.setChannels(channels);
for (const { channel } of channels) {
  // The first one's sound is encoded as a clip's is.
  const audio: Consumer['audio'] = channel === 1 ? (frame) => encoder?.push(frame) : undefined;
  video.source(DEVICE, channel)!.acquire(watch(channel - 1, { audio }));
}
const clips = clock.every(CLIP_MS, () => {
  void encoder?.end();
  encoder = new AacEncoder({ log, out: () => encoded++ });
});
// A viewer who cannot decode what the second one sends: comes, stays for half a minute, and comes again.
let release = () => {};
const viewer = clock.every(CLIP_MS, () => {
  release();
  release = video.transcoded(DEVICE, 2, { height: 120 })?.acquire(watch(channels.length)) ?? (() => {});
});

process.on('message', async (what) => {
  if (what === 'end') {
    clips();
    viewer();
    release();
    await encoder?.end();
    await restream.stop();
    await video.stop();
    await clock.sleep(2_000);
  }
  process.send!(sample());
});
while (!restream.info()) await clock.sleep(20);
process.send!(sample());
