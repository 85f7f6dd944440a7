import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { TestBox } from '../testing/box.ts';
import { type Company, TestRelay, until } from '../testing/relay.ts';

const HOUR_MS = 3_600_000;
const clock = new ManualClock();
let relay: TestRelay;
let acme: Company;
let box: TestBox;
const boxes: TestBox[] = [];
const newBox = () => {
  const made = new TestBox(relay);
  boxes.push(made);
  return made;
};
const claim = (of: TestBox, code = of.code, serial = of.serial) =>
  acme.api('POST', `/sites/${acme.siteId}/boxes`, { serial, code });
const warnables = async () =>
  (await acme.api('GET', `/sites/${acme.siteId}`)).body.warnables as { code: string; subject: string }[];
const stateOf = async (of: TestBox) =>
  (await acme.api('GET', `/sites/${acme.siteId}/boxes`)).body.items.find(
    (b: { serial: string }) => b.serial === of.serial,
  )?.state;

beforeAll(async () => {
  relay = await new TestRelay({ clock, proxies: 1, enrolmentsPerAddressPerHour: 20 }).start();
});
beforeEach(async () => {
  // A new hour: limits of the test before are over.
  await clock.jump(HOUR_MS);
  acme = await relay.company('Acme');
  box = newBox();
});
afterEach(() => {
  for (const made of boxes.splice(0)) made.disconnect();
});
afterAll(() => relay.stop());

describe('enrolment', () => {
  it('takes a key once, tells the same box the same again, and refuses the serial to another key', async () => {
    expect(await box.enrol()).toMatchObject({ status: 201, body: { state: 'unclaimed' } });
    expect(await box.enrol()).toMatchObject({ status: 200, body: { state: 'unclaimed' } });
    const other = newBox();
    const stolen = await relay.call('POST', '/box/v1/enrol', other.enrolment({ serial: box.serial }));
    expect(stolen).toMatchObject({ status: 409, body: { code: 'conflict' } });
  });

  it('takes only what the key itself signed', async () => {
    const request = { ...box.enrolment(), sealKey: newBox().enrolment().sealKey };
    expect(await relay.call('POST', '/box/v1/enrol', request)).toMatchObject({
      status: 401,
      body: { code: 'box-not-authenticated' },
    });
    expect((await relay.call('POST', '/box/v1/enrol', { serial: 'x' })).status).toBe(400);
    expect((await relay.call('POST', '/box/v1/enrol', { pad: 'x'.repeat(5000) })).status).toBe(413);
  });

  it('is limited by address', async () => {
    for (let i = 0; i < 20; i++) expect((await newBox().enrol()).status).toBe(201);
    const refused = await relay.call('POST', '/box/v1/enrol', newBox().enrolment());
    expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-tries' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('forgets an unclaimed key that was not heard of for a week, never a claimed one', async () => {
    await box.claimedBy(acme);
    const forgotten = newBox();
    await forgotten.enrol();
    await clock.jump(8 * 24 * HOUR_MS);
    const left = await until('the expiry', () =>
      relay.withDb(async (db) => {
        const rows = await db.selectFrom('boxes').select(['serial']).execute();
        return rows.some((row) => row.serial === forgotten.serial) ? null : rows;
      }),
    );
    expect(left.map((row) => row.serial)).toContain(box.serial);
  });
});

describe('claim', () => {
  it('a claim code tried six times: five wrong ones, then a pause even for the right one', async () => {
    await box.enrol();
    for (let i = 0; i < 5; i++) {
      expect(await claim(box, 'AAAAAAAAAA')).toMatchObject({ status: 422, body: { code: 'claim-refused' } });
    }
    const sixth = await claim(box);
    expect(sixth).toMatchObject({ status: 429, body: { code: 'too-many-tries' } });
    expect(sixth.body.detail).toContain('end the pause on the set-up page');
    expect(Number(sixth.headers.get('retry-after'))).toBeGreaterThan(3000);
    expect(relay.logged.some((line) => line.msg === 'claim refused: too many wrong codes')).toBe(true);
    await clock.jump(HOUR_MS);
    expect((await claim(box)).status).toBe(201);
  });

  it('lets a person at the box end the pause', async () => {
    await box.enrol();
    await box.connect();
    const from = (address: string, code: string) =>
      acme.api('POST', `/sites/${acme.siteId}/boxes`, { serial: box.serial, code }, { 'x-forwarded-for': address });
    for (let i = 0; i < 5; i++) await from(`192.0.2.${i}`, 'AAAAAAAAAA');
    expect((await from('192.0.2.9', box.code)).status).toBe(429);
    await box.publish(box.topics.allowClaim, {});
    expect((await from('192.0.2.9', box.code)).status).toBe(201);
  });

  it('answers a wrong serial like a wrong code, and counts tries of one address over all boxes', async () => {
    await box.enrol();
    const unknown = await claim(box, box.code, newBox().serial);
    const wrong = await claim(box, 'AAAAAAAAAA');
    expect(unknown.body).toEqual(wrong.body);
    for (let i = 0; i < 3; i++) await claim(box, box.code, newBox().serial);
    expect((await claim(box)).body.code).toBe('too-many-tries');
  });

  it('is for one site, once', async () => {
    await box.claimedBy(acme);
    expect(await claim(box)).toMatchObject({ status: 409, body: { code: 'already-claimed' } });
    expect((await claim(box, 'AAAAAAAAAA')).body.code).toBe('claim-refused');
    expect(await box.enrol()).toMatchObject({ status: 200, body: { state: 'claimed' } });
  });
});

describe('proof', () => {
  beforeEach(() => box.claimedBy(acme));

  it('is good once: a replayed one is refused, logged and shown', async () => {
    const header = await box.header('/mqtt');
    const first = await box.upgrade('/mqtt', header);
    expect(first.status).toBe(101);
    first.ws?.terminate();
    expect(await box.upgrade('/mqtt', header)).toEqual({ status: 401, code: 'box-not-authenticated' });
    expect(relay.logged.some((line) => line.msg === 'box refused' && /used before/.test(String(line.why)))).toBe(true);
    expect(await warnables()).toContainEqual(
      expect.objectContaining({ code: 'box-proof-refused', subject: `box:${box.serial}` }),
    );
  });

  it('is good for one address only', async () => {
    expect(await box.upgrade('/tunnel', await box.header('/mqtt'))).toEqual({
      status: 401,
      code: 'box-not-authenticated',
    });
  });

  it('must be made with the key of the box', async () => {
    const other = await newBox().claimedBy(acme);
    const foreign = (await other.header('/mqtt')).replace(other.serial, box.serial);
    expect(await box.upgrade('/mqtt', foreign)).toEqual({ status: 401, code: 'box-not-authenticated' });
    const unknown = newBox();
    expect(await unknown.upgrade('/mqtt')).toEqual({ status: 401, code: 'box-not-authenticated' });
    expect((await box.upgrade('/mqtt', 'Bearer x')).status).toBe(401);
  });

  it('needs a nonce of this relay, not older than a minute', async () => {
    const header = await box.header('/mqtt');
    await clock.advance(61_000);
    expect((await box.upgrade('/mqtt', header)).status).toBe(401);
    const made = header.replace(/nonce="[^"]*"/, `nonce="${'a.b.c'.padEnd(40, 'x')}"`);
    expect((await box.upgrade('/mqtt', made)).status).toBe(401);
  });

  it('is asked for before anything is upgraded, and only where boxes come in', async () => {
    expect(await box.upgrade('/elsewhere')).toEqual({ status: 404, code: 'not-found' });
  });
});

describe('revocation', () => {
  it('cuts what is open at once and never lets the key in again', async () => {
    await box.claimedBy(acme);
    await box.connect();
    const closed = new Promise<void>((resolve) => box.mqtt?.once('close', () => resolve()));
    expect((await acme.api('POST', `/boxes/${box.serial}/revoke`)).body).toMatchObject({ state: 'revoked' });
    await closed;
    expect(await box.upgrade('/mqtt')).toEqual({ status: 403, code: 'box-revoked' });
    expect((await box.enrol()).body.code).toBe('box-revoked');
    expect((await claim(box)).body.code).toBe('box-revoked');
  });
});

describe('two boxes with one identity', () => {
  beforeEach(async () => {
    await box.claimedBy(acme);
    box.epoch = 5;
    await box.connect();
  });
  const headerAs = async (boot: string, epoch: number) => {
    const own = { boot: box.boot, epoch: box.epoch };
    const header = await Object.assign(box, { boot, epoch }).header('/mqtt');
    Object.assign(box, own);
    return header;
  };
  const refusedBoth = async (boot: string, epoch: number) => {
    const closed = new Promise<void>((resolve) => box.mqtt?.once('close', () => resolve()));
    const header = await headerAs(boot, epoch);
    expect(await box.upgrade('/mqtt', header)).toEqual({ status: 409, code: 'duplicate-identity' });
    await closed;
    expect((await box.upgrade('/mqtt')).code).toBe('duplicate-identity');
    expect(await stateOf(box)).toBe('duplicate');
    expect(await warnables()).toContainEqual(
      expect.objectContaining({ code: 'duplicate-identity', subject: `box:${box.serial}`, severity: 'error' }),
    );
  };

  it('one epoch with two boots: both are refused until a person clears it', async () => {
    await refusedBoth(crypto.randomUUID(), 5);
    expect((await acme.api('POST', `/boxes/${box.serial}/clear-duplicate`)).body.state).toBe('claimed');
    expect(await warnables()).not.toContainEqual(expect.objectContaining({ code: 'duplicate-identity' }));
    expect(await box.connect()).toMatchObject({ claimed: true });
    expect((await acme.api('POST', `/boxes/${box.serial}/clear-duplicate`)).status).toBe(409);
  });

  it('an epoch that goes back: both are refused', async () => {
    await refusedBoth(crypto.randomUUID(), 4);
  });

  it('a restart of the one box is no duplicate, nor are its many connections', async () => {
    box.restart();
    expect(await box.connect()).toMatchObject({ claimed: true });
    expect((await box.upgrade('/mqtt')).status).toBe(101);
    expect(await stateOf(box)).toBe('claimed');
  });
});
