import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Fixture } from './fixture.ts';

const customer = () => ({ email: `${uuidv7()}@home.example`, name: 'Clara' });

/** A shared site, an invitation from a customer, a partner. */
export const sharingFixture: Fixture = {
  ids: async ({ relay, company, ids }) => {
    const now = relay.clock.now();
    const [sharingId, shareId, deviceInvitationId, collaborationId] = [uuidv7(), uuidv7(), uuidv7(), uuidv7()];
    const [sharedSiteId, householdId] = [uuidv7(), uuidv7()];
    await relay.withDb(async (db) => {
      await db
        .insertInto('companies')
        .values({ id: householdId, name: 'Household', createdAt: '', type: 'customer' })
        .execute();
      const site = { id: sharedSiteId, name: sharedSiteId, sortName: sharedSiteId, timeZone: 'UTC', createdAt: '' };
      await db
        .insertInto('sites')
        .values({ ...site, companyId: company.companyId, status: 'shared' })
        .execute();
      await db
        .insertInto('grants')
        .values({
          id: uuidv7(),
          companyId: company.companyId,
          siteId: sharedSiteId,
          permission: 'all',
          source: 'site',
        })
        .execute();
      await db
        .insertInto('sharings')
        .values({
          id: sharingId,
          siteId: sharedSiteId,
          companyId: company.companyId,
          userId: company.userId,
          mode: 'A',
          requests: '[]',
          createdMs: now,
          endedMs: null,
        })
        .execute();
      await db
        .insertInto('share_customers')
        .values({
          id: shareId,
          sharingId,
          siteId: sharedSiteId,
          customerId: householdId,
          email: null,
          phone: null,
          name: 'Household',
          remark: '',
          locale: 'en',
          administrator: 1,
          state: 'to-be-accepted',
          tokenHash: shareId,
          invitedMs: now,
          acceptByMs: now + 86_400_000,
          answeredMs: null,
          untilMs: null,
          sentDay: '',
          sentCount: 0,
        })
        .execute();
      await db
        .insertInto('device_invitations')
        .values({
          id: deviceInvitationId,
          customerId: householdId,
          siteId: company.siteId,
          deviceId: ids.deviceId as string,
          account: 'somebody@home.example',
          userId: company.userId,
          companyId: company.companyId,
          state: 'sent',
          invitedMs: now,
          expiresMs: now + 86_400_000,
        })
        .execute();
      await db
        .insertInto('collaborations')
        .values({
          id: collaborationId,
          siteId: company.siteId,
          companyId: company.companyId,
          stage: 'isp',
          partnerId: company.companyId,
          userId: company.userId,
          permissions: '[]',
          remark: '',
          state: 'invited',
          partnerAnswer: 'pending',
          customerId: null,
          customerAnswer: null,
          createdMs: now,
          endedMs: null,
        })
        .execute();
    });
    return { shareId, deviceInvitationId, collaborationId };
  },
  bodies: {
    'POST /api/v1/sites/{siteId}/sharing': () => ({ mode: 'B', customers: [customer()] }),
    'POST /api/v1/sites/{siteId}/sharing/customers': () => ({ customers: [customer()] }),
    'POST /api/v1/sites/{siteId}/sharing/batch': (own) => ({
      deviceIds: [own.deviceId],
      customerIds: [own.shareId],
      permissions: ['live'],
    }),
    'PUT /api/v1/share-customers/{shareId}': customer,
    'PUT /api/v1/share-customers/{shareId}/card': () => ({ resources: [], until: null }),
    'POST /api/v1/share-customers/{shareId}/cancel': () => ({}),
    'POST /api/v1/shares/open-link': () => ({ token: 'x'.repeat(43) }),
    'POST /api/v1/shares/accept-link': () => ({ token: 'x'.repeat(43) }),
    'POST /api/v1/device-invitations': (own) => ({ deviceId: own.deviceId, email: 'ines@installer.example' }),
    'POST /api/v1/sites/{siteId}/partners': () => ({ stage: 'isp', email: 'mara@partner.example' }),
    'POST /api/v1/sites/{siteId}/move-devices': (own) => ({
      devices: [{ deviceId: own.deviceId }],
      target: { name: uuidv7(), timeZone: 'UTC' },
    }),
  },
};
