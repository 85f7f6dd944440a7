import type { Db } from '../db/database.ts';

export interface PortRange {
  from: number;
  to: number;
}

/** Ports of a range, one for each thing that needs one, the same at each start. */
export class Ports {
  readonly #db: Db;
  readonly #range: PortRange | null;

  constructor({ db, range }: { db: Db; range: PortRange | null }) {
    this.#db = db;
    this.#range = range;
  }

  /** Its port: the one that it has, else the lowest that is free; null: none is left. */
  async claim(id: string): Promise<number | null> {
    const range = this.#range;
    if (!range) return null;
    return this.#db.transaction().execute(async (trx) => {
      const rows = await trx
        .selectFrom('receiver_ports')
        .selectAll()
        .where('port', '>=', range.from)
        .where('port', '<=', range.to)
        .execute();
      const own = rows.find((row) => row.receiverId === id);
      if (own) return own.port;
      const taken = new Set(rows.map((row) => row.port));
      let port = range.from;
      while (taken.has(port)) port++;
      if (port > range.to) return null;
      // It may have had one of another range.
      await trx.deleteFrom('receiver_ports').where('receiverId', '=', id).execute();
      await trx.insertInto('receiver_ports').values({ port, receiverId: id }).execute();
      return port;
    });
  }

  async release(id: string): Promise<void> {
    await this.#db.deleteFrom('receiver_ports').where('receiverId', '=', id).execute();
  }
}
