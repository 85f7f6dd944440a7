import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Leases } from '../auth/leases.ts';
import type { Scope } from '../auth/scope.ts';
import type { Sessions } from '../auth/sessions.ts';
import type { ApiEnv } from './app.ts';
import { ProblemError } from './problem.ts';

const HEARTBEAT_MS = 15_000;
/** A page that does not keep up is disconnected; it reconnects by itself and reloads its lists. */
const MAX_QUEUED = 256;
const MAX_STREAMS_PER_USER = 32;

interface Message {
  event: string;
  data: unknown;
}
interface Source<M extends Message> {
  /** Sent at once and after every reconnect. */
  hello: M;
  /** `end` closes the stream, as when its source is gone: the page comes again. */
  subscribe: (push: (message: M) => void, end: () => void) => () => void;
  /** Rejects when the stream's right has ended, by the scope as it is now. */
  check: (scope: Scope) => Promise<unknown>;
  log: Logger;
}

/** Server-sent events of one kind of stream: so many a person, with a heartbeat, ended with the session and the right. */
export class EventStreams {
  readonly #sessions: Sessions;
  readonly #leases: Leases;
  readonly #clock: Clock;
  readonly #open = new Map<string, number>();

  constructor({ sessions, leases, clock }: { sessions: Sessions; leases: Leases; clock: Clock }) {
    this.#sessions = sessions;
    this.#leases = leases;
    this.#clock = clock;
  }

  answer<M extends Message>(c: Context<ApiEnv>, { hello, subscribe, check, log }: Source<M>): Response {
    const { id: sessionId, expiresMs, userId } = c.get('principal');
    const count = this.#open.get(userId) ?? 0;
    if (count >= MAX_STREAMS_PER_USER) throw new ProblemError('too-many-tries', 'Close other pages first.');
    this.#open.set(userId, count + 1);
    c.header('cache-control', 'no-store');
    c.header('x-accel-buffering', 'no');
    return streamSSE(c, async (stream) => {
      const queue: (M | null)[] = [hello];
      let ended = false;
      let wake = () => {};
      const end = () => {
        ended = true;
        wake();
        // A reader that does not read would hold up the loop below for ever.
        c.env.outgoing.destroy();
      };
      const push = (message: M | null) => {
        if (queue.length >= MAX_QUEUED) {
          log.info({ userId }, 'live stream too slow: closed');
          return end();
        }
        queue.push(message);
        wake();
      };
      const owned = [
        subscribe(push, end),
        this.#sessions.onEnd((id) => id === sessionId && end()),
        this.#clock.after(Math.max(0, expiresMs - this.#clock.now()), end),
        this.#clock.every(HEARTBEAT_MS, () => push(null)),
        // What ends a session, a key, an account or a role ends the stream: asked anew, not remembered.
        this.#leases.hold(async () => {
          const now = await c.get('scopeNow')();
          c.set('scope', now);
          await check(now);
        }, end),
      ];
      stream.onAbort(end);
      try {
        while (!ended && !stream.aborted) {
          const message = queue.shift();
          if (message === undefined) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          } else if (message === null) await stream.write(':\n\n');
          else await stream.writeSSE({ event: message.event, data: JSON.stringify(message.data) });
        }
      } finally {
        for (const release of owned) release();
        const left = (this.#open.get(userId) ?? 1) - 1;
        if (left > 0) this.#open.set(userId, left);
        else this.#open.delete(userId);
      }
    });
  }
}
