import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { channelConfig, DEVICE, newWarnables, silent, until } from './testing/camera.ts';
import { H264_SETS } from './testing/packets.ts';
import { type ScriptedCamera, scriptedCamera, streamVideo, usual } from './testing/scripted-camera.ts';
import { Video } from './video.ts';

/** What stands in for ffmpeg: publishes key frames to the address that it is given. */
const PUBLISHER = `#!${process.execPath}
const url = process.argv.at(-1);
const { hostname, port } = new URL(url.replace('rtsp:', 'http:'));
const socket = require('node:net').connect(Number(port), hostname);
socket.on('error', () => process.exit(1)).on('close', () => process.exit(0)).resume();
const sets = '${H264_SETS.sps.toString('base64')},${H264_SETS.pps.toString('base64')}';
const sdp = 'm=video 0 RTP/AVP 96\\r\\na=rtpmap:96 H264/90000\\r\\na=fmtp:96 sprop-parameter-sets=' + sets + '\\r\\n';
socket.write('ANNOUNCE ' + url + ' RTSP/1.0\\r\\nCSeq: 1\\r\\nContent-Length: ' + sdp.length + '\\r\\n\\r\\n' + sdp);
let n = 0;
setInterval(() => {
  const rtp = Buffer.concat([Buffer.from([0x24, 0, 0, 52, 0x80, 0xe0]), Buffer.alloc(10), Buffer.alloc(40, 0x55)]);
  rtp.writeUInt16BE(++n & 0xffff, 6);
  rtp.writeUInt32BE(n * 3600, 8);
  rtp.set([0x65, 0x88], 16);
  socket.write(rtp);
}, 5);
`;
const JPEG = 'v=0\r\nm=video 0 RTP/AVP 26\r\na=rtpmap:26 JPEG/90000\r\n';

let camera: ScriptedCamera;
let video: Video;
let dir = '';
afterEach(async () => {
  await video.stop();
  await camera.stop();
  rmSync(dir, { recursive: true, force: true });
});

function pull(clock: ManualClock, script: string) {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-way-'));
  const ffmpeg = join(dir, 'ffmpeg');
  writeFileSync(ffmpeg, script);
  chmodSync(ffmpeg, 0o700);
  const warnables = newWarnables();
  video = new Video({ clock, log: silent, warnables, ffmpeg });
  video.setChannels([channelConfig(camera.url)]);
  const seen = { units: 0 };
  const accessUnit = () => seen.units++;
  video.source(DEVICE, 1)!.acquire({ preRollMs: 0, accessUnit, lost: () => {} });
  return { warnables, seen };
}
/** Time passes until it is so. */
async function passUntil(clock: ManualClock, what: string, condition: () => boolean) {
  const end = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`timed out: ${what}`);
    await clock.advance(200);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
const count = (method: string) => camera.requests.filter((r) => r.method === method).length;

describe('a camera that is pulled through ffmpeg', () => {
  it('is asked again while its pictures are converted, and pulled directly once it was set to H.264', async () => {
    const clock = new ManualClock();
    let jpeg = true;
    camera = await scriptedCamera({
      answer: (r) => (jpeg && r.method === 'DESCRIBE' ? { ...usual(r), body: JPEG } : usual(r)),
    });
    const { warnables, seen } = pull(clock, PUBLISHER);
    const pass = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 10_000) {
        await clock.advance(10_000);
        const { units } = seen;
        await until(() => seen.units > units, 'a picture');
      }
    };
    await until(() => count('DESCRIBE') === 1, 'the first try');
    await passUntil(clock, 'pictures by ffmpeg', () => seen.units > 0);
    expect(warnables.list()).toMatchObject([{ code: 'unsupported-codec' }]);
    await pass(600_000);
    await until(() => count('DESCRIBE') === 2, 'the second look');
    expect(count('SETUP')).toBe(0);
    jpeg = false;
    await pass(590_000);
    await clock.advance(10_000);
    const direct = () => count('PLAY') === 1 && video.state(DEVICE, 1).video === 'streaming';
    await passUntil(clock, 'pictures without ffmpeg', direct);
    expect(warnables.list()).toEqual([]);
  });

  it('only fetched so because it took no TCP is asked again, and pulled directly once pictures come over TCP', async () => {
    const clock = new ManualClock();
    let udpOnly = true;
    camera = await scriptedCamera({
      answer: (r) => (udpOnly && r.method === 'SETUP' ? { status: '461 Unsupported Transport' } : usual(r)),
    });
    const { seen, warnables } = pull(clock, PUBLISHER);
    await until(() => count('SETUP') === 1, 'the first try');
    await passUntil(clock, 'pictures by ffmpeg', () => seen.units > 0);
    const pass = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 10_000) {
        await clock.advance(10_000);
        const { units } = seen;
        await until(() => seen.units > units, 'a picture');
      }
    };
    await pass(600_000);
    await until(() => count('SETUP') === 2, 'the second look');
    expect(count('PLAY')).toBe(0);
    udpOnly = false;
    await pass(600_000);
    // Once to see whether pictures come, and once for good.
    const direct = () => count('PLAY') === 2 && video.state(DEVICE, 1).video === 'streaming';
    await passUntil(clock, 'pictures without ffmpeg', direct);
    expect(warnables.list()).toEqual([]);
  });

  it('is spoken to without it again after the pull ended, and goes back after one more protocol error', async () => {
    const clock = new ManualClock();
    camera = await scriptedCamera({
      answer: (r) => (r.method === 'DESCRIBE' ? { status: '499 Odd' } : usual(r)),
    });
    pull(clock, '#!/bin/sh\nprintf x >> "$0.starts"\nexit 1\n');
    const starts = () => (existsSync(`${dir}/ffmpeg.starts`) ? statSync(`${dir}/ffmpeg.starts`).size : 0);
    await passUntil(clock, 'ffmpeg', () => starts() === 1);
    expect(count('DESCRIBE')).toBe(3);
    await passUntil(clock, 'ffmpeg again', () => starts() === 2);
    expect(count('DESCRIBE')).toBe(4);
  });
});

it('says which sound of a camera nobody can hear, until it is another one', async () => {
  const clock = new ManualClock();
  let sound = 'G722/8000';
  const sockets: { destroy(): void }[] = [];
  camera = await scriptedCamera({
    answer: (r) => {
      const { body, ...rest } = usual(r)!;
      return {
        ...rest,
        body: body && `${body}\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 ${sound}\r\na=control:trackID=2`,
      };
    },
    played: (socket) => {
      sockets.push(socket);
      streamVideo(socket);
    },
  });
  const { warnables } = pull(clock, '#!/bin/sh\n');
  const codes = () => warnables.list().map(({ code }) => code);
  await passUntil(clock, 'pictures', () => video.state(DEVICE, 1).video === 'streaming');
  expect(warnables.list()).toMatchObject([{ code: 'unsupported-sound', text: expect.stringContaining('G722') }]);
  sound = 'opus/48000/2';
  for (const socket of sockets.splice(0)) socket.destroy();
  await passUntil(clock, 'pictures again', () => sockets.length > 0 && !codes().includes('unsupported-sound'));
});
