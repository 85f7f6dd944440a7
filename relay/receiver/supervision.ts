import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { cidData, siaData } from '../../protocol/codec/dc09-content.ts';
import type { Db } from '../db/database.ts';
import type { Directory, KnownAccount } from './directory.ts';
import type { Inbox } from './inbox.ts';

const CHECK_MS = 1_000;
const FLUSH_MS = 15_000;
const RELOAD_MS = 10_000;

interface Heard {
  lastMs: number;
  lastMono: number;
  silentMs: number | null;
  protocol: string;
}

/**
 * Watches accounts whose devices must be heard regularly (DC-09 §5.5.2): silence is a message of its own to the automation
 * software, "failure to communicate" (YC, E354), and so is the return (YK, R354). Time that the receiver itself was away
 * does not count as silence of anybody.
 */
export class Supervision {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #directory: Directory;
  readonly #inbox: Inbox;
  readonly #heard = new Map<string, Heard>();
  readonly #unsaved = new Set<string>();
  #watched: KnownAccount[] = [];
  #since = new Map<string, number>();
  #owned: (() => void)[] = [];
  #saving: Promise<void> = Promise.resolve();
  #checking: Promise<void> | null = null;
  #startedMono = 0;

  constructor(deps: { db: Db; clock: Clock; log: Logger; directory: Directory; inbox: Inbox }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#directory = deps.directory;
    this.#inbox = deps.inbox;
  }

  async start(): Promise<void> {
    this.#startedMono = this.#clock.mono();
    for (const row of await this.#db.selectFrom('receiver_heard').selectAll().execute()) {
      if (this.#directory.other?.(row.account)) {
        const { receiverId, account } = row;
        await this.#db
          .deleteFrom('receiver_heard')
          .where('receiverId', '=', receiverId)
          .where('account', '=', account)
          .execute();
        continue;
      }
      const silentMs = row.silentMs === null ? null : Number(row.silentMs);
      const { protocol } = row;
      this.#heard.set(keyOf(row), { lastMs: Number(row.lastMs), lastMono: this.#startedMono, silentMs, protocol });
    }
    await this.reload();
    this.#owned = [
      this.#clock.every(CHECK_MS, () => this.#check()),
      this.#clock.every(FLUSH_MS, () => this.#save()),
      this.#clock.every(RELOAD_MS, () => {
        this.reload().catch((error) => this.#log.error({ err: error }, 'watched accounts could not be read'));
      }),
    ];
  }

  async stop(): Promise<void> {
    for (const release of this.#owned) release();
    await this.#checking;
    this.#save();
    await this.#saving;
  }

  /** Accounts were added, changed or taken away. */
  async reload(): Promise<void> {
    this.#watched = await this.#directory.supervised();
    const now = this.#clock.mono();
    // A new account gets its whole time before anybody misses it.
    this.#since = new Map(this.#watched.map((a) => [keyOf(a), this.#since.get(keyOf(a)) ?? now]));
  }

  /** Something that could be read came from the account. */
  async heard(known: KnownAccount, protocol: string | null): Promise<void> {
    if (this.#directory.other?.(known.account)) return;
    const key = keyOf(known);
    const before = this.#heard.get(key);
    const now: Heard = {
      lastMs: this.#clock.now(),
      lastMono: this.#clock.mono(),
      silentMs: null,
      protocol: protocol ?? before?.protocol ?? 'SIA-DCS',
    };
    if (before?.silentMs) {
      await this.#tell(known, now.protocol, true);
      this.#log.info({ account: known.account, receiverId: known.receiverId }, 'an account is heard again');
    }
    this.#heard.set(key, now);
    this.#unsaved.add(key);
    if (before?.silentMs || !before) this.#save();
  }

  state(receiverId: string, account: string): { lastMs: number | null; silentMs: number | null } {
    const heard = this.#heard.get(keyOf({ receiverId, account }));
    return { lastMs: heard?.lastMs || null, silentMs: heard?.silentMs ?? null };
  }

  /** When it was last heard, by the monotonic clock; null: not since its receiver knows of it. */
  heardMono(receiverId: string, account: string): number | null {
    return this.#heard.get(keyOf({ receiverId, account }))?.lastMono ?? null;
  }

  /** Accounts that nothing comes from now. */
  get silent(): number {
    return this.#watched.filter((known) => this.#heard.get(keyOf(known))?.silentMs).length;
  }

  #check(): void {
    this.#checking ??= this.#missing()
      .catch((error) => this.#log.error({ err: error }, 'silence could not be told; tried again'))
      .finally(() => {
        this.#checking = null;
      });
  }

  async #missing(): Promise<void> {
    const mono = this.#clock.mono();
    for (const known of this.#watched) {
      const key = keyOf(known);
      const heard = this.#heard.get(key);
      const from = Math.max(heard?.lastMono ?? 0, this.#since.get(key) ?? mono, this.#startedMono);
      if (heard?.silentMs || known.supervisionMs === null || mono - from < known.supervisionMs) continue;
      const protocol = heard?.protocol ?? 'SIA-DCS';
      await this.#tell(known, protocol, false);
      // It may have been heard while this was stored.
      if (this.#heard.get(key) !== heard) continue;
      const silentMs = this.#clock.now();
      this.#heard.set(key, { lastMs: heard?.lastMs ?? 0, lastMono: heard?.lastMono ?? mono, silentMs, protocol });
      this.#unsaved.add(key);
      this.#save();
      this.#log.warn({ account: known.account, receiverId: known.receiverId }, 'an account is silent');
    }
  }

  async #tell(known: KnownAccount, protocol: string, restore: boolean): Promise<void> {
    const { owner, receiverId, accountId, account } = known;
    const cid = protocol === 'ADM-CID';
    const code = restore ? 'YK' : 'YC';
    await this.#inbox.add({
      owner,
      receiverId,
      accountId,
      account,
      source: 'receiver',
      protocol,
      sequence: 0,
      line: null,
      encrypted: false,
      xdata: [],
      pictures: [],
      peer: '',
      frame: '',
      data: cid ? cidData(account, '354', restore, 0, '000') : siaData(account, 0, code, '000', null),
      events: [
        {
          event: cid ? '354' : code,
          qualifier: restore ? 'end' : 'begin',
          area: null,
          zone: null,
          text: restore ? 'heard again' : 'no heartbeat',
        },
      ],
      occurredMs: this.#clock.now(),
      receivedMs: this.#clock.now(),
    });
  }

  #save(): void {
    this.#saving = this.#saving.then(async () => {
      const keys = [...this.#unsaved];
      this.#unsaved.clear();
      const rows = keys.map((key) => {
        const [receiverId = '', account = ''] = key.split(' ');
        const { lastMono: _, ...heard } = this.#heard.get(key)!;
        return { receiverId, account, ...heard };
      });
      try {
        for (let i = 0; i < rows.length; i += 200) {
          await this.#db
            .insertInto('receiver_heard')
            .values(rows.slice(i, i + 200))
            .onConflict((c) =>
              c.columns(['receiverId', 'account']).doUpdateSet((e) => ({
                lastMs: e.ref('excluded.lastMs'),
                silentMs: e.ref('excluded.silentMs'),
                protocol: e.ref('excluded.protocol'),
              })),
            )
            .execute();
        }
      } catch (error) {
        for (const key of keys) this.#unsaved.add(key);
        this.#log.error({ err: error }, 'when accounts were heard could not be saved');
      }
    });
  }
}

const keyOf = ({ receiverId, account }: { receiverId: string; account: string }) => `${receiverId} ${account}`;
