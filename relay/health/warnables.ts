import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { Warnable, WarnableCode } from '../../protocol/wire/warnable.ts';
import type { Db } from '../db/database.ts';

type Raise = Pick<Warnable, 'subject' | 'severity' | 'text'> & {
  code: WarnableCode;
  /** Shown for this long after the last time; without it until {@link SiteWarnables.clear}. */
  forMs?: number;
};

/** Problems of a site that the relay itself found. Raising again updates the text and keeps `since`. */
export class SiteWarnables {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #recent = new Map<string, { text: string; atMono: number }>();

  constructor({ db, clock, log }: { db: Db; clock: Clock; log: Logger }) {
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
  }

  async raise(siteId: string, { forMs, ...w }: Raise): Promise<void> {
    const key = `${siteId} ${w.code} ${w.subject}`;
    // Whoever causes a problem a hundred times a second must not make the relay write it as often.
    const last = this.#recent.get(key);
    if (last && last.text === w.text && this.#clock.mono() - last.atMono < 30_000) return;
    if (this.#recent.size > 10_000) this.#recent.clear();
    this.#recent.set(key, { text: w.text, atMono: this.#clock.mono() });
    this.#log.warn({ siteId, ...w }, 'problem');
    const untilMs = forMs === undefined ? null : this.#clock.now() + forMs;
    await this.#db.deleteFrom('warnables').where('untilMs', '<=', this.#clock.now()).execute();
    await this.#db
      .insertInto('warnables')
      .values({ siteId, ...w, since: iso(this.#clock.now()), untilMs })
      .onConflict((c) =>
        c.columns(['siteId', 'code', 'subject']).doUpdateSet({ severity: w.severity, text: w.text, untilMs }),
      )
      .execute();
  }

  async clear(siteId: string, code: WarnableCode, subject: string): Promise<void> {
    this.#recent.delete(`${siteId} ${code} ${subject}`);
    await this.#db
      .deleteFrom('warnables')
      .where('siteId', '=', siteId)
      .where('code', '=', code)
      .where('subject', '=', subject)
      .execute();
  }

  async list(siteIds: string[]): Promise<Map<string, Warnable[]>> {
    if (siteIds.length === 0) return new Map();
    const rows = await this.#db
      .selectFrom('warnables')
      .selectAll()
      .where('siteId', 'in', siteIds)
      .where((e) => e.or([e('untilMs', 'is', null), e('untilMs', '>', this.#clock.now())]))
      .execute();
    return Map.groupBy(
      rows.map(({ untilMs: _, ...row }) => row),
      (row) => row.siteId,
    );
  }
}
