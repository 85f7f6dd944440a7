import { expect } from 'vitest';
import type { Fixture } from './fixture.ts';

const key = { name: 'Program', permissions: ['manage-all-sites'], days: 1 };

/** An API key. */
export const keyFixture: Fixture = {
  companyIds: async ({ company }) => {
    const made = await company.api('POST', '/keys', key);
    expect(made.status).toBe(201);
    return { keyId: made.body.id };
  },
  bodies: { 'POST /api/v1/keys': () => key },
};
