import { expect } from 'vitest';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Fixture } from './fixture.ts';

const token = 'x'.repeat(43);
const password = 'a good password';

/** An employee, a role, an invitation, a request to join, a session. */
export const peopleFixture: Fixture = {
  companyIds: async ({ relay, company }) => {
    const role = await company.api('POST', '/roles', { name: 'Technician', permissions: ['live-view'] });
    const email = `${uuidv7()}@people.example`;
    const invitation = await company.api('POST', '/employee-invitations', { email });
    expect([role.status, invitation.status]).toEqual([201, 201]);
    const { companyId } = company;
    const now = relay.clock.now();
    const userId = uuidv7();
    const joinRequestId = uuidv7();
    const common = { companyId, name: 'Applicant', passwordHash: '' };
    await relay.withDb(async (db) => {
      const person = { ...common, id: userId, email: `${userId}@people.example`, createdAt: '', limited: 1 };
      await db.insertInto('users').values(person).execute();
      const request = { id: joinRequestId, email: `${joinRequestId}@people.example`, locale: 'en', message: '' };
      await db
        .insertInto('join_requests')
        .values({ ...common, ...request, createdMs: now, expiresMs: now + 86_400_000 })
        .execute();
    });
    await relay.call('POST', '/api/v1/auth/login', { email: company.email, password: company.password });
    const sessions = (await company.api('GET', '/me/sessions')).body.items;
    return {
      userId,
      roleId: role.body.id,
      employeeInvitationId: invitation.body.id,
      joinRequestId,
      sessionId: sessions.find((session: { current: boolean }) => !session.current).id,
    };
  },
  bodies: {
    'PUT /api/v1/me/profile': () => ({ name: 'Owner', locale: 'en' }),
    'PUT /api/v1/me/password': () => ({ password, newPassword: 'another good one' }),
    'POST /api/v1/me/email': () => ({ email: 'new@people.example', password }),
    'POST /api/v1/me/phone': () => ({ phone: '+49301234567', password }),
    'POST /api/v1/me/phone/confirm': () => ({ id: uuidv7(), code: '123456' }),
    'POST /api/v1/me/totp': () => ({ password }),
    'POST /api/v1/me/totp/confirm': () => ({ code: '123456' }),
    'POST /api/v1/me/totp/remove': () => ({ password, code: '123456' }),
    'POST /api/v1/me/recovery-codes': () => ({ password, code: '123456' }),
    'POST /api/v1/me/delete': () => ({ password }),
    'PUT /api/v1/company': () => ({ name: 'Acme', address: '', phone: '' }),
    'POST /api/v1/company/authentication': () => ({ fields: {} }),
    'PUT /api/v1/company/administrator': (own) => ({ userId: own.userId, password }),
    'PUT /api/v1/people/{userId}/roles': (own) => ({ roles: [own.roleId] }),
    'PUT /api/v1/people/{userId}/enabled': () => ({ enabled: true }),
    'PUT /api/v1/people/{userId}/limited': () => ({ limited: true }),
    'POST /api/v1/roles': () => ({ name: uuidv7(), permissions: [] }),
    'PUT /api/v1/roles/{roleId}': () => ({ name: uuidv7(), permissions: ['live-view'] }),
    'POST /api/v1/employee-invitations': () => ({ email: `${uuidv7()}@people.example` }),
    'POST /api/v1/join-requests/{joinRequestId}/accept': (own) => ({ roles: [own.roleId] }),
    'POST /api/v1/auth/register': () => ({
      kind: 'company',
      type: 'installer',
      companyName: 'New',
      country: 'DE',
      email: `${uuidv7()}@people.example`,
      name: 'New',
    }),
    'POST /api/v1/auth/link': () => ({ token }),
  },
};
