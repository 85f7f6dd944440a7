import { uuidv7 } from '../../../../protocol/wire/ids.ts';
import type { Fixture } from '../../../testing/fixture.ts';
import { INFORMATION } from './centre.ts';

const notThere = { status: 404, why: 'not-found' };
const receiver = {
  name: 'Main',
  direct: { host: 'arc.example', port: 12_000 },
  relay: { host: '127.0.0.1', port: 12_000 },
};

/** Both tenants are installers: nothing of this is theirs to join, and no centre serves them. */
export const arcJoiningFixture: Fixture = {
  companyIds: async () => ({ arcId: uuidv7() }),
  bodies: {
    'POST /api/v1/arc-joining': () => ({ information: INFORMATION, agreement: '2026-11' }),
    'PUT /api/v1/arc-joining': () => ({ information: INFORMATION }),
    'POST /api/v1/arc-receivers': () => receiver,
    'PUT /api/v1/arc-receivers/{receiverId}': () => receiver,
    'POST /api/v1/arc-receivers/{receiverId}/test': () => ({ account: '1234' }),
    'PUT /api/v1/operator/arcs/{companyId}/decision': () => ({ approved: true }),
  },
  notOk: {
    'GET /api/v1/arcs/{arcId}': notThere,
    'GET /api/v1/operator/arcs': notThere,
    'GET /api/v1/operator/arcs/{companyId}': notThere,
  },
};
