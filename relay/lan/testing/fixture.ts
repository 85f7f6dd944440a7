import type { Fixture } from '../../testing/fixture.ts';

const mac = '02-00-00-00-00-01';
const answers = [1, 2, 3].map((id) => ({ id, answer: 'x' }));

/** The box is away. */
export const lanFixture: Fixture = {
  bodies: {
    'POST /api/v1/sites/{siteId}/lan/addresses': (own) => ({
      boxSerial: own.serial,
      items: [{ mac, password: 'Aa345678', to: { dhcp: true } }],
    }),
    'POST /api/v1/sites/{siteId}/lan/questions': (own) => ({ boxSerial: own.serial, mac }),
    'POST /api/v1/sites/{siteId}/lan/recovery': (own) => ({
      boxSerial: own.serial,
      mac,
      password: 'Aa345678',
      recovery: { email: 'owner@example.com', answers: null },
    }),
    'POST /api/v1/sites/{siteId}/lan/password-resets': (own) => ({
      boxSerial: own.serial,
      mac,
      answers,
      newPassword: 'Other-22',
    }),
    'POST /api/v1/sites/{siteId}/unbindings': (own) => ({ boxSerial: own.serial, mac, password: 'Aa345678' }),
    'POST /api/v1/devices/{deviceId}/password-requests': () => ({ atSite: true }),
    'PUT /api/v1/devices/{deviceId}/password': () => ({ newPassword: 'Other-22' }),
  },
};
