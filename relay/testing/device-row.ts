import type { Insertable } from 'kysely';
import type { Database } from '../db/schema.ts';

type NewDevice = Insertable<Database['devices']>;

/** A device that was added by address, as a row of the database. */
export const deviceRow = (device: Pick<NewDevice, 'id' | 'siteId'> & Partial<NewDevice>): NewDevice => ({
  boxSerial: null,
  name: 'Gate',
  kind: 'isapi',
  mac: null,
  serial: null,
  host: '10.0.0.1',
  httpPort: 80,
  username: 'admin',
  createdAt: '2026-01-01T00:00:00.000Z',
  deletedAt: null,
  ...device,
});
