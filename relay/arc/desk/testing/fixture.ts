import { expect } from 'vitest';
import { uuidv7 } from '../../../../protocol/wire/ids.ts';
import { TestBox } from '../../../testing/box.ts';
import type { Fixture } from '../../../testing/fixture.ts';
import { alarmRecord } from './alarms.ts';

/** An alarm at a receiver of the company, of its site. */
export const deskFixture: Fixture = {
  ids: async ({ relay, company, ids }) => {
    const box = await new TestBox(relay).claimedBy(company);
    const account = await company.api('POST', `/sites/${company.siteId}/arc`, {
      boxSerial: box.serial,
      receiverId: ids.receiverId,
      account: '77AA',
      protocol: 'SIA-DCS',
      events: ['motion'],
      supervision: { kind: 'off', intervalMs: 60_000 },
    });
    expect(account.status).toBe(201);
    await box.connect();
    const alarm = alarmRecord(box, { accountId: account.body.id });
    await box.journal([alarm]);
    box.disconnect();
    return { alarmId: alarm.body.id };
  },
  bodies: {
    'POST /api/v1/arc-desk/acknowledgements': () => ({ alarmIds: [uuidv7()] }),
    'POST /api/v1/arc-desk/alarms/{alarmId}/acknowledge': () => ({}),
    'POST /api/v1/arc-desk/alarms/{alarmId}/reopen': () => ({}),
    'POST /api/v1/arc-desk/alarms/{alarmId}/notes': () => ({ text: 'Nobody there.' }),
    'POST /api/v1/arc-desk/accounts/{accountId}/test-mode': () => ({ minutes: 30 }),
    'PATCH /api/v1/arc-desk/accounts/{accountId}/test-mode': () => ({ minutes: 60 }),
  },
};
