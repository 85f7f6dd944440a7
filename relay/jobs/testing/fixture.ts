import { uuidv7 } from '../../../protocol/wire/ids.ts';
import type { Fixture } from '../../testing/fixture.ts';

/** The box is away, so that whether there is such a job is not known. */
export const jobFixture: Fixture = {
  ids: async () => ({ jobId: uuidv7() }),
  bodies: {
    'POST /api/v1/sites/{siteId}/jobs': (own) => ({
      boxSerial: own.serial,
      devices: [{ mac: '02-00-00-00-00-01', password: 'Aa345678' }],
    }),
    'POST /api/v1/sites/{siteId}/lan/recorder': (own) => ({
      boxSerial: own.serial,
      mac: '02-00-00-00-00-01',
      password: 'Aa345678',
      ask: { do: 'read' },
    }),
  },
  notOk: { 'GET /api/v1/sites/{siteId}/jobs/{jobId}': { status: 503, why: 'is not connected' } },
};
