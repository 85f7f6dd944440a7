import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { ARC_LINKS_PATH, DeskLink } from '../../protocol/wire/arc-desk.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { RelayAuth } from '../uplink/relay-auth.ts';

/** Kept ready for each account: a burst of more goes without. */
const READY = 4;
/** One that ends sooner is not handed out: whoever gets the alarm is to have the time to look. */
const MIN_LEFT_MS = 48 * 3_600_000;
const RETRY_MS = 60_000;
const TIMEOUT_MS = 10_000;

export interface Picture {
  /** Under which it was asked for; the alarm's report binds it to the event. */
  id: string;
  url: string;
}

/**
 * Short addresses of what cameras saw, for `[V…]`. No alarm waits for one: they are asked of the relay beforehand, each
 * under an id of its own, and the report of the alarm that takes one tells the relay which event it is to show.
 */
export class Pictures {
  readonly #auth: Pick<RelayAuth, 'header' | 'relayUrl'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #ready = new Map<string, (Picture & { expiresMs: number })[]>();
  readonly #abort = new AbortController();
  #running: Promise<void> | null = null;
  #cancel: (() => void) | null = null;

  constructor(o: { auth: Pick<RelayAuth, 'header' | 'relayUrl'>; clock: Clock; log: Logger }) {
    this.#auth = o.auth;
    this.#clock = o.clock;
    this.#log = o.log;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#cancel?.();
    await this.#running;
  }

  /** Which accounts take addresses. */
  want(accountIds: string[]): void {
    for (const id of this.#ready.keys()) if (!accountIds.includes(id)) this.#ready.delete(id);
    for (const id of accountIds) if (!this.#ready.has(id)) this.#ready.set(id, []);
    this.#fill();
  }

  /** One that is there already; null: none is. */
  take(accountId: string): Picture | null {
    const ready = this.#ready.get(accountId);
    if (!ready) return null;
    const least = this.#clock.now() + MIN_LEFT_MS;
    let taken = ready.shift();
    while (taken && taken.expiresMs < least) taken = ready.shift();
    this.#fill();
    return taken ? { id: taken.id, url: taken.url } : null;
  }

  #fill(): void {
    if (this.#running || this.#abort.signal.aborted) return;
    this.#running = this.#run().finally(() => {
      this.#running = null;
    });
  }

  async #run(): Promise<void> {
    this.#cancel?.();
    // One after the other, and those first that have the least.
    for (;;) {
      const [next] = [...this.#ready].sort(([, a], [, b]) => a.length - b.length);
      if (!next || next[1].length >= READY || this.#abort.signal.aborted) return;
      try {
        next[1].push(await this.#ask(next[0]));
      } catch (error) {
        this.#log.debug({ err: error }, 'no address of a picture from the relay');
        this.#cancel = this.#clock.after(RETRY_MS, () => this.#fill());
        return;
      }
    }
  }

  async #ask(accountId: string): Promise<Picture & { expiresMs: number }> {
    const id = uuidv7(this.#clock.now());
    const { signal } = this.#abort;
    const response = await fetch(new URL(ARC_LINKS_PATH, this.#auth.relayUrl), {
      method: 'POST',
      headers: {
        authorization: await this.#auth.header(ARC_LINKS_PATH, signal),
        'content-type': 'application/json',
      },
      body: JSON.stringify({ accountId, eventId: id }),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (!response.ok) throw new Error(`the relay answered ${response.status}`);
    const { url, path, expiresAt } = DeskLink.parse(await response.json());
    return { id, url: url ?? new URL(path, this.#auth.relayUrl).href, expiresMs: Date.parse(expiresAt) };
  }
}
