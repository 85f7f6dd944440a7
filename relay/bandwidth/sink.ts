import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { ProblemError, problemResponse } from '../api/problem.ts';
import type { BandwidthTests } from './bandwidth.ts';

/** Nothing came for so long: the line is dead. */
const IDLE_MS = 10_000;

/** Where boxes send the bytes of a test, which are counted and thrown away; mounted at /box/v1/uplink-tests. */
export function testSink(tests: Pick<BandwidthTests, 'sink'>): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.put('/:testId/:token', async (c) => {
    const { testId, token } = c.req.param();
    const sink = tests.sink(testId, token);
    if (!sink) throw new ProblemError('link-invalid', 'There is no such test, or it is over.');
    const { incoming } = c.env;
    incoming.setTimeout(IDLE_MS, () => incoming.destroy());
    let bytes = 0;
    try {
      for await (const chunk of incoming) {
        bytes += (chunk as Buffer).length;
        if (!sink.add((chunk as Buffer).length)) break;
      }
    } catch {
      // The box ends its test by closing the connection: nobody reads an answer then.
    }
    return c.json({ bytes }, 200, { connection: 'close' });
  });
  app.onError((error) => {
    if (error instanceof ProblemError) return problemResponse(error.code, error.detail, error);
    throw error;
  });
  return app;
}
