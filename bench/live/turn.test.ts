import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { nativeServers } from '../../edge/live/ice.ts';
import { FakeSource, FakeSources, H264 } from '../../edge/live/testing/fake-source.ts';
import { WebRtcView } from '../../edge/live/web-rtc-view.ts';
import { ManualClock, systemClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { IceServer, LiveLine } from '../../protocol/wire/video.ts';
import { IceServers } from '../../relay/video/ice-servers.ts';
import { answersStun } from '../../ui/browser/turn-server.ts';
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
  await until('coturn', async () => (await answersStun('127.0.0.1', port)) || null);
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
  const lines: LiveLine[] = [];
  const sources = new FakeSources();
  sources.main = new FakeSource(H264, systemClock.mono() - 80);
  sources.main.push(true);
  const made = new WebRtcView({
    offer: { viewId: uuidv7(), deviceId: uuidv7(), channel: 1, stream: 'main', sdp, iceServers },
    sources,
    clock: systemClock,
    log: pino({ level: 'silent' }),
    line: (line) => lines.push(line),
    end: () => {},
  });
  const answer = await made.answer();
  if (typeof answer === 'string') throw new Error(answer);
  return { made, lines, sdp: answer.sdp, main: sources.main };
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

/** Pictures until so many packets of them have come. */
async function flow(viewer: Receiver, main: FakeSource): Promise<void> {
  await until('pictures', async () => {
    main.push(viewer.packets === 0);
    return viewer.packets > 50;
  });
}

it('pictures go to a viewer that can be reached through a TURN server alone', async () => {
  const iceServers = servers().flatMap(nativeServers);
  const viewer = new Receiver({ iceServers, iceTransportPolicy: 'relay' });
  const { made, sdp, main } = await view(await viewer.offer(), []);
  const [, relayPort] = / (\d+) typ relay/.exec(viewer.peer.localDescription()!.sdp) ?? [];
  const at = / 127\.0\.0\.1 (\d+) typ host| \d+\.\S+ (\d+) typ host/.exec(sdp)!;
  const door = await onlyFrom(Number(relayPort), Number(at[1] ?? at[2]));
  const fragment = viewer.answer(
    `${sdp.replaceAll(/^a=(candidate:|end-of-candidates).*\r\n/gm, '')}${host(door.port)}\r\n`,
  );
  expect(fragment.match(/typ \w+/g)).toEqual(['typ relay']);
  made.trickle(fragment);
  await flow(viewer, main);
  expect(viewer.keys).toBeGreaterThan(0);
  for (const one of [made, viewer, door]) one.close();
}, 20_000);

it('pictures go from a box that reaches its viewer through a TURN server alone', async () => {
  const viewer = new Receiver();
  const { made, sdp, main, lines } = await view(await viewer.offer(), servers());
  const [relayed = '', relayPort] = / (\d+) typ relay/.exec(sdp) ?? [];
  expect(relayed).not.toBe('');
  // The viewer knows no other address of the box, and hears it from no other.
  const fragment = viewer.answer(sdp.replaceAll(/^a=candidate:.*typ (?!relay).*\r\n/gm, ''));
  const at = Number(/ (\d+) typ host/.exec(fragment)?.[1]);
  const door = await onlyFrom(Number(relayPort), at);
  made.trickle(`a=mid:v\r\n${host(door.port)}\r\n`);
  await flow(viewer, main);
  expect(lines.findLast(({ type }) => type === 'state')).toMatchObject({ state: 'connected', path: 'relay' });
  for (const one of [made, viewer, door]) one.close();
}, 20_000);

const host = (port: number) => `a=candidate:1 1 UDP 2122317823 127.0.0.1 ${port} typ host`;

/** A UDP port that passes on to another one what comes from one sender only. */
async function onlyFrom(sender: number, to: number): Promise<{ port: number; close: () => void }> {
  const [door, out]: Socket[] = [createSocket('udp4'), createSocket('udp4')];
  door!.on('message', (data, from) => from.port === sender && out!.send(data, to, '127.0.0.1'));
  out!.on('message', (data) => door!.send(data, sender, '127.0.0.1'));
  await new Promise<void>((resolve) => door!.bind(0, '127.0.0.1', resolve));
  const close = () => {
    door!.close();
    out!.close();
  };
  return { port: door!.address().port, close };
}

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
