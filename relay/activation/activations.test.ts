import { PassThrough } from 'node:stream';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { devicePasswordFault } from '../../protocol/wire/device-password.ts';
import { type ProblemCode, problem } from '../../protocol/wire/problem.ts';
import { createScope, type Scope } from '../auth/scope.ts';
import { Vault } from '../auth/vault.ts';
import type { Db } from '../db/database.ts';
import { BoxClient } from '../devices/box-client.ts';
import { TestBox } from '../testing/box.ts';
import { openTestDatabase } from '../testing/database.ts';
import { type Company, TestRelay } from '../testing/relay.ts';
import { Activations, generatePassword } from './activations.ts';

const clock = new ManualClock(Date.now());
const relay = new TestRelay({ clock });
let acme: Company;
let box: TestBox;
let db: Db;
let activations: Activations;
let scope: Scope;
const mac = (n: number) => `02-00-00-00-00-${String(n).padStart(2, '0')}`;

/** What the box does with each device, and what it was asked. */
let says: Record<string, ProblemCode | 'lost'>;
let asked: { mac: string; password: string; verificationCode?: string }[];
let atOnce = { now: 0, most: 0 };
const tunnel = {
  isConnected: () => true,
  request: async (_: string, { body }: { body?: Buffer }) => {
    const request = JSON.parse(String(body)) as (typeof asked)[number];
    asked.push(request);
    // What the relay will need is on its disk before the device gets it.
    const kept = await db.selectFrom('device_passwords').select('mac').where('mac', '=', request.mac).execute();
    expect(kept.length).toBeGreaterThan(0);
    atOnce = { now: atOnce.now + 1, most: Math.max(atOnce.most, atOnce.now + 1) };
    await new Promise((resolve) => setTimeout(resolve, 40));
    atOnce.now--;
    const code = says[request.mac];
    if (code === 'lost') throw new Error('the tunnel broke');
    const answer = code
      ? problem(code, `It said ${code}.`)
      : {
          mac: request.mac,
          weak: false,
          way: 'isapi',
          code: request.verificationCode && 'set',
          issues: ['same-serial'],
        };
    const stream = new PassThrough();
    stream.end(JSON.stringify(answer));
    return {
      status: code ? 409 : 200,
      headers: { 'content-type': code ? 'application/problem+json' : 'application/json' },
      body: stream,
    };
  },
};

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  box = await new TestBox(relay).claimedBy(acme);
  db = await openTestDatabase(relay.dir);
  const vault = new Vault({ dir: relay.dir });
  vault.start();
  const log = pino({ level: 'silent' });
  activations = new Activations({ db, clock, log, vault, box: new BoxClient({ tunnel }) });
  scope = createScope(db, clock, acme);
});
beforeEach(async () => {
  says = {};
  asked = [];
  atOnce = { now: 0, most: 0 };
  for (const table of ['device_passwords', 'device_defaults', 'device_default_codes'] as const)
    await db.deleteFrom(table).execute();
});
afterAll(async () => {
  await db.destroy();
  await relay.stop();
});

type Wanted = Parameters<Activations['activate']>[2];
const activate = (
  macs: string[],
  password: Wanted['password'],
  verificationCode: Wanted['verificationCode'] = { from: 'none' },
) => activations.activate(scope, acme.siteId, { boxSerial: box.serial, macs, password, verificationCode });
const kept = (of: string) => activations.passwordOf(acme.companyId, acme.siteId, of);

describe('activation of a batch (INIT-03)', () => {
  it('gives each device a password of its own, keeps it sealed, and shows it when asked', async () => {
    const macs = Array.from({ length: 9 }, (_, i) => mac(i + 1));
    const items = await activate([...macs, mac(1)], { from: 'generated' });
    expect(items.map((item) => [item.mac, item.activated])).toEqual(macs.map((each) => [each, true]));
    expect(new Set(asked.map((one) => one.password)).size).toBe(9);
    expect(atOnce.most).toBe(4);
    for (const one of asked) expect(await kept(one.mac)).toBe(one.password);
    const rows = JSON.stringify(await db.selectFrom('device_passwords').selectAll().execute());
    for (const one of asked) expect(rows).not.toContain(one.password);
    expect(await activations.reveal(scope, acme.siteId, mac(1))).toBe(asked.find((a) => a.mac === mac(1))?.password);
  });

  it('one that fails reports its own reason, and holds up no other', async () => {
    says = { [mac(2)]: 'conflict', [mac(3)]: 'not-found' };
    const items = await activate([1, 2, 3, 4].map(mac), { from: 'given', password: 'Aa345678', keepAsDefault: false });
    expect(items.map((item) => item.code)).toEqual([null, 'conflict', 'not-found', null]);
    expect(items[1]?.detail).toContain('It said conflict');
    // Nothing is kept of who surely did not take it.
    expect(await Promise.all([1, 2, 3, 4].map((n) => kept(mac(n))))).toEqual(['Aa345678', null, null, 'Aa345678']);
  });

  it('what is kept follows when the device takes another password, and no other company keeps any of it', async () => {
    await activate([1, 2].map(mac), { from: 'given', password: 'Aa345678', keepAsDefault: false });
    const rival = await relay.company('Rival of passwords');
    const former = await db
      .selectFrom('device_passwords')
      .selectAll()
      .where('mac', '=', mac(1))
      .executeTakeFirstOrThrow();
    await db
      .insertInto('device_passwords')
      .values({ ...former, companyId: rival.companyId })
      .execute();
    const at = { companyId: acme.companyId, siteId: acme.siteId };
    for (const n of [1, 3]) await activations.replace(db, { ...at, mac: mac(n) }, 'Other-22');
    expect(await Promise.all([1, 2, 3].map((n) => kept(mac(n))))).toEqual(['Other-22', 'Aa345678', null]);
    const macs = await db
      .selectFrom('device_passwords')
      .select('mac')
      .where('companyId', '=', rival.companyId)
      .execute();
    expect(macs).toEqual([]);
  });

  it('whose answer got lost keeps the password, and tries the same one again', async () => {
    says = { [mac(1)]: 'lost' };
    expect((await activate([mac(1)], { from: 'generated' }))[0]).toMatchObject({ code: 'box-unreachable' });
    const first = await kept(mac(1));
    expect(first).not.toBeNull();
    expect(await activations.kept(scope, acme.siteId)).toMatchObject([{ mac: mac(1), certain: false }]);
    says = { [mac(1)]: 'conflict' };
    await activate([mac(1)], { from: 'generated' });
    // “Activated already”, by the try whose answer got lost: its password is the one.
    expect(await kept(mac(1))).toBe(first);
    says = {};
    await activate([mac(1)], { from: 'generated' });
    expect(asked.map((one) => one.password)).toEqual([first, first, first]);
    expect(await activations.kept(scope, acme.siteId)).toMatchObject([{ certain: true }]);
  });

  it('a kept password stays with its site, whatever another site does with the same MAC (INIT-05)', async () => {
    const two = (await acme.api('POST', '/sites', { name: 'Two', timeZone: 'UTC' })).body.id as string;
    const there = await new TestBox(relay).claimedBy({ ...acme, siteId: two });
    const atTwo = () =>
      activations.activate(scope, two, {
        boxSerial: there.serial,
        macs: [mac(1)],
        password: { from: 'generated' as const },
        verificationCode: { from: 'none' as const },
      });
    const ofTwo = () => activations.passwordOf(acme.companyId, two, mac(1));
    // Certain, then uncertain at the first site: either way the second has nothing of it.
    for (const outcome of [undefined, 'lost'] as const) {
      await db.deleteFrom('device_passwords').execute();
      says = outcome ? { [mac(1)]: outcome } : {};
      await activate([mac(1)], { from: 'generated' });
      const first = await kept(mac(1));
      asked = [];
      for (const code of ['not-found', 'conflict', 'lost'] as const) {
        says = { [mac(1)]: code };
        await atTwo();
        expect(await kept(mac(1))).toBe(first);
        if (code === 'lost') expect(await ofTwo()).not.toBe(first);
        else await expect(activations.reveal(scope, two, mac(1))).rejects.toMatchObject({ code: 'not-found' });
      }
      expect(asked.map((one) => one.password)).not.toContain(first);
      const certain = outcome === undefined;
      expect(await activations.kept(scope, acme.siteId)).toMatchObject([{ mac: mac(1), certain }]);
    }
  });

  it('takes the default where there is one, and refuses without (INIT-04, INIT-05)', async () => {
    await expect(activate([mac(1)], { from: 'default' })).rejects.toMatchObject({ code: 'conflict' });
    await activate([mac(1)], { from: 'given', password: 'Default-1', keepAsDefault: true });
    expect(await activations.defaults(scope)).toEqual({ password: true, verificationCode: false });
    await activate([mac(2)], { from: 'default' });
    expect(asked.map((one) => one.password)).toEqual(['Default-1', 'Default-1']);
    await activations.setDefaults(scope, { password: null });
    expect(await activations.defaults(scope)).toEqual({ password: false, verificationCode: false });
  });

  it('gives each the verification code as well, kept apart from the password (INIT-04, INIT-05)', async () => {
    const own = { from: 'generated' } as const;
    await expect(activate([mac(1)], own, { from: 'default' })).rejects.toMatchObject({ code: 'conflict' });
    const [done] = await activate([mac(1)], own, { from: 'given', code: 'ABC12345', keepAsDefault: true });
    expect(done).toMatchObject({ activated: true, verificationCode: 'set' });
    expect(await activations.defaults(scope)).toEqual({ password: false, verificationCode: true });
    await activate([mac(2)], own, { from: 'default' });
    await activate([mac(3)], own);
    expect(asked.map((one) => one.verificationCode)).toEqual(['ABC12345', 'ABC12345', undefined]);
    expect(JSON.stringify(await db.selectFrom('device_default_codes').selectAll().execute())).not.toContain('ABC12345');
    await activations.setDefaults(scope, { verificationCode: null });
    expect(await activations.defaults(scope)).toEqual({ password: false, verificationCode: false });
  });

  it('tells what the box noticed of the batch, and how each was reached (INIT-06)', async () => {
    expect(await activate([mac(1)], { from: 'generated' })).toMatchObject([{ way: 'isapi', issues: ['same-serial'] }]);
  });
});

it('the API takes no password that devices refuse (INIT-24)', async () => {
  for (const password of ['abcdefgh', 'Aa34567', 'A'.repeat(17), 'Admin123']) {
    const body = { boxSerial: box.serial, macs: [mac(1)], password: { from: 'given', password } };
    const answer = await acme.api('POST', `/sites/${acme.siteId}/activations`, body);
    expect([password, answer.body.code]).toEqual([password, 'invalid-request']);
  }
  for (const code of ['abc', 'with blank', 'much-too-long-code']) {
    const verificationCode = { from: 'given', code };
    const body = { boxSerial: box.serial, macs: [mac(1)], password: { from: 'generated' }, verificationCode };
    const answer = await acme.api('POST', `/sites/${acme.siteId}/activations`, body);
    expect([code, answer.body.code]).toEqual([code, 'invalid-request']);
  }
});

it('passwords that are made pass the rule, and no two are alike', () => {
  const made = Array.from({ length: 2_000 }, generatePassword);
  expect(made.filter((password) => devicePasswordFault(password) !== null)).toEqual([]);
  expect(new Set(made).size).toBe(2_000);
  for (const kind of [/[A-Z]/, /[a-z]/, /[0-9]/, /[-_.+]/]) expect(made.every((p) => kind.test(p))).toBe(true);
});
