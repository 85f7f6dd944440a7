import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { iso, ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { createScope } from '../auth/scope.ts';
import { FolderStore } from '../clips/object-store.ts';
import type { Db } from '../db/database.ts';
import { TestBox } from '../testing/box.ts';
import { colleague } from '../testing/colleague.ts';
import { openTestDatabase } from '../testing/database.ts';
import { deviceRow } from '../testing/device-row.ts';
import { type Call, type Company, TestRelay } from '../testing/relay.ts';
import { Catalogue } from './catalogue.ts';
import { zipOf } from './testing/zip.ts';
import { SiteUpgrades } from './upgrades.ts';

const clock = new ManualClock(Date.now());
const relay = new TestRelay({ clock });
let operator: Call;
let acme: Company;
let rival: Company;
let box: TestBox;
let db: Db;
let port: number;
const devices: Record<string, string> = {};
const DAV = randomBytes(300_000);

beforeAll(async () => {
  await relay.start();
  port = relay.port;
  operator = await relay.operator();
  acme = await relay.company('Acme');
  rival = await relay.company('Rival');
  box = await new TestBox(relay).claimedBy(acme);
  db = await openTestDatabase(relay.dir);
  for (const [name, model, type] of [
    ['Door', 'DS-2CD2386G2-IU', 'camera'],
    ['Recorder', 'DS-7608NXI-K2', 'nvr'],
    ['Alarm', 'DS-PWA48-E-WB', 'panel'],
  ] as const) {
    devices[name] = uuidv7();
    await db
      .insertInto('devices')
      .values(
        deviceRow({
          id: devices[name],
          siteId: acme.siteId,
          name,
          boxSerial: box.serial,
          createdAt: iso(Object.keys(devices).length),
          model,
          type: type as never,
          firmware: 'V5.7.15 build 240201',
        }),
      )
      .execute();
  }
});
afterAll(async () => {
  await db.destroy();
  await relay.stop();
});
beforeEach(() => db.deleteFrom('firmware').execute());

const put = async (url: string, body: Buffer) => {
  const answer = await fetch(`http://127.0.0.1:${port}${url}`, { method: 'PUT', body: new Uint8Array(body) });
  return { status: answer.status, body: await answer.json() };
};
const good = (data = DAV) =>
  zipOf([
    { name: 'notes.txt', data: Buffer.from('x') },
    { name: 'V5/digicap.dav', data },
  ]);
const upload = async (fileName = 'IPC_V5.8.0_build250301.zip', zip = good(), models = ['DS-2CD2386G2*']) => {
  const begun = await operator('POST', '/operator/firmware', { fileName, size: zip.length, models });
  expect(begun.status).toBe(201);
  return { ...(await put(begun.body.url, zip)), url: begun.body.url as string, id: begun.body.package.id as string };
};
const fetchAs = async (who: TestBox, id: string, range = 'bytes=0-') => {
  const headers = { authorization: await who.header('/box/v1/firmware'), range };
  return fetch(`http://127.0.0.1:${port}/box/v1/firmware/${id}`, { headers });
};

describe('a package', () => {
  it('is unpacked while it comes, and a box fetches the file from any byte on (UPG-02)', async () => {
    const { status, body, id, url } = await upload();
    expect([status, body.state, body.version]).toEqual([200, 'ready', 'V5.8.0 build 250301']);
    expect([body.firmwareSize, body.sha256]).toEqual([DAV.length, createHash('sha256').update(DAV).digest('hex')]);
    const whole = await fetchAs(box, id);
    expect(whole.status).toBe(206);
    expect(Buffer.from(await whole.arrayBuffer()).equals(DAV)).toBe(true);
    const rest = await fetchAs(box, id, 'bytes=299990-');
    expect(Buffer.from(await rest.arrayBuffer()).equals(DAV.subarray(299_990))).toBe(true);
    // The address is good once, and boxes prove themselves for this purpose.
    expect((await put(url, good())).status).toBe(410);
    const elsewhere = { authorization: await box.header('/box/v1/uploads') };
    expect((await fetch(`http://127.0.0.1:${port}/box/v1/firmware/${id}`, { headers: elsewhere })).status).toBe(401);
  });

  it.each([
    ['without firmware', () => zipOf([{ name: 'a.txt', data: DAV }]), 'no firmware file'],
    [
      'with several',
      () =>
        zipOf([
          { name: 'a.dav', data: DAV },
          { name: 'b.dav', data: DAV },
        ]),
      'several',
    ],
    ['encrypted', () => zipOf([{ name: 'a.dav', data: DAV, encrypted: true }]), 'encrypted'],
    ['made to burst', () => zipOf([{ name: 'a.dav', data: Buffer.alloc(30_000_000) }]), 'far more'],
    ['larger than it says', () => zipOf([{ name: 'a.dav', data: DAV, size: 1_000 }]), 'cannot be read'],
    ['that is none', () => randomBytes(500), 'cannot be read'],
    [
      'of too many files',
      () => zipOf(Array.from({ length: 65 }, (_, i) => ({ name: `${i}.txt`, data: DAV.subarray(0, 9) }))),
      'too many',
    ],
  ])('%s is refused, and nothing of it is kept', async (_, make, words) => {
    const { status, body, id } = await upload('IPC_V5.8.0_build250301.zip', make());
    expect([status, body.code]).toEqual([400, 'invalid-request']);
    expect(body.detail).toContain(words);
    expect(existsSync(join(relay.dir, 'objects', 'firmware', id))).toBe(false);
    expect((await operator('GET', '/operator/firmware')).body.items[0]).toMatchObject({ state: 'failed' });
    expect((await fetchAs(box, id)).status).toBe(404);
  });

  it('has one of three names, and the size that was announced (UPG-10)', async () => {
    for (const fileName of ['a.zip', 'x_V5_230101.zip', 'x_V5.0.0_Build230101.zip'])
      expect((await operator('POST', '/operator/firmware', { fileName, size: 99, models: ['DS-2*'] })).status).toBe(
        400,
      );
    const begun = await operator('POST', '/operator/firmware', {
      fileName: 'x_V5.0.0_230101.zip',
      size: 99,
      models: ['DS-2*'],
    });
    expect((await put(begun.body.url, good())).status).toBe(400);
    expect((await put(begun.body.url.replace(/.$/, '_'), good())).status).toBe(410);
    expect(readdirSync(join(relay.dir, 'objects', 'tmp'))).toEqual([]);
  });

  it('of one company is nothing to another, nor to its boxes (UPG-07, UPG-09)', async () => {
    const zip = good();
    const wanted = { fileName: 'NVR_V5.0.0_Build_260210.zip', size: zip.length };
    const begun = await acme.api('POST', `/devices/${devices.Recorder}/firmware`, wanted);
    expect((await put(begun.body.url, zip)).status).toBe(200);
    const { id } = begun.body.package;
    expect((await fetchAs(box, id)).status).toBe(206);
    expect((await fetchAs(await new TestBox(relay).claimedBy(rival), id)).status).toBe(404);
    expect((await rival.api('GET', `/firmware/${id}/package`)).status).toBe(404);
    // Whoever has to install it by hand gets it back as it came (UPG-07).
    expect((await acme.api('GET', `/firmware/${id}/package`)).status).toBe(200);
    expect((await rival.api('POST', `/devices/${devices.Recorder}/firmware`, wanted)).status).toBe(404);
    const viewer = await colleague(relay, acme.companyId, ['manage-all-sites', 'live-view']);
    const barred = await viewer.api('POST', `/devices/${devices.Recorder}/firmware`, wanted);
    expect(barred).toMatchObject({ status: 403, body: { code: 'not-allowed' } });
  });
});

describe('what a company brings', () => {
  const catalogueOf = (maxCompanyBytes: number) => {
    const here = new FolderStore({ dir: join(relay.dir, 'objects') });
    return new Catalogue({ db, store: here, clock, log: pino({ level: 'silent' }), maxCompanyBytes });
  };
  const bring = async (catalogue: Catalogue, of = 'Recorder', zip = good()) => {
    const device = { id: devices[of] as string, name: of, model: 'DS-7608NXI-K2' } as Parameters<Catalogue['bring']>[1];
    const wanted = { fileName: 'NVR_V5.0.0_Build_260210.zip', size: zip.length };
    const made = await catalogue.bring(createScope(db, clock, acme), device, wanted);
    const [, , id, token] = made.url.split('/') as [string, string, string, string];
    const take = async () =>
      catalogue.take(
        id,
        token,
        zip.length,
        (async function* () {
          yield zip;
        })(),
      );
    return { id, take };
  };
  const there = async () => (await db.selectFrom('firmware').select('id').orderBy('id').execute()).map((row) => row.id);
  const onDisk = (id: string) => existsSync(join(relay.dir, 'objects', 'firmware', id));

  it('takes no more room than its share, with what is in the packages and under way', async () => {
    const zip = good().length;
    const tight = catalogueOf(2 * zip);
    const first = await bring(tight);
    await bring(tight, 'Door');
    await expect(bring(tight, 'Alarm')).rejects.toMatchObject({ code: 'limit-reached' });
    // The file in it counts too, before it is written.
    await expect(first.take()).rejects.toMatchObject({ code: 'limit-reached' });
    expect(onDisk(first.id)).toBe(false);
    await db.deleteFrom('firmware').execute();
    const fits = catalogueOf(zip + DAV.length);
    await (await bring(fits)).take();
    await expect(bring(fits, 'Door')).rejects.toMatchObject({ code: 'limit-reached' });
    // The operator's packages are not theirs.
    expect((await upload()).status).toBe(200);
  });

  it('goes with its device, and when no box fetched it for 30 days', async () => {
    const catalogue = catalogueOf(1024 ** 3);
    const gone = await bring(catalogue, 'Alarm');
    const old = await bring(catalogue, 'Recorder');
    const used = await bring(catalogue, 'Door');
    for (const one of [gone, old, used]) await one.take();
    const common = (await upload()).id;
    await db
      .updateTable('firmware')
      .set({ usedMs: clock.now() - 31 * 86_400_000 })
      .where('id', '!=', gone.id)
      .execute();
    expect((await fetchAs(box, used.id)).status).toBe(206);
    const alarm = db.updateTable('devices').where('id', '=', devices.Alarm as string);
    await alarm.set({ deletedAt: 'x' }).execute();
    try {
      catalogue.start();
      await expect.poll(there).toEqual([used.id, common].sort());
      await expect.poll(() => [gone.id, old.id, used.id].map(onDisk)).toEqual([false, false, true]);
    } finally {
      catalogue.stop();
      await alarm.set({ deletedAt: null }).execute();
    }
  });
});

describe('upgrades of a site', () => {
  it('the newest that fits is offered, and what was brought stays chosen (UPG-04, UPG-12)', async () => {
    await upload('IPC_V5.7.20_build250101.zip');
    await upload('IPC_V5.8.0_build250301.zip');
    await upload('IPC_V5.6.0_build250301.zip');
    await upload('NVR_V9.0.0_build250301.zip', good(), ['DS-7616*']);
    const zip = good();
    for (const build of ['260210', '260211']) {
      const wanted = { fileName: `NVR_V5.0.0_Build_${build}.zip`, size: zip.length };
      await put((await acme.api('POST', `/devices/${devices.Recorder}/firmware`, wanted)).body.url, zip);
    }
    const { items } = (await acme.api('GET', `/sites/${acme.siteId}/upgrades`)).body;
    expect(
      items.map(
        (i: {
          name: string;
          available: { version: string } | null;
          own: { version: string } | null;
          passwordNeeded: boolean;
        }) => [...[i.name, i.available?.version ?? null, i.own?.version ?? null, i.passwordNeeded]],
      ),
    ).toEqual([
      ['Door', 'V5.8.0 build 250301', null, false],
      ['Recorder', null, 'V5.0.0 build 260211', false],
      ['Alarm', null, null, true],
    ]);
    expect(
      await db
        .selectFrom('firmware')
        .select('id')
        .where('deviceId', '=', devices.Recorder as string)
        .execute(),
    ).toHaveLength(1);
  });

  it('begin as one job a box; what cannot be upgraded says why (UPG-02, UPG-05, UPG-11, UPG-14)', async () => {
    const { id } = await upload();
    const made: unknown[][] = [];
    const work = {
      make: async (...args: unknown[]) => {
        made.push(args);
        return { id: uuidv7() } as never;
      },
    };
    const store = new FolderStore({ dir: join(relay.dir, 'objects') });
    const log = pino({ level: 'silent' });
    const catalogue = new Catalogue({ db, store, clock, log });
    const upgrades = new SiteUpgrades({ db, catalogue, work, health: () => null, log });
    const scope = createScope(db, clock, acme);
    const started = await upgrades.start(scope, acme.siteId, {
      items: [
        { deviceId: devices.Door as string, firmwareId: id },
        { deviceId: devices.Recorder as string, firmwareId: id },
      ],
    });
    expect(started.jobs).toMatchObject([{ boxSerial: box.serial }]);
    expect(started.refused).toMatchObject([
      { deviceId: devices.Recorder, code: 'conflict', detail: expect.stringContaining('not for a') },
    ]);
    expect(made).toMatchObject([
      [
        acme.siteId,
        box.serial,
        'upgrade',
        [{ deviceId: devices.Door, firmwareId: id, size: DAV.length, models: ['DS-2CD2386G2*'], password: null }],
      ],
    ]);
    const zip = good();
    const wanted = { fileName: 'AX_V1.3.0_260210.zip', size: zip.length };
    const own = await acme.api('POST', `/devices/${devices.Alarm}/firmware`, wanted);
    await put(own.body.url, zip);
    const alarm = { deviceId: devices.Alarm as string, firmwareId: own.body.package.id as string };
    expect((await upgrades.start(scope, acme.siteId, { items: [alarm] })).refused).toMatchObject([
      { code: 'invalid-request' },
    ]);
    // What was brought for one device is for no other.
    const door = { ...alarm, deviceId: devices.Door as string };
    expect((await upgrades.start(scope, acme.siteId, { items: [door] })).refused).toMatchObject([{ code: 'conflict' }]);
  });

  it('a package whose name is another model is refused (UPG-11)', async () => {
    const wanted = { fileName: 'DS-7616NI-K2_V5.0.0_Build_260210.zip', size: 1_000 };
    expect((await acme.api('POST', `/devices/${devices.Recorder}/firmware`, wanted)).body.code).toBe('conflict');
  });
});
