import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { FfmpegPull } from './ffmpeg-pull.ts';
import { until } from './testing/camera.ts';
import { type ScriptedCamera, scriptedCamera, usual } from './testing/scripted-camera.ts';

let camera: ScriptedCamera | null = null;
const abort = new AbortController();
afterEach(() => camera?.stop());

const pull = (url: string, more = {}) => {
  const handlers = { track: () => {}, packet: () => {} };
  const login = { username: "ad'min", password: "p'@:/%w" };
  return new FfmpegPull({ url, ...login, ffmpeg: 'ffmpeg', clock, handlers, ...more }).run(abort.signal);
};

/** Command line of the ffmpeg that this process has started. */
function ownFfmpeg(): string {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1];
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (Number(parent) === process.pid && line.includes('ffmpeg')) return line;
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error('there is no ffmpeg');
}

describe('the pull through ffmpeg', () => {
  it('sends refused credentials once and says so', async () => {
    const challenge = { 'WWW-Authenticate': 'Digest realm="Cam", nonce="1"' };
    camera = await scriptedCamera({
      answer: (r) => (r.method === 'OPTIONS' ? usual(r) : { status: '401 Unauthorized', headers: challenge }),
    });
    expect((await pull(camera.url)).code).toBe('refused');
    const credentials = camera.requests.filter((r) => r.authorization !== null);
    expect(credentials).toHaveLength(1);
    expect(credentials[0]!.authorization).toContain(`username="ad'min"`);
  });

  it('says what is wrong without ffmpeg’s own words, which hold the password', async () => {
    expect(await pull('rtsp://127.0.0.1:1/x')).toMatchObject({ code: 'unreachable' });
    camera = await scriptedCamera({
      answer: (r) => (r.method === 'DESCRIBE' ? { status: '404 Not Found' } : usual(r)),
    });
    expect(await pull(camera.url)).toMatchObject({ code: 'not-found' });
    expect(await pull(camera.url, { ffmpeg: '/no/such/ffmpeg' })).toMatchObject({
      code: 'protocol',
      message: expect.stringContaining('cannot be started'),
    });
  });

  it('takes no video from others that find its listener', async () => {
    // The camera accepts and says nothing: ffmpeg waits, and its listener is open.
    camera = await scriptedCamera({ answer: () => null });
    const packets: Buffer[] = [];
    const stop = new AbortController();
    const handlers = { track: () => packets.push(Buffer.alloc(0)), packet: (p: Buffer) => packets.push(p) };
    const login = { username: 'a', password: 'b', ffmpeg: 'ffmpeg', clock, handlers };
    const ended = new FfmpegPull({ url: camera.url, ...login }).run(stop.signal);
    await until(() => camera!.connections.length > 0, 'ffmpeg');
    const port = Number(/rtsp:\/\/127\.0\.0\.1:(\d+)\//.exec(ownFfmpeg())![1]);
    const rtp = Buffer.concat([Buffer.from([0x24, 0, 0, 12]), Buffer.alloc(12, 0x80)]);
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(Buffer.concat([rtp, Buffer.from('ANNOUNCE rtsp://127.0.0.1/guess RTSP/1.0\r\nCSeq: 1\r\n\r\n'), rtp]));
    await new Promise((resolve) => socket.once('close', resolve));
    stop.abort();
    expect((await ended).code).toBe('stopped');
    expect(packets).toEqual([]);
  });

  it('ends by itself when a packet cannot be taken, and nothing else does', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'gatepost-pull-'));
    try {
      // What stands in for ffmpeg publishes one packet to the address that it is given.
      const script = join(dir, 'ffmpeg');
      writeFileSync(script, PUBLISHER);
      chmodSync(script, 0o700);
      const handlers = {
        track: () => {},
        packet: () => {
          throw new RangeError('out of range');
        },
      };
      const end = await pull('rtsp://127.0.0.1:1/x', { ffmpeg: script, handlers });
      expect(end).toMatchObject({ code: 'protocol', cause: expect.any(RangeError) });
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

const PUBLISHER = `#!${process.execPath}
const url = process.argv.at(-1);
const { hostname, port } = new URL(url.replace('rtsp:', 'http:'));
const socket = require('node:net').connect(Number(port), hostname);
socket.on('error', () => process.exit(1)).on('close', () => process.exit(0)).resume();
const sdp = 'm=video 0 RTP/AVP 96\\r\\na=rtpmap:96 H264/90000\\r\\n';
const rtp = Buffer.concat([Buffer.from([0x24, 0, 0, 14, 0x80, 96]), Buffer.alloc(12)]);
socket.write('ANNOUNCE ' + url + ' RTSP/1.0\\r\\nCSeq: 1\\r\\nContent-Length: ' + sdp.length + '\\r\\n\\r\\n' + sdp);
socket.write(rtp);
`;
