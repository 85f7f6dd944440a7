import type { Clock } from '../../protocol/clock.ts';
import { newSiteKey, siteKeyFromText, siteKeyText } from '../../protocol/codec/object-cipher.ts';
import { seal } from '../../protocol/codec/sealed.ts';
import type { DesiredRecording } from '../../protocol/wire/desired.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Vault } from '../auth/vault.ts';
import type { Db, DbOrTrx } from '../db/database.ts';

const MAX_HELD = 10_000;

/**
 * The key that a site's footage is encrypted with: made once, kept in the vault, sealed to the box that records. A clip is
 * opened with the key of its own site alone, whatever a box says of it.
 */
export class SiteKeys {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #vault: Vault;
  /** Keys opened already, by id. */
  readonly #held = new Map<string, { siteId: string; key: Buffer }>();

  constructor({ db, clock, vault }: { db: Db; clock: Clock; vault: Vault }) {
    this.#db = db;
    this.#clock = clock;
    this.#vault = vault;
  }

  /** For the box's wish to record, as DesiredRecording has it; null for a box at no site, or that nothing can be sealed to. */
  async forBox(trx: DbOrTrx, serial: string): Promise<DesiredRecording['key']> {
    const box = await trx
      .selectFrom('boxes')
      .select(['siteId', 'sealKey'])
      .where('serial', '=', serial)
      .executeTakeFirst();
    if (!box?.siteId || !/^[\w-]{43}$/.test(box.sealKey)) return null;
    const { id, key } = await this.ofSite(trx, box.siteId);
    return { id, secret: seal(siteKeyText(key), box.sealKey, `recording:${id}`) };
  }

  /** The site's key; it is made when it is asked for first. */
  async ofSite(db: DbOrTrx, siteId: string): Promise<{ id: string; key: Buffer }> {
    const find = () => db.selectFrom('site_keys').selectAll().where('siteId', '=', siteId).executeTakeFirst();
    let row = await find();
    if (!row) {
      const id = uuidv7(this.#clock.now());
      const sealed = this.#vault.seal(purpose(siteId, id), siteKeyText(newSiteKey()));
      await db
        .insertInto('site_keys')
        .values({ id, siteId, sealed, createdMs: this.#clock.now() })
        .onConflict((c) => c.column('siteId').doNothing())
        .execute();
      row = await find();
    }
    if (!row) throw new Error('the key of a site could not be stored');
    return { id: row.id, key: this.#open(row) };
  }

  /** The key of a clip of this site; null when the site has no such key. */
  async byId(siteId: string, id: string): Promise<Buffer | null> {
    const held = this.#held.get(id);
    if (held) return held.siteId === siteId ? held.key : null;
    const row = await this.#db
      .selectFrom('site_keys')
      .selectAll()
      .where('id', '=', id)
      .where('siteId', '=', siteId)
      .executeTakeFirst();
    return row ? this.#open(row) : null;
  }

  #open({ id, siteId, sealed }: { id: string; siteId: string; sealed: string }): Buffer {
    const held = this.#held.get(id);
    if (held) return held.key;
    const key = siteKeyFromText(this.#vault.open(purpose(siteId, id), sealed));
    if (this.#held.size >= MAX_HELD) this.#held.clear();
    this.#held.set(id, { siteId, key });
    return key;
  }
}

const purpose = (siteId: string, id: string) => `site-key:${siteId}:${id}`;
