import type { DbOrTrx } from '../db/database.ts';

/** What else ends when devices are taken away or leave their site; inside the transaction, before they are gone. */
export type DevicesLeave = (trx: DbOrTrx, deviceIds: string[]) => Promise<unknown>;
