import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Logger } from 'pino';
import type { Clock } from '../protocol/clock.ts';
import { ActivateRequest, type PanelsReach, ProbeRequest } from '../protocol/wire/box-api.ts';
import { BoxRecorder } from '../protocol/wire/initialise.ts';
import type { Health } from '../protocol/wire/uplink.ts';
import { arcRoutes } from './arc/routes.ts';
import type { ArcService } from './arc/service.ts';
import { uplinkTestRoutes } from './bandwidth/routes.ts';
import type { UplinkTest } from './bandwidth/uplink-test.ts';
import type { Recorder } from './clips/recorder.ts';
import { clipRoutes } from './clips/routes.ts';
import type { Activator } from './devices/activator.ts';
import type { DeviceManager } from './devices/manager.ts';
import { deviceRoutes } from './devices/routes.ts';
import { discoveryRoutes, type SeenDevices } from './discovery/routes.ts';
import type { RecorderWork } from './initialise/recorder.ts';
import type { Jobs } from './jobs/jobs.ts';
import { jobRoutes } from './jobs/routes.ts';
import type { LanWork } from './lan/lan-work.ts';
import { lanRoutes } from './lan/routes.ts';
import type { LiveViews } from './live/live.ts';
import type { PanelIn } from './panel-in/panel-in.ts';
import type { Playback } from './playback/playback.ts';
import { playbackRoutes } from './playback/routes.ts';
import { invalidRequest, problemResponse } from './problem-response.ts';
import type { CertificatePins } from './remote-config/pins.ts';
import type { Talks } from './talk/talks.ts';

/** The box's own API, for the relay alone: it is reached through the tunnel and listens on no address. */
export function boxApi(o: {
  discovery: SeenDevices;
  devices: Pick<DeviceManager, 'probe' | 'operate' | 'act' | 'changePassword'>;
  /** Alarm panels that send to the box. */
  panels: Pick<PanelIn, 'port' | 'areas'>;
  /** The box's own addresses on its LANs. */
  addresses: () => string[];
  activator: Pick<Activator, 'activate'>;
  jobs: Jobs;
  recorders: Pick<RecorderWork, 'ask'>;
  lan: LanWork;
  live: Pick<LiveViews, 'routes'>;
  playback: Playback;
  talks: Pick<Talks, 'routes'>;
  arc: Pick<ArcService, 'say'>;
  certificates: Pick<CertificatePins, 'forget'>;
  clips: Pick<Recorder, 'send'>;
  uplinkTest: Pick<UplinkTest, 'run'>;
  clock: Clock;
  health: () => Health;
  log: Logger;
}): Hono {
  const app = new Hono();
  const limited = (maxSize: number) => bodyLimit({ maxSize, onError: () => problemResponse('payload-too-large') });
  const [small, large] = [limited(64 * 1024), limited(512 * 1024)];
  app.use((c, next) => {
    // Sound comes for as long as somebody speaks; how long that may be is its own limit.
    if (c.req.path === '/v1/talk') return next();
    return ['/v1/jobs', '/v1/live/webrtc'].includes(c.req.path) ? large(c, next) : small(c, next);
  });
  app.notFound(() => problemResponse('not-found'));
  app.onError((error) => {
    o.log.error({ err: error }, 'a request of the relay failed');
    return problemResponse('internal-error');
  });

  app.get('/v1/health', (c) => c.json(o.health()));
  app.route('/v1/discovery', discoveryRoutes(o));
  app.post('/v1/devices/probe', async (c) => {
    const request = ProbeRequest.safeParse(await c.req.json().catch(() => null));
    if (!request.success) return invalidRequest(request.error);
    const probe = await o.devices.probe(request.data);
    return probe.ok ? c.json(probe.result) : problemResponse(probe.code, probe.detail);
  });
  app.post('/v1/devices/activate', async (c) => {
    const request = ActivateRequest.safeParse(await c.req.json().catch(() => null));
    if (!request.success) return invalidRequest(request.error);
    const activated = await o.activator.activate(request.data);
    return activated.ok ? c.json(activated.result) : problemResponse(activated.code, activated.detail);
  });
  app.post('/v1/devices/:id/certificate/forget', (c) => {
    o.certificates.forget(c.req.param('id'));
    return c.json({});
  });
  app.get('/v1/devices/:id/lists/areas', (c, next) => {
    const items = o.panels.areas(c.req.param('id'));
    return items ? Promise.resolve(c.json({ items })) : next();
  });
  app.route('/v1/devices', deviceRoutes(o.devices));
  app.route('/v1/jobs', jobRoutes(o));
  app.post('/v1/lan/recorder', async (c) => {
    const request = BoxRecorder.safeParse(await c.req.json().catch(() => null));
    if (!request.success) return invalidRequest(request.error);
    const answer = await o.recorders.ask(request.data, c.req.raw.signal);
    return answer.ok ? c.json(answer.view) : problemResponse(answer.code, answer.detail);
  });
  app.route('/v1/lan', lanRoutes(o.lan));
  app.route('/v1/arc', arcRoutes(o));
  app.route('/v1/clips', clipRoutes(o.clips));
  app.route('/v1/live', o.live.routes());
  app.route('/v1/playback', playbackRoutes(o.playback));
  app.route('/v1/talk', o.talks.routes());
  app.route('/v1/uplink-test', uplinkTestRoutes(o.uplinkTest));
  app.get('/v1/panel-in', (c) => {
    const reach: PanelsReach = { port: o.panels.port(), addresses: o.addresses() };
    return c.json(reach);
  });
  return app;
}
