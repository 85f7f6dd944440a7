import type { MiddlewareHandler } from 'hono';
import { ProblemError } from './problem.ts';

/** Refuses bodies that are too large, or that do not say how large they are; Node holds them to what they said. */
export function bodyLimit(maxBytes: number): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.header('transfer-encoding') || Number(c.req.header('content-length') ?? 0) > maxBytes) {
      throw new ProblemError('payload-too-large', `A request has at most ${maxBytes} bytes and says its length.`);
    }
    await next();
  };
}
