import { verify } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { publicKeyFromRaw } from '../../protocol/codec/sealed.ts';
import { type BoxAuth, parseBoxAuth, signingInput } from '../../protocol/wire/box-auth.ts';
import type { ProblemCode } from '../../protocol/wire/problem.ts';
import type { Db } from '../db/database.ts';
import type { BoxRow } from '../db/schema.ts';
import type { SiteWarnables } from '../health/warnables.ts';
import { Nonces } from './nonces.ts';

/** A box that proved itself and belongs to a site. */
export interface AuthenticatedBox {
  serial: string;
  siteId: string;
  companyId: string;
  boot: string;
  epoch: number;
}
/** A box that proved itself; without a site while nobody has claimed it. */
export type ProvenBox = Omit<AuthenticatedBox, 'siteId' | 'companyId'> & {
  siteId: string | null;
  companyId: string | null;
};
type Outcome<B> = { ok: true; box: B } | { ok: false; code: ProblemCode };

/**
 * Checks the proof that a box sends with every connection and upload (protocol/wire/box-auth.ts), and watches for two
 * boxes with one identity: every start of a box has a greater epoch and a boot id of its own, so one epoch with two
 * boots, or an epoch going back, means a copied disk. Both copies are refused then until a person decides.
 */
export class BoxAuthenticator {
  readonly #db: Db;
  readonly #log: Logger;
  readonly #warnables: SiteWarnables;
  readonly #nonces: Nonces;
  readonly #cut: (serial: string, reason: string) => void;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    warnables: SiteWarnables;
    /** Closes whatever connections the box has. */
    cut: (serial: string, reason: string) => void;
  }) {
    this.#db = deps.db;
    this.#log = deps.log;
    this.#warnables = deps.warnables;
    this.#cut = deps.cut;
    this.#nonces = new Nonces({ clock: deps.clock });
  }

  nonce(): string {
    return this.#nonces.create();
  }

  get nonceLifetimeMs(): number {
    return this.#nonces.lifetimeMs;
  }

  /** For everything that serves a site: an unclaimed box is refused. */
  async authenticate(header: string | undefined, purpose: string, remote: string): Promise<Outcome<AuthenticatedBox>> {
    const outcome = await this.prove(header, purpose, remote);
    if (!outcome.ok) return outcome;
    const { siteId, companyId } = outcome.box;
    if (siteId === null || companyId === null) return { ok: false, code: 'box-not-claimed' };
    return { ok: true, box: { ...outcome.box, siteId, companyId } };
  }

  /** For `/mqtt` alone, where an unclaimed box waits for its claim. */
  async prove(header: string | undefined, purpose: string, remote: string): Promise<Outcome<ProvenBox>> {
    const auth = parseBoxAuth(header);
    if (!auth) return this.#refuse('box-not-authenticated', { remote, purpose, why: 'no valid header' });
    const context = { remote, purpose, serial: auth.serial };
    const box = await this.#db.selectFrom('boxes').selectAll().where('serial', '=', auth.serial).executeTakeFirst();
    if (!box) return this.#refuse('box-not-authenticated', { ...context, why: 'unknown serial' });
    const why = this.#checkProof(box, auth, purpose);
    if (why) {
      if (box.siteId) {
        await this.#warnables.raise(box.siteId, {
          code: 'box-proof-refused',
          subject: `box:${box.serial}`,
          severity: 'warning',
          text: `Someone at ${remote} tried to connect as box ${box.serial} without its key, or with a proof used before. Nothing was let in. If this goes on, look for a copy of the box.`,
          forMs: 86_400_000,
        });
      }
      return this.#refuse('box-not-authenticated', { ...context, why });
    }
    if (box.state === 'revoked') return this.#refuse('box-revoked', { ...context, why: 'revoked' });
    if (box.state === 'duplicate') return this.#refuse('duplicate-identity', { ...context, why: 'duplicate' });
    if (!(await this.#follow(box, auth))) {
      await this.#setDuplicate(box, auth);
      return this.#refuse('duplicate-identity', { ...context, why: 'second box with this identity' });
    }
    const { serial, siteId, companyId } = box;
    return { ok: true, box: { serial, siteId, companyId, boot: auth.boot, epoch: auth.epoch } };
  }

  /** Looks once more after a connection stands, and cuts it when the box was revoked in between. */
  async stillWelcome(serial: string): Promise<void> {
    const row = await this.#db.selectFrom('boxes').select('state').where('serial', '=', serial).executeTakeFirst();
    if (row?.state !== 'claimed' && row?.state !== 'unclaimed') this.#cut(serial, row?.state ?? 'unknown');
  }

  #checkProof(box: BoxRow, auth: BoxAuth, purpose: string): string | null {
    if (!this.#nonces.valid(auth.nonce)) return 'nonce unknown, expired or used before';
    const signature = Buffer.from(auth.signature, 'base64url');
    const input = Buffer.from(signingInput(auth, purpose));
    if (!verify(null, input, publicKeyFromRaw('Ed25519', box.publicKey), signature)) return 'signature does not fit';
    return this.#nonces.use(auth.nonce) ? null : 'nonce used before';
  }

  /** Notes boot and epoch; false when they cannot be of the one box known so far. */
  async #follow(box: BoxRow, auth: BoxAuth): Promise<boolean> {
    if (box.boot === auth.boot && box.epoch === auth.epoch) return true;
    const { numUpdatedRows } = await this.#db
      .updateTable('boxes')
      .set({ boot: auth.boot, epoch: auth.epoch })
      .where('serial', '=', box.serial)
      .where((e) => e.or([e('epoch', 'is', null), e('epoch', '<', auth.epoch), e('state', '=', 'unclaimed')]))
      .executeTakeFirst();
    if (numUpdatedRows > 0n) return true;
    // Another connection of the same start may have written the same in between.
    const now = await this.#db
      .selectFrom('boxes')
      .select(['boot', 'epoch'])
      .where('serial', '=', box.serial)
      .executeTakeFirst();
    return now?.boot === auth.boot && now.epoch === auth.epoch;
  }

  async #setDuplicate(box: BoxRow, auth: BoxAuth): Promise<void> {
    await this.#db.updateTable('boxes').set({ state: 'duplicate' }).where('serial', '=', box.serial).execute();
    this.#log.error(
      { serial: box.serial, known: [box.boot, box.epoch], other: [auth.boot, auth.epoch] },
      'two boxes use one identity: both are refused',
    );
    if (box.siteId) {
      await this.#warnables.raise(box.siteId, {
        code: 'duplicate-identity',
        subject: `box:${box.serial}`,
        severity: 'error',
        text: `Two boxes use the identity of ${box.serial}, as after copying its disk. Both are cut off. Switch the copy off, then let the right one in again.`,
      });
    }
    this.#cut(box.serial, 'two boxes use one identity');
  }

  #refuse(code: ProblemCode, context: Record<string, unknown>): { ok: false; code: ProblemCode } {
    this.#log.warn({ code, ...context }, 'box refused');
    return { ok: false, code };
  }
}
