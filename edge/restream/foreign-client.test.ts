import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { FakeSource, H264, PCMU } from '../live/testing/fake-source.ts';
import { header, type RtspMessage, RtspReader } from '../video/rtsp-message.ts';
import { channelConfig, DEVICE, silent, until } from '../video/testing/camera.ts';
import { Restream } from './restream.ts';

/* What recorders and players of others do that our own client does not. */
let source: FakeSource;
let restream: Restream;
let dir: string;
let url: string;
const sockets: Socket[] = [];
beforeEach(async () => {
  source = new FakeSource(H264, clock.mono());
  source.sound = PCMU;
  source.push(true);
  dir = mkdtempSync(join(tmpdir(), 'gatepost-foreign-'));
  const channels = () => [channelConfig('rtsp://unused')];
  restream = new Restream({
    port: 0,
    host: '127.0.0.1',
    dir,
    channels,
    clock,
    log: silent,
    video: { source: () => source },
  });
  restream.start();
  await until(() => restream.info() !== null, 'the server');
  url = `rtsp://127.0.0.1:${restream.info()!.port}/${DEVICE}/1/main`;
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await restream.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A client that says what it is told to; `qop`: it counts its answers to challenges, asked for or not. */
function client(o: { qop?: boolean } = {}) {
  const { port, username, password } = restream.info()!;
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  const replies: RtspMessage[] = [];
  const frames = new Map<number, number>();
  const reader = new RtspReader({
    frame: (channel) => frames.set(channel, (frames.get(channel) ?? 0) + 1),
    message: (message) => replies.push(message),
  });
  for (const channel of [0, 1, 2, 3]) reader.channels.add(channel);
  socket.on('data', (chunk) => reader.push(chunk));
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');
  let nonce = '';
  let asked = 0;
  const ask = async (method: string, uri = url, headers: Record<string, string> = {}): Promise<RtspMessage> => {
    const all: Record<string, string> = { CSeq: `${++asked}`, ...headers };
    if (nonce) {
      const ha1 = md5(`${username}:Gatepost:${password}`);
      const counted = o.qop ? '00000001:abc:auth:' : '';
      const response = md5(`${ha1}:${nonce}:${counted}${md5(`${method}:${uri}`)}`);
      const more = o.qop ? ', qop=auth, nc=00000001, cnonce="abc"' : '';
      all.Authorization = `Digest username="${username}", realm="Gatepost", nonce="${nonce}", uri="${uri}", response="${response}"${more}`;
    }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`${method} ${uri} RTSP/1.0\r\n${lines.join('')}\r\n`);
    await until(() => replies.length === asked, method);
    const reply = replies.at(-1)!;
    const challenge = /nonce="([^"]+)"/.exec(header(reply, 'www-authenticate') ?? '')?.[1];
    if (reply.status !== 401 || !challenge || nonce) return reply;
    nonce = challenge;
    return ask(method, uri, headers);
  };
  return { ask, frames, replies };
}
const TCP = (n: number) => ({ Transport: `RTP/AVP/TCP;unicast;interleaved=${2 * n}-${2 * n + 1}` });
const UDP = { Transport: 'RTP/AVP;unicast;client_port=45002-45003' };

it('a player that gets nothing over UDP pauses, sets up over TCP and goes on, in one session', async () => {
  const { ask, frames } = client();
  expect((await ask('DESCRIBE')).status).toBe(200);
  expect((await ask('SETUP', `${url}/trackID=0`, UDP)).status).toBe(200);
  expect((await ask('PLAY', `${url}/`, { Range: 'npt=0.000-' })).status).toBe(200);
  expect((await ask('SETUP', `${url}/trackID=0`, TCP(0))).status).toBe(455);
  expect((await ask('PAUSE')).status).toBe(200);
  expect((await ask('SETUP', `${url}/trackID=0`, TCP(0))).status).toBe(200);
  source.push(false);
  expect(frames.get(0)).toBeUndefined();
  expect((await ask('PLAY', `${url}/`, { Range: 'npt=30-' })).status).toBe(200);
  await until(() => (frames.get(0) ?? 0) > 0, 'pictures');
  expect((await ask('TEARDOWN')).status).toBe(200);
  await until(() => source.consumers.size === 0, 'it is let go');
});

it('sound alone is given to who sets up sound alone, and every usual sign of life is answered', async () => {
  const { ask, frames } = client({ qop: true });
  await ask('DESCRIBE', url, { Accept: 'application/rtsl, application/sdp;level=2' });
  expect((await ask('SETUP', `${url}/trackID=1`, TCP(1))).status).toBe(200);
  expect((await ask('PLAY')).status).toBe(200);
  source.push(false);
  source.say(0);
  await until(() => (frames.get(2) ?? 0) > 0, 'sound');
  expect([frames.get(0), frames.get(1)]).toEqual([undefined, undefined]);
  for (const method of ['OPTIONS', 'GET_PARAMETER', 'SET_PARAMETER']) expect((await ask(method)).status).toBe(200);
  expect(restream.info()!.viewers).toBe(1);
});

it('what cannot be done is refused by its number, and the session lives', async () => {
  const { ask } = client();
  expect((await ask('DESCRIBE', url.replace('/1/', '/9/'))).status).toBe(404);
  expect((await ask('DESCRIBE', url, { Accept: 'application/x-rtsp-mh' })).status).toBe(406);
  expect((await ask('PLAY')).status).toBe(455);
  expect((await ask('DESCRIBE')).status).toBe(200);
  const multicast = { Transport: 'RTP/AVP;multicast;client_port=45002-45003' };
  expect((await ask('SETUP', `${url}/trackID=0`, multicast)).status).toBe(461);
  expect((await ask('SETUP', `${url}/trackID=7`, TCP(0))).status).toBe(404);
  expect((await ask('RECORD')).status).toBe(405);
  expect((await ask('SETUP', `${url}/trackID=0`, TCP(0))).status).toBe(200);
});
