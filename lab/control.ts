import type { Hono } from 'hono';
import { Hono as App } from 'hono';
import { z } from 'zod';
import type { ArcCentre } from './arc/centre.ts';
import type { Camera } from './camera/camera.ts';
import { type Emitted, LAB_EVENT_TYPES } from './camera/events.ts';
import { VIDEO_MODES } from './camera/rtsp-front.ts';
import { FAULT_MODES, type FaultProxy } from './faults/fault-proxy.ts';

const FAULT_TARGETS = ['arc-direct', 'arc-relay', 'box-relay'] as const;
export type FaultTarget = (typeof FAULT_TARGETS)[number];

const EventRequest = z.strictObject({ type: z.enum(LAB_EVENT_TYPES), active: z.boolean().default(true) });
const VideoRequest = z.strictObject({ mode: z.enum(VIDEO_MODES) });
const FaultRequest = z.strictObject({ target: z.enum(FAULT_TARGETS), mode: z.enum(FAULT_MODES) });
const InjectRequest = z.strictObject({ base64: z.base64().max(4_000_000) });

export interface DeviceItem {
  name: string;
  kind: 'camera';
  address: string;
  httpPort: number;
  rtspPort: number;
  mac: string;
  serial: string;
  username: string;
  /** The one it had at the start; empty: not activated then. */
  password: string;
}

/**
 * The lab's control API: what tests and the demo do to the customer's LAN. Loopback only, and no name but a loopback
 * one is answered, so that no web page elsewhere can reach it through a visitor's browser.
 */
export function createControl(deps: {
  cameras: Camera[];
  devices: () => DeviceItem[];
  emitted: () => Emitted[];
  centre: ArcCentre;
  proxies: Map<FaultTarget, FaultProxy>;
}): Hono {
  const app = new App();
  const camera = (name: string) => deps.cameras.find((c) => c.profile.name === name);
  const names = () => deps.cameras.map((c) => c.profile.name).join(', ');

  app.use(async (c, next) => {
    const host = new URL(c.req.url).hostname;
    if (host !== 'localhost' && !host.startsWith('127.'))
      return c.json({ error: `this API answers on loopback names only, not ${host}` }, 403);
    return next();
  });
  app.get('/', (c) => c.json({ devices: deps.devices() }));
  app.get('/emitted', (c) => c.json({ items: deps.emitted() }));

  app.use('/devices/:name/*', async (c, next) => {
    if (!camera(c.req.param('name')))
      return c.json({ error: `there is no device ${c.req.param('name')}: there are ${names()}` }, 404);
    return next();
  });
  app.get('/devices/:name', (c) => {
    const found = camera(c.req.param('name'));
    if (!found) return c.json({ error: `there is no device ${c.req.param('name')}: there are ${names()}` }, 404);
    return c.json({ ...deps.devices().find((d) => d.name === found.profile.name), ...found.state() });
  });
  app.post('/devices/:name/events', async (c) => {
    const { type, active } = EventRequest.parse(await c.req.json());
    const { events } = camera(c.req.param('name'))!;
    if (active) {
      const { id, emittedAt } = events.begin(type);
      return c.json({ id, emittedAt });
    }
    return c.json({ id: events.end(type), emittedAt: new Date().toISOString() });
  });
  app.post('/devices/:name/video', async (c) => {
    const { mode } = VideoRequest.parse(await c.req.json());
    const { rtsp } = camera(c.req.param('name'))!;
    if (!rtsp) return c.json({ error: 'this lab runs without video' }, 409);
    await rtsp.setMode(mode);
    return c.json({ mode });
  });
  /** Sends bytes as they are on the open alertStreams: malformed parts. */
  app.post('/devices/:name/inject', async (c) => {
    const { base64 } = InjectRequest.parse(await c.req.json());
    const { streams } = camera(c.req.param('name'))!;
    streams.inject(Buffer.from(base64, 'base64'));
    return c.json({ streams: streams.count });
  });
  /** Back to how it left the factory. */
  app.post('/devices/:name/reset', (c) => {
    camera(c.req.param('name'))!.factory.reset();
    return c.json({ activated: false });
  });
  app.post('/devices/:name/unlock', (c) => {
    camera(c.req.param('name'))!.logins.unlock();
    return c.json({ locked: false });
  });

  app.get('/arc/alarms', (c) => c.json({ items: deps.centre.alarms }));
  app.get('/faults', (c) =>
    c.json({
      targets: Object.fromEntries([...deps.proxies].map(([target, proxy]) => [target, proxy.state()])),
      refusedMessages: { direct: deps.centre.receivers.direct.refused, relay: deps.centre.receivers.relay.refused },
    }),
  );
  app.post('/faults', async (c) => {
    const { target, mode } = FaultRequest.parse(await c.req.json());
    const proxy = deps.proxies.get(target);
    if (!proxy) return c.json({ error: 'this lab was started without --relay' }, 409);
    if (mode === 'swallowAck' && target === 'box-relay')
      return c.json({ error: 'swallowAck is for arc-direct and arc-relay' }, 400);
    await proxy.setMode(mode);
    return c.json({ target, mode });
  });

  app.notFound((c) => c.json({ error: `there is no ${c.req.method} ${c.req.path}` }, 404));
  app.onError((error, c) => {
    if (error instanceof z.ZodError)
      return c.json({ error: 'the request is not valid', fields: z.flattenError(error) }, 400);
    if (error instanceof SyntaxError) return c.json({ error: 'the body is not JSON' }, 400);
    return c.json({ error: error.message }, 500);
  });
  return app;
}
