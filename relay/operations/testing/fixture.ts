import type { Fixture } from '../../testing/fixture.ts';

const AWAY = { status: 503, why: 'is not connected' };

export const operationFixture: Fixture = {
  ids: async () => ({ section: 'video', list: 'presets' }),
  bodies: {
    'PUT /api/v1/devices/{deviceId}/settings/{section}': () => ({ set: { codec: 'H.264' } }),
    'POST /api/v1/devices/{deviceId}/actions': () => ({ action: 'reboot' }),
  },
  notOk: {
    'GET /api/v1/devices/{deviceId}/capabilities': AWAY,
    'GET /api/v1/devices/{deviceId}/settings/{section}': AWAY,
    'GET /api/v1/devices/{deviceId}/lists/{list}': AWAY,
  },
};
