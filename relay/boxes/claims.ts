import { createHash, timingSafeEqual } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { ProblemError } from '../api/problem.ts';
import { networkOf } from '../api/remote.ts';
import { Limiter, retryAfter } from '../auth/limiter.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import type { BoxRow } from '../db/schema.ts';
import type { SiteWarnables } from '../health/warnables.ts';

const LIMIT = 5;
const MAX_BOXES = 10_000;

/** Wrong codes: five an hour for each box and for each address. */
export class ClaimTries {
  readonly #byBox: Limiter;
  readonly #byAddress: Limiter;
  /** Where the tries counted for each box came from, so that ending its pause ends theirs. */
  readonly #from = new Map<string, string[]>();

  constructor({ clock }: { clock: Clock }) {
    const limits = { clock, limit: LIMIT, windowMs: 3_600_000 };
    this.#byBox = new Limiter(limits);
    this.#byAddress = new Limiter(limits);
  }

  /** Counts a try; returns how long to wait, 0 when it may go on. */
  take(serial: string, address: string): number {
    const wait = this.#byAddress.take(address);
    if (wait > 0) return wait;
    const boxWait = this.#byBox.take(serial);
    // What the box's own pause stops was no guess: it must not use up the address's tries too.
    if (boxWait > 0) this.#byAddress.forgive(address);
    else {
      this.#from.set(serial, [...(this.#from.get(serial) ?? []), address].slice(-LIMIT));
      if (this.#from.size > MAX_BOXES) this.#from.delete(this.#from.keys().next().value!);
    }
    return boxWait;
  }

  /** The last try for this box from this address was right. */
  forgive(serial: string, address: string): void {
    this.#byBox.forgive(serial);
    this.#byAddress.forgive(address);
    const from = this.#from.get(serial);
    const last = from?.lastIndexOf(address) ?? -1;
    if (last >= 0) from!.splice(last, 1);
  }

  /** Takes back what was tried for this box, and nothing that the same addresses tried for others. */
  clear(serial: string): void {
    this.#byBox.clear(serial);
    for (const address of this.#from.get(serial) ?? []) this.#byAddress.forgive(address);
    this.#from.delete(serial);
  }
}

/** What an operator does with a box: claim it for a site, revoke it, end a duplicate. All through the operator's scope. */
export class Claims {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #tries: ClaimTries;
  readonly #warnables: SiteWarnables;
  readonly #claimed: (serial: string) => Promise<void>;
  readonly #cut: (serial: string, reason: string) => void;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    tries: ClaimTries;
    warnables: SiteWarnables;
    /** Tells a waiting box that it is claimed. */
    claimed: (serial: string) => Promise<void>;
    cut: (serial: string, reason: string) => void;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#tries = deps.tries;
    this.#warnables = deps.warnables;
    this.#claimed = deps.claimed;
    this.#cut = deps.cut;
  }

  /** Claims a box for a site by the code its set-up page shows. Wrong serial and wrong code look alike. */
  async claim(scope: Scope, siteId: string, serial: string, code: string, remote: string): Promise<void> {
    const site = await scope.site(siteId, 'manage', 'manage-devices');
    scope.must('manage-devices');
    const wait = this.#tries.take(serial, networkOf(remote));
    if (wait > 0) {
      this.#log.warn({ serial, remote, userId: scope.userId }, 'claim refused: too many wrong codes');
      const minutes = Math.ceil(wait / 60_000);
      const detail = `Five wrong codes were tried. Wait ${minutes} minutes, or end the pause on the set-up page of the box.`;
      throw new ProblemError('too-many-tries', detail, { headers: retryAfter(wait) });
    }
    const box = await this.#db.selectFrom('boxes').selectAll().where('serial', '=', serial).executeTakeFirst();
    if (!box || !codeFits(box, code)) {
      this.#log.warn({ serial, remote, userId: scope.userId }, 'claim refused: serial or code wrong');
      throw new ProblemError('claim-refused', 'Check serial and code on the set-up page of the box.');
    }
    this.#tries.forgive(serial, networkOf(remote));
    if (box.state === 'revoked') throw new ProblemError('box-revoked');
    const { numUpdatedRows } = await this.#db
      .updateTable('boxes')
      .set({ state: 'claimed', siteId: site.id, companyId: site.companyId, seenMs: this.#clock.now() })
      .where('serial', '=', serial)
      .where('state', '=', 'unclaimed')
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new ProblemError('already-claimed');
    this.#log.info({ serial, siteId, userId: scope.userId }, 'box claimed');
    await this.#claimed(serial);
  }

  /** For good: the key is never let in again. */
  async revoke(scope: Scope, serial: string): Promise<void> {
    await this.#managed(scope, serial);
    const { companyId } = await this.#box(serial);
    if (companyId !== scope.companyId)
      throw new ProblemError('not-allowed', 'For good it is revoked by its own company only.');
    await this.revokeAny(serial, scope.userId);
  }

  /** The same for whoever runs the relay, who reaches every box. */
  async revokeAny(serial: string, userId: string): Promise<void> {
    const { siteId } = await this.#box(serial);
    await this.#db.updateTable('boxes').set({ state: 'revoked' }).where('serial', '=', serial).execute();
    if (siteId) await this.#warnables.clear(siteId, 'duplicate-identity', `box:${serial}`);
    this.#cut(serial, 'revoked');
    this.#log.info({ serial, userId }, 'box revoked');
  }

  /** Lets the next box with this identity in again, whichever comes first. */
  async clearDuplicate(scope: Scope, serial: string): Promise<void> {
    await this.#managed(scope, serial);
    await this.clearAnyDuplicate(serial, scope.userId);
  }

  /** The same for whoever runs the relay, who reaches every box. */
  async clearAnyDuplicate(serial: string, userId: string): Promise<void> {
    const { state, siteId } = await this.#box(serial);
    if (state !== 'duplicate') throw new ProblemError('conflict', 'This box is not marked as duplicate.');
    await this.#db
      .updateTable('boxes')
      .set({ state: siteId ? 'claimed' : 'unclaimed', boot: null, epoch: null })
      .where('serial', '=', serial)
      .execute();
    if (siteId) await this.#warnables.clear(siteId, 'duplicate-identity', `box:${serial}`);
    this.#log.info({ serial, userId }, 'duplicate cleared');
  }

  async #box(serial: string): Promise<BoxRow> {
    const box = await this.#db.selectFrom('boxes').selectAll().where('serial', '=', serial).executeTakeFirst();
    if (!box) throw new ProblemError('not-found');
    return box;
  }

  async #managed(scope: Scope, serial: string): Promise<void> {
    const box = await this.#db
      .selectFrom('boxes')
      .selectAll()
      .where('serial', '=', serial)
      .where('siteId', 'in', scope.siteIds('view'))
      .executeTakeFirst();
    if (!box?.siteId) throw new ProblemError('not-found');
    await scope.site(box.siteId, 'manage');
    scope.must('manage-devices');
  }
}

function codeFits(box: BoxRow, code: string): boolean {
  const given = createHash('sha256').update(`${box.serial}:${code}`).digest();
  const wanted = Buffer.from(box.codeHash, 'hex');
  return wanted.length === given.length && timingSafeEqual(given, wanted);
}
