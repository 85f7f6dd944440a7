import { createHash } from 'node:crypto';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { DbOrTrx } from '../db/database.ts';
import type { SiteWarnables } from '../health/warnables.ts';

const MAX_PAYLOAD_CHARS = 64 * 1024;

/**
 * What a box sent and the relay cannot use is kept here and acknowledged, so that one bad message never stops the rest.
 * A message that comes again is kept once; the newest `keep` of each box stay.
 */
export class Quarantine {
  readonly #clock: Clock;
  readonly #warnables: SiteWarnables;
  readonly #keep: number;

  constructor({ clock, warnables, keep = 1000 }: { clock: Clock; warnables: SiteWarnables; keep?: number }) {
    this.#clock = clock;
    this.#warnables = warnables;
    this.#keep = keep;
  }

  async put(db: DbOrTrx, serial: string, message: { topic: string; reason: string; payload: string }): Promise<void> {
    const hash = createHash('sha256').update(`${message.topic}\n${message.payload}`).digest('hex');
    await db
      .insertInto('quarantine')
      .values({
        serial,
        hash,
        topic: message.topic,
        reason: message.reason.slice(0, 512),
        payload: message.payload.slice(0, MAX_PAYLOAD_CHARS),
        receivedAt: iso(this.#clock.now()),
      })
      .onConflict((c) => c.columns(['serial', 'hash']).doNothing())
      .execute();
    const oldest = await db
      .selectFrom('quarantine')
      .select('rowId')
      .where('serial', '=', serial)
      .orderBy('rowId', 'desc')
      .offset(this.#keep)
      .limit(1)
      .executeTakeFirst();
    if (!oldest) return;
    await db.deleteFrom('quarantine').where('serial', '=', serial).where('rowId', '<=', oldest.rowId).execute();
  }

  /** Outside of any transaction. */
  async warn(siteId: string, serial: string, reason: string): Promise<void> {
    await this.#warnables.raise(siteId, {
      code: 'message-not-understood',
      subject: `box:${serial}`,
      severity: 'warning',
      text: `Box ${serial} sent something that the relay does not understand; it is kept for support (${reason.slice(0, 200)}). Update box and relay to versions that fit.`,
      forMs: 86_400_000,
    });
  }
}
