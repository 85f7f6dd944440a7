import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { SiteJobMessage } from '../../protocol/wire/initialise.ts';
import { foundDevice } from '../../protocol/wire/testing/found-device.ts';
import { createScope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import { BoxClient } from '../devices/box-client.ts';
import { TestBox } from '../testing/box.ts';
import { openTestDatabase } from '../testing/database.ts';
import { type Company, TestRelay } from '../testing/relay.ts';
import { readJobEvents } from './job-feed.ts';
import { SiteWork } from './jobs.ts';

const clock = new ManualClock(Date.now());
const relay = new TestRelay({ clock });
let acme: Company;
let box: TestBox;
let other: TestBox;
let db: Db;
let work: SiteWork;
const mac = (n: number) => `02-00-00-00-00-${String(n).padStart(2, '0')}`;

interface Request {
  serial: string;
  method: string;
  path: string;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of tests
  body: any;
}
let asked: Request[] = [];
/** What the boxes answer, by box and path; others are away. */
let says: Record<string, Record<string, unknown>> = {};
const tunnel = {
  isConnected: (serial: string) => serial in says,
  request: async (serial: string, { method, path, body }: { method: string; path: string; body?: Buffer }) => {
    asked.push({ serial, method, path, body: body ? JSON.parse(String(body)) : null });
    const answer = says[serial]?.[path];
    const made = typeof answer === 'function' ? answer(asked.at(-1)) : answer;
    const stream = new PassThrough();
    stream.end(JSON.stringify(made ?? { type: '', title: '', status: 404, code: 'not-found' }));
    const type = made ? 'application/json' : 'application/problem+json';
    return { status: made ? 200 : 404, headers: { 'content-type': type }, body: stream };
  },
};
const job = (siteNote: string | null, id = uuidv7(), createdAt = '2026-01-01T00:00:00.000Z') => ({
  id,
  kind: 'initialise',
  siteNote,
  state: 'running',
  createdAt,
  endedAt: null,
});
const counts = { waiting: 1, running: 0, done: 0, failed: 0 };
const listed = (n: number, address: string, model = 'DS-2CD1') => foundDevice(n, { mac: mac(n), address, model });

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  box = await new TestBox(relay).claimedBy(acme);
  other = await new TestBox(relay).claimedBy(acme);
  db = await openTestDatabase(relay.dir);
  const kept: Record<string, string> = { [mac(1)]: 'Kept-1', [mac(3)]: 'Kept-3' };
  work = new SiteWork({
    db,
    clock,
    box: new BoxClient({ tunnel }),
    known: {
      password: async (_, siteId, of) => (siteId === acme.siteId ? (kept[of] ?? null) : null),
      verificationCode: async () => 'CODE1234',
      newestFirmware: async ({ model }) => (model === 'DS-2CD1' ? 'V9' : null),
    },
  });
});
beforeEach(() => {
  asked = [];
  says = {};
});
afterAll(async () => {
  await db.destroy();
  await relay.stop();
});
const scope = () => createScope(db, clock, acme);

describe('initialising', () => {
  const started = (request: Request) => ({ ...job(request.body.siteNote, request.body.id), items: [] });
  const lan = { items: [listed(1, '192.0.2.1'), listed(2, '192.0.2.2', 'DS-K1')] };

  it('gives the box kept passwords, what a person entered, the site’s zone and the newest firmware (INIT-12, INIT-13)', async () => {
    says = { [box.serial]: { '/v1/discovery': lan, '/v1/jobs': started } };
    const made = await work.initialise(scope(), acme.siteId, {
      boxSerial: box.serial,
      devices: [
        { mac: mac(1), username: 'admin', record: true },
        { mac: mac(2), username: 'root', password: 'Entered-2', record: false },
      ],
    });
    expect(made).toMatchObject({ boxSerial: box.serial, state: 'running' });
    expect(made).not.toHaveProperty('siteNote');
    const site = await db.selectFrom('sites').selectAll().where('id', '=', acme.siteId).executeTakeFirstOrThrow();
    const timeZone = site.syncTime ? site.timeZone : null;
    const shared = { timeZone, verificationCode: 'CODE1234' };
    expect(asked.at(-1)).toMatchObject({
      method: 'POST',
      body: {
        id: made.id,
        kind: 'initialise',
        siteNote: acme.siteId,
        items: [
          { ...shared, mac: mac(1), username: 'admin', password: 'Kept-1', record: true, newestFirmware: 'V9' },
          { ...shared, mac: mac(2), username: 'root', password: 'Entered-2', record: false, newestFirmware: null },
        ],
      },
    });
  });

  it('says of which device no password is kept, and begins nothing', async () => {
    says = { [box.serial]: { '/v1/discovery': lan, '/v1/jobs': started } };
    const devices = [1, 2].map((n) => ({ mac: mac(n), username: 'admin', record: false }));
    await expect(work.initialise(scope(), acme.siteId, { boxSerial: box.serial, devices })).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining('DS-K1 (192.0.2.2)'),
      errors: [{ path: 'devices.1.password' }],
    });
    expect(asked.map((request) => request.method)).toEqual(['GET']);
  });

  it('asks only boxes of the site', async () => {
    const rival = await relay.company('Rival');
    const foreign = await new TestBox(relay).claimedBy(rival);
    says = { [foreign.serial]: { '/v1/discovery': lan, '/v1/jobs': started } };
    const wanted = { boxSerial: foreign.serial, devices: [{ mac: mac(1), username: 'admin', record: false }] };
    await expect(work.initialise(scope(), acme.siteId, wanted)).rejects.toMatchObject({ code: 'not-found' });
    const ask = { boxSerial: foreign.serial, mac: mac(1), username: 'admin', ask: { do: 'read' as const } };
    await expect(work.recorder(scope(), acme.siteId, ask)).rejects.toMatchObject({ code: 'not-found' });
    expect(asked).toEqual([]);
  });
});

it('the list is of all boxes, of this site alone, and names who is away', async () => {
  const mine = [job(acme.siteId, uuidv7(), '2026-01-02T00:00:00.000Z'), job(acme.siteId)];
  const items = [job(uuidv7()), mine[1], mine[0], job(null)].map((one) => ({ ...one, counts }));
  says = { [box.serial]: { '/v1/jobs': { items } } };
  const list = await work.list(scope(), acme.siteId);
  expect(list.items.map((one) => [one.id, one.boxSerial])).toEqual(mine.map((one) => [one.id, box.serial]));
  expect(list.silent).toEqual([other.serial]);
});

it('a job is found at whichever box has it; one that was made for another site is not there', async () => {
  const [mine, foreign] = [job(acme.siteId), job(uuidv7())];
  const answers = [mine, foreign].map((one) => [`/v1/jobs/${one.id}`, { ...one, items: [] }]);
  says = { [other.serial]: Object.fromEntries(answers), [box.serial]: {} };
  expect(await work.get(scope(), acme.siteId, mine.id)).toMatchObject({ id: mine.id, boxSerial: other.serial });
  await expect(work.get(scope(), acme.siteId, foreign.id)).rejects.toMatchObject({ code: 'not-found' });
  says = { [box.serial]: {} };
  // Whether the box that is away has it is not known.
  await expect(work.get(scope(), acme.siteId, mine.id)).rejects.toMatchObject({ code: 'box-unreachable' });
});

describe('passwords of a recorder’s cameras', () => {
  const lan = { items: [listed(1, '192.0.2.1'), listed(3, '192.0.2.3'), listed(2, '192.0.2.2')] };
  const channel = (n: number, address: string) => ({ channel: n, name: `C${n}`, address, online: true });
  const view = (channels: object[] = [], seen: object[] = []) => ({
    name: 'NVR',
    poe: false,
    sortable: true,
    channels,
    seen,
    added: [],
  });
  const ask = (what: object, answer: object, of = 9) => {
    const items = [...lan.items, listed(of, '192.0.2.9')];
    says = { [box.serial]: { '/v1/discovery': { items }, '/v1/lan/recorder': answer } };
    const wanted = { boxSerial: box.serial, mac: mac(of), username: 'admin', password: 'Of-recorder-1', ask: what };
    return work.recorder(scope(), acme.siteId, wanted as Parameters<typeof work.recorder>[2]);
  };
  const camera = (address: string, more: object = {}) => ({
    address,
    port: 8000,
    protocol: 'HIKVISION',
    username: 'admin',
    ...more,
  });
  const told = () => asked.at(-1)?.body.ask;

  it('are kept ones of those that a person chose and the box sees at that address (CHAN-09)', async () => {
    await ask(
      {
        do: 'add',
        cameras: [
          camera('192.0.2.3', { mac: mac(3) }),
          // Chosen by no MAC, seen elsewhere, not kept, itself, entered.
          ...[camera('192.0.2.1'), camera('192.0.2.2', { mac: mac(1) }), camera('192.0.2.2', { mac: mac(2) })],
          ...[camera('192.0.2.9', { mac: mac(9) }), camera('192.0.2.7', { password: 'Entered-7' })],
        ],
      },
      view(),
    );
    const { cameras } = told();
    expect(cameras.map((one: { password?: string }) => one.password)).toEqual([
      ...['Kept-3', undefined, undefined, undefined, undefined, 'Entered-7'],
    ]);
    // The box looks for a login of its own by them.
    const macs = cameras.flatMap((one: { mac?: string }) => one.mac ?? []);
    expect(macs).toEqual([mac(3), mac(2)]);
  });

  it('are never those at the addresses that a recorder says, only what it was given before (CHAN-10)', async () => {
    // The addresses of cameras that it was never given, and of one twice.
    const lies = view([channel(1, '192.0.2.3'), channel(2, '192.0.2.1'), channel(3, '192.0.2.3')]);
    const sort = { do: 'sort', order: [2, 1, 3] };
    await expect(ask(sort, lies, 8)).rejects.toMatchObject({
      code: 'invalid-request',
      errors: [1, 2, 3].map((n) => ({ path: `ask.passwords.${n}` })),
    });
    expect(asked.map(({ body }) => body?.ask.do)).not.toContain('sort');
    await ask({ do: 'add', cameras: [camera('192.0.2.3', { mac: mac(3) })] }, lies, 8);
    const passwords = [{ channel: 2, password: 'Entered-2' }];
    await ask({ ...sort, passwords }, lies, 8);
    expect(told().passwords).toEqual([
      ...[{ channel: 1, password: 'Kept-3' }, passwords[0], { channel: 3, password: 'Kept-3' }],
    ]);
    // Another recorder was given nothing.
    await expect(ask(sort, lies, 7)).rejects.toMatchObject({ code: 'invalid-request' });
    // As they are there is nothing to forget.
    await ask({ do: 'sort', order: [1, 2, 3] }, lies, 7);
    expect(told().passwords).toEqual([]);
  });

  it('beside what it says of a camera stands what the box sees there (CHAN-09)', async () => {
    const said = (address: string) => ({ address, port: 80, protocol: 'X', model: 'Harmless', serial: null });
    const answer = await ask({ do: 'read' }, view([], ['192.0.2.1', '192.0.2.9', '192.0.2.200'].map(said)));
    expect(answer.seen.map((one) => one.device)).toEqual([{ mac: mac(1), model: 'DS-2CD1' }, null, null]);
  });
});

it('a recorder is to be sorted until it was, and again after cameras came; one that cannot be is not (CHAN-11)', async () => {
  const channel = (n: number) => ({ channel: n, name: `C${n}`, address: null, online: null });
  const view = { name: 'NVR', poe: false, sortable: true, channels: [channel(1), channel(2)], seen: [], added: null };
  const ask = (what: object, answer: object = view) => {
    says = { [box.serial]: { '/v1/discovery': { items: [] }, '/v1/lan/recorder': answer } };
    const wanted = { boxSerial: box.serial, mac: mac(1), username: 'admin', ask: what };
    return work.recorder(scope(), acme.siteId, wanted as Parameters<typeof work.recorder>[2]);
  };
  const passwords = [1, 2].map((n) => ({ channel: n, password: 'Entered-1' }));
  const sorted = async () => (await work.sorted(scope(), acme.siteId)).macs;
  await db.deleteFrom('recorder_orders').execute();
  await ask({ do: 'read' });
  expect(await sorted()).toEqual([]);
  for (let twice = 0; twice < 2; twice++) await ask({ do: 'sort', order: [2, 1], passwords });
  expect(await sorted()).toEqual([mac(1)]);
  await ask({ do: 'read' });
  const added = (ok: boolean) => ({ ...view, added: [{ address: '192.0.2.9', ok, code: null, text: null }] });
  await ask({ do: 'add', cameras: [] }, added(false));
  expect(await sorted()).toEqual([mac(1)]);
  await ask({ do: 'add', cameras: [] }, added(true));
  expect(await sorted()).toEqual([]);
  await ask({ do: 'read' }, { ...view, sortable: false });
  expect(await sorted()).toEqual([mac(1)]);
  const rival = await relay.company('Rival of recorders');
  await expect(work.sorted(createScope(db, clock, rival), acme.siteId)).rejects.toMatchObject({ code: 'not-found' });
});

describe('the stream of a box', () => {
  const read = async (...chunks: (string | Buffer)[]) => {
    const stream = new PassThrough();
    for (const chunk of chunks) stream.write(chunk);
    stream.end();
    const pushed: SiteJobMessage[] = [];
    const whole = await readJobEvents(stream, 'BOX', (message) => pushed.push(message));
    return { pushed, whole };
  };
  const message = (event: string, data: unknown) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  const item = { key: 'a', name: 'Kamera Straße', state: 'running', steps: [] };

  it('is handed on, in whichever pieces it comes', async () => {
    const bytes = Buffer.from(`${message('job', { ...job('s'), items: [item] })}:\n\n${message('item', item)}`);
    const { pushed, whole } = await read(...Array.from(bytes, (byte) => Buffer.from([byte])));
    expect(whole).toBe(true);
    expect(pushed.map((one) => one.event)).toEqual(['job', 'item']);
    expect(pushed[0]?.data).toMatchObject({ boxSerial: 'BOX', items: [item] });
    expect(pushed[0]?.data).not.toHaveProperty('siteNote');
  });
  it('ends at what is no message of a job', async () => {
    for (const bad of [message('hello', {}), message('item', { key: 1 }), 'data: {"a":\n\n', 'x\n\n'])
      expect(await read(bad, message('item', item))).toEqual({ pushed: [], whole: false });
  });
});
