import { createECDH, randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { Fixture } from './fixture.ts';

/** As a browser makes it; nobody listens at its endpoint. */
export function pushSubscription(endpoint = `http://127.0.0.1:9/${randomBytes(16).toString('hex')}`) {
  const p256dh = createECDH('prime256v1').generateKeys().toString('base64url');
  return { endpoint, keys: { p256dh, auth: randomBytes(16).toString('base64url') } };
}

/** A notification, and a browser that gets pushes. */
export const notifyFixture: Fixture = {
  companyIds: async ({ company }) => {
    expect((await company.api('POST', '/notifications/test')).status).toBe(202);
    const [notice] = (await company.api('GET', '/notifications')).body.items;
    const browser = await company.api('POST', '/notifications/push', pushSubscription());
    expect(browser.status).toBe(201);
    return { notificationId: notice.id, subscriptionId: browser.body.id };
  },
  bodies: {
    'PUT /api/v1/notifications/{notificationId}/read': () => ({ read: true }),
    'POST /api/v1/notifications/read-all': () => ({}),
    'PUT /api/v1/notifications/settings': () => ({
      email: { business: true, arc: true, site: true },
      push: { business: true, arc: true, site: true },
      quiet: null,
    }),
    'POST /api/v1/notifications/push': () => pushSubscription(),
  },
};
