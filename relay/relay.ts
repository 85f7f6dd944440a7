import type { Server } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { Activations } from './activation/activations.ts';
import { type Api, createApi } from './api/app.ts';
import { registerDocument } from './api/document.ts';
import { EventStreams } from './api/event-stream.ts';
import { remoteAddress } from './api/remote.ts';
import { Arc, arcHooks } from './arc/arc.ts';
import { DialGuard } from './arc/dial-guard.ts';
import { OperationLog } from './audit/operation-log.ts';
import { LogReader } from './audit/reader.ts';
import { registerLogRoutes } from './audit/routes.ts';
import { Leases } from './auth/leases.ts';
import { Sessions } from './auth/sessions.ts';
import { Vault } from './auth/vault.ts';
import { TESTS_PATH } from './bandwidth/bandwidth.ts';
import { SiteUplink } from './bandwidth/site-uplink.ts';
import { BoxAuthenticator } from './boxes/authenticate.ts';
import { Claims, ClaimTries } from './boxes/claims.ts';
import { Enrolment } from './boxes/enrolment.ts';
import { boxRoutes } from './boxes/http.ts';
import { BoxUplink } from './boxes/uplink.ts';
import { MqttBroker } from './broker/broker.ts';
import { Footage } from './clips/footage.ts';
import { CloudStorage, withCloud } from './cloud/cloud.ts';
import { CloudRegions } from './cloud/regions.ts';
import { type Db, openDatabase } from './db/database.ts';
import { DesiredStates } from './desired/desired.ts';
import { BoxClient } from './devices/box-client.ts';
import { DeviceSecrets } from './devices/device-secrets.ts';
import { DeviceStates } from './devices/device-states.ts';
import { Devices } from './devices/devices.ts';
import { registerDevices } from './devices/registration.ts';
import { JournalIngest } from './events/ingest.ts';
import { Quarantine } from './events/quarantine.ts';
import { type EventParts, EventQueries } from './events/queries.ts';
import { registerEventRoutes } from './events/routes.ts';
import { Firmware } from './firmware/firmware.ts';
import { Handover } from './handover/handover.ts';
import { SharedWork } from './handover/shared-work.ts';
import { HealthStore } from './health/health.ts';
import { Presence } from './health/presence.ts';
import { SiteWarnables } from './health/warnables.ts';
import { Home } from './home/home.ts';
import { registerHomeRoutes } from './home/routes.ts';
import { ApiKeys } from './keys/keys.ts';
import { registerKeyRoutes } from './keys/routes.ts';
import { registerInstallation } from './lan/installation.ts';
import { LiveFeed } from './live/feed.ts';
import { Live } from './live/live.ts';
import { registerLiveRoutes } from './live/routes.ts';
import { Notify } from './notify/notify.ts';
import { registerNotifyRoutes } from './notify/routes.ts';
import { Operator } from './operator/operator.ts';
import type { RelayOptions } from './options.ts';
import { loggedOperations } from './people/logged-operations.ts';
import { People } from './people/people.ts';
import { localOrigin } from './remote/origin.ts';
import { Remote } from './remote/remote.ts';
import { SiteManagement } from './sites/site-management.ts';
import { Views } from './sites/views.ts';
import { TunnelHub } from './tunnel/hub.ts';
import { looksAtPictures } from './video/own-data.ts';
import { Watching } from './video/watching.ts';
import { securityHeaders } from './web/headers.ts';
import { healthRoutes } from './web/health-routes.ts';
import { Metrics } from './web/metrics.ts';
import { listen, webServer } from './web/server.ts';
import { cameByTls } from './web/tls.ts';
import { Upgrades } from './web/upgrade.ts';
import { webPages } from './web/web.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Announced to boxes at a stop: when to come back, and over how long to spread that. */
const RESTART = { afterMs: 1_000, spreadMs: 4_000 };

/** The relay: wires its capabilities in the order data flows, and serves them all on one port. */
export class Relay {
  readonly #o: RelayOptions;
  readonly #stops: (() => void | Promise<void>)[] = [];
  #server: Server | null = null;
  #db: Db | null = null;
  #stopping = false;
  #publicUrl: URL | null = null;

  constructor(options: RelayOptions) {
    this.#o = options;
  }

  async start(): Promise<{ port: number }> {
    const { clock, log, dataDir } = this.#o;
    const child = (module: string) => log.child({ module });
    const https = this.#o.publicUrl?.startsWith('https:') ?? false;
    const remote = remoteAddress(this.#o.proxies);
    const db = await openDatabase(this.#o.database ?? { path: join(dataDir, 'relay.db') });
    this.#db = db;
    const of = (module: string) => ({ db, clock, log: child(module) });
    const metrics = new Metrics();

    // Who boxes are, and the ways in that can be cut.
    const warnables = new SiteWarnables({ ...of('warnables') });
    const presence = new Presence({ clock });
    const health = new HealthStore({ ...of('health') });
    await health.start();
    const hub = new TunnelHub({ clock, log });
    const guard = new DialGuard({ allow: this.#o.allowInternal });
    const cut = (serial: string, reason: string) => {
      broker.disconnect(serial, reason);
      hub.disconnect(serial, reason);
      arc.disconnect(serial, reason);
    };
    const authenticator = new BoxAuthenticator({ ...of('boxes'), warnables, cut });
    const tries = new ClaimTries({ clock });
    const perAddressPerHour = this.#o.enrolmentsPerAddressPerHour;
    const enrolment = new Enrolment({ ...of('boxes'), tries, perAddressPerHour });
    enrolment.start();

    // Journal, health and wishes: box → broker → database → live pages.
    const live = new Live();
    const vault = new Vault({ dir: dataDir });
    vault.start();
    const place = { dataDir, publicUrl: () => this.#publicUrl, options: this.#o };
    const footage = new Footage({ db, clock, log, vault, live, ...place });
    await footage.start();
    const { clips, keys: siteKeys } = footage;
    const desired = new DesiredStates({ db, recordingKey: (trx, serial) => siteKeys.forBox(trx, serial) });
    const views = new Views({ db, clock, presence, health, warnables, tunnelUp: (serial) => hub.isConnected(serial) });
    const parts: EventParts = { clips: (ids) => clips.forEvents(ids), alarms: (ids) => arc.alarms.forEvents(ids) };
    const events = new EventQueries({ db, parts });
    const feed = new LiveFeed({ db, log: child('live'), live, views, events, parts });
    const quarantine = new Quarantine({ clock, warnables });
    const ingest = new JournalIngest({
      ...of('events'),
      quarantine,
      apply: {
        clip: (trx, box, record) => clips.applyReport(trx, box, record),
        alarm: (...of) => arc.applyAlarm(...of),
      },
      stored: (box, records) => {
        for (const { kind } of records) metrics.records.inc({ kind });
        feed.stored(box, records);
        arc.stored(records);
        const changed = records.flatMap((record) => (record.kind === 'clip' ? record.body.id : []));
        clips.changed(changed).catch((error) => log.error({ err: error }, 'a change of clips could not be told'));
      },
    });
    const uplink = new BoxUplink({
      db,
      log: child('boxes'),
      ingest,
      quarantine,
      health,
      desired,
      warnables,
      tries,
      told: (box) => {
        arc.heard(box.serial);
        if (live.watched(box.siteId)) feed.boxChanged(box.serial);
      },
      announced: (...said) => arc.announced(...said),
    });
    const broker = new MqttBroker({ clock, log: child('broker'), presence, handler: uplink });
    await broker.start();
    desired.addKeys().catch((error) => log.error({ err: error }, 'recordings are not encrypted before the next start'));
    uplink.start(broker);
    presence.onChange((serial) => feed.boxChanged(serial));
    hub.onChange((serial) => feed.boxChanged(serial));

    // The portal's API.
    const sessions = new Sessions({ db, clock });
    this.#publicUrl = this.#o.publicUrl ? new URL(this.#o.publicUrl) : null;
    const notify = new Notify({
      ...of('notify'),
      dataDir,
      guard,
      sessions,
      publicUrl: () => this.#publicUrl,
      options: this.#o.notify ?? {},
    });
    const { notifier } = notify;
    const box = new BoxClient({ tunnel: hub });
    const arcNow = () => arc;
    const hooks = withCloud(arcHooks(arcNow), () => cloud);
    const together = new SharedWork({
      ...of('sharing'),
      notifier,
      desired,
      box,
      ...hooks,
      boxMoved: (serial) => uplink.claimed(serial),
      publicUrl: () => this.#publicUrl,
    });
    together.start();
    const handover = new Handover({
      ...of('handover'),
      notifier,
      ...hooks,
      publicUrl: () => this.#publicUrl,
      ends: (trx, siteId) => together.endAtHandover(trx, siteId),
      over: (trx, siteId) => together.authorizationOver(trx, siteId),
      administrator: (trx, siteId) => together.administrator(trx, siteId),
    });
    const healthNow = (serial: string) => (presence.online(serial) ? health.get(serial) : null);
    const keys = new ApiKeys({ ...of('keys'), sessions });
    const arc = new Arc({
      db,
      clock,
      log,
      guard,
      desired,
      vault,
      notifier,
      box,
      health: healthNow,
      presence,
      cut,
      keys,
      helpEmail: this.#o.helpEmail,
      publicUrl: () => this.#publicUrl,
      receiver: this.#o.receiver,
    });
    await arc.start();
    const operationLog = new OperationLog({ ...of('audit') });
    operationLog.start();
    const people = new People({
      ...of('people'),
      sessions,
      vault,
      notifier,
      remote,
      secureCookies: https,
      personalData: [loggedOperations(db, operationLog), looksAtPictures(db)],
    });
    await people.start();
    people.users.onContact((trx, { userId }) => handover.registered(trx, userId));
    people.users.onContact((trx, { userId }) => together.registered(trx, userId));
    const claims = new Claims({
      ...of('boxes'),
      tries,
      warnables,
      claimed: (serial) => uplink.claimed(serial),
      cut,
    });
    const regions = new CloudRegions({ notIn: this.#o.cloudNotIn });
    const operator = new Operator({
      ...of('operator'),
      regions,
      sessions,
      claims,
      cut,
      people: people.companies,
      kick: () => notifier.kick(),
      online: (serial) => presence.online(serial),
      counters: {
        boxesOnline: () => presence.count(),
        tunnels: () => hub.stats().tunnels,
        arcPaths: () => arc.connections,
        clips: () => footage.place(),
      },
    });
    const activations = new Activations({ ...of('activation'), vault, box });
    const kept = (...of: Parameters<Activations['passwordOf']>) => activations.passwordOf(...of);
    const secrets = new DeviceSecrets({ db, vault });
    const devices = new Devices({ ...of('devices'), desired, box, views, secrets, kept, ...hooks });
    const cloud = new CloudStorage({ ...of('cloud'), desired, box, devices, notifier, siteKeys, regions });
    const leases = new Leases({ clock });
    const access = { sessions, keys, operationLog, remote, limits: this.#o.rateLimits };
    const api = createApi({ ...of('api'), ...access, metrics, https });
    // No request sees what has ended meanwhile.
    api.use('*', async (_, next) => {
      await handover.due();
      await next();
    });
    handover.registerRoutes(api);
    together.registerRoutes(api);
    people.registerRoutes(api);
    operator.registerRoutes(api);
    const management = new SiteManagement({
      ...of('sites'),
      views,
      claims,
      remote,
      desired,
      notifier,
      released: async (serial) => {
        await uplink.claimed(serial);
        hub.disconnect(serial, 'released');
        arc.disconnect(serial, 'released');
      },
      ends: (trx, siteId) => hooks.siteEnds(trx, siteId).then(() => together.siteDeleted(trx, siteId)),
    });
    management.start();
    management.register(api);
    const states = new DeviceStates({ clock, presence, health });
    const streams = new EventStreams({ sessions, leases, clock });
    const watching = new Watching({
      ...of('video'),
      hub,
      box,
      leases,
      sessions,
      metrics,
      ice: this.#o.ice,
    });
    await watching.start();
    watching.registerRoutes(api);
    const onSite = { db, clock, log, box, desired, devices, activations, streams };
    const { walk } = management;
    registerDevices(api, { ...onSite, secrets, states, guard, claims, views, remote, walk, watching });
    const publicUrl = this.#publicUrl;
    const pages = new Remote({
      ...of('remote'),
      hub,
      leases,
      sessions,
      operationLog,
      box,
      remote,
      publicUrl,
    });
    pages.registerRoutes(api);
    registerHomeRoutes(api, { home: new Home({ db, clock, presence, states, views }) });
    registerEventRoutes(api, { events });
    arc.registerRoutes(api, { streams });
    cloud.registerRoutes(api);
    footage.registerRoutes(api, { leases, watching, box });
    const firmware = new Firmware({ db, store: footage.files, clock, log: child('firmware'), authenticator, remote });
    firmware.start();
    registerInstallation(api, { ...onSite, firmware, notifier, ...hooks, health: healthNow });
    const siteUplink = new SiteUplink({ db, clock, log, box, desired });
    await siteUplink.start();
    siteUplink.registerRoutes(api);
    registerLiveRoutes(api, { db, live, streams, log: child('live') });
    registerNotifyRoutes(api, { ...of('notify'), notify, streams });
    registerLogRoutes(api, { reader: new LogReader({ db, clock }), operationLog, clock });
    registerKeyRoutes(api, { keys });
    registerDocument(api);

    metrics.gauge('gatepost_boxes_online', 'Boxes connected over MQTT', () => presence.count());
    metrics.gauge(
      'gatepost_messages_waiting',
      'E-mail, text messages and pushes not delivered yet',
      () => notify.outbox.waiting,
    );
    metrics.gauge('gatepost_tunnels', 'Open tunnels', () => hub.stats().tunnels);
    metrics.gauge('gatepost_arc_paths', 'Open relay paths for alarms', () => arc.connections);
    const stopping = () => this.#stopping;
    const state = healthRoutes({ db, metrics, metricsToken: this.#o.metricsToken, remote, stopping });
    const portalDir = this.#o.portalDir ?? join(root, 'ui', 'dist', 'portal');
    const app = new Hono<{ Bindings: HttpBindings }>();
    app.use(securityHeaders({ https }));
    app.route('/', state);
    // Before the rest of /box/v1, whose bodies are small.
    app.route('/box/v1/uploads', footage.uploadRoutes({ authenticator, warnables, remote }));
    app.route(TESTS_PATH, siteUplink.sink());
    app.route('/box/v1/cloud', cloud.boxRoutes({ authenticator, remote }));
    app.route('/', footage.sharedRoutes({ leases, viewings: watching.viewings, remote }));
    app.route('/', firmware.files());
    app.route('/', arc.desk.linkRoutes({ clips, authenticator, remote }));
    app.route('/box/v1', boxRoutes({ enrolment, authenticator, remote, log: child('boxes') }));
    mountApi(app, api);
    app.route('/', pages.enterPage({ https }));
    app.route('/', webPages({ portalDir }));

    const upgrades = new Upgrades({
      log: child('upgrade'),
      authenticator,
      remote,
      mqtt: (...args) => broker.handleUpgrade(...args),
      claimed: {
        '/tunnel': (...args) => hub.handleUpgrade(...args),
        '/arc-path': (...args) => arc.handleUpgrade(...args),
      },
      byTls: cameByTls({ https, proxies: this.#o.proxies }),
      refused: (code) => metrics.boxesRefused.inc({ code }),
    });
    const server = webServer({ app, pages, upgrades, clock, log: child('web') });
    this.#server = server;
    this.#stops.push(
      () => pages.stop(),
      () => watching.stop(),
      () => hub.announceRestart(RESTART.afterMs, RESTART.spreadMs),
      () => hub.stop(),
      () => arc.stop(),
      () => broker.stop(),
      () => uplink.stop(),
      () => enrolment.stop(),
      () => footage.stop(),
      () => cloud.stop(),
      () => firmware.stop(),
      () => siteUplink.stop(),
      () => management.stop(),
      () => together.stop(),
      () => health.stop(),
      () => operationLog.stop(),
      () => operator.stop(),
      () => handover.stop(),
      () => notify.stop(),
    );
    try {
      const { port } = await listen(server, this.#o.host, this.#o.port);
      // Without a public address a relay for this machine alone can be linked to all the same.
      if (/^127\./.test(this.#o.host)) this.#publicUrl ??= new URL(`http://${this.#o.host}:${port}`);
      pages.start(this.#o.deviceOrigin ?? localOrigin(publicUrl, port));
      notify.start();
      handover.start();
      operator.start();
      cloud.start();
      return { port };
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Tells the boxes, finishes what is being stored, and closes. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const closed = new Promise<void>((resolve) =>
      this.#server?.listening ? this.#server.close(() => resolve()) : resolve(),
    );
    this.#server?.closeIdleConnections();
    for (const stop of this.#stops) await stop();
    this.#server?.closeAllConnections();
    await closed;
    await this.#db?.destroy();
  }
}

/** The API answers everything below its address itself, also what is not there. */
function mountApi(app: Hono<{ Bindings: HttpBindings }>, api: Api): void {
  app.all('/api/*', (c) => api.fetch(c.req.raw, c.env));
}
