import type { DbOrTrx } from '../db/database.ts';

/** A clip begins before what it was recorded for, and a box's clock is not quite the relay's. */
const TOLERANCE_MS = 5 * 60_000;

/** How long footage of a channel is kept. */
export class CloudPlans {
  readonly #basicDays: number;

  /** `basicDays`: for channels without cloud storage. */
  constructor({ basicDays }: { basicDays: number }) {
    this.#basicDays = basicDays;
  }

  /**
   * Days that footage of a channel is kept: as its package says, from the (n+1)th day on it is overwritten (CLOUD-19,
   * CLOUD-20). What a box sends after the end of a service counts when it was recorded while it lasted; a service of
   * another site never does, whatever device a box names.
   */
  async retentionDays(
    db: DbOrTrx,
    deviceId: string,
    channel: number,
    { siteId, startedMs }: { siteId: string; startedMs: number },
  ): Promise<number> {
    const lastedUntil = startedMs - TOLERANCE_MS;
    const service = await db
      .selectFrom('cloud_services as s')
      .select('s.retentionDays')
      .where('s.deviceId', '=', deviceId)
      .where('s.channel', '=', channel)
      .where('s.siteId', '=', siteId)
      .where('s.activatedMs', '<=', startedMs + TOLERANCE_MS)
      .where('s.untilMs', '>', lastedUntil)
      .where((e) => e.or([e('s.endedMs', 'is', null), e('s.endedMs', '>', lastedUntil)]))
      .orderBy('s.untilMs', 'desc')
      .limit(1)
      .executeTakeFirst();
    return service?.retentionDays ?? this.#basicDays;
  }
}
