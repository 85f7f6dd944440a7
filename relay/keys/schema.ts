import type { ColumnType } from 'kysely';

/** Tables of this folder, part of the relay's Database. */
export interface KeyTables {
  /** Keys of programs. Only a hash of each is stored. */
  api_keys: {
    id: string;
    companyId: string;
    /** Who made it: it holds nothing that they do not hold, and ends with their account. */
    userId: string;
    name: string;
    /** The first characters, by which its owner knows it. */
    prefix: string;
    tokenHash: string;
    /** A JSON list of role permissions. */
    permissions: string;
    readOnly: number;
    /** A JSON list of site ids; null: every site. */
    sites: string | null;
    createdMs: number;
    expiresMs: number;
    usedMs: number | null;
    revokedMs: number | null;
    /** `arc`: the ID of an alarm receiving centre; it acts for its company, whoever made it. */
    purpose: ColumnType<'program' | 'arc', 'program' | 'arc' | undefined>;
  };
  /** What a key and its secret were exchanged for. Only hashes; they end with their key. */
  api_access_tokens: { tokenHash: string; keyId: string; createdMs: number; expiresMs: number };
}
