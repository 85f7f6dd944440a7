import { uuidv7 } from '../../../protocol/wire/ids.ts';
import type { Fixture } from '../../testing/fixture.ts';

const DAY_MS = 86_400_000;

/** A device whose channel has cloud storage, paid for a year. */
export const cloudFixture: Fixture = {
  ids: async ({ relay, company, ids }) => {
    const serviceId = uuidv7();
    const now = relay.clock.now();
    const of = { deviceId: ids.deviceId!, channel: 1, siteId: company.siteId };
    await relay.withDb(async (db) => {
      await db
        .insertInto('cloud_services')
        .values({
          ...of,
          id: serviceId,
          companyId: company.companyId,
          retentionDays: 30,
          term: 'year',
          activatedMs: now,
          untilMs: now + 300 * DAY_MS,
        })
        .execute();
      await db
        .insertInto('cloud_channels')
        .values({
          ...of,
          enabled: 0,
          mode: 'event',
          stream: 'main',
          definition: null,
          triggers: '["motion"]',
          audio: 1,
          createdMs: now,
        })
        .execute();
    });
    return { serviceId };
  },
  bodies: {
    'POST /api/v1/sites/{siteId}/cloud/setups': (own) => ({
      boxSerial: own.serial,
      devices: [{ device: { deviceId: own.deviceId }, channels: [{ channel: 2 }] }],
    }),
    'PATCH /api/v1/devices/{deviceId}/channels/{channel}/cloud': () => ({ enabled: false }),
    'POST /api/v1/cloud/services/{serviceId}/renew': () => ({ term: 'year' }),
    'POST /api/v1/cloud/services/{serviceId}/transfer': (own) => ({ deviceId: own.deviceId, channel: 3 }),
  },
};
