import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authenticationFields } from '../../protocol/wire/countries.ts';
import { type Call, type Company, TestRelay } from '../testing/relay.ts';
import { lastSentTo } from './testing.ts';

const relay = new TestRelay();
let acme: Company;
let operator: Call;
beforeAll(async () => {
  await relay.start();
  operator = await relay.operator();
  acme = await relay.company('Acme');
});
afterAll(() => relay.stop());

const setCountry = (country: string) =>
  relay.withDb((db) => db.updateTable('companies').set({ country }).where('id', '=', acme.companyId).execute());

describe('the company’s page', () => {
  it('shows and changes name, address and phone; country and type stay (ACCT-10)', async () => {
    const wanted = { name: 'Acme GmbH', address: 'Hauptstraße 1, 10115 Berlin', phone: '+49 30 1234567' };
    const { body } = await acme.api('PUT', '/company', { ...wanted, country: 'FR', type: 'arc', slots: 99 });
    expect(body).toMatchObject({ ...wanted, phone: '+49301234567', type: 'installer', country: '', slots: 0 });
    expect((await acme.api('GET', '/company')).body).toEqual(body);
  });
});

describe('authentication of a company', () => {
  it.each([
    ['DE', ['registrationNumber', 'vatNumber']],
    ['GB', ['registrationNumber', 'vatNumber']],
    ['US', ['taxId', 'licenceNumber']],
    ['CA', ['taxId', 'licenceNumber']],
    ['BR', ['registrationNumber']],
  ])('asks in %s for %s beside name, address and contact (ACCT-05)', (country, own) => {
    const required = authenticationFields(country).flatMap((one) => (one.required ? [one.field] : []));
    expect(required.sort()).toEqual(['legalName', 'address', 'contactName', 'contactPhone', ...own].sort());
    expect(authenticationFields(country)).toContainEqual({ field: 'website', required: false });
  });

  it('is submitted, rejected with a reason, submitted again and approved, which the company is told (ACCT-06)', async () => {
    await setCountry('DE');
    const submit = (fields: object) => acme.api('POST', '/company/authentication', { fields });
    const fields = { legalName: 'Acme GmbH', address: 'Hauptstraße 1', contactName: 'Owner', contactPhone: '+4930123' };
    const missing = await submit(fields);
    expect(missing.body).toMatchObject({ code: 'invalid-request', errors: [{ path: 'registrationNumber' }, {}] });
    const all = { ...fields, registrationNumber: 'HRB 1234', vatNumber: 'DE123456789', taxId: 'not asked here' };
    expect((await submit({ ...all, legalName: 'x\ny' })).status).toBe(400);
    const submitted = await submit(all);
    expect(submitted).toMatchObject({
      status: 201,
      body: { state: 'submitted', fields: { vatNumber: 'DE123456789' } },
    });
    expect(submitted.body.fields).not.toHaveProperty('taxId');
    expect((await submit(all)).body.code).toBe('conflict');
    expect((await acme.api('PUT', '/company', { name: 'Other', address: '', phone: '' })).body.code).toBe('conflict');

    const decide = (body: object) => operator('PUT', `/operator/companies/${acme.companyId}/decision`, body);
    expect((await acme.api('PUT', `/operator/companies/${acme.companyId}/decision`, { approved: true })).status).toBe(
      404,
    );
    await decide({ approved: false, reason: 'The register has another address.' });
    expect((await acme.api('GET', '/company/authentication')).body).toMatchObject({
      state: 'rejected',
      reason: 'The register has another address.',
    });
    expect((await lastSentTo(relay, acme.email)).code).toBe('company-rejected');
    expect((await decide({ approved: true })).body.code).toBe('conflict');

    await submit(all);
    await decide({ approved: true });
    expect((await acme.api('GET', '/auth/me')).body.company.authentication).toBe('approved');
    expect(await lastSentTo(relay, acme.email)).toMatchObject({
      code: 'company-approved',
      link: '/company/authentication',
    });
    const notices = await relay.withDb((db) =>
      db.selectFrom('notifications').select('code').where('userId', '=', acme.userId).orderBy('rowId').execute(),
    );
    expect(notices.map((notice) => notice.code)).toEqual(['company-rejected', 'company-approved']);
    expect((await submit(all)).body.code).toBe('conflict');
  });
});
