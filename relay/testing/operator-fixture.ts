import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Fixture } from './fixture.ts';

const notThere = { status: 404, why: 'not-found' };

/** The operator's console is not there for companies, whatever they name. */
export const operatorFixture: Fixture = {
  companyIds: async ({ company }) => ({ companyId: company.companyId, serviceKeyId: uuidv7() }),
  bodies: {
    'PUT /api/v1/operator/companies/{companyId}/decision': () => ({ approved: true }),
    'PUT /api/v1/operator/companies/{companyId}/suspended': () => ({ suspended: true }),
    'POST /api/v1/operator/service-keys': () => ({ content: 'employee-slots', quantity: 1 }),
    'POST /api/v1/company/service-keys/redeem': () => ({ keys: 'AAAAA-AAAAA-AAAAA-AAAAA' }),
  },
  notOk: { 'GET /api/v1/operator/companies/{companyId}': notThere },
};
