import { uuidv7 } from '../../../../protocol/wire/ids.ts';
import type { Fixture } from '../../../testing/fixture.ts';

const services = (own: Record<string, string>) => ({ services: [own.serviceId] });

/** A device entrusted to the company's own centre, and a change of it that waits. */
export const arcServiceFixture: Fixture = {
  ids: async ({ relay, company, ids }) => {
    const [serviceId, requestId] = [uuidv7(), uuidv7()];
    const { companyId, siteId } = company;
    await relay.withDb(async (db) => {
      await db
        .insertInto('arc_authorizations')
        .values({ id: uuidv7(), siteId, arcId: companyId, companyId, createdMs: 1, endedMs: null })
        .execute();
      await db
        .insertInto('arc_services')
        .values({
          id: serviceId,
          siteId,
          deviceId: ids.deviceId!,
          boxSerial: ids.serial!,
          arcId: companyId,
          companyId,
          receiverId: null,
          state: 'waiting',
          account: '4711',
          events: '["motion"]',
          mode: 'direct-or-relay',
          picture: 0,
          clip: 0,
          offlineDelayMs: null,
          zones: '[]',
          note: '',
          createdMs: 1,
          decidedMs: null,
          endedMs: null,
        })
        .execute();
      await db
        .insertInto('arc_requests')
        .values({
          id: requestId,
          serviceId,
          kind: 'events',
          events: '["intrusion"]',
          picture: 0,
          clip: 0,
          state: 'pending',
          createdMs: 1,
          decidedMs: null,
          decidedBy: null,
        })
        .execute();
    });
    return { serviceId, requestId };
  },
  bodies: {
    'PUT /api/v1/sites/{siteId}/arc-service': (own) => ({ arcId: own.siteId }),
    'PUT /api/v1/sites/{siteId}/arc-service/devices/{deviceId}': () => ({ account: '4712', events: ['motion'] }),
    'POST /api/v1/arc-requests/{requestId}/decide': () => ({ approve: true }),
    'POST /api/v1/arc/services/accept': services,
    'POST /api/v1/arc/services/reject': services,
    'POST /api/v1/arc/services/suspend': services,
    'POST /api/v1/arc/services/resume': services,
    'POST /api/v1/arc/services/events': (own) => ({ ...services(own), events: ['motion'] }),
    'PUT /api/v1/arc/services/{serviceId}/account': () => ({ account: '4713' }),
    'PUT /api/v1/arc/services/{serviceId}/connection': () => ({ mode: 'relay' }),
  },
};
