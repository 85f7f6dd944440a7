import type { Fixture } from '../../testing/fixture.ts';

export const panelFixture: Fixture = {
  bodies: {
    'POST /api/v1/sites/{siteId}/arming': (own) => ({ devices: [own.deviceId], arm: 'away' }),
    'POST /api/v1/sites/{siteId}/alarm-panels': (own) => ({
      boxSerial: own.serial,
      name: 'House',
      account: '1234',
      key: null,
    }),
    'PUT /api/v1/devices/{deviceId}/alarm-panel': () => ({ account: '1234', localTime: false, supervisionMs: null }),
    'PUT /api/v1/devices/{deviceId}/linked-camera': (own) => ({ cameraId: own.deviceId, channel: 1 }),
  },
  notOk: {
    'GET /api/v1/devices/{deviceId}/linked-camera': { status: 409, why: 'is no radar' },
    'GET /api/v1/devices/{deviceId}/alarm-panel': { status: 409, why: 'is no alarm panel' },
  },
};
