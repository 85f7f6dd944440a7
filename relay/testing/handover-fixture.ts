import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Fixture } from './fixture.ts';

const notMine = { status: 404, why: 'not-found' };

/** A transfer of a second site, and an application for a permission at the first one. */
export const handoverFixture: Fixture = {
  ids: async ({ relay, company, ids }) => {
    const now = relay.clock.now();
    const [handoverId, applicationId, otherSiteId, householdId] = [uuidv7(), uuidv7(), uuidv7(), uuidv7()];
    const passwordRequestId = uuidv7();
    await relay.withDb(async (db) => {
      await db
        .insertInto('companies')
        .values({ id: householdId, name: 'Household', createdAt: '', type: 'customer' })
        .execute();
      const site = { id: otherSiteId, name: otherSiteId, sortName: otherSiteId, timeZone: 'UTC', createdAt: '' };
      await db
        .insertInto('sites')
        .values({ ...site, companyId: company.companyId, status: 'not-registered' })
        .execute();
      await db
        .insertInto('transfers')
        .values({
          id: handoverId,
          siteId: otherSiteId,
          companyId: company.companyId,
          sentBy: company.userId,
          method: 'email',
          recipient: 'somebody@home.example',
          customerName: '',
          remark: '',
          locale: 'en',
          requests: '[]',
          tokenHash: handoverId,
          sentMs: now,
          expiresMs: now + 86_400_000,
          day: '2026-01-01',
          resend: 0,
          state: 'sent',
          decidedMs: null,
          ownerId: null,
        })
        .execute();
      await db
        .insertInto('permission_applications')
        .values({
          id: applicationId,
          siteId: company.siteId,
          companyId: company.companyId,
          userId: company.userId,
          deciderId: householdId,
          remark: '',
          createdMs: now,
        })
        .execute();
      await db
        .insertInto('permission_application_items')
        .values({
          id: uuidv7(),
          applicationId,
          deviceId: ids.deviceId as string,
          permission: 'live',
          validity: '1h',
          state: 'pending',
          decidedMs: null,
        })
        .execute();
      await db
        .insertInto('password_requests')
        .values({
          id: passwordRequestId,
          siteId: company.siteId,
          deviceId: ids.deviceId as string,
          companyId: company.companyId,
          userId: company.userId,
          deciderId: householdId,
          atSite: 1,
          remark: '',
          state: 'open',
          createdMs: now,
          decidedMs: null,
        })
        .execute();
    });
    return { handoverId, applicationId, requestId: applicationId, passwordRequestId };
  },
  bodies: {
    'POST /api/v1/sites/{siteId}/transfer': () => ({ method: 'email', email: 'somebody@home.example' }),
    'POST /api/v1/sites/{siteId}/permissions/release': (own) => ({
      items: [{ deviceId: own.deviceId, permission: 'live' }],
    }),
    'POST /api/v1/sites/{siteId}/authorization-applications': () => ({}),
    'POST /api/v1/sites/{siteId}/permission-applications': (own) => ({
      items: [{ deviceId: own.deviceId, permission: 'live', validity: '1h' }],
    }),
    'POST /api/v1/handovers/open': () => ({ token: 'x'.repeat(43) }),
    'POST /api/v1/handovers/{handoverId}/accept': () => ({}),
    'POST /api/v1/handovers/{handoverId}/reject': () => ({}),
    'POST /api/v1/requests/{requestId}/decide': () => ({ items: [{ id: uuidv7(), approve: true }] }),
    'POST /api/v1/sites/{siteId}/access/withdraw': () => ({
      companyId: uuidv7(),
      items: [{ deviceId: null, permission: 'manage' }],
    }),
  },
  notOk: {
    // Those of the customer's side.
    'GET /api/v1/handovers/{handoverId}': notMine,
    'GET /api/v1/requests/{requestId}': notMine,
    'GET /api/v1/sites/{siteId}/access': { status: 403, why: 'not-allowed' },
  },
};
