import type { DbOrTrx } from '../db/database.ts';

/** How long footage of a channel is kept. */
export class CloudPlans {
  readonly #basicDays: number;

  /** `basicDays`: for channels without cloud storage. */
  constructor({ basicDays }: { basicDays: number }) {
    this.#basicDays = basicDays;
  }

  /**
   * Days that footage of a channel is kept: as its package says, from the (n+1)th day on it is overwritten (CLOUD-19,
   * CLOUD-20). What a box sends after the end of a service was recorded while it lasted, so the last one counts.
   */
  async retentionDays(db: DbOrTrx, deviceId: string, channel: number): Promise<number> {
    const service = await db
      .selectFrom('cloud_services as s')
      .innerJoin('cloud_channels as c', (join) =>
        join.onRef('c.deviceId', '=', 's.deviceId').onRef('c.channel', '=', 's.channel'),
      )
      .select('s.retentionDays')
      .where('s.deviceId', '=', deviceId)
      .where('s.channel', '=', channel)
      .orderBy('s.untilMs', 'desc')
      .limit(1)
      .executeTakeFirst();
    return service?.retentionDays ?? this.#basicDays;
  }
}
