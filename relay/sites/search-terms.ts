import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { shortSerial } from '../../protocol/wire/serial.ts';
import type { Db, DbOrTrx } from '../db/database.ts';

/** For what changes other than by a request to the API: boxes, the end of something. */
const EVERY_MS = 30_000;
const BATCH = 500;
const MAX_WORDS = 48;
const MAX_TERM = 32;
/** Before the characters of a serial from its end, so that its last characters are the beginning of a term. */
const FROM_END = '~';

/** The words of a text as they are searched: lower case, without accents. */
export function words(...texts: (string | null)[]): string[] {
  const all = texts.flatMap((text) =>
    (text ?? '')
      .normalize('NFKD')
      .replaceAll(/\p{M}/gu, '')
      .toLowerCase()
      .split(/[^\p{L}\p{N}]+/u)
      .filter(Boolean)
      .map((word) => word.slice(0, MAX_TERM)),
  );
  return [...new Set(all)].slice(0, MAX_WORDS);
}

/** A serial is found by how it, or a part of it, begins and by how it ends; a long one by its 9 characters too. */
export function serialTerms(serial: string | null): string[] {
  const whole = (serial ?? '').toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
  if (!whole) return [];
  const short = shortSerial(whole).toLowerCase();
  const forwards = [whole, short].map((text) => text.slice(0, MAX_TERM));
  return [...new Set([...forwards, backwards(whole), backwards(short), ...words(serial)])];
}

const backwards = (text: string) => (FROM_END + [...text].reverse().join('')).slice(0, MAX_TERM);

/** Ranges of terms, any of which a searched word may fall in: `[from, to)`. */
export function termRanges(word: string): { from: string; to: string }[] {
  // Only what has a digit may be the end of a serial.
  const starts = /\p{N}/u.test(word) ? [word, backwards(word)] : [word];
  return starts.map((from) => ({ from, to: `${from}\u{10ffff}` }));
}

/**
 * Keeps the words that sites and devices are found by. Triggers of the database note what changed, so that nothing that
 * changes a site, a device or a box has to think of it; the words follow at once after requests, else within half a minute.
 */
export class SearchTerms {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  #cancel: (() => void) | null = null;
  #running: Promise<void> | null = null;
  #again = false;
  #stopped = false;

  constructor({ db, clock, log }: { db: Db; clock: Clock; log: Logger }) {
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
  }

  start(): void {
    this.#cancel = this.#clock.every(EVERY_MS, () => this.soon());
    this.soon();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#running;
  }

  /** Writes the words of what changed, until nothing is left. */
  async catchUp(): Promise<void> {
    while (!this.#stopped) {
      const changes = await this.#db.selectFrom('search_changes').selectAll().limit(BATCH).execute();
      if (changes.length === 0) return;
      await this.#db.transaction().execute((trx) => this.#write(trx, changes));
      // Whoever waits for the database gets their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Something may have changed. */
  soon(): void {
    this.#again = this.#running !== null;
    this.#running ??= this.catchUp()
      .catch((error) => this.#log.error({ err: error }, 'words for the search could not be written'))
      .finally(() => {
        this.#running = null;
        if (this.#again && !this.#stopped) this.soon();
      });
  }

  async #write(trx: DbOrTrx, changes: { siteId: string; deviceId: string }[]): Promise<void> {
    const siteIds = [...new Set(changes.map((change) => change.siteId))];
    const deviceIds = changes.map((change) => change.deviceId).filter(Boolean);
    const sites = await trx
      .selectFrom('sites as s')
      .leftJoin('companies as o', 'o.id', 's.ownerId')
      .select([
        's.id',
        's.companyId',
        's.name',
        's.sortName',
        's.address',
        's.city',
        's.region',
        's.remark',
        's.deletedAt',
      ])
      .select('o.name as ownerName')
      .where('s.id', 'in', siteIds)
      .execute();
    const byId = new Map(sites.map((site) => [site.id, site]));
    const boxes = await trx.selectFrom('boxes').select(['siteId', 'serial']).where('siteId', 'in', siteIds).execute();
    const devices =
      deviceIds.length === 0
        ? []
        : await trx
            .selectFrom('devices')
            .select(['id', 'siteId', 'name', 'model', 'serial'])
            .where('id', 'in', deviceIds)
            .where('deletedAt', 'is', null)
            .execute();
    const rows: {
      companyId: string;
      term: string;
      sortName: string;
      siteId: string;
      deviceId: string;
      private: number;
    }[] = [];
    for (const [siteId, list] of Map.groupBy(changes, (change) => change.siteId)) {
      const ids = list.map((change) => change.deviceId);
      for (const table of ['search_terms', 'search_changes'] as const)
        await trx.deleteFrom(table).where('siteId', '=', siteId).where('deviceId', 'in', ids).execute();
    }
    for (const { siteId, deviceId } of changes) {
      const site = byId.get(siteId);
      if (!site || site.deletedAt !== null) continue;
      const add = (terms: string[], hidden: 0 | 1) => {
        for (const term of terms)
          rows.push({ companyId: site.companyId, term, sortName: site.sortName, siteId, deviceId, private: hidden });
      };
      if (deviceId !== '') {
        const device = devices.find((row) => row.id === deviceId && row.siteId === siteId);
        if (device) add([...new Set([...words(device.name, device.model), ...serialTerms(device.serial)])], 0);
        continue;
      }
      const open = words(site.name, site.address, site.city, site.region);
      const noted = [
        ...words(site.remark, site.ownerName),
        ...boxes.flatMap((box) => (box.siteId === siteId ? serialTerms(box.serial) : [])),
      ];
      add(open, 0);
      add(
        [...new Set(noted)].filter((word) => !open.includes(word)),
        1,
      );
    }
    for (let i = 0; i < rows.length; i += 500)
      await trx
        .insertInto('search_terms')
        .values(rows.slice(i, i + 500))
        .execute();
  }
}
