import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Logger } from 'pino';
import type { z } from 'zod';
import type { DiscoveredDevice } from '../protocol/wire/box-api.ts';
import { ActivateRequest, ProbeRequest } from '../protocol/wire/box-api.ts';
import { PROBLEMS, type Problem, type ProblemCode, problem } from '../protocol/wire/problem.ts';
import type { Health } from '../protocol/wire/uplink.ts';
import type { Activator } from './devices/activator.ts';
import type { DeviceManager } from './devices/manager.ts';

/** An answer that says what is wrong, RFC 9457. */
export function problemResponse(code: ProblemCode, detail?: string, errors?: Problem['errors']): Response {
  return Response.json(problem(code, detail, errors), {
    status: PROBLEMS[code][0],
    headers: { 'content-type': 'application/problem+json' },
  });
}

function invalid(error: z.ZodError): Response {
  const errors = error.issues.map((i) => ({ path: i.path.join('.'), message: i.message }));
  return problemResponse('invalid-request', undefined, errors);
}

/** The box's own API, for the relay alone: it is reached through the tunnel and listens on no address. */
export function boxApi(o: {
  discovery: { list(): DiscoveredDevice[]; scan(): Promise<void> };
  devices: Pick<DeviceManager, 'probe' | 'snapshot'>;
  activator: Pick<Activator, 'activate'>;
  health: () => Health;
  log: Logger;
}): Hono {
  const app = new Hono();
  app.use(bodyLimit({ maxSize: 64 * 1024, onError: () => problemResponse('payload-too-large') }));
  app.notFound(() => problemResponse('not-found'));
  app.onError((error) => {
    o.log.error({ err: error }, 'a request of the relay failed');
    return problemResponse('internal-error');
  });

  app.get('/v1/health', (c) => c.json(o.health()));
  app.get('/v1/discovery', (c) => c.json({ items: o.discovery.list() }));
  app.post('/v1/discovery/scan', async (c) => {
    await o.discovery.scan();
    return c.json({ items: o.discovery.list() });
  });
  app.post('/v1/devices/probe', async (c) => {
    const request = ProbeRequest.safeParse(await c.req.json().catch(() => null));
    if (!request.success) return invalid(request.error);
    const probe = await o.devices.probe(request.data);
    return probe.ok ? c.json(probe.result) : problemResponse(probe.code, probe.detail);
  });
  app.post('/v1/devices/activate', async (c) => {
    const request = ActivateRequest.safeParse(await c.req.json().catch(() => null));
    if (!request.success) return invalid(request.error);
    const activated = await o.activator.activate(request.data);
    return activated.ok ? c.json(activated.result) : problemResponse(activated.code, activated.detail);
  });
  app.get('/v1/devices/:id/snapshot', async (c) => {
    const channel = Number(c.req.query('channel') ?? '1');
    if (!Number.isInteger(channel) || channel < 1)
      return problemResponse('invalid-request', 'channel is a number from 1');
    const shot = await o.devices.snapshot(c.req.param('id'), channel);
    if (!shot.ok) return problemResponse(shot.code, shot.detail);
    return c.body(new Uint8Array(shot.jpeg), 200, { 'content-type': 'image/jpeg', 'cache-control': 'no-store' });
  });
  return app;
}
