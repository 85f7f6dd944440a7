import type { MiddlewareHandler } from 'hono';
import type { Clock } from '../../protocol/clock.ts';
import type { ApiEnv } from './app.ts';
import { ProblemError } from './problem.ts';
import { networkOf, type RemoteAddress } from './remote.ts';

/** So many requests a second on average, and so many at once. */
export interface Rate {
  perSecond: number;
  burst: number;
}
export interface RateLimits {
  /** For each company, all its people, pages and programs together. */
  company: Rate;
  /** For each address, of requests of nobody. */
  address: Rate;
}
export const RATE_LIMITS: RateLimits = {
  company: { perSecond: 300, burst: 3_000 },
  address: { perSecond: 50, burst: 1_000 },
};
/** Buckets kept; the one that was used longest ago goes first, and by then is full again. */
const MAX_BUCKETS = 20_000;

interface Bucket {
  tokens: number;
  at: number;
}

/** A token bucket for each key. */
export class Buckets {
  readonly #clock: Clock;
  readonly #rate: Rate;
  readonly #max: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor({ clock, rate, max = MAX_BUCKETS }: { clock: Clock; rate: Rate; max?: number }) {
    this.#clock = clock;
    this.#rate = rate;
    this.#max = max;
  }

  /** Takes one token. `remaining` are those left, `resetS` when it is full again; `waitS` > 0: there was none. */
  take(key: string): { remaining: number; resetS: number; waitS: number } {
    const { perSecond, burst } = this.#rate;
    const at = this.#clock.mono();
    const old = this.#buckets.get(key) ?? { tokens: burst, at };
    const tokens = Math.min(burst, old.tokens + ((at - old.at) / 1000) * perSecond);
    const left = tokens >= 1 ? tokens - 1 : tokens;
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: left, at });
    if (this.#buckets.size > this.#max) this.#buckets.delete(this.#buckets.keys().next().value as string);
    const resetS = Math.ceil((burst - left) / perSecond);
    return { remaining: Math.floor(left), resetS, waitS: tokens >= 1 ? 0 : Math.ceil((1 - tokens) / perSecond) };
  }

  get size(): number {
    return this.#buckets.size;
  }
}

/**
 * Holds a company to its rate, and an address as long as nobody is signed in. Runs after authentication: `authenticated`
 * tells whether there is a principal. What is left stands in `RateLimit-*` of every answer.
 */
export function rateLimit(deps: {
  clock: Clock;
  limits: RateLimits;
  remote: RemoteAddress;
}): MiddlewareHandler<ApiEnv> {
  const { clock, limits, remote } = deps;
  const companies = new Buckets({ clock, rate: limits.company });
  const addresses = new Buckets({ clock, rate: limits.address });
  return async (c, next) => {
    const companyId = c.get('principal')?.companyId;
    const { burst, perSecond } = companyId ? limits.company : limits.address;
    const { remaining, resetS, waitS } = companyId
      ? companies.take(companyId)
      : addresses.take(networkOf(remote(c.env.incoming)));
    const headers: Record<string, string> = {
      'ratelimit-policy': `${burst};w=${Math.ceil(burst / perSecond)}`,
      'ratelimit-limit': String(burst),
      'ratelimit-remaining': String(remaining),
      'ratelimit-reset': String(resetS),
    };
    if (waitS > 0) {
      throw new ProblemError(
        'too-many-requests',
        `${companyId ? 'Your company' : 'Your address'} may ask ${perSecond} times a second: wait ${waitS} s.`,
        { headers: { ...headers, 'retry-after': String(waitS) } },
      );
    }
    await next();
    for (const [name, value] of Object.entries(headers)) c.res.headers.set(name, value);
  };
}
