import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '../protocol/wire/ids.ts';
import { TestBox } from './testing/box.ts';
import { type Company, TestRelay } from './testing/relay.ts';

/*
 * Two companies, and every route that the API document lists. A new route is covered as soon as it is there; one with a
 * new kind of id or body fails until it is given one below.
 */
interface Tenant {
  company: Company;
  /** An id of each kind, by the name of the path's parameter. */
  ids: Record<string, string>;
}
interface Operation {
  method: string;
  path: string;
  // biome-ignore lint/suspicious/noExplicitAny: a document from outside
  operation: any;
}

const relay = new TestRelay();
await relay.start();
const document = (await relay.call('GET', '/api/v1/openapi.json')).body;
const operations: Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods as object).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
);
const closedOnes = operations.filter((o) => !(o.operation.security?.length === 0));
const withIds = closedOnes.filter((o) => o.path.includes('{'));
const lists = closedOnes.filter((o) => o.method === 'GET' && !o.path.includes('{'));
const name = (o: Operation) => `${o.method} ${o.path}`;

const supervision = { kind: 'test', intervalMs: 86_400_000 };
/** Bodies that are valid in themselves; ids in them are the asking company's own. */
const bodies: Record<string, (own: Record<string, string>) => unknown> = {
  'POST /api/v1/sites': () => ({ name: uuidv7(), timeZone: 'UTC' }),
  'POST /api/v1/sites/{siteId}/boxes': () => ({ serial: 'AAAAAAAA9', code: 'AAAAAAAAAA' }),
  'POST /api/v1/sites/{siteId}/devices': (own) => ({
    boxSerial: own.serial,
    name: 'Camera',
    host: '10.0.0.2',
    username: 'admin',
    password: 'secret',
  }),
  'PUT /api/v1/devices/{deviceId}/credentials': () => ({ username: 'admin', password: 'secret' }),
  'POST /api/v1/receivers': () => ({
    name: uuidv7(),
    direct: { host: '127.0.0.9', port: 12300 },
    relay: { host: '127.0.0.9', port: 12300 },
    transport: 'tcp',
  }),
  'PUT /api/v1/receivers/{receiverId}': (own) => bodies['POST /api/v1/receivers']?.(own),
  'POST /api/v1/sites/{siteId}/arc': (own) => ({
    boxSerial: own.serial,
    receiverId: own.receiverId,
    account: '1234',
    protocol: 'SIA-DCS',
    events: ['motion'],
    supervision,
  }),
  'PUT /api/v1/arc/{accountId}': (own) => ({
    boxSerial: own.serial,
    receiverId: own.receiverId,
    account: '1234',
    protocol: 'SIA-DCS',
    events: ['motion'],
    supervision,
  }),
};

async function tenant(companyName: string): Promise<Tenant> {
  const company = await relay.company(companyName);
  const box = await new TestBox(relay).claimedBy(company);
  await box.connect();
  const deviceId = uuidv7();
  await relay.withDb((db) =>
    db
      .insertInto('devices')
      .values({
        id: deviceId,
        siteId: company.siteId,
        boxSerial: box.serial,
        name: `camera of ${companyName}`,
        kind: 'isapi',
        mac: null,
        serial: null,
        host: '10.0.0.1',
        httpPort: 80,
        username: 'admin',
        createdAt: new Date().toISOString(),
        deletedAt: null,
      })
      .execute(),
  );
  const event = box.event({ deviceId });
  const clipId = uuidv7();
  const clip = {
    id: clipId,
    deviceId,
    channel: 1,
    eventIds: [event.id],
    state: 'recording',
    startedAt: event.at,
    preRollMs: 0,
    durationMs: 0,
    codec: '',
    width: 0,
    height: 0,
    fragments: null,
    reason: null,
  };
  await box.journal([event, { seq: ++box.seq, id: uuidv7(), at: event.at, kind: 'clip', body: clip }]);
  box.disconnect();
  const ids: Record<string, string> = {
    siteId: company.siteId,
    serial: box.serial,
    deviceId,
    eventId: event.id,
    clipId,
  };
  if (operations.some((o) => o.path === '/api/v1/receivers')) {
    const receiver = await company.api('POST', '/receivers', bodies['POST /api/v1/receivers']?.(ids));
    ids.receiverId = receiver.body.id;
    const arc = await company.api('POST', `/sites/${ids.siteId}/arc`, bodies['POST /api/v1/sites/{siteId}/arc']?.(ids));
    ids.accountId = arc.body.id;
    expect([receiver.status, arc.status]).toEqual([201, 201]);
  }
  return { company, ids };
}

function request(o: Operation, target: Record<string, string>, own: Record<string, string>): [string, string, unknown] {
  const path = o.path.replace('/api/v1', '').replaceAll(/\{(\w+)\}/g, (_, parameter: string) => {
    const id = target[parameter];
    if (!id) throw new Error(`${name(o)}: say above what ${parameter} is`);
    return id;
  });
  const make = bodies[name(o)];
  if (o.operation.requestBody && !make) throw new Error(`${name(o)}: give it a body above`);
  return [o.method, path, make?.(own)];
}

let acme: Tenant;
let rival: Tenant;

beforeAll(async () => {
  acme = await tenant('Acme');
  rival = await tenant('Rival');
});
afterAll(() => relay.stop());

describe('the API document', () => {
  it('lists routes of every capability, each with its problems', () => {
    expect(operations.length).toBeGreaterThanOrEqual(18);
    for (const o of operations) {
      const codes = Object.keys(o.operation.responses);
      expect([name(o), codes]).toEqual([name(o), expect.arrayContaining(['400', '401', '500'])]);
      expect([name(o), o.operation.summary, o.operation.tags]).toEqual([
        name(o),
        expect.any(String),
        [expect.any(String)],
      ]);
      if (o.path.includes('{')) expect([name(o), codes]).toEqual([name(o), expect.arrayContaining(['404'])]);
    }
  });
});

describe('nobody', () => {
  it.each(closedOnes.map((o) => [name(o), o] as const))('%s: 401', async (_, o) => {
    const [method, path, body] = request(o, acme.ids, acme.ids);
    expect(await relay.call(method, `/api/v1${path}`, body)).toMatchObject({
      status: 401,
      body: { code: 'not-signed-in' },
    });
    const forged = await relay.call(method, `/api/v1${path}`, body, { authorization: `Bearer ${'x'.repeat(43)}` });
    expect(forged.status).toBe(401);
  });
});

describe('another company', () => {
  it.each(withIds.map((o) => [name(o), o] as const))('%s: 404, as if it were not there', async (_, o) => {
    const foreign = await acme.company.api(...request(o, rival.ids, acme.ids));
    expect(foreign).toMatchObject({ status: 404, body: { code: 'not-found' } });
    const nowhere = Object.fromEntries(
      Object.keys(rival.ids).map((key) => [key, key === 'serial' ? 'AAAAAAAA9' : uuidv7()]),
    );
    expect((await acme.company.api(...request(o, nowhere, acme.ids))).body).toEqual(foreign.body);
  });

  it.each(lists.map((o) => [name(o), o] as const))('%s: nothing of the other', async (_, o) => {
    const text = JSON.stringify((await acme.company.api(...request(o, {}, acme.ids))).body);
    for (const id of Object.values(rival.ids)) expect(text).not.toContain(id);
  });

  it('cannot be reached by naming its box, or its events, in a route of one’s own', async () => {
    const body = bodies['POST /api/v1/sites/{siteId}/devices']?.({ serial: rival.ids.serial as string });
    const answer = await acme.company.api('POST', `/sites/${acme.ids.siteId}/devices`, body);
    expect(answer).toMatchObject({ status: 404 });
    const events = await acme.company.api('GET', `/sites/${acme.ids.siteId}/events?cursor=999999999&limit=200`);
    expect(events.body.items.map((e: { id: string }) => e.id)).toEqual([acme.ids.eventId]);
  });
});

describe('the company itself', () => {
  const readable = withIds.filter((o) => o.method === 'GET' && !o.path.endsWith('/stream'));
  it.each(readable.map((o) => [name(o), o] as const))('%s: is there', async (_, o) => {
    const { status, body } = await acme.company.api(...request(o, acme.ids, acme.ids));
    // The video of this clip has not arrived, its box is not connected: the thing itself is found all the same.
    if (o.path.endsWith('/video')) expect(body.detail).toContain('Nothing of this clip has arrived');
    else if (o.path.endsWith('/snapshot')) expect(body.code).toBe('box-unreachable');
    else expect(status).toBe(200);
  });
});
