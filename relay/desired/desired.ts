import { type DesiredRecording, type DesiredSection, DesiredState } from '../../protocol/wire/desired.ts';
import type { Db, DbOrTrx } from '../db/database.ts';

type Items<S extends DesiredSection> = DesiredState['sections'][S]['items'];

const EMPTY: DesiredState = {
  version: 0,
  sections: {
    devices: { version: 0, items: [] },
    recording: { version: 0, items: [] },
    arc: { version: 0, items: [] },
    storage: { version: 0, items: [] },
  },
};

/**
 * The one document each box follows, owned by the relay: a version over all and one a section. The database is the
 * source; what goes out over MQTT is read from it.
 */
export class DesiredStates {
  readonly #db: Db;
  readonly #recordingKey: ((trx: DbOrTrx, serial: string) => Promise<DesiredRecording['key']>) | null;
  readonly #listeners = new Set<(serial: string) => void>();

  /** `recordingKey`: what a box encrypts its footage with; it is put to every recording, whoever wishes for it. */
  constructor(deps: { db: Db; recordingKey?: (trx: DbOrTrx, serial: string) => Promise<DesiredRecording['key']> }) {
    this.#db = deps.db;
    this.#recordingKey = deps.recordingKey ?? null;
  }

  async get(serial: string, db: DbOrTrx = this.#db): Promise<DesiredState> {
    const row = await db
      .selectFrom('desired_states')
      .select('document')
      .where('serial', '=', serial)
      .executeTakeFirst();
    return row ? DesiredState.parse(JSON.parse(row.document)) : structuredClone(EMPTY);
  }

  /**
   * Changes one section and returns the new overall version. Inside a caller's transaction the box is told nothing until
   * the caller has committed and calls {@link announce}; without one it is told at once.
   */
  async change<S extends DesiredSection>(
    serial: string,
    section: S,
    fn: (items: Items<S>) => Items<S>,
    trx?: DbOrTrx,
  ): Promise<number> {
    if (!trx) {
      const version = await this.#db.transaction().execute((own) => this.change(serial, section, fn, own));
      this.announce(serial);
      return version;
    }
    const state = await this.get(serial, trx);
    state.sections[section].items = fn(state.sections[section].items) as never;
    if (section === 'recording') await this.#addKey(trx, serial, state.sections.recording);
    state.sections[section].version++;
    state.version++;
    const document = JSON.stringify(DesiredState.parse(state));
    await trx
      .insertInto('desired_states')
      .values({ serial, version: state.version, document, reported: null })
      .onConflict((c) => c.column('serial').doUpdateSet({ version: state.version, document }))
      .execute();
    return state.version;
  }

  async #addKey(trx: DbOrTrx, serial: string, section: { items: DesiredRecording[] }): Promise<void> {
    if (!this.#recordingKey || section.items.length === 0) return;
    const key = await this.#recordingKey(trx, serial);
    // A new sealing of the same key would be a change without one.
    section.items = section.items.map((item) => (item.key?.id === key?.id ? item : { ...item, key }));
  }

  /** Gives recordings of an earlier version the key that their boxes are to encrypt with. */
  async addKeys(): Promise<void> {
    const rows = await this.#db
      .selectFrom('desired_states')
      .innerJoin('boxes', 'boxes.serial', 'desired_states.serial')
      .select('desired_states.serial')
      .where('boxes.siteId', 'is not', null)
      .where('document', 'like', '%"triggers":%')
      .where('document', 'not like', '%"key":{%')
      .execute();
    for (const { serial } of rows) {
      const key = this.#recordingKey && (await this.#recordingKey(this.#db, serial));
      if (key) await this.change(serial, 'recording', (items) => items);
    }
  }

  /** Sends the current document to the box, if it is connected. */
  announce(serial: string): void {
    for (const fn of this.#listeners) fn(serial);
  }

  onChange(fn: (serial: string) => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }
}
