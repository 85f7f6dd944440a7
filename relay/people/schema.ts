import type { ColumnType } from 'kysely';

export type VerificationKind = 'register' | 'email' | 'phone' | 'reset';

/** Tables of this capability. */
export interface PeopleTables {
  /** A link or a code that was sent to an e-mail address or a phone, and what happens when it comes back. */
  verifications: {
    id: string;
    kind: VerificationKind;
    /** Whose; null while nobody is registered. */
    userId: string | null;
    /** Where it was sent. */
    target: string;
    secretHash: string;
    /** JSON; of a registration what was entered, with the password hashed. */
    document: string;
    /** Of a code; 0: nothing is accepted any more, or never was, because the target is somebody's already. */
    triesLeft: number;
    createdMs: number;
    expiresMs: number;
  };
  /** `target`: hash of the address. */
  secret_sends: { id: string; target: string; atMs: number };
  /** Failed sign-ins of the last minutes, so that a restart gives nobody new tries. */
  sign_in_failures: { id: string; limiter: string; keyHash: string; atMs: number };
  known_addresses: { userId: string; addressHash: string; seenMs: number };
  /** `confirmedMs` null: being set up. `lastCounter`: of the last code that was taken, so that none is taken twice. */
  totp: { userId: string; secret: string; confirmedMs: number | null; lastCounter: number };
  recovery_codes: { userId: string; codeHash: string };
  /** `roles`: a JSON list of ids. `secretHash` null: accepted or withdrawn. */
  employee_invitations: {
    id: string;
    companyId: string;
    email: string;
    name: string;
    roles: string;
    locale: string;
    state: 'open' | 'accepted' | 'withdrawn';
    secretHash: string | null;
    invitedBy: string;
    createdMs: number;
    sentMs: number;
    expiresMs: number;
  };
  /** Who asks to become a company's employee: a user only once accepted. */
  join_requests: {
    id: string;
    companyId: string;
    email: string;
    name: string;
    locale: string;
    passwordHash: string;
    message: string;
    createdMs: number;
    expiresMs: number;
  };
  /** What a company submitted last; the state itself is the company's. */
  company_authentications: {
    companyId: string;
    fields: string;
    reason: string;
    submittedMs: number;
    submittedBy: string;
    decidedMs: ColumnType<number | null, number | null | undefined>;
    decidedBy: ColumnType<string | null, string | null | undefined>;
  };
}
