import { uuidv7 } from '../../../../protocol/wire/ids.ts';
import { TestBox } from '../../../testing/box.ts';
import type { Company, TestRelay } from '../../../testing/relay.ts';

/** A centre with a receiver, and a box of an installer's site with an account there. */
export async function centreWith(relay: TestRelay, installer: Company, name: string) {
  const centre = await relay.company(name);
  const [receiverId, accountId] = [uuidv7(), uuidv7()];
  const box = await new TestBox(relay).claimedBy(installer);
  const createdAt = new Date(relay.clock.now()).toISOString();
  await relay.withDb(async (db) => {
    await db.updateTable('companies').set({ type: 'arc' }).where('id', '=', centre.companyId).execute();
    await db
      .insertInto('arc_receivers')
      .values({
        id: receiverId,
        companyId: centre.companyId,
        name: `${name} receiver`,
        createdAt,
        transport: 'tcp',
        directHost: '127.0.0.9',
        directPort: 1,
        relayHost: '127.0.0.9',
        relayPort: 1,
      })
      .execute();
    await db
      .insertInto('arc_accounts')
      .values({
        id: accountId,
        siteId: installer.siteId,
        boxSerial: box.serial,
        receiverId,
        account: '00A1',
        createdAt,
        protocol: 'SIA-DCS',
        encrypted: 1,
        mode: 'direct-or-relay',
        events: '["motion"]',
        zones: '[]',
        supervisionKind: 'null',
        supervisionIntervalMs: 20_000,
        deletedAt: null,
      })
      .execute();
  });
  return { centre, box, receiverId, accountId };
}

/** A further site-wide or device-wide permission of a company. */
export const grantTo = (
  relay: TestRelay,
  companyId: string,
  of: { siteId: string; deviceId?: string; permission: 'view' | 'playback' },
) =>
  relay.withDb((db) =>
    db
      .insertInto('grants')
      .values({ id: uuidv7(), companyId, deviceId: null, untilMs: null, source: 'site', ...of })
      .execute(),
  );
