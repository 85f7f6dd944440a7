import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { DiscoveryMessage, type SiteDiscoveryMessage } from '../../protocol/wire/box-api.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import type { BoxClient } from './box-client.ts';
import { readBoxEvents } from './box-feed.ts';

const TIMEOUT_MS = 15_000;
/** How soon a box that was away is listened to again. */
const AGAIN_MS = 2_000;

/** What the boxes of a site see on their LANs, as it changes. */
export class SiteDiscovery {
  readonly #db: Db;
  readonly #box: BoxClient;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(deps: { db: Db; box: BoxClient; clock: Clock; log: Logger }) {
    this.#db = deps.db;
    this.#box = deps.box;
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  /** The boxes that a person may ask; throws where that is not allowed. */
  async boxes(scope: Scope, siteId: string): Promise<string[]> {
    const site = await scope.site(siteId, 'manage', 'manage-devices');
    const rows = await this.#db
      .selectFrom('boxes')
      .select('serial')
      .where('siteId', '=', site.id)
      .where('state', '=', 'claimed')
      .orderBy('serial')
      .execute();
    return rows.map((row) => row.serial);
  }

  /** Rejects once the right has ended, and when the site has other boxes than those: the page then begins anew. */
  async check(scope: Scope, siteId: string, boxes: readonly string[]): Promise<void> {
    const now = await this.boxes(scope, siteId);
    if (now.join() !== boxes.join()) throw new ProblemError('conflict', 'The site has other boxes now.');
  }

  /** Listens to all of them until the returned function is called. A box that is away, or goes, never ends the others. */
  follow(boxes: readonly string[], push: (message: SiteDiscoveryMessage) => void): () => void {
    const abort = new AbortController();
    for (const boxSerial of boxes)
      this.#listen(boxSerial, push, abort.signal).catch((error) => {
        if (!abort.signal.aborted)
          this.#log.warn({ err: error, boxSerial }, 'a box’s discovery is not followed any more');
      });
    return () => abort.abort();
  }

  async #listen(boxSerial: string, push: (message: SiteDiscoveryMessage) => void, signal: AbortSignal): Promise<void> {
    let away = false;
    while (!signal.aborted) {
      try {
        const options = { timeoutMs: TIMEOUT_MS, signal };
        const events = await this.#box.open(boxSerial, '/v1/discovery/events', 'text/event-stream', options);
        const leave = () => events.destroy();
        signal.addEventListener('abort', leave);
        await readBoxEvents(events, DiscoveryMessage, (message) => {
          if (signal.aborted) return;
          away = false;
          if (message.event === 'list') push({ event: 'list', data: { ...message.data, boxSerial } });
          else push({ event: 'changes', data: { ...message.data, boxSerial } });
        }).finally(() => signal.removeEventListener('abort', leave));
        events.destroy();
      } catch (error) {
        this.#log.debug({ err: error, boxSerial }, 'a box’s discovery broke off');
      }
      if (signal.aborted) return;
      if (!away) push({ event: 'away', data: { boxSerial } });
      away = true;
      await this.#clock.sleep(AGAIN_MS, signal).catch(() => {});
    }
  }
}
