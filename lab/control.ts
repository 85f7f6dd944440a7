import type { Hono } from 'hono';
import { Hono as App } from 'hono';
import { z } from 'zod';
import type { ArcCentre } from './arc/centre.ts';
import { VIDEO_MODES } from './camera/rtsp-front.ts';
import { SOUNDS, VIDEO_CODECS } from './camera/video.ts';
import type { Device } from './devices/device.ts';
import type { DeviceKind } from './devices/profile.ts';
import { FAULT_MODES, type FaultProxy } from './faults/fault-proxy.ts';
import { LAB_EVENT_TYPES } from './isapi/event-words.ts';
import type { Emitted } from './isapi/events.ts';

const FAULT_TARGETS = ['arc-direct', 'arc-relay', 'box-relay'] as const;
export type FaultTarget = (typeof FAULT_TARGETS)[number];

const EventRequest = z.strictObject({
  type: z.enum(LAB_EVENT_TYPES),
  active: z.boolean().default(true),
  /** Video channel, door or input; zone and area of a panel; who. */
  channel: z.int().min(1).max(9999).optional(),
  zone: z.int().min(0).max(999).optional(),
  area: z.int().min(1).max(64).optional(),
  person: z.string().max(64).optional(),
});
const OddRequest = z.strictObject({
  /** `System/time#timeZone`: answered OK and not kept. */
  forget: z.array(z.string().regex(/^[^#]+#[^#]+$/)).optional(),
  /** Path to subStatusCode: its writes are refused. */
  refuse: z.record(z.string(), z.string()).optional(),
  /** Paths whose writes want a restart (statusCode 7). */
  reboot: z.array(z.string()).optional(),
  errorsWith200: z.boolean().optional(),
  sadpReply: z.enum(['multicast', 'unicast']).nullable().optional(),
});
const DelayRequest = z.strictObject({ ms: z.int().min(0).max(60_000) });
const AddressRequest = z.strictObject({
  address: z.ipv4().optional(),
  mask: z.ipv4().optional(),
  gateway: z.ipv4().optional(),
  dhcp: z.boolean().optional(),
});
const PowerRequest = z.strictObject({ on: z.boolean().optional(), seconds: z.number().min(0).max(600).optional() });
const VideoRequest = z.strictObject({ mode: z.enum(VIDEO_MODES) });
const CodingRequest = z.strictObject({
  codec: z.enum(VIDEO_CODECS).optional(),
  sound: z.enum(SOUNDS).optional(),
  keyFrameMs: z.int().min(40).max(60_000).optional(),
});
const FaultRequest = z.strictObject({ target: z.enum(FAULT_TARGETS), mode: z.enum(FAULT_MODES) });
const InjectRequest = z.strictObject({ base64: z.base64().max(4_000_000) });

export interface DeviceItem {
  name: string;
  kind: DeviceKind;
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
  devices: Device[];
  items: () => DeviceItem[];
  emitted: () => Emitted[];
  centre: ArcCentre;
  proxies: Map<FaultTarget, FaultProxy>;
}): Hono {
  const app = new App();
  const device = (name: string) => deps.devices.find((d) => d.name === name);
  const names = () => deps.devices.map((d) => d.name).join(', ');

  app.use(async (c, next) => {
    const host = new URL(c.req.url).hostname;
    if (host !== 'localhost' && !host.startsWith('127.'))
      return c.json({ error: `this API answers on loopback names only, not ${host}` }, 403);
    return next();
  });
  app.get('/', (c) => c.json({ devices: deps.items() }));
  app.get('/emitted', (c) => c.json({ items: deps.emitted() }));

  app.use('/devices/:name/*', async (c, next) => {
    if (!device(c.req.param('name')))
      return c.json({ error: `there is no device ${c.req.param('name')}: there are ${names()}` }, 404);
    return next();
  });
  app.get('/devices/:name', (c) => {
    const found = device(c.req.param('name'));
    if (!found) return c.json({ error: `there is no device ${c.req.param('name')}: there are ${names()}` }, 404);
    return c.json({ ...deps.items().find((d) => d.name === found.name), ...found.state() });
  });
  app.post('/devices/:name/events', async (c) => {
    const { type, active, ...where } = EventRequest.parse(await c.req.json());
    const { events } = device(c.req.param('name'))!;
    if (active) {
      const { id, emittedAt } = events.begin(type, where);
      return c.json({ id, emittedAt });
    }
    return c.json({ id: events.end(type, where), emittedAt: new Date().toISOString() });
  });
  app.post('/devices/:name/video', async (c) => {
    const { mode } = VideoRequest.parse(await c.req.json());
    const { rtsp } = device(c.req.param('name'))!;
    if (!rtsp) return c.json({ error: 'this lab runs without video' }, 409);
    await rtsp.setMode(mode);
    return c.json({ mode });
  });
  /** How its main stream is coded from now on. */
  app.post('/devices/:name/coding', async (c) => {
    const coding = CodingRequest.parse(await c.req.json());
    await device(c.req.param('name'))!.code(coding);
    return c.json(coding);
  });
  /** Sends bytes as they are on the open alertStreams: malformed parts. */
  app.post('/devices/:name/inject', async (c) => {
    const { base64 } = InjectRequest.parse(await c.req.json());
    const { streams } = device(c.req.param('name'))!;
    streams.inject(Buffer.from(base64, 'base64'));
    return c.json({ streams: streams.count });
  });
  /** Back to how it left the factory. */
  app.post('/devices/:name/reset', (c) => {
    device(c.req.param('name'))!.factory.reset();
    return c.json({ activated: false });
  });
  app.post('/devices/:name/unlock', (c) => {
    device(c.req.param('name'))!.logins.unlock();
    return c.json({ locked: false });
  });

  app.get('/devices/:name/documents', (c) => c.json(device(c.req.param('name'))!.documents.dump()));
  app.post('/devices/:name/odd', async (c) => {
    const { forget, refuse, reboot, ...odd } = OddRequest.parse(await c.req.json());
    const { documents, profile } = device(c.req.param('name'))!;
    for (const leaf of forget ?? []) documents.forgets.add(leaf.replace(/^\/?/, '/'));
    for (const [path, sub] of Object.entries(refuse ?? {})) documents.refuses.set(path.replace(/^\/?/, '/'), sub);
    for (const path of reboot ?? []) documents.reboots.add(path.replace(/^\/?/, '/'));
    profile.odd = { ...profile.odd, ...odd };
    return c.json({ forget: [...documents.forgets], refuse: Object.fromEntries(documents.refuses) });
  });
  /** Slow: before every answer over HTTP and SADP. */
  app.post('/devices/:name/delay', async (c) => {
    const { ms } = DelayRequest.parse(await c.req.json());
    device(c.req.param('name'))!.delayMs = ms;
    return c.json({ ms });
  });
  /** As another DHCP lease, or a second device with an address that is taken. */
  app.post('/devices/:name/address', async (c) => {
    const to = AddressRequest.parse(await c.req.json());
    device(c.req.param('name'))!.moveTo(to);
    return c.json(to);
  });
  /** Off, on, or off for some seconds. */
  app.post('/devices/:name/power', async (c) => {
    const { on = false, seconds } = PowerRequest.parse(await c.req.json());
    const found = device(c.req.param('name'))!;
    await found.power(on);
    if (seconds !== undefined) setTimeout(() => void found.power(true), seconds * 1000).unref();
    return c.json({ on });
  });
  app.post('/devices/:name/reboot', (c) => {
    device(c.req.param('name'))!.restart();
    return c.json({ rebooting: true });
  });
  /** What parts of the device let tests do to them. */
  app.post('/devices/:name/do/:what', async (c) => {
    const found = device(c.req.param('name'))!;
    const doIt = found.parts.map((part) => part.control?.[c.req.param('what')]).find(Boolean);
    if (!doIt) {
      const known = found.parts.flatMap((part) => Object.keys(part.control ?? {}));
      return c.json({ error: `it knows ${known.join(', ')}` }, 404);
    }
    const body = z.record(z.string(), z.unknown()).parse(await c.req.json());
    return c.json((await doIt(body)) as object);
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
