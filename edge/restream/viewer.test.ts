import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock, systemClock } from '../../protocol/clock.ts';
import { ENCODED_AAC } from '../video/aac.ts';
import type { AudioFrame } from '../video/audio.ts';
import type { Consumer } from '../video/channel-source.ts';
import { type CodecInfo, ParameterSets, withLength } from '../video/codec.ts';
import { type AccessUnit, RtpReceiver } from '../video/receiver.ts';
import { Ring } from '../video/ring.ts';
import { Authorizer, chooseChallenge } from '../video/rtsp-auth.ts';
import { RtspSession } from '../video/rtsp-session.ts';
import { SoundReceiver } from '../video/sound-receiver.ts';
import { channelConfig, DEVICE, silent, until } from '../video/testing/camera.ts';
import { H264_SETS, H265_SETS, h265Slice, slice } from '../video/testing/packets.ts';
import { Restream } from './restream.ts';

const codecs = {
  h264: new ParameterSets('h264', Object.values(H264_SETS)).codec()!,
  h265: new ParameterSets('h265', Object.values(H265_SETS)).codec()!,
};

/** A stream that gives what the test says. */
class FakeSource {
  readonly ring = new Ring(64 * 1024 * 1024);
  readonly consumers = new Set<Consumer>();
  readonly sound = ENCODED_AAC;
  codec: CodecInfo = codecs.h264;
  acquire(consumer: Consumer): () => void {
    this.consumers.add(consumer);
    return () => this.consumers.delete(consumer);
  }
  picture(n: number, keyFrame: boolean, bytes: number, epoch = 0): AccessUnit {
    const { codec } = this;
    const nal = (codec.kind === 'h264' ? slice : h265Slice)(keyFrame, bytes);
    randomBytes(nal.length - 4).copy(nal, 4);
    // What looks like a start code would be cut, as in no real picture.
    for (let at = 4; at < nal.length; at++) nal[at] ||= 1;
    const data = Buffer.concat([...(keyFrame ? [codec.prefix] : []), ...withLength(nal)]);
    const time = (epoch === 0 ? 90_000 : 77) + n * 3600;
    const unit = { data, keyFrame, time, compositionOffset: 0, epoch, wallMs: n * 40, monoMs: n * 40, codec };
    this.ring.push(unit);
    for (const consumer of [...this.consumers]) consumer.accessUnit(unit);
    return unit;
  }
  hear(n: number, bytes: number): AudioFrame {
    const data = randomBytes(bytes);
    const frame = { codec: ENCODED_AAC, data, time: 16_000 + n * 1024, wallMs: n * 64, monoMs: n * 64, epoch: 0 };
    this.ring.pushAudio(frame);
    for (const consumer of [...this.consumers]) consumer.audio?.(frame);
    return frame;
  }
}

let source: FakeSource;
let clock: ManualClock;
let restream: Restream;
let dir: string;
let url: string;
let login: { username: string; password: string };
beforeEach(async () => {
  source = new FakeSource();
  clock = new ManualClock();
  dir = mkdtempSync(join(tmpdir(), 'gatepost-viewer-'));
  const channels = () => [channelConfig('rtsp://unused')];
  restream = new Restream({
    port: 0,
    host: '127.0.0.1',
    dir,
    channels,
    video: { source: () => source },
    clock,
    log: silent,
  });
  restream.start();
  await until(() => restream.info() !== null, 'the server');
  const { port, username, password } = restream.info()!;
  login = { username, password };
  url = `rtsp://127.0.0.1:${port}/${DEVICE}/1/main`;
});
afterEach(async () => {
  await restream.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Our own client at the other end. */
function view() {
  const stop = new AbortController();
  const units: AccessUnit[] = [];
  const sound: AudioFrame[] = [];
  let receiver: RtpReceiver | null = null;
  let hearing: SoundReceiver | null = null;
  const session = new RtspSession({
    url,
    ...login,
    keepAlive: { method: null },
    clock: systemClock,
    handlers: {
      track: (track, soundTrack) => {
        receiver = new RtpReceiver({ track, clock: systemClock, epoch: 0, emit: (u) => units.push(u) });
        const anchor = () => units.at(-1) ?? null;
        hearing = new SoundReceiver({ track: soundTrack!, clock: systemClock, anchor, emit: (f) => sound.push(f) });
      },
      packet: (rtp) => receiver!.push(rtp),
      sound: (rtp) => hearing!.push(rtp),
    },
  });
  return { units, sound, ended: session.run(stop.signal), stop: () => stop.abort() };
}

describe('one viewer on the LAN', () => {
  it.each([
    'h264',
    'h265',
  ] as const)('gets every byte of %s and its sound, from the group that runs, over epochs', async (kind) => {
    source.codec = codecs[kind];
    const sent = [0, 1, 2].map((n) => source.picture(n, n === 0, 200_000 + n));
    const viewer = view();
    await until(() => viewer.units.length === 3, 'the group');
    for (let n = 3; n < 20; n++) sent.push(source.picture(n, n % 10 === 0, n * 997));
    const heard = [0, 1].map((n) => source.hear(n, 300 + 1800 * n));
    // The camera began anew: its times mean something else, the viewer's run on.
    for (let n = 50; n < 55; n++) sent.push(source.picture(n, n === 50, 4000, 1));
    await until(() => viewer.units.length === sent.length && viewer.sound.length === heard.length, 'all of it');
    expect(viewer.units.map((u) => u.data.equals(sent.shift()!.data))).not.toContain(false);
    expect(viewer.sound.map((f, i) => f.data.equals(heard[i]!.data))).toEqual([true, true]);
    const steps = viewer.units.slice(1).map((u, i) => u.time - viewer.units[i]!.time);
    expect(new Set(steps.filter((_, i) => i !== 19))).toEqual(new Set([3600]));
    expect(steps[19]).toBe(31 * 3600);
    viewer.stop();
    expect((await viewer.ended).code).toBe('stopped');
    await until(() => source.consumers.size === 0, 'it is let go');
  });

  it('is sent away to ask anew when the camera sends another codec', async () => {
    source.picture(0, true, 500);
    const viewer = view();
    await until(() => restream.info()!.viewers === 1, 'the viewer');
    source.picture(1, false, 500);
    await until(() => viewer.units.length > 0, 'pictures');
    source.codec = codecs.h265;
    source.picture(2, true, 500);
    expect((await viewer.ended).code).toBe('closed');
  });

  it('that does not read gets no more than fits, and is closed after a while', async () => {
    source.picture(0, true, 500);
    const socket = connect(restream.info()!.port, '127.0.0.1');
    let said = '';
    socket.on('data', (text) => {
      said += text.toString('latin1');
    });
    let answered = 0;
    const ask = async (method: string, uri: string, more = '') => {
      socket.write(`${method} ${uri} RTSP/1.0\r\nCSeq: ${++answered}\r\n${more}\r\n`);
      await until(() => said.split('CSeq:').length > answered, method);
    };
    await ask('DESCRIBE', url);
    const challenge = chooseChallenge([/WWW-Authenticate: (.*)\r/.exec(said)![1]!])!;
    const auth = new Authorizer(challenge, login.username, login.password);
    const proof = (method: string, uri: string) => `Authorization: ${auth.header(method, uri)}\r\n`;
    await ask('DESCRIBE', url, proof('DESCRIBE', url));
    const track = `${url}/trackID=0`;
    await ask('SETUP', track, `${proof('SETUP', track)}Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n`);
    socket.pause();
    socket.write(`PLAY ${url} RTSP/1.0\r\nCSeq: 9\r\n${proof('PLAY', url)}\r\n`);
    await until(() => restream.info()!.viewers === 1, 'the viewer');
    for (let n = 1; n < 200; n++) {
      source.ring.clear();
      source.picture(n, true, 500_000);
      if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    for (let i = 0; i < 5; i++) await clock.advance(5_000);
    await until(() => restream.info()!.viewers === 0, 'the end of it');
    expect(source.consumers.size).toBe(0);
    // 100 MB were offered; the rest of what came stood in the buffers of both sockets.
    socket.resume();
    if (!socket.destroyed) await once(socket, 'close');
    expect(said.length).toBeLessThan(20_000_000);
  });

  it('that does not log in is closed', async () => {
    const socket = connect(restream.info()!.port, '127.0.0.1');
    socket.resume();
    socket.write('OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n');
    await once(socket, 'data');
    const closed = once(socket, 'close');
    await clock.advance(10_000);
    await closed;
  });
});
