import { uuidv7 } from '../../../protocol/wire/ids.ts';
import type { Fixture } from '../../testing/fixture.ts';

const notThere = { status: 404, why: 'not-found' };
const output = { name: 'Automation', config: { kind: 'pull' } };
const sender = (own: Record<string, string>) => ({ receiverId: own.receiverId, account: '1234', name: 'Panel' });

/** Both tenants are installers: nothing of a centre's receivers is there for them. */
export const receiverFixture: Fixture = {
  companyIds: async () => ({ outputId: uuidv7(), senderId: uuidv7() }),
  bodies: {
    'POST /api/v1/arc-outputs': () => output,
    'PUT /api/v1/arc-outputs/{outputId}': () => output,
    'POST /api/v1/arc-outputs/{outputId}/test': () => ({}),
    'POST /api/v1/arc-outputs/{outputId}/commit': () => ({ cursor: '1' }),
    'POST /api/v1/arc-senders': sender,
    'PUT /api/v1/arc-senders/{senderId}': sender,
  },
  notOk: {
    'GET /api/v1/arc-outputs': notThere,
    'GET /api/v1/arc-outputs/{outputId}/messages': notThere,
    'GET /api/v1/arc-received': notThere,
    'GET /api/v1/arc-senders': notThere,
  },
};
