import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FakeSource, FakeSources, H264 } from '../../edge/live/testing/fake-source.ts';
import { WebRtcView } from '../../edge/live/web-rtc-view.ts';
import { ManualClock, systemClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { IceServer } from '../../protocol/wire/video.ts';
import { IceServers } from '../../relay/video/ice-servers.ts';
import { Receiver } from './receiver.ts';

const SECRET = 'shared with the TURN server';
const dir = mkdtempSync(join(tmpdir(), 'gatepost-turn-'));
let coturn: ChildProcess;
let port: number;

beforeAll(async () => {
  port = await freeUdpPort();
  const args = ['-n', '--no-cli', '--no-tls', '--no-dtls', '--allow-loopback-peers', '--realm=gatepost'];
  const at = ['--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', `--listening-port=${port}`];
  const auth = ['--use-auth-secret', `--static-auth-secret=${SECRET}`];
  const files = ['--log-file=stdout', `--userdb=${join(dir, 'db')}`, `--pidfile=${join(dir, 'pid')}`];
  coturn = spawn('/usr/bin/turnserver', [...args, ...at, ...auth, ...files], { cwd: dir, stdio: 'ignore' });
  await until('coturn', async () => (await answers(port)) || null);
}, 20_000);
afterAll(async () => {
  const gone = new Promise((resolve) => coturn.once('exit', resolve));
  coturn.kill('SIGKILL');
  await gone;
  rmSync(dir, { recursive: true, force: true });
});

const servers = (clock = systemClock): IceServer[] =>
  new IceServers({ turn: [`turn:127.0.0.1:${port}?transport=udp`], turnSecret: SECRET }, clock).for('viewer');

/** A view with these servers at the box. */
async function view(sdp: string, iceServers: IceServer[]) {
  const sources = new FakeSources();
  sources.main = new FakeSource(H264, systemClock.mono() - 80);
  sources.main.push(true);
  const made = new WebRtcView({
    offer: { viewId: uuidv7(), deviceId: uuidv7(), channel: 1, stream: 'main', sdp, iceServers },
    ...{ sources, clock: systemClock, log: pino({ level: 'silent' }), line: () => {}, end: () => {} },
  });
  const answer = await made.answer();
  if (typeof answer === 'string') throw new Error(answer);
  return { made, sdp: answer.sdp };
}

it('the relay’s credentials give a box an address at a TURN server; those of yesterday give none', async () => {
  const viewer = new Receiver();
  const offer = await viewer.offer();
  const now = await view(offer, servers());
  expect(now.sdp).toMatch(/typ relay/);
  const past = await view(offer, servers(new ManualClock(Date.now() - 86_400_000)));
  expect(past.sdp).not.toMatch(/typ relay/);
  for (const one of [now.made, past.made, viewer]) one.close();
}, 20_000);

async function until(what: string, read: () => Promise<unknown>, ms = 15_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await read())) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function freeUdpPort(): Promise<number> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

/** Whether a STUN binding request (RFC 8489 §5) is answered. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const done = (is: boolean) => {
      clearTimeout(timer);
      socket.close();
      resolve(is);
    };
    const timer = setTimeout(() => done(false), 200);
    socket.once('message', () => done(true));
    socket.once('error', () => done(false));
    socket.send(Buffer.from('000100002112a442000000000000000000000001', 'hex'), port, '127.0.0.1');
  });
}
