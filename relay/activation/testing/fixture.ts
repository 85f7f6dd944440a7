import { expect } from 'vitest';
import type { Fixture } from '../../testing/fixture.ts';

/** Nobody is asked for it: the box is away, so the outcome is not known and the password is kept. */
export const activationFixture: Fixture = {
  ids: async ({ company, ids }) => {
    const mac = `02-00-00-${company.companyId.slice(-6).match(/../g)?.join('-')}`;
    const body = { boxSerial: ids.serial, macs: [mac], password: { from: 'generated' } };
    const made = await company.api('POST', `/sites/${company.siteId}/activations`, body);
    expect([made.status, made.body.items[0].code]).toEqual([200, 'box-unreachable']);
    return { mac };
  },
  bodies: {
    'POST /api/v1/sites/{siteId}/activations': (own) => ({
      boxSerial: own.serial,
      macs: ['02-00-00-00-00-01'],
      password: { from: 'generated' },
    }),
    'PUT /api/v1/company/device-defaults': () => ({ password: 'Aa345678' }),
  },
};
