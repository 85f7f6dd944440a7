import type { Clock } from '../../../protocol/clock.ts';
import type { DialGuard } from '../../arc/dial-guard.ts';
import { post, postTarget } from '../../arc/post.ts';
import type { Outgoing } from '../message.ts';
import type { DriverState, Outcome, OutputDriver } from './driver.ts';
import { signatureHeaders } from './webhook-signature.ts';

const TIMEOUT_MS = 15_000;
/** What `Retry-After` may ask for. */
const MAX_AFTER_S = 3_600;
/** It says of this one message that it is wrong; anything else is about the address as a whole. */
const REFUSALS = new Set([400, 413, 415, 422]);

/**
 * Signed POSTs (Standard Webhooks). Taken is what is answered with 2xx within 15 s; redirects are not followed, because a
 * webhook that moved must be entered anew by a person.
 */
export class WebhookDriver implements OutputDriver {
  readonly lanes = 8;
  readonly #url: string;
  readonly #secret: Buffer;
  readonly #guard: DialGuard;
  readonly #clock: Clock;
  readonly #timeoutMs: number;

  constructor(o: { url: string; secret: Buffer; guard: DialGuard; clock: Clock; timeoutMs?: number }) {
    this.#url = o.url;
    this.#secret = o.secret;
    this.#guard = o.guard;
    this.#clock = o.clock;
    this.#timeoutMs = o.timeoutMs ?? TIMEOUT_MS;
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  usable(): boolean {
    return true;
  }

  state(): DriverState {
    return { state: 'ready', reason: null, listeningPort: null, unmapped: [] };
  }

  async deliver({ message }: Outgoing, signal: AbortSignal): Promise<Outcome> {
    const target = await postTarget(this.#guard, this.#url);
    if ('refused' in target) return { is: 'down', reason: target.refused };
    const body = Buffer.from(
      JSON.stringify({ type: `alarm.${message.source}`, timestamp: message.receivedAt, data: message }),
    );
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Gatepost',
      ...signatureHeaders(this.#secret, message.id, this.#clock.now(), body),
    };
    const within = new AbortController();
    const cancel = this.#clock.after(this.#timeoutMs, () => within.abort(new Error('timeout')));
    try {
      const answer = await post(this.#url, target.address, headers, body, AbortSignal.any([signal, within.signal]));
      return outcomeOf(answer.status, Number(answer.headers['retry-after']));
    } catch (error) {
      const text = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
      return { is: 'down', reason: within.signal.aborted ? `no answer in ${this.#timeoutMs / 1000} s` : text };
    } finally {
      cancel();
    }
  }
}

function outcomeOf(status: number, afterS: number): Outcome {
  if (status >= 200 && status < 300) return { is: 'acknowledged' };
  if (REFUSALS.has(status)) return { is: 'refused', reason: `answered ${status}` };
  const moved = status >= 300 && status < 400 ? ' (redirects are not followed)' : '';
  const afterMs = afterS > 0 ? Math.min(afterS, MAX_AFTER_S) * 1000 : undefined;
  return { is: 'down', reason: `answered ${status}${moved}`, ...(afterMs ? { afterMs } : {}) };
}
