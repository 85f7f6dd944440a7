import { uuidv7 } from '../../../protocol/wire/ids.ts';
import type { Fixture } from '../../testing/fixture.ts';

const CHANNEL = '/api/v1/devices/{deviceId}/channels/{channel}';

/** A look at pictures; a view directly from a box lives as long as its request, and there is none to a box that is away. */
export const videoFixture: Fixture = {
  ids: async () => ({ viewId: uuidv7(), channel: '1' }),
  bodies: {
    'POST /api/v1/devices/{deviceId}/channels/{channel}/live/unlock': () => ({ code: 'ABC123' }),
    'PUT /api/v1/devices/{deviceId}/picture-lock': () => ({ code: 'ABC123' }),
    'POST /api/v1/devices/{deviceId}/channels/{channel}/whep': () => 'v=0',
    'PATCH /api/v1/viewings/{viewId}': () => 'a=ice-ufrag:a',
  },
  queries: Object.fromEntries(
    ['recordings', 'recordings/file', 'playback/socket']
      .map((path) => [`GET ${CHANNEL}/${path}`, 'from=2026-11-20T10:00:00Z&to=2026-11-20T10:10:00Z'])
      .concat([[`GET ${CHANNEL}/recordings/days`, 'month=2026-11']]),
  ),
  notOk: {
    ...Object.fromEntries(
      ['recordings', 'recordings/file', 'recordings/days'].map((path) => [
        `GET ${CHANNEL}/${path}`,
        { status: 503, why: 'box-unreachable' },
      ]),
    ),
    [`GET ${CHANNEL}/playback/socket`]: { status: 400, why: 'This address is a WebSocket' },
    'GET /api/v1/devices/{deviceId}/channels/{channel}/live': { status: 503, why: 'box-unreachable' },
    [`GET ${CHANNEL}/talk/socket`]: { status: 400, why: 'This address is a WebSocket' },
    'GET /api/v1/devices/{deviceId}/channels/{channel}/live/socket': {
      status: 400,
      why: 'This address is a WebSocket',
    },
  },
};
