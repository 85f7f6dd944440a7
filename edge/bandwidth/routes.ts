import { Hono } from 'hono';
import { UplinkTestRequest } from '../../protocol/wire/bandwidth.ts';
import { invalidRequest, problemResponse } from '../problem-response.ts';
import type { UplinkTest } from './uplink-test.ts';

/** The part of the box's API that tests its uplink, under `/v1/uplink-test`. */
export function uplinkTestRoutes(test: Pick<UplinkTest, 'run'>): Hono {
  const app = new Hono();
  app.post('/', async (c) => {
    const request = UplinkTestRequest.safeParse(await c.req.json().catch(() => null));
    if (!request.success) return invalidRequest(request.error);
    const done = await test.run(request.data, c.req.raw.signal);
    return done ? c.json(done) : problemResponse('conflict', 'This box is testing its uplink already.');
  });
  return app;
}
