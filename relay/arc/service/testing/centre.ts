import { uuidv7 } from '../../../../protocol/wire/ids.ts';
import type { Company, TestRelay } from '../../../testing/relay.ts';

/** Makes a company a listed centre that serves Germany, and gives it a receiver. */
export async function makeCentre(relay: TestRelay, company: Company): Promise<{ receiverId: string }> {
  const now = relay.clock.now();
  const information = { contactName: 'Rita', email: 'rita@centre.example', phone: '', countries: ['DE'] };
  await relay.withDb(async (db) => {
    await db.updateTable('companies').set({ type: 'arc', country: 'DE' }).where('id', '=', company.companyId).execute();
    await db
      .insertInto('arc_profiles')
      .values({
        companyId: company.companyId,
        state: 'listed',
        information: JSON.stringify(information),
        agreement: '2026-11',
        appliedBy: company.userId,
        appliedMs: now,
        decidedMs: now,
        decidedBy: null,
        reason: '',
        keyId: null,
        configuredMs: now,
      })
      .execute();
  });
  return { receiverId: await addReceiver(relay, company, 'Main') };
}

/** The row alone: what boxes and the relay dial is nothing to these tests. */
export async function addReceiver(relay: TestRelay, { companyId }: Company, name: string): Promise<string> {
  const id = uuidv7();
  const end = { directHost: '127.0.9.1', directPort: 12_000, relayHost: '127.0.9.1', relayPort: 12_001 };
  await relay.withDb((db) =>
    db
      .insertInto('arc_receivers')
      .values({ id, companyId, name, ...end, transport: 'tcp', createdAt: new Date(relay.clock.now()).toISOString() })
      .execute(),
  );
  return id;
}
