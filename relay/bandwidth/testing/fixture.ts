import { uuidv7 } from '../../../protocol/wire/ids.ts';
import type { Fixture } from '../../testing/fixture.ts';

export const uplinkFixture: Fixture = {
  ids: async ({ relay, company, ids }) => {
    const testId = uuidv7();
    const { siteId, userId } = company;
    await relay.withDb((db) =>
      db
        .insertInto('bandwidth_tests')
        .values({
          id: testId,
          siteId,
          boxSerial: ids.serial as string,
          deviceId: null,
          userId,
          state: 'done',
          startedMs: 1,
          endedMs: 2,
          bytes: 1,
          kbps: 8_000,
          yielded: 0,
          code: null,
          text: null,
          recommended: null,
        })
        .execute(),
    );
    return { testId };
  },
  bodies: {
    'POST /api/v1/sites/{siteId}/bandwidth-tests': (own) => ({ boxSerial: own.serial }),
    'PUT /api/v1/boxes/{serial}/upload-settings': () => ({ uploadKbps: 2_000, window: null, diskBytes: null }),
    'PUT /api/v1/operator/compatibility': () => ({ csv: 'list,deviceType,model\r\nbox,Camera,A1\r\n' }),
  },
};
