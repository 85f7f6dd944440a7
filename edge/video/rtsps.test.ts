import { connect } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { certificate } from '../https/testing/certificate.ts';
import { streamUri } from '../onvif/media.ts';
import { FfmpegPull } from './ffmpeg-pull.ts';
import { RtspSession } from './rtsp-session.ts';
import { until } from './testing/camera.ts';
import { type ScriptedCamera, scriptedCamera } from './testing/scripted-camera.ts';

/* RTSP over TLS: a camera behind an end of TLS, with the certificate that it was added with and with another one. */

let pair: ReturnType<typeof certificate>;
let camera: ScriptedCamera;
let front: Server;
beforeAll(() => {
  pair = certificate();
});
afterEach(async () => {
  front.close();
  await camera.stop();
});

async function start(): Promise<string> {
  camera = await scriptedCamera({});
  const behind = new URL(camera.url);
  front = createServer({ key: pair.key, cert: pair.cert }, (socket) => {
    const tcp = connect(Number(behind.port), behind.hostname);
    for (const one of [socket, tcp]) one.on('error', () => {});
    socket.pipe(tcp).pipe(socket);
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  return `rtsps://127.0.0.1:${(front.address() as { port: number }).port}${behind.pathname}`;
}
function play(url: string, trusted: string | null) {
  const abort = new AbortController();
  let packets = 0;
  const session = new RtspSession({
    url,
    username: 'admin',
    password: 'secret',
    ...(trusted && { tls: { certificate: trusted, old: false } }),
    keepAlive: { method: null },
    clock,
    handlers: { track: () => {}, packet: () => packets++ },
  });
  return { abort, ended: session.run(abort.signal), packets: () => packets };
}

it('plays over TLS with the certificate that the device was added with', async () => {
  const { abort, ended, packets } = play(await start(), pair.fingerprint);
  await until(() => packets() > 3, 'packets');
  abort.abort();
  expect((await ended).code).toBe('stopped');
  expect(camera.requests.map((r) => r.method)).toEqual(['OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY', 'TEARDOWN']);
});

it('asks nobody who shows another certificate, or has none that is known', async () => {
  const url = await start();
  const other = Array(32).fill('AA').join(':');
  for (const trusted of [other, null]) expect((await play(url, trusted).ended).code).toBe('forbidden');
  const handlers = { track: () => {}, packet: () => {} };
  const login = { username: 'admin', password: 'secret' };
  const byFfmpeg = new FfmpegPull({ url, ...login, ffmpeg: '/nowhere', clock, handlers });
  expect((await byFfmpeg.run(new AbortController().signal)).code).toBe('forbidden');
  expect(camera.requests).toEqual([]);
});

it('is what an ONVIF device names, at its own host', () => {
  expect(streamUri('rtsps://10.0.0.9:322/live', '192.168.1.9')).toBe('rtsps://192.168.1.9:322/live');
  expect(streamUri('rtsps://10.0.0.9/live', '192.168.1.9')).toBe('rtsps://192.168.1.9:322/live');
  expect(streamUri('rtsp://10.0.0.9/live', '192.168.1.9')).toBe('rtsp://192.168.1.9:554/live');
});
