import type { Vault } from '../auth/vault.ts';
import type { Db, DbOrTrx } from '../db/database.ts';

/** Passwords of devices that the relay reaches by their address; those behind a box are sealed to the box. */
export class DeviceSecrets {
  readonly #db: Db;
  readonly #vault: Vault;

  constructor({ db, vault }: { db: Db; vault: Vault }) {
    this.#db = db;
    this.#vault = vault;
  }

  async keep(trx: DbOrTrx, deviceId: string, password: string): Promise<void> {
    const sealed = this.#vault.seal(`device:${deviceId}`, password);
    await trx
      .insertInto('device_secrets')
      .values({ deviceId, password: sealed })
      .onConflict((o) => o.column('deviceId').doUpdateSet({ password: sealed }))
      .execute();
  }

  /** Null: there is none. */
  async read(deviceId: string): Promise<string | null> {
    const row = await this.#db
      .selectFrom('device_secrets')
      .select('password')
      .where('deviceId', '=', deviceId)
      .executeTakeFirst();
    return row ? this.#vault.open(`device:${deviceId}`, row.password) : null;
  }
}
