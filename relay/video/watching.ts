import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { type IceServer, LiveOptions, type MediaQuery, type StreamName } from '../../protocol/wire/video.ts';
import type { Api, ApiEnv } from '../api/app.ts';
import { ProblemError } from '../api/problem.ts';
import type { Leases } from '../auth/leases.ts';
import type { Scope } from '../auth/scope.ts';
import type { Principal, Sessions } from '../auth/sessions.ts';
import type { Db } from '../db/database.ts';
import type { DeviceRow } from '../db/schema.ts';
import type { BoxClient } from '../devices/box-client.ts';
import type { TunnelHub } from '../tunnel/hub.ts';
import type { Metrics } from '../web/metrics.ts';
import { DirectViews } from './direct-views.ts';
import { FanOut } from './fan-out.ts';
import { type IceOptions, IceServers } from './ice-servers.ts';
import { registerLiveViewRoutes } from './live-routes.ts';
import { mediaSocket } from './media-socket.ts';
import { openBoxMedia } from './media-stream.ts';
import { PictureLocks } from './picture-locks.ts';
import { registerRecordingRoutes } from './recording-routes.ts';
import { registerTalkRoutes } from './talk-routes.ts';
import { Talks } from './talks.ts';
import { Viewings } from './viewings.ts';
import { linksOf } from './whep.ts';

const OPTIONS_MS = 10_000;

export interface WatchingParts {
  db: Db;
  clock: Clock;
  log: Logger;
  hub: TunnelHub;
  box: BoxClient;
  leases: Leases;
  sessions: Sessions;
  metrics: Metrics;
  ice?: IceOptions;
}

export type BoxDevice = DeviceRow & { boxSerial: string };

/** Looking at pictures: directly from the box where that works, else through the relay. */
export class Watching {
  readonly parts: WatchingParts;
  readonly viewings: Viewings;
  readonly locks: PictureLocks;
  readonly views: DirectViews;
  readonly talks: Talks;
  readonly #fanOut: FanOut;
  readonly #ice: IceServers;

  constructor(parts: WatchingParts) {
    const { hub, clock } = parts;
    this.parts = parts;
    this.viewings = new Viewings(parts);
    this.locks = new PictureLocks(parts);
    this.views = new DirectViews(parts);
    this.talks = new Talks(this);
    this.#ice = new IceServers(parts.ice ?? {}, clock);
    const open = (serial: string, path: string, signal: AbortSignal) => openBoxMedia({ hub, serial, path, signal });
    this.#fanOut = new FanOut({ clock, open });
  }

  async start(): Promise<void> {
    const { metrics } = this.parts;
    await this.viewings.start();
    this.views.start();
    metrics.gauge('gatepost_live_windows', 'Windows with live pictures', () => this.viewings.count('live'));
    metrics.gauge('gatepost_playback_windows', 'Windows with recordings', () => this.viewings.count('playback'));
    metrics.gauge('gatepost_talks', 'People who speak to a device', () => this.talks.count);
    metrics.gauge('gatepost_direct_views', 'Live views directly from a box', () => this.views.count);
    metrics.gauge('gatepost_relayed_streams', 'Live streams fetched from boxes', () => this.#fanOut.stats.streams);
    metrics.gauge('gatepost_relayed_viewers', 'Readers of these streams', () => this.#fanOut.stats.readers);
  }

  async stop(): Promise<void> {
    this.views.stop();
    this.talks.stop();
    this.#fanOut.stop();
    await this.viewings.stop();
  }

  registerRoutes(api: Api): void {
    registerLiveViewRoutes(api, { watching: this });
    registerRecordingRoutes(api, { watching: this });
    registerTalkRoutes(api, { watching: this });
  }

  /** A device behind a box whose pictures may be seen. @throws ProblemError as scope.device does; `conflict` */
  async device(scope: Scope, deviceId: string, permission: 'live' | 'playback'): Promise<BoxDevice> {
    const device = await scope.device(deviceId, permission);
    const { boxSerial } = device;
    if (boxSerial === null || device.accessMode !== 'p2p')
      throw new ProblemError(
        'conflict',
        'This device is reached by its address: there is no box that has its pictures.',
      );
    return { ...device, boxSerial };
  }

  async options(
    who: Principal,
    device: BoxDevice,
    { channel, stream }: { channel: number; stream?: StreamName },
  ): Promise<LiveOptions & { iceServers: IceServer[] }> {
    const encrypted = await this.locks.must(who, device.id).then(
      () => false,
      () => true,
    );
    const query = new URLSearchParams({ deviceId: device.id, channel: String(channel) });
    // For whoever must enter a code first, no camera is asked.
    if (stream && !encrypted) query.set('stream', stream);
    const path = `/v1/live/options?${query}`;
    const options = await this.parts.box.json(device.boxSerial, LiveOptions, 'GET', path, { timeoutMs: OPTIONS_MS });
    return { ...options, encrypted, iceServers: this.#ice.for(who.id) };
  }

  /** Begins a view directly from the box. */
  async direct(
    who: Principal,
    device: BoxDevice,
    o: { channel: number; stream: StreamName; sdp: string; check: () => Promise<unknown>; left: AbortSignal },
  ): Promise<{ id: string; sdp: string; etag: string; links: string[] }> {
    const { channel, stream, sdp } = o;
    await this.locks.must(who, device.id);
    const owner = await this.owns(who, device);
    const viewing = await this.viewings.open({ who, device, channel, kind: 'live', path: 'direct' });
    // The box allocates for itself: credentials are its own.
    const iceServers = this.#ice.for(device.boxSerial);
    const opened = await this.views.open({
      who,
      serial: device.boxSerial,
      owner,
      deviceId: device.id,
      channel,
      stream,
      sdp,
      iceServers,
      viewing,
      left: o.left,
      check: async () => {
        await o.check();
        await this.locks.must(who, device.id);
      },
    });
    return { ...opened, links: linksOf(this.#ice.for(who.id)) };
  }

  /** Answers with a socket of the channel's live pictures, which all viewers of the stream share. */
  socket(c: Context<ApiEnv>, device: BoxDevice, { channel, stream, accept, sound }: MediaQuery): Response {
    const who = c.get('principal');
    const query = new URLSearchParams({ deviceId: device.id, channel: String(channel), stream });
    query.set('accept', [...new Set(accept)].sort().join(','));
    if (sound) query.set('sound', sound);
    return mediaSocket(c, this.parts, {
      open: async () => {
        await this.locks.must(who, device.id);
        const by = { owner: await this.owns(who, device) };
        const viewing = await this.viewings.open({ who, device, channel, kind: 'live', path: 'relay' });
        return { viewing, stream: this.#fanOut.join(device.boxSerial, `/v1/live/stream?${query}`, by) };
      },
      check: async (scope) => {
        const now = await scope.device(device.id, 'live');
        if (now.boxSerial !== device.boxSerial) throw new ProblemError('not-found');
        await this.locks.must(who, device.id);
      },
      live: true,
    });
  }

  /** Whether it is of the company whose site that is. */
  async owns({ companyId }: Principal, { siteId }: DeviceRow): Promise<boolean> {
    const site = await this.parts.db
      .selectFrom('sites')
      .select('companyId')
      .where('id', '=', siteId)
      .executeTakeFirst();
    return site?.companyId === companyId;
  }
}
