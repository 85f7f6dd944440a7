import { expect } from 'vitest';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { TestBox } from './box.ts';
import { deviceRow } from './device-row.ts';
import type { Fixture } from './fixture.ts';

const supervision = { kind: 'test', intervalMs: 86_400_000 };
const receiver = () => ({
  name: uuidv7(),
  direct: { host: '127.0.0.9', port: 12300 },
  relay: { host: '127.0.0.9', port: 12300 },
  transport: 'tcp',
});
const account = (own: Record<string, string>) => ({
  boxSerial: own.serial,
  receiverId: own.receiverId,
  account: '1234',
  protocol: 'SIA-DCS',
  events: ['motion'],
  supervision,
});

/** A site with a box, a device, an event, a clip and an account at a receiver. */
export const coreFixture: Fixture = {
  companyIds: async ({ company }) => {
    const made = await company.api('POST', '/receivers', receiver());
    expect(made.status).toBe(201);
    return { receiverId: made.body.id };
  },
  ids: async ({ relay, company, ids }) => {
    const box = await new TestBox(relay).claimedBy(company);
    await box.connect();
    const deviceId = uuidv7();
    await relay.withDb((db) =>
      db
        .insertInto('devices')
        .values(
          deviceRow({
            id: deviceId,
            siteId: company.siteId,
            boxSerial: box.serial,
            name: `camera of ${company.companyId}`,
          }),
        )
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
    const here = { siteId: company.siteId, serial: box.serial, deviceId, eventId: event.id, clipId };
    const arc = await company.api('POST', `/sites/${here.siteId}/arc`, account({ ...ids, ...here }));
    expect(arc.status).toBe(201);
    return { ...here, accountId: arc.body.id };
  },
  bodies: {
    'POST /api/v1/sites': () => ({ name: uuidv7(), timeZone: 'UTC' }),
    'POST /api/v1/sites/{siteId}/boxes': () => ({ serial: 'AAAAAAAA9', code: 'AAAAAAAAAA' }),
    'POST /api/v1/sites/{siteId}/devices': (own) => ({
      boxSerial: own.serial,
      name: 'Camera',
      host: '10.0.0.2',
      username: 'admin',
      password: 'secret',
    }),
    'PUT /api/v1/devices/{deviceId}/certificate': () => ({
      certificate: Array(32).fill('AB').join(':'),
      old: false,
      httpPort: 443,
    }),
    'PUT /api/v1/devices/{deviceId}/credentials': () => ({ username: 'admin', password: 'secret' }),
    'POST /api/v1/receivers': receiver,
    'PUT /api/v1/receivers/{receiverId}': receiver,
    'POST /api/v1/sites/{siteId}/arc': account,
    'PUT /api/v1/arc/{accountId}': account,
  },
  notOk: {
    'GET /api/v1/clips/{clipId}/video': { status: 404, why: 'Nothing of this clip has arrived' },
    'GET /api/v1/devices/{deviceId}/snapshot': { status: 503, why: 'not connected' },
    'GET /api/v1/sites/{siteId}/discovery': { status: 200, why: '' },
  },
};
