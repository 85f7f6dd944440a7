/** Tables of this folder, part of the relay's Database. */
export interface AuditTables {
  /** The end of each company's chain, and where what is kept of it begins. */
  audit_chains: {
    companyId: string;
    /** Number and hash of the newest entry. */
    seq: number;
    hash: string;
    /** Number and hash of the last entry that was cut off: the oldest one there follows on it. */
    checkpointSeq: number;
    checkpointHash: string;
  };
  /** What happened: everything here is in the entry's hash. */
  audit_entries: {
    companyId: string;
    /** 1, 2, 3 … in each company. */
    seq: number;
    id: string;
    atMs: number;
    /** Whose people did it: the company's own, or another's at a site of theirs. */
    operatorCompanyId: string;
    /** The operation's id in the API document. */
    action: string;
    client: string;
    /** Of an API key. */
    clientName: string | null;
    siteId: string | null;
    targetKind: string | null;
    targetId: string | null;
    /** `ok`, or the code of the problem. */
    result: string;
    /** Salted hashes of the two parts of `audit_people`. */
    operatorHash: string;
    subjectHash: string;
    hash: string;
  };
  /**
   * Words about people. The chain has only salted hashes of them: they can be erased (salt and words null), and the chain
   * still holds; changed they cannot be.
   */
  audit_people: {
    companyId: string;
    seq: number;
    operatorSalt: string | null;
    userId: string | null;
    name: string | null;
    email: string | null;
    address: string | null;
    subjectSalt: string | null;
    siteName: string | null;
    targetName: string | null;
    detail: string | null;
    /** All words of the entry in lower case. */
    search: string;
  };
  /** Operations that began; one that is left over was cut off by a crash. `entry`: JSON. */
  audit_pending: { id: string; atMs: number; entry: string };
}
