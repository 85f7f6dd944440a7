import type { ReceivedMessage } from '../../../protocol/wire/receiver.ts';
import { cidFrame, type Mlr2Source, siaFrame } from './mlr2-frames.ts';

/** Remembered for the page that asks for a mapping. */
const MAX_UNMAPPED = 100;

/**
 * Account numbers as MLR2 has them: 4 characters in Contact ID, 6 in the SIA form. What is longer, or would be the same
 * after filling up, is mapped by a list; without one it goes to one account for all of these rather than being left out
 * or cut to a number that may be somebody else's.
 */
export class Mlr2Accounts {
  readonly #map: Map<string, string>;
  readonly #targets: Set<string>;
  readonly #other: string;
  readonly #unmapped = new Set<string>();

  constructor({ accounts, otherAccount }: { accounts: { from: string; to: string }[]; otherAccount: string }) {
    this.#map = new Map(accounts.map(({ from, to }) => [from, to]));
    this.#targets = new Set([...this.#map.values(), otherAccount]);
    this.#other = otherAccount;
  }

  get unmapped(): string[] {
    return [...this.#unmapped];
  }

  /** Frames of a message, one for each of its events. */
  frames(from: Mlr2Source, message: ReceivedMessage): Buffer[] {
    const sia = message.protocol === 'SIA-DCS';
    const account = this.#account(message.account, sia ? 6 : 4);
    const events = message.events.length > 0 ? message.events : [UNREADABLE];
    return events.map((event) => (sia ? siaFrame(from, account, event) : cidFrame(from, account, event)));
  }

  #account(account: string, width: number): string {
    const mapped = this.#map.get(account);
    if (mapped !== undefined) return mapped;
    // Three digits get a zero in front where four are needed, unless the list gives that number to another account.
    const own = account.length < 4 ? account.padStart(4, '0') : account;
    if (account.length <= width && !this.#targets.has(own)) return own;
    if (this.#unmapped.size < MAX_UNMAPPED) this.#unmapped.add(account);
    return this.#other;
  }
}

/** A message whose content nobody could read is still a message. */
const UNREADABLE = { event: '', qualifier: 'begin' as const, area: null, zone: null, text: null };
