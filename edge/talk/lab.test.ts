import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import type { DeviceManager } from '../devices/manager.ts';
import type { ChannelConfig } from '../devices/types.ts';
import type { Driver } from '../drivers/driver.ts';
import { driverFor } from '../drivers/driver-for.ts';
import { spawnLab } from '../playback/testing/lab.ts';
import { silent } from '../video/testing/camera.ts';
import { Talks } from './talks.ts';
import { heardBy, pitch, until, Voice } from './testing/voice.ts';

/* Speaking to the lab's devices, as far as the box goes: what was said is what their loudspeakers heard. */

interface Heard {
  codec: string;
  bytes: number;
  pieces: { atMs: number; at: number; bytes: number }[];
  base64: string;
  packets?: { sequence: number; timestamp: number; marker: boolean }[];
}
interface Said {
  talk: { open: number[]; speaking: number; sessionsTotal: number };
  onvif: { talk: { speaking: number; sessionsTotal: number } };
  failedLogins: number;
}

let lab: Awaited<ReturnType<typeof spawnLab>>;
let talks: Talks;
const devices = new Map<string, { driver: Driver; configs: ChannelConfig[] }>();
const ids = new Map<string, string>();
const id = (name: string) => ids.get(name)!;
const control = async <T>(path: string, body?: unknown): Promise<T> => {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  return (await (await fetch(`${lab.control}/devices/${path}`, init)).json()) as T;
};
const state = (name: string) => control<Said>(name);
/** Nobody speaks there any more, as the device has it. */
const closed = (name: string) =>
  until(async () => {
    const { talk, onvif } = await state(name);
    return name === 'onvif' ? onvif.talk.speaking === 0 : talk.open.length === 0;
  }, `${name} is told that it is over`);
const heard = (name: string) => control<Heard>(`${name}/do/heard`, { forget: true });
const odd = (name: string, body: object) =>
  control(`${name}/do/${name.startsWith('onvif') ? 'backchannel' : 'talk'}`, body);

beforeAll(async () => {
  lab = await spawnLab(81, ['--cameras', '2', '--devices', 'onvif,door-station,doorbell,thermal,nvr']);
  for (const { name, address, httpPort, username, password } of lab.devices) {
    const guard = new LoginGuard();
    const kind = name.startsWith('onvif') ? 'onvif' : 'isapi';
    const driver = driverFor(kind, { host: address, port: httpPort, username, password, guard, clock, log: silent });
    await driver.identify();
    const channels = await driver.channels();
    if (!channels.ok) throw new Error(`${name}: ${channels.text}`);
    ids.set(name, uuidv7());
    const configs = channels.value.map((channel) => ({ ...channel, deviceId: id(name), username, password, guard }));
    devices.set(id(name), { driver, configs });
  }
  const manager: Pick<DeviceManager, 'operate' | 'channels'> = {
    channels: () => [...devices.values()].flatMap(({ configs }) => configs),
    operate: async (deviceId, fn) => {
      const done = await fn(devices.get(deviceId)!.driver);
      return done.ok ? done : { ok: false, code: done.code, detail: done.text };
    },
  };
  talks = new Talks({ devices: manager, clock, log: silent, openMs: 1_000 });
}, 60_000);
afterAll(async () => {
  await talks?.stop();
  for (const { driver } of devices.values()) await driver.close();
  await lab?.stop();
});

it('knows who can be spoken to, and asks each device once', async () => {
  const can = async (name: string, channel = 1) => {
    const { can, codec, recorder } = await talks.chance(id(name), channel);
    return `${can} ${codec}${recorder ? ' at the recorder' : ''}`;
  };
  expect(await can('camera-1')).toBe('yes G.711ulaw');
  // Old firmware has no such thing.
  expect(await can('camera-2')).toBe('no null');
  expect(await can('door-station')).toBe('yes G.711ulaw');
  expect(await can('doorbell')).toBe('yes AAC');
  expect(await can('thermal')).toBe('codec G.722.1');
  await until(async () => (await can('onvif')) === 'yes PCMU', 'the camera’s description');
  const { httpRequests } = await control<{ httpRequests: number }>('camera-1');
  await can('camera-1');
  expect((await control<{ httpRequests: number }>('camera-1')).httpRequests).toBe(httpRequests);
});

describe('by ISAPI', () => {
  it('what is said is heard, at once and at its pitch, and the loudspeaker is closed afterwards', async () => {
    const voice = new Voice(talks, id('camera-1'));
    await voice.answered;
    expect(voice.lines[0]).toEqual({ type: 'ready', codec: 'G.711ulaw' });
    const began = Date.now();
    await voice.hum(440, 800);
    await until(() => voice.heardMs > 600, 'the box says that it is heard');
    expect((await state('camera-1')).talk).toMatchObject({ open: [1], speaking: 1 });
    await voice.stop();
    const { base64, pieces } = await heard('camera-1');
    expect(pitch(heardBy('pcmu', base64))).toBeCloseTo(440, -1.3);
    const first = pieces.find(({ at, bytes }) =>
      heardBy('pcmu', base64)
        .slice(at, at + bytes)
        .some((n) => Math.abs(n) > 3_000),
    );
    console.info(`heard ${first!.atMs - began} ms after it was said, of which 40 are waited for`);
    expect(first!.atMs - began).toBeLessThan(500);
    await closed('camera-1');
  });

  it('a session that somebody left open is closed first; a session’s id is told again; sound goes on behind a length of 0', async () => {
    await odd('door-station', { stale: true });
    const voice = new Voice(talks, id('door-station'));
    await voice.answered;
    await voice.hum(700, 700);
    await voice.stop();
    expect(voice.status).toBe(200);
    expect(pitch(heardBy('pcmu', (await heard('door-station')).base64))).toBeCloseTo(700, -1.3);
    await closed('door-station');
  });

  it('A-law, linear sound and AAC behind its length are made for who wants these', async () => {
    for (const codec of ['G.711alaw', 'PCM']) {
      await odd('camera-1', { codec, rate: null });
      const voice = new Voice(talks, id('camera-1'));
      await voice.answered;
      await voice.hum(500, 700);
      await voice.stop();
      const { base64 } = await heard('camera-1');
      const bytes = Buffer.from(base64, 'base64');
      const samples =
        codec === 'PCM' ? new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1) : heardBy('pcma', base64);
      expect([codec, pitch(samples)]).toEqual([codec, expect.closeTo(500, -1.3)]);
    }
    await odd('camera-1', { codec: 'G.711ulaw', rate: null });
    const voice = new Voice(talks, id('doorbell'));
    await voice.answered;
    await voice.hum(600, 1_000);
    await voice.stop();
    const sound = Buffer.from((await heard('doorbell')).base64, 'base64');
    const frames: Buffer[] = [];
    for (let at = 0; at + 4 <= sound.length; ) {
      const length = sound.readUInt32BE(at);
      frames.push(sound.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    expect(frames.every((frame) => frame.readUInt16BE(0) >> 4 === 0xfff)).toBe(true);
    const raw = ['-loglevel', 'error', '-f', 'aac', '-i', 'pipe:0', '-f', 's16le', '-ar', '8000', '-ac', '1', 'pipe:1'];
    const made = execFileSync('ffmpeg', raw, { input: Buffer.concat(frames.slice(0, -1)) });
    expect(pitch(new Int16Array(made.buffer, made.byteOffset, made.length >> 1))).toBeCloseTo(600, -1.3);
  });

  it('of a recorder the camera’s own loudspeaker is taken where it names one, else the recorder’s, which is said', async () => {
    const { configs } = devices.get(id('nvr'))!;
    configs.push({ ...configs[1]!, channel: 3 });
    expect(await talks.chance(id('nvr'), 1)).toMatchObject({ can: 'yes', recorder: false });
    expect(await talks.chance(id('nvr'), 2)).toMatchObject({ can: 'yes', recorder: true });
    const [first, second] = [new Voice(talks, id('nvr'), 1), new Voice(talks, id('nvr'), 2)];
    await Promise.all([first.answered, second.answered]);
    expect((await state('nvr')).talk.open.toSorted()).toEqual([1, 1001]);
    // Its own loudspeaker is one for all other channels.
    const third = new Voice(talks, id('nvr'), 3);
    await third.answered;
    expect(third.problem?.code).toBe('spoken-to');
    await Promise.all([first.stop(), second.stop()]);
  });
});

describe('by the way back of ONVIF', () => {
  it.each([
    ['PCMU/8000', 'PCMU'],
    ['PCMA/8000', 'PCMA'],
    ['L16/16000', 'L16'],
  ])('%s: what is said is heard, packet behind packet, and the session is closed', async (codec, name) => {
    await odd('onvif', { codec });
    const voice = new Voice(talks, id('onvif'));
    await voice.answered;
    expect(voice.lines[0]).toEqual({ type: 'ready', codec: name });
    await voice.hum(440, 700);
    await until(() => voice.heardMs > 450, 'the box says that it is heard');
    expect((await state('onvif')).onvif.talk.speaking).toBe(1);
    await voice.stop();
    const { base64, packets = [] } = await heard('onvif');
    const bytes = Buffer.from(base64, 'base64');
    const linear = () => Int16Array.from({ length: bytes.length >> 1 }, (_, n) => bytes.readInt16BE(n * 2));
    const law = name === 'PCMA' ? 'pcma' : 'pcmu';
    const [samples, rate] = name === 'L16' ? [linear(), 16_000] : [heardBy(law, base64), 8_000];
    const heardHz = pitch(samples, rate)!;
    expect(heardHz).toBeCloseTo(440, -1.3);
    const steps = packets.slice(1).map(({ sequence }, n) => (sequence - packets[n]!.sequence) & 0xffff);
    expect(new Set(steps)).toEqual(new Set([1]));
    expect(packets[0]!.marker).toBe(true);
    await closed('onvif');
    await odd('onvif', { codec: 'PCMU/8000' });
  });
});

describe('what is in the way is told within seconds, and nothing stays open', () => {
  const refusedBy = async (name: string, o: object, reset: object) => {
    await odd(name, o);
    const began = performance.now();
    const voice = new Voice(talks, id(name));
    await voice.answered;
    const took = performance.now() - began;
    await odd(name, reset);
    return { code: voice.problem?.code, took };
  };

  it('a loudspeaker that somebody else has, that does not answer, that takes no sound, that is none', async () => {
    expect((await refusedBy('camera-1', { busy: true }, { busy: false })).code).toBe('speaker-busy');
    const mute = await refusedBy('camera-1', { mute: true }, { mute: false });
    expect(mute.code).toBe('device-unreachable');
    expect(mute.took).toBeLessThan(2_500);
    expect((await refusedBy('onvif', { busy: true }, { busy: false })).code).toBe('speaker-busy');
    expect((await refusedBy('onvif', { require: 'unknown' }, { require: 'known' })).code).toBe('no-speaker');
    expect((await refusedBy('onvif', { require: 'ignored' }, { require: 'known' })).code).toBe('no-speaker');
    expect((await refusedBy('onvif', { codec: 'G726-32/8000' }, { codec: 'PCMU/8000' })).code).toBe('speaker-codec');
    for (const [name, code] of [
      ['thermal', 'speaker-codec'],
      ['camera-2', 'no-speaker'],
    ] as const) {
      const voice = new Voice(talks, id(name));
      await voice.answered;
      expect(voice.problem?.code).toBe(code);
    }
    expect(talks.count).toBe(0);
    expect((await state('camera-1')).talk.open).toEqual([]);
  });

  it('what goes wrong within the box keeps nobody out afterwards, and ends nothing else', async () => {
    const broken = new Talks({
      devices: {
        channels: () => devices.get(id('camera-1'))!.configs,
        operate: async () => {
          throw new Error('no more files can be opened');
        },
      },
      clock,
      log: silent,
    });
    expect(await broken.chance(id('camera-1'), 1)).toMatchObject({ can: 'unknown' });
    for (let n = 0; n < 10; n++) {
      const path = `/?deviceId=${id('camera-1')}&channel=1`;
      const answer = await broken.routes().request(path, { method: 'POST', body: 'sound' });
      expect([answer.status, broken.count]).toEqual([500, 0]);
    }
  });

  it('a device that refuses the sound or hangs up ends it, and so does a relay that lets go: the device is told', async () => {
    await odd('camera-1', { answers: 'refused' });
    const refused = new Voice(talks, id('camera-1'));
    await refused.answered;
    await refused.hum(440, 400);
    await until(() => refused.over, 'the refusal');
    // Who goes on writing may find the connection reset before the answer is read.
    expect(['device-error', 'device-unreachable']).toContain(refused.ended?.code);
    expect(refused.heardMs).toBe(0);
    await odd('camera-1', { answers: 'at-once', hangUpAfter: 4_000 });
    const cut = new Voice(talks, id('camera-1'));
    await cut.answered;
    await cut.hum(440, 1_500);
    await until(() => cut.over, 'the end');
    expect(cut.ended?.code).toBe('device-unreachable');
    await odd('camera-1', { hangUpAfter: null });
    await odd('onvif', { hangUpAfter: 20 });
    const hungUp = new Voice(talks, id('onvif'));
    await hungUp.answered;
    await hungUp.hum(440, 1_500);
    await until(() => hungUp.over, 'the end');
    expect(hungUp.ended?.code).toBe('device-unreachable');
    await odd('onvif', { hangUpAfter: null });
    for (const name of ['camera-1', 'onvif']) {
      const voice = new Voice(talks, id(name));
      await voice.answered;
      // Nobody is pushed out by who comes later.
      const second = new Voice(talks, id(name));
      await second.answered;
      expect(second.problem?.code).toBe('spoken-to');
      await voice.hum(440, 300);
      await voice.vanish();
      await closed(name);
    }
    await until(() => talks.count === 0, 'nothing is open');
    expect((await state('camera-1')).failedLogins).toBe(0);
    expect((await state('onvif')).failedLogins).toBe(0);
  });
});
