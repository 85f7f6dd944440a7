import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { TestBox } from '../testing/box.ts';
import { deviceRow } from '../testing/device-row.ts';
import { type Company, TestRelay, until } from '../testing/relay.ts';

const relay = new TestRelay();
let acme: Company;
let other: Company;
let box: TestBox;

beforeAll(async () => {
  await relay.start();
  [acme, other] = [await relay.company('Acme'), await relay.company('Other')];
  box = await new TestBox(relay).claimedBy(acme);
});
afterAll(() => relay.stop());

async function device(more: object): Promise<string> {
  const id = uuidv7();
  const row = deviceRow({ id, siteId: acme.siteId, boxSerial: box.serial });
  await relay.withDb((db) =>
    db
      .insertInto('devices')
      .values({ ...row, ...more })
      .execute(),
  );
  return id;
}
const tests = () => `/sites/${acme.siteId}/bandwidth-tests`;

describe('tests of an uplink', () => {
  it('are refused to devices added by their address, boxes that are away, and other companies (CLOUD-15, J8 4)', async () => {
    const byAddress = await device({ boxSerial: null, accessMode: 'ip' });
    const refused = await acme.api('POST', tests(), { deviceId: byAddress });
    expect(refused).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(refused.body.detail).toContain('added by its address');
    const behind = await device({});
    for (const wanted of [{ boxSerial: box.serial }, { deviceId: behind }])
      expect((await acme.api('POST', tests(), wanted)).body).toMatchObject({ code: 'box-unreachable', status: 503 });
    for (const wanted of [{ boxSerial: box.serial }, { deviceId: behind }]) {
      expect((await other.api('POST', tests(), wanted)).status).toBe(404);
      expect((await other.api('POST', `/sites/${other.siteId}/bandwidth-tests`, wanted)).status).toBe(404);
    }
    expect((await acme.api('POST', tests(), { boxSerial: 'AAAAAAAA9' })).status).toBe(404);
    expect((await acme.api('GET', tests())).body).toEqual({ items: [] });
  });

  it('take bytes only at the address that the box was told', async () => {
    for (const path of [`${uuidv7()}/${'a'.repeat(32)}`, `${uuidv7()}/..%2f..%2fuploads`, 'x/y']) {
      const answer = await fetch(`${relay.url}/box/v1/uplink-tests/${path}`, { method: 'PUT', body: 'x'.repeat(1000) });
      expect([404, 410]).toContain(answer.status);
    }
  });

  it('that a restart of the relay ended have failed', async () => {
    const id = uuidv7();
    await relay.withDb((db) =>
      db
        .insertInto('bandwidth_tests')
        .values({
          id,
          siteId: acme.siteId,
          boxSerial: box.serial,
          deviceId: null,
          userId: acme.userId,
          state: 'running',
          startedMs: 1,
          endedMs: null,
          bytes: 0,
          kbps: null,
          yielded: 0,
          code: null,
          text: null,
          recommended: null,
        })
        .execute(),
    );
    await relay.halt();
    await relay.start();
    expect((await acme.api('GET', `${tests()}/${id}`)).body).toMatchObject({ state: 'failed', code: 'interrupted' });
    expect((await other.api('GET', `${tests()}/${id}`)).status).toBe(404);
    expect((await other.api('GET', `/sites/${other.siteId}/bandwidth-tests/${id}`)).status).toBe(404);
  });
});

describe('settings of uploads', () => {
  it('reach the box with the time zone of its site', async () => {
    const path = `/boxes/${box.serial}/upload-settings`;
    const none = { uploadKbps: null, window: null, diskBytes: null };
    expect((await acme.api('GET', path)).body).toEqual(none);
    const night = { uploadKbps: 2_000, window: { fromMinute: 1320, toMinute: 360 }, diskBytes: 10_000_000_000 };
    await box.connect();
    expect((await acme.api('PUT', path, night)).body).toEqual(night);
    expect((await acme.api('GET', path)).body).toEqual(night);
    const told = await until('the settings at the box', () => {
      const state = box.last(box.topics.desired) as { sections?: { storage?: { items: unknown[] } } } | undefined;
      return state?.sections?.storage?.items[0];
    });
    expect(told).toEqual({ id: 'box', ...night, window: { ...night.window, timeZone: 'UTC' } });
    expect((await acme.api('PUT', path, none)).status).toBe(200);
    await until('no settings', () => {
      const state = box.last(box.topics.desired) as { sections?: { storage?: { items: unknown[] } } } | undefined;
      return state?.sections?.storage?.items.length === 0;
    });
    box.disconnect();
  });

  it('are refused to others, and when they make no sense', async () => {
    const path = `/boxes/${box.serial}/upload-settings`;
    expect((await other.api('GET', path)).status).toBe(404);
    expect((await other.api('PUT', path, { uploadKbps: 64 })).status).toBe(404);
    for (const wrong of [
      { uploadKbps: 1 },
      { diskBytes: 5 },
      { window: { fromMinute: 60, toMinute: 60 } },
      { window: { fromMinute: 0, toMinute: 1440 } },
    ])
      expect((await acme.api('PUT', path, wrong)).status, JSON.stringify(wrong)).toBe(400);
  });
});
