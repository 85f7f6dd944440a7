import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Box, Device, EventDetail, SetupStatus, Site } from '../../protocol/wire/api.ts';
import { PROBLEMS, type Problem } from '../../protocol/wire/problem.ts';
import { topics } from '../../protocol/wire/uplink.ts';
import type { Warnable } from '../../protocol/wire/warnable.ts';
import { Demo, until } from './demo.ts';
import { BOX_PATHS, ForeignBox } from './foreign-box.ts';

/** Secrets that are typed in here; none may be found in a log at the end. */
const WRONG_WHEN_ADDED = 'planted-Wr0ng-when-added';
const WRONG_LATER = 'planted-Wr0ng-later';
const ARC_KEY = 'A1B2C3D4E5F60718293A4B5C6D7E8F90';
const SECOND_SETUP = 'planted-Second-setup-1';
const DISK_BYTES = 64 * 1024 * 1024;

const root = process.getuid?.() === 0;
const demo = new Demo({ GATEPOST_HOLD_DOWN: '5000' });
const edgeDir = join(demo.dir, 'var/edge');
const logDir = join(demo.dir, 'var/log');
let cameras: Device[];

interface LabCamera {
  address: string;
  httpPort: number;
  username: string;
  password: string;
  failedLogins: number;
  locked: boolean;
}

beforeAll(async () => {
  if (root) {
    // A disk of the box's own, small enough to fill.
    mkdirSync(edgeDir, { recursive: true });
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},mode=700`, 'tmpfs', edgeDir]);
    if (mounted.status !== 0) throw new Error(String(mounted.stderr));
  }
  await demo.start();
  cameras = await demo.devices();
});
afterAll(async () => {
  await demo.stop();
  if (root) spawnSync('umount', [edgeDir]);
  await demo.remove();
});

const log = (name: 'box' | 'relay') => readFileSync(join(logDir, `${name}.log`), 'utf8');
/** Logs are written a little after the answer. */
const logged = (text: string) => until(`“${text}” in the log`, 5_000, async () => log('relay').includes(text));
const camera = (name: string) => demo.lab<LabCamera>('GET', `/devices/${name}`);
const device = async (name: string) => (await demo.devices()).find((d) => d.name === name) as Device;
const idOf = (name: string) => cameras.find((d) => d.name === name)?.id as string;
const video = async (name: string) => (await device(name)).health?.channels[0]?.video;
const site = (id = demo.site.id) => demo.api<Site>(`/sites/${id}`);
const warnable = async (code: string, siteId?: string) => (await site(siteId)).warnables.find((w) => w.code === code);
const shown = (code: string, ms = 20_000, siteId?: string): Promise<Warnable> =>
  until(`the problem ${code} at the site`, ms, () => warnable(code, siteId));
const over = (code: string, ms = 30_000) =>
  until(`the end of the problem ${code}`, ms, async () => !(await warnable(code)));
const post = (path: string, body: unknown) =>
  demo.raw(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const problemOf = async (response: Response) => {
  const { status, code, detail } = (await response.json()) as Problem;
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  expect(status).toBe(response.status);
  return { status, code, detail };
};

const TYPES = ['motion', 'intrusion', 'lineCrossing', 'tamper'];
let emitted = 0;
/** An event of this camera comes to the portal and the receiver; with `clip`, its video too. */
async function goesOn(name: string, clip = true): Promise<EventDetail> {
  const { id } = await demo.emit(name, TYPES[emitted++ % TYPES.length]);
  const item = await demo.arrived(id);
  return until(`alarm${clip ? ' and video' : ''} of an event of ${name}`, 20_000, async () => {
    const event = await demo.event(item.id);
    const alarm = event.alarms.find((a) => a.kind === 'alarm' && a.state === 'acknowledged');
    return alarm && (!clip || (event.clip && event.clip.storedFragments >= 1)) && event;
  });
}
/** The box is there, and has not been cut off since. */
async function standing(): Promise<() => Promise<void>> {
  const before = await demo.box();
  expect(before).toMatchObject({ online: true, tunnel: true });
  return async () => {
    const { serial, online, tunnel, since, state } = await demo.box();
    const was = { serial: before.serial, online: true, tunnel: true, since: before.since, state: before.state };
    expect({ serial, online, tunnel, since, state }).toEqual(was);
  };
}

describe('a wrong device password', () => {
  it('is refused after one login when a device is added, and nothing is added', async () => {
    const { address, httpPort, username, failedLogins } = await camera('camera-2');
    const answer = await post(`/sites/${demo.site.id}/devices`, {
      boxSerial: (await demo.box()).serial,
      name: 'One too many',
      mac: '02-00-00-00-00-99',
      host: address,
      httpPort,
      username,
      password: WRONG_WHEN_ADDED,
    });
    expect(await problemOf(answer)).toMatchObject({ status: 502, code: 'device-refused-login' });
    expect(await camera('camera-2')).toMatchObject({ failedLogins: failedLogins + 1, locked: false });
    expect((await demo.devices()).map((d) => d.name)).toEqual(['camera-1', 'camera-2']);
    await goesOn('camera-2');
  });

  it('that comes later stops all tries after one, shows the device as refused, and does not lock it out', async () => {
    const { username, password, failedLogins } = await camera('camera-1');
    const set = (wanted: string) =>
      demo.api(`/devices/${idOf('camera-1')}/credentials`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username, password: wanted }),
      });
    await set(WRONG_LATER);
    await until('refused', 10_000, async () => (await device('camera-1')).health?.state === 'refused');
    expect(await shown('device-login-refused')).toMatchObject({
      subject: `device:${idOf('camera-1')}`,
      severity: 'error',
      text: expect.stringMatching(/camera-1.*Nothing more is tried.*Enter the right/),
    });
    // Time for whoever would try again, over HTTP or RTSP; meanwhile the other camera works.
    await Promise.all([goesOn('camera-2'), sleep(8_000)]);
    expect(await camera('camera-1')).toMatchObject({ failedLogins: failedLogins + 1, locked: false });
    expect(log('box')).toContain('"warnable":"device-login-refused"');

    await set(password);
    await until('online again, with video', 20_000, async () => {
      const { health } = await device('camera-1');
      return health?.state === 'online' && health.channels[0]?.video === 'streaming';
    });
    await over('device-login-refused');
    await goesOn('camera-1');
    expect((await camera('camera-1')).failedLogins).toBe(failedLogins + 1);
  });
});

describe('malformed input from the LAN', () => {
  it('datagrams by the hundred are counted and shown, and devices are still found', async () => {
    const undisturbed = await standing();
    const bomb = `<!DOCTYPE a [<!ENTITY b "${'x'.repeat(500)}"><!ENTITY c "${'&b;'.repeat(500)}">]><ProbeMatch><MAC>&c;</MAC></ProbeMatch>`;
    const bad = [
      Buffer.alloc(0),
      Buffer.from([0, 255, 254, 60]),
      Buffer.from('<ProbeMatch>'),
      Buffer.from('<'.repeat(8_000)),
      Buffer.from('<a>'.repeat(2_500)),
      Buffer.from(bomb),
      Buffer.from('<ProbeMatch><Types>inquiry</Types><MAC>zz</MAC></ProbeMatch>'),
      Buffer.from('<ProbeMatch><Types>inquiry</Types><__proto__><MAC>02-00-00-00-00-01</MAC></__proto__></ProbeMatch>'),
      Buffer.alloc(60_000, 'A'),
    ];
    const socket = createSocket('udp4').unref();
    const port = Number(new URL(demo.ready.portal).port) + 9;
    for (let i = 0; i < 200; i++) {
      for (const datagram of bad) socket.send(datagram, port, '127.0.0.1');
      if (i % 10 === 0) await sleep(10);
    }
    await goesOn('camera-1');
    expect(await shown('sadp-malformed')).toMatchObject({
      severity: 'info',
      text: expect.stringContaining('unreadable discovery messages'),
    });
    expect(log('box')).toContain('"warnable":"sadp-malformed"');
    const found = await demo.api<{ items: { mac: string }[] }>(`/sites/${demo.site.id}/discovery`);
    expect(found.items.map((d) => d.mac)).toEqual(expect.arrayContaining(cameras.map((d) => d.mac)));
    // The third one has no password yet.
    expect(found.items).toHaveLength(cameras.length + 1);
    socket.close();
    await undisturbed();
  });

  it('parts of an alert stream are skipped and shown; the stream and the other camera go on', async () => {
    const undisturbed = await standing();
    const inject = (bytes: Buffer | string) =>
      demo.lab('POST', '/devices/camera-1/inject', { base64: Buffer.from(bytes).toString('base64') });
    const part = (body: string, length = body.length, type = 'application/xml; charset="UTF-8"') =>
      `--boundary\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n${body}\r\n`;
    await inject(part('<EventNotificationAlert><eventType>VMD</eventType></EventNotificationAlert>'));
    await inject(part('<EventNotificationAlert><unclosed></EventNotificationAlert>'));
    await inject(
      part(
        '<!DOCTYPE a [<!ENTITY b "bbbb">]><EventNotificationAlert><eventType>&b;</eventType></EventNotificationAlert>',
      ),
    );
    await inject(part('{"EventNotificationAlert": {"eventType": []', undefined, 'application/json'));
    await inject(part('neither', 99_999_999));
    await inject(`--boundary\r\n${'X: y\r\n'.repeat(200)}\r\n`);
    await inject(Buffer.alloc(300_000, '<'));
    await inject(Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * 7) % 256)));
    expect(await shown('device-events-unreadable')).toMatchObject({
      subject: `device:${idOf('camera-1')}`,
      severity: 'warning',
    });
    expect(log('box')).toContain('unreadable part in the event stream');
    await goesOn('camera-2');
    await goesOn('camera-1');
    expect((await device('camera-1')).health?.state).toBe('online');
    await undisturbed();
  });

  it('an RTSP server that stalls is shown; events go on, and so does the video when it is back', async () => {
    await demo.lab('POST', '/devices/camera-1/video', { mode: 'stall' });
    expect(await shown('video-stalled', 30_000)).toMatchObject({ subject: `channel:${idOf('camera-1')}/1` });
    expect(await video('camera-1')).toBe('stalled');
    expect(log('box')).toContain('"warnable":"video-stalled"');
    await goesOn('camera-1', false);
    await goesOn('camera-2');
    await demo.lab('POST', '/devices/camera-1/video', { mode: 'normal' });
    await until('video again', 40_000, async () => (await video('camera-1')) === 'streaming');
    await over('video-stalled');
    await goesOn('camera-1');
  });
});

describe('proofs of boxes that are none', () => {
  it('a foreign key, a proof used before and a box without a site are refused everywhere, and cut nothing', async () => {
    const undisturbed = await standing();
    const { serial } = await demo.box();
    const foreign = new ForeignBox(demo.ready.portal);
    await foreign.enrol();
    const refused = (code: 'box-not-authenticated' | 'box-not-claimed') => ({
      status: PROBLEMS[code][0],
      code,
      type: expect.stringContaining('application/problem+json'),
    });
    for (const path of BOX_PATHS) {
      expect(await foreign.enter(path, await foreign.proof(path, serial))).toMatchObject(
        refused('box-not-authenticated'),
      );
      expect(await foreign.enter(path, await foreign.proof(path === '/mqtt' ? '/tunnel' : '/mqtt'))).toMatchObject(
        refused('box-not-authenticated'),
      );
      const proof = await foreign.proof(path);
      const first = await foreign.enter(path, proof);
      if (path === '/mqtt') expect(first).toBe('in');
      else expect(first).toMatchObject(refused('box-not-claimed'));
      expect(await foreign.enter(path, proof)).toMatchObject(refused('box-not-authenticated'));
    }
    expect(await shown('box-proof-refused')).toMatchObject({ subject: `box:${serial}` });
    await logged('signature does not fit');
    await logged('used before');
    await undisturbed();
    await goesOn('camera-1');
  });

  it('a box that publishes in another’s topics is cut off and shown; the other is not disturbed', async () => {
    const undisturbed = await standing();
    const victim = topics((await demo.box()).serial);
    const other = await demo.api<Site>('/sites', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Other Shop', timeZone: 'UTC' }),
    });
    const foreign = new ForeignBox(demo.ready.portal);
    await foreign.enrol();
    expect((await post(`/sites/${other.id}/boxes`, { serial: foreign.serial, code: foreign.code })).status).toBe(201);
    const events = (await demo.events(200)).length;
    for (const topic of [victim.journal, victim.health, victim.allowClaim, victim.desired, 'box/+/journal']) {
      const client = await foreign.connect();
      const closed = new Promise((resolve) => client.once('close', () => resolve(null)));
      client.publish(topic, '{"items":[]}', { qos: 1 });
      await closed;
      client.end(true);
    }
    expect(await shown('box-foreign-topic', 5_000, other.id)).toMatchObject({
      subject: `box:${foreign.serial}`,
      severity: 'error',
    });
    expect(await warnable('box-foreign-topic')).toBeUndefined();
    await logged('a box reached into a foreign topic');
    expect(await demo.events(200)).toHaveLength(events);
    await undisturbed();
    await goesOn('camera-2');
  });
});

describe('a claim code', () => {
  const dir = join(demo.dir, 'second');
  let box: ChildProcess | null = null;
  afterAll(async () => {
    if (!box || box.exitCode !== null) return;
    const ended = new Promise((resolve) => box?.once('exit', resolve));
    box.kill('SIGTERM');
    await ended;
  });

  it('tried six times pauses claiming; a person at the set-up page ends the pause', async () => {
    const undisturbed = await standing();
    mkdirSync(dir, { recursive: true });
    const out = openSync(join(logDir, 'second.log'), 'a', 0o600);
    // biome-ignore format: a command line
    box = spawn(process.execPath, [
      'edge/main.ts', '--port', '0', '--host', '127.0.0.1', '--data', dir, '--relay', demo.ready.portal,
      '--interface', 'lo', '--sadp-port', '0',
    ], { cwd: join(import.meta.dirname, '../..'), stdio: ['ignore', out, out] });
    closeSync(out);
    const port = await until('the second box', 15_000, async () => {
      return /"port":(\d+),.*"the box is up"/.exec(readFileSync(join(logDir, 'second.log'), 'utf8'))?.[1];
    });
    const setup = `http://127.0.0.1:${port}/api/setup`;
    const json = { 'content-type': 'application/json' };
    const made = await fetch(`${setup}/password`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ password: SECOND_SETUP }),
    });
    const cookie = String(made.headers.get('set-cookie')).split(';')[0] as string;
    const status = async () => (await (await fetch(`${setup}/status`, { headers: { cookie } })).json()) as SetupStatus;
    await until('the second box at the relay', 15_000, async () => (await status()).relay.mqtt);
    const { serial, claim } = await status();
    const { code } = claim as { code: string };
    const other = await demo.api<Site>('/sites', {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ name: 'Third Shop', timeZone: 'UTC' }),
    });
    const tryCode = (tried: string) => post(`/sites/${other.id}/boxes`, { serial, code: tried });
    for (let i = 0; i < 5; i++) {
      const wrong = code.startsWith('A') ? 'CCCCCCCCCC' : 'AAAAAAAAAA';
      expect(await problemOf(await tryCode(wrong))).toMatchObject({ status: 422, code: 'claim-refused' });
    }
    const sixth = await tryCode(code);
    expect(Number(sixth.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await problemOf(sixth)).toMatchObject({
      status: 429,
      code: 'too-many-tries',
      detail: expect.stringContaining('end the pause on the set-up page'),
    });
    await logged('claim refused: too many wrong codes');
    expect((await status()).claimed).toBe(false);

    expect((await fetch(`${setup}/allow-claim`, { method: 'POST' })).status).toBe(401);
    const allowed = await fetch(`${setup}/allow-claim`, { method: 'POST', headers: { cookie } });
    expect(allowed.status).toBe(200);
    await until('the pause to be over', 5_000, async () => {
      return log('relay').includes('a person at the box lets claiming be tried again');
    });
    expect((await tryCode(code)).status).toBe(201);
    await until('the code to be hidden', 10_000, async () => (await status()).claim === null);
    const boxes = await demo.api<{ items: Box[] }>(`/sites/${other.id}/boxes`);
    expect(boxes.items).toMatchObject([{ serial, state: 'claimed' }]);
    await undisturbed();
  });
});

describe('the disk of the box', () => {
  it.runIf(root)('full: events and alarms go on, it is shown, and clips come back with room', async () => {
    const filler = join(edgeDir, 'filler');
    const file = openSync(filler, 'w');
    const fill = () => {
      for (const size of [1024 * 1024, 4096, 1]) {
        expect(() => {
          for (;;) writeSync(file, Buffer.alloc(size));
        }).toThrow('ENOSPC');
      }
    };
    fill();
    // Clips that are sent and deleted meanwhile make room: whatever has filled the disk takes that, too.
    for (let i = 0; i < 6 || (i < 16 && !(await warnable('disk-full'))); i++) {
      if (i >= 6) fill();
      await goesOn(i % 2 ? 'camera-1' : 'camera-2', false);
      await sleep(1_500);
    }
    closeSync(file);
    expect(await shown('disk-full')).toMatchObject({ severity: 'error', text: expect.stringContaining('Make room') });
    expect(log('box')).toContain('"warnable":"disk-full"');
    expect((await demo.box()).health?.diskFreeBytes).toBeLessThan(DISK_BYTES / 4);
    rmSync(filler);
    await over('disk-full', 75_000);
    await goesOn('camera-1');
    expect((await site()).warnables.map((w) => w.code)).not.toContain('journal-full');
  });
  if (!root) console.log('not shown: a full disk (a small file system can be mounted by root only)');

  it('with a damaged journal: it is replaced, shown, and new events flow', async () => {
    const before = await demo.allEvents();
    await demo.stop();
    const path = join(edgeDir, 'journal.db');
    const { size } = statSync(path);
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(Math.floor(size / 4), 0xa5), 0, Math.floor(size / 4), Math.floor(size / 3));
    closeSync(file);
    await demo.start();
    expect(await shown('journal-broken')).toMatchObject({
      severity: 'error',
      text: expect.stringMatching(/journal was damaged and has been replaced.*The old file is kept as journal\.db\./),
    });
    expect(log('box')).toContain('journal file broken, set aside');
    await Promise.all([goesOn('camera-1'), goesOn('camera-2')]);
    const after = (await demo.allEvents()).map((e) => e.id);
    expect(after.slice(-before.length)).toEqual(before.map((e) => e.id));
    expect(new Set(after).size).toBe(after.length);
  });

  it('without any journal: a new one begins, and new events flow', async () => {
    const before = await demo.allEvents();
    await demo.stop();
    for (const file of readdirSync(edgeDir).filter((f) => f.startsWith('journal.db'))) rmSync(join(edgeDir, file));
    await demo.start();
    await Promise.all([goesOn('camera-1'), goesOn('camera-2')]);
    const after = (await demo.allEvents()).map((e) => e.id);
    expect(after.slice(-before.length)).toEqual(before.map((e) => e.id));
  });
});

describe('secrets', () => {
  it('are in no log', async () => {
    await demo.api(`/sites/${demo.site.id}/arc`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        boxSerial: (await demo.box()).serial,
        receiverId: (await demo.api<{ items: { id: string }[] }>('/receivers')).items[0]?.id,
        account: '5678',
        protocol: 'ADM-CID',
        key: ARC_KEY,
        events: ['videoLoss'],
      }),
    });
    await sleep(2_000);
    const { password } = await camera('camera-1');
    const identity = JSON.parse(readFileSync(join(edgeDir, 'identity.json'), 'utf8')) as Record<string, unknown>;
    const { serial: _, ...own } = identity;
    const keys = Object.values(own).filter((value) => typeof value === 'string' && value.length >= 10);
    expect(keys.length).toBeGreaterThanOrEqual(3);
    const secrets = [WRONG_WHEN_ADDED, WRONG_LATER, ARC_KEY, SECOND_SETUP, password, ...(keys as string[])];
    secrets.push(demo.ready.login.password, demo.ready.setupPassword);
    const logs = readdirSync(logDir).map((name) => [name, readFileSync(join(logDir, name), 'utf8')] as const);
    expect(logs.map(([name]) => name)).toEqual(expect.arrayContaining(['box.log', 'relay.log', 'second.log']));
    for (const [name, text] of logs) {
      expect([name, text.length > 100 || ['lab.log', 'post.log'].includes(name)]).toEqual([name, true]);
      for (const secret of secrets)
        expect([name, text.toLowerCase().includes(secret.toLowerCase())]).toEqual([name, false]);
      expect([name, /"level":60/.test(text)]).toEqual([name, false]);
    }
  });
});
