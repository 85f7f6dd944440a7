import type { Fixture } from '../../testing/fixture.ts';

const file = { fileName: 'NVR_V5.0.0_Build_220210.zip', size: 1_000 };

export const firmwareFixture: Fixture = {
  companyIds: async ({ company, ids }) => {
    const made = await company.api('POST', `/devices/${ids.deviceId}/firmware`, file);
    return { firmwareId: made.body.package.id };
  },
  bodies: {
    'POST /api/v1/operator/firmware': () => ({ ...file, models: ['DS-7608NI*'] }),
    'POST /api/v1/devices/{deviceId}/firmware': () => file,
    'POST /api/v1/sites/{siteId}/upgrades': (own) => ({
      items: [{ deviceId: own.deviceId, firmwareId: own.firmwareId }],
    }),
  },
  notOk: {
    'GET /api/v1/operator/firmware': { status: 404, why: 'not-found' },
    'GET /api/v1/firmware/{firmwareId}/package': { status: 404, why: 'not-found' },
  },
};
