/** An account that may send to a receiver here. */
export interface KnownAccount {
  owner: string;
  receiverId: string;
  account: string;
  /** The box's account (arc_accounts); null: a device by itself. */
  accountId: string | null;
  /** null: it sends in clear. */
  key: Buffer | null;
  localTime: boolean;
  /** Something must come at least this often; null: nobody watches here. */
  supervisionMs: number | null;
}

/** Who may send to which receiver. */
export interface Directory {
  find(receiverId: string, account: string): Promise<KnownAccount | null>;
  /** Taken like all that are in no list: anybody can think of such a number, and nothing is remembered of it. */
  other?(account: string): boolean;
  /** Every account that is watched. */
  supervised(): Promise<KnownAccount[]>;
}
