import type { Operation } from '../operation-log.ts';

/** One operation of a company. */
export const sample = (companyId: string, more: Partial<Operation> = {}): Operation => ({
  atMs: 0,
  operatorCompanyId: companyId,
  userId: 'user-1',
  name: 'Ines Keller',
  email: 'ines@keller.example',
  address: '203.0.113.9',
  action: 'addDevice',
  client: 'portal',
  clientName: null,
  siteId: null,
  siteName: 'Bakery',
  targetKind: 'device',
  targetId: 'device-1',
  targetName: 'Yard',
  detail: 'as it was',
  result: 'ok',
  ...more,
});
