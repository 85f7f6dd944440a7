import type { ColumnType } from 'kysely';
import type { RetentionDays, Term } from '../../protocol/wire/cloud.ts';

type Later<T> = ColumnType<T | null, T | null | undefined>;

/** Tables of this folder, part of the relay's Database. */
export interface OperatorTables {
  /** `companyId`, `userId`: who redeemed it. */
  service_keys: {
    id: string;
    keyHash: string;
    ending: string;
    content: 'employee-slots' | 'cloud-storage';
    /** Of `cloud-storage`: of which packages. */
    retentionDays: Later<RetentionDays>;
    term: Later<Term>;
    quantity: number;
    note: string;
    issuedMs: number;
    expiresMs: number;
    withdrawnMs: Later<number>;
    redeemedMs: Later<number>;
    companyId: Later<string>;
    userId: Later<string>;
  };
}
