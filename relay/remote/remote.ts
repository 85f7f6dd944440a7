import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { getCookie } from 'hono/cookie';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Clock } from '../../protocol/clock.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import type { RemoteSessions as Shown } from '../../protocol/wire/remote-config.ts';
import { type Api, sessionCookie } from '../api/app.ts';
import { ProblemError } from '../api/problem.ts';
import type { RemoteAddress } from '../api/remote.ts';
import type { OperationLog } from '../audit/operation-log.ts';
import { audience } from '../audit/subject.ts';
import type { Leases } from '../auth/leases.ts';
import type { Scope } from '../auth/scope.ts';
import type { Principal, Sessions } from '../auth/sessions.ts';
import type { Db } from '../db/database.ts';
import type { DeviceRow } from '../db/schema.ts';
import type { BoxClient } from '../devices/box-client.ts';
import { DeviceOrigins } from './origin.ts';
import { errorPage, type PageName } from './pages.ts';
import { RemoteProxy } from './proxy.ts';
import { registerRemoteRoutes } from './routes.ts';
import { type End, type RemoteSession, RemoteSessions } from './sessions.ts';
import type { Dial } from './upstream.ts';

const FORGET_TIMEOUT_MS = 10_000;

/** Remote configuration (RCFG): a device's own web page in the browser, on an origin of its own, through the box's tunnel. */
export class Remote {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #portalSessions: Sessions;
  readonly #operationLog: OperationLog;
  readonly #box: BoxClient;
  readonly #remote: RemoteAddress;
  readonly #publicUrl: URL | null;
  readonly #sessions: RemoteSessions;
  #origins: DeviceOrigins | null = null;
  #proxy: RemoteProxy | null = null;

  constructor(o: {
    db: Db;
    clock: Clock;
    log: Logger;
    hub: Dial;
    leases: Leases;
    sessions: Sessions;
    operationLog: OperationLog;
    box: BoxClient;
    remote: RemoteAddress;
    publicUrl: URL | null;
  }) {
    this.#db = o.db;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#portalSessions = o.sessions;
    this.#operationLog = o.operationLog;
    this.#box = o.box;
    this.#remote = o.remote;
    this.#publicUrl = o.publicUrl;
    this.#sessions = new RemoteSessions({
      origins: () => this.#origins,
      hub: o.hub,
      leases: o.leases,
      sessions: o.sessions,
      clock: o.clock,
      log: o.log,
      told: (session, why) => this.#ended(session, why),
    });
  }

  /** Null: no pages of devices at this relay. Throws a text when the address cannot be used. */
  start(deviceOrigin: string | null): void {
    this.#sessions.start();
    if (deviceOrigin === null) return;
    this.#origins = DeviceOrigins.parse(deviceOrigin, this.#publicUrl ?? undefined);
    this.#proxy = new RemoteProxy({
      origins: this.#origins,
      sessions: this.#sessions,
      portal: this.#publicUrl,
      clock: this.#clock,
      log: this.#log,
    });
  }

  stop(): void {
    this.#sessions.stop();
  }

  /** Who serves a request; null: it is not for a page of a device. */
  proxyOf(request: IncomingMessage): RemoteProxy | null {
    return this.#proxy?.owns(request) ? this.#proxy : null;
  }

  registerRoutes(api: Api): void {
    registerRemoteRoutes(api, { remote: this });
  }

  async list(scope: Scope, principal: Principal, deviceId: string): Promise<Shown> {
    const device = await scope.device(deviceId, 'configure');
    const items = this.#sessions.ofDevice(device.id).filter((one) => one.who.companyId === principal.companyId);
    return { absent: this.#absent(device), items: items.map((one) => this.#sessions.view(one, principal)) };
  }

  async open(
    scope: Scope,
    who: Principal,
    deviceId: string,
    scopeNow: () => Promise<Scope>,
    from: { host: string; remote: IncomingMessage },
  ): Promise<RemoteSession> {
    const device = await scope.device(deviceId, 'configure');
    const absent = this.#absent(device);
    const { boxSerial } = device;
    if (absent === 'not-set-up')
      throw new ProblemError('conflict', 'This relay has no addresses for pages of devices.');
    if (absent !== null || boxSerial === null)
      throw new ProblemError('conflict', 'This device is reached by its address: there is no box to go through.');
    // Where no address is configured, it is the one by which this browser came.
    const host = /^(\[[0-9a-f:]+\]|[\w.-]+)(:\d+)?$/i.test(from.host) ? from.host : 'localhost';
    const portal = this.#publicUrl?.origin ?? `http://${host}`;
    return this.#sessions.open({
      who,
      scopeNow,
      portal,
      remote: this.#remote(from.remote),
      device: { ...device, boxSerial },
    });
  }

  view(session: RemoteSession, principal: Principal) {
    return this.#sessions.view(session, principal);
  }

  async end(scope: Scope, deviceId: string, sessionId: string): Promise<{ device: DeviceRow; detail: string }> {
    const device = await scope.device(deviceId, 'configure');
    const session = this.#sessions.byId(sessionId);
    if (!session || session.device.id !== device.id || session.who.companyId !== scope.companyId)
      throw new ProblemError('not-found');
    this.#sessions.end(session, 'ended');
    return { device, detail: this.#summary(session, 'ended') };
  }

  async forgetCertificate(scope: Scope, deviceId: string): Promise<void> {
    const device = await scope.device(deviceId, 'configure');
    if (device.boxSerial === null)
      throw new ProblemError('conflict', 'This device is reached by its address: no box knows its certificate.');
    if (device.certificate !== null)
      throw new ProblemError('conflict', 'This device was added with its certificate: accept another one by name.');
    await this.#box.json(device.boxSerial, z.object({}), 'POST', `/v1/devices/${device.id}/certificate/forget`, {
      timeoutMs: FORGET_TIMEOUT_MS,
    });
  }

  /**
   * On the portal's own host: whoever is signed in here gets a code for the page that they have opened themselves. Nobody can
   * be made to look at a page that somebody else has opened.
   */
  enterPage({ https }: { https: boolean }): Hono<{ Bindings: HttpBindings }> {
    const app = new Hono<{ Bindings: HttpBindings }>();
    app.get('/remote/enter/:sessionId', async (c) => {
      const page = (name: PageName, status: 401 | 403 | 410) => {
        const { html, headers } = errorPage(name, { acceptLanguage: c.req.header('accept-language'), portal: '/' });
        return c.body(html, status, Object.fromEntries(headers));
      };
      const token = getCookie(c, sessionCookie(https));
      const principal = token ? await this.#portalSessions.find(token) : null;
      if (!principal) return page('sign-in', 401);
      const id = Uuid.safeParse(c.req.param('sessionId')).data;
      const session = id ? this.#sessions.byId(id) : null;
      const state = c.req.query('state') ?? '';
      if (!session || !this.#origins) return page('closed', 410);
      if (session.who.id !== principal.id || !/^[0-9a-f]{64}$/.test(state)) return page('not-yours', 403);
      try {
        await session.check();
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        this.#sessions.end(session, 'not-allowed');
        return page('not-allowed', 403);
      }
      const code = session.newCode(state, this.#clock.now());
      c.header('cache-control', 'no-store');
      return c.redirect(`${this.#origins.of(session.label)}/.gatepost/enter?code=${code}`, 303);
    });
    return app;
  }

  #absent(device: DeviceRow): Shown['absent'] {
    if (device.boxSerial === null || device.accessMode !== 'p2p') return 'by-address';
    return this.#origins ? null : 'not-set-up';
  }

  /** How it ended by itself stands in the operation log beside how it began; who ends one by hand is in the log anyway. */
  #ended(session: RemoteSession, why: End): void {
    if (why === 'ended') return;
    const written = this.#write(session, why).catch((error) =>
      this.#log.error({ err: error, sessionId: session.id }, 'the end of a remote configuration could not be logged'),
    );
    this.#operationLog.meanwhile(written);
  }

  async #write(session: RemoteSession, why: End): Promise<void> {
    const { device, who } = session;
    const [user, site] = await Promise.all([
      this.#db
        .selectFrom('users')
        .select(['name', 'email'])
        .where('id', '=', who.userId)
        .where('deletedAt', 'is', null)
        .executeTakeFirst(),
      this.#db.selectFrom('sites').select('name').where('id', '=', device.siteId).executeTakeFirst(),
    ]);
    const about = {
      siteId: device.siteId,
      siteName: site?.name ?? null,
      targetKind: 'device',
      targetId: device.id,
      targetName: device.name,
    };
    await this.#operationLog.write(
      {
        ...about,
        atMs: this.#clock.now(),
        operatorCompanyId: who.companyId,
        userId: user ? who.userId : null,
        name: user?.name ?? null,
        email: user?.email ?? null,
        address: user ? session.remote : null,
        action: 'endRemoteSession',
        client: 'portal',
        clientName: null,
        detail: this.#summary(session, why),
        result: 'ok',
      },
      await audience(this.#db, who, about, {}),
    );
  }

  #summary({ openedMs, counts }: RemoteSession, why: End): string {
    const minutes = Math.round((this.#clock.now() - openedMs) / 60_000);
    const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
    return `${why}; ${minutes} min; ${counts.requests} requests, ${counts.webSockets} WebSockets; up ${mb(counts.bytesUp)}, down ${mb(counts.bytesDown)}`;
  }
}
