import type { Fixture } from '../../testing/fixture.ts';

export const panelFixture: Fixture = {
  bodies: {
    'POST /api/v1/sites/{siteId}/arming': (own) => ({ devices: [own.deviceId], arm: 'away' }),
    'PUT /api/v1/devices/{deviceId}/linked-camera': (own) => ({ cameraId: own.deviceId, channel: 1 }),
  },
  notOk: { 'GET /api/v1/devices/{deviceId}/linked-camera': { status: 409, why: 'is no radar' } },
};
