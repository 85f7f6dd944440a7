import { expect } from 'vitest';
import type { Fixture } from '../../testing/fixture.ts';

/** Of the clip that the core's fixture makes: a link to it; it is asked for by month. */
export const clipFixture: Fixture = {
  ids: async ({ company, ids }) => {
    const made = await company.api('POST', `/clips/${ids.clipId}/shares`, { hours: 24, note: 'insurer' });
    expect(made.status).toBe(201);
    return { clipShareId: made.body.id };
  },
  bodies: {
    'POST /api/v1/clips/{clipId}/unlock': () => ({ code: 'ABC123' }),
    'POST /api/v1/clips/{clipId}/shares': () => ({ hours: 1 }),
  },
  queries: { 'GET /api/v1/sites/{siteId}/clips/days': 'month=2026-03' },
  notOk: { 'GET /api/v1/clips/{clipId}/poster': { status: 404, why: 'There is no picture of this clip.' } },
};
