import { expect } from 'vitest';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Fixture } from './fixture.ts';

/** A group, and a manager of the site. */
export const siteFixture: Fixture = {
  companyIds: async ({ company }) => {
    const made = await company.api('POST', '/site-groups', { name: `Group ${company.companyId}` });
    expect(made.status).toBe(201);
    return { groupId: made.body.id };
  },
  bodies: {
    'PATCH /api/v1/sites/{siteId}': () => ({ city: 'Kiel' }),
    'PATCH /api/v1/devices/{deviceId}': () => ({ name: 'Camera' }),
    'POST /api/v1/sites/{siteId}/additions': (own) => ({
      devices: [{ method: 'lan', boxSerial: own.serial, name: 'C', host: '10.0.0.2', username: 'a', password: 'b' }],
    }),
    'PUT /api/v1/sites/{siteId}/managers/{userId}': () => ({ until: null }),
    'POST /api/v1/site-assignments': (own) => ({ siteIds: [own.siteId], managers: [{ userId: own.userId }] }),
    'POST /api/v1/site-groups': () => ({ name: uuidv7() }),
    'PUT /api/v1/site-groups/{groupId}': () => ({ name: uuidv7() }),
    'POST /api/v1/site-groups/moves': (own) => ({ siteIds: [own.siteId], group: null }),
  },
};
