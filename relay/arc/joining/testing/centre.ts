import type { Call, Company, TestRelay } from '../../../testing/relay.ts';

export const INFORMATION = {
  contactName: 'Rita Wachter',
  email: 'service@centre.example',
  phone: '+49 40 123456',
  website: 'https://centre.example',
  address: 'Hafenstr. 1, Hamburg',
  certificates: 'EN 50518',
  about: 'Round the clock.',
  countries: ['DE', 'AT'],
};

/** A company of type alarm receiving centre that is authenticated and has not applied. */
export async function centreToBe(relay: TestRelay, name: string): Promise<Company> {
  const company = await relay.company(name);
  await relay.withDb((db) =>
    db
      .updateTable('companies')
      .set({ type: 'arc', country: 'DE', authentication: 'approved' })
      .where('id', '=', company.companyId)
      .execute(),
  );
  return { ...company, companyType: 'arc' };
}

/** A centre on the list, through all steps of joining; `arcId` and `arcKey` as its e-mail says them. */
export async function listedCentre(
  relay: TestRelay,
  name: string,
  information: object = {},
  /** Signing the operator in again ends its other sessions. */
  operator?: Call,
): Promise<Company & { arcId: string; arcKey: string }> {
  const centre = await centreToBe(relay, name);
  const must = (answer: { status: number; body: unknown }) => {
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  };
  const { agreement } = (await centre.api('GET', '/arc-joining')).body;
  must(await centre.api('POST', '/arc-joining', { information: { ...INFORMATION, ...information }, agreement }));
  const decide = operator ?? (await relay.operator());
  must(await decide('PUT', `/operator/arcs/${centre.companyId}/decision`, { approved: true }));
  must(await centre.api('POST', '/arc-joining/completed'));
  const { args } = await relay.withDb((db) =>
    db
      .selectFrom('outbox')
      .select('args')
      .where('address', '=', centre.email)
      .where('code', '=', 'arc-key')
      .orderBy('rowId', 'desc')
      .executeTakeFirstOrThrow(),
  );
  const { arcId, arcKey } = JSON.parse(args);
  return { ...centre, arcId, arcKey };
}
