import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getRequestListener } from '@hono/node-server';
import pino from 'pino';
import { systemClock as clock, iso } from '../protocol/clock.ts';
import { lockDataDirectory } from '../protocol/data-lock.ts';
import { limitPipelining } from '../protocol/pipelining.ts';
import { addressOf } from './arc/second-interface.ts';
import { ArcService } from './arc/service.ts';
import { UplinkTest } from './bandwidth/uplink-test.ts';
import { boxApi } from './box-api.ts';
import { Recorder } from './clips/recorder.ts';
import { CloudRunner } from './cloud/runner.ts';
import { settleAt } from './cloud/settle.ts';
import { DesiredConfig } from './config/desired-config.ts';
import { Activator } from './devices/activator.ts';
import { DeviceManager } from './devices/manager.ts';
import { RefusedLogins } from './devices/refused-logins.ts';
import { Discovery } from './discovery/discovery.ts';
import { NeededAddresses } from './discovery/needed.ts';
import { SadpCommander } from './discovery/sadp-commander.ts';
import { TemporaryAddresses } from './discovery/temporary-address.ts';
import { HealthReport } from './health.ts';
import { wayTo } from './https/way.ts';
import { Identity, writePrivateFile } from './identity/identity.ts';
import { Finder } from './initialise/finder.ts';
import { IsapiHands } from './initialise/isapi-hands.ts';
import { RecorderWork } from './initialise/recorder.ts';
import { InitialiseRunner } from './initialise/runner.ts';
import { Jobs } from './jobs/jobs.ts';
import { boxEvent } from './journal/box-event.ts';
import { Journal } from './journal/journal.ts';
import { LanWork } from './lan/lan-work.ts';
import { LiveViews } from './live/live.ts';
import { boxMetrics } from './metrics.ts';
import { readOptions } from './options.ts';
import { PanelIn } from './panel-in/panel-in.ts';
import { Playback } from './playback/playback.ts';
import { Networks } from './remote-config/networks.ts';
import { CertificatePins } from './remote-config/pins.ts';
import { RemotePolicy } from './remote-config/policy.ts';
import { Restream } from './restream/restream.ts';
import { setupApp } from './setup/app.ts';
import { SetupPassword } from './setup/password.ts';
import { Talks } from './talk/talks.ts';
import { TunnelClient } from './tunnel/client.ts';
import { upgradeDevices } from './upgrade/devices.ts';
import { PackageStore } from './upgrade/package-store.ts';
import { UpgradeRunner } from './upgrade/runner.ts';
import { RelayAuth } from './uplink/relay-auth.ts';
import { Uplink } from './uplink/uplink.ts';
import { Pacer } from './upload/pacer.ts';
import { UploadQueue } from './upload/queue.ts';
import { Video } from './video/video.ts';
import { Warnables } from './warnables.ts';

const VERSION = '0.1.0';
const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const options = readOptions(VERSION);

const log = pino({ level: options.logLevel, base: { program: 'box' } });
const data: string = options.data;
mkdirSync(data, { recursive: true, mode: 0o700 });

function die(error: unknown, why: string): never {
  log.fatal({ err: error }, why);
  process.exit(1);
}
process.on('uncaughtException', (error) => die(error, 'a bug ended the box'));
process.on('unhandledRejection', (error) => die(error, 'a bug ended the box'));

if (!lockDataDirectory(data)) die(null, `another box runs on ${data} already`);

// Who this box is, and the one account of what happens at it.
const warnables = new Warnables({ clock, log });
const identity = new Identity({ dir: data, credentialsDir: process.env.CREDENTIALS_DIRECTORY });
try {
  identity.start();
} catch (error) {
  die(
    error,
    `the identity in ${data} cannot be read: restore it from a backup, or remove identity.json to make a new box`,
  );
}
const journal = new Journal({
  path: join(data, 'journal.db'),
  clock,
  log,
  warnables,
  onBroken: (error) => die(error, 'the journal broke while in use'),
});
journal.start();

// The way to the relay.
const auth = new RelayAuth({ relayUrl: options.relay, identity, version: VERSION, log });

// Event: device → driver → journal → recorder, ARC, uplink.
const discovery = new Discovery({
  interface: options.interface,
  sadpPort: Number(options.sadpPort),
  wsdPort: Number(options.wsdPort),
  mdnsPort: options.mdnsPort === undefined ? undefined : Number(options.mdnsPort),
  ssdpPort: options.ssdpPort === undefined ? undefined : Number(options.ssdpPort),
  unicastTargets: options.alsoSearch,
  clock,
  log,
  warnables,
});
const devices = new DeviceManager({
  journal,
  discovery,
  clock,
  log,
  warnables,
  stateFile: join(data, 'refused-logins.json'),
});
const video = new Video({ clock, log, warnables });
const rtsp = { port: Number(options.rtspPort) || null, host: options.host, dir: data };
const restream = new Restream({ ...rtsp, channels: () => devices.channels(), video, clock, log });
const sadp = new SadpCommander({ channel: discovery, clock, log });
const needed = new NeededAddresses({ clock });
needed.set('relay', [auth.relayUrl.hostname]);
const temporary = new TemporaryAddresses({
  file: join(data, 'temporary-addresses.json'),
  interfaces: () => discovery.interfaces(),
  taken: () => discovery.list().map((device) => device.address),
  needed: () => needed.list(),
  clock,
  log,
});
const refused = new RefusedLogins({ clock });
const activator = new Activator({ discovery, temporary, sadp, refused, clock, log });
const pins = new CertificatePins({ dir: data });
pins.start();
const { relayUrl } = auth;
const remote = new RemotePolicy({
  dir: data,
  networks: new Networks({ interface: options.interface }),
  seen: discovery,
  isOnline: (deviceId) => devices.health().some((device) => device.id === deviceId && device.state === 'online'),
  pins,
  ownPorts: [Number(options.port), Number(relayUrl.port || (relayUrl.protocol === 'https:' ? 443 : 80))],
  loopback: options.interface === 'lo',
  relayUrl,
  clock,
  log,
});
const panels = new PanelIn({
  host: options.host,
  port: Number(options.dc09Port) || null,
  journal,
  clock,
  log,
  warnables,
});
// What is done with a device keeps to the certificate that it was added with.
const way = wayTo({ known: (mac) => devices.wayTo(mac), clock });
const jobs = new Jobs({ path: join(data, 'jobs.db'), key: identity.keyFor('jobs'), clock, log });
const finder = new Finder({ discovery, clock });
jobs.register(
  new InitialiseRunner({ discovery, hands: new IsapiHands({ sadp, refused, way, clock, log }), clock, finder }),
);
const packages = new PackageStore({ dir: join(data, 'firmware'), auth, log });
jobs.register(new UpgradeRunner({ devices: upgradeDevices(devices), packages, clock, log }));
jobs.register(new CloudRunner({ devices, video, settle: settleAt({ auth, clock }), clock }));
const recorders = new RecorderWork({ finder, devices, refused, way, clock, log });
const playback = new Playback({ devices, video, clock, log, pace: () => pacer });
const talks = new Talks({ devices, clock, log });
const live = new LiveViews({ video, playback: (id) => playback.offered(id), talks, clock, log });
const lan = new LanWork({ discovery, devices, sadp, refused, way, clock, log });
const arc = new ArcService({
  journal,
  dir: join(data, 'arc'),
  auth,
  clock,
  log,
  warnables,
  recorded: (event) => recorder.records(event),
  second: options.secondInterface ? () => addressOf(options.secondInterface) : undefined,
  holdDownMs: Number(options.holdDown),
});
const api = boxApi({
  arc,
  discovery,
  devices,
  panels,
  addresses: () => discovery.interfaces().map((i) => i.address),
  activator,
  jobs,
  recorders,
  lan,
  live,
  playback,
  talks,
  certificates: pins,
  clips: { send: (id) => recorder.send(id) },
  uplinkTest: { run: (...of) => uplinkTest.run(...of) },
  clock,
  health: () => health.read(),
  log,
});
const tunnel = new TunnelClient({
  auth,
  handler: api.fetch,
  connectPolicy: (authority, headers) => remote.resolve(authority, headers),
  clock,
  log,
});
const pacer = new Pacer({ clock, onRtt: (fn) => tunnel.onRtt(fn) });
const uplinkTest = new UplinkTest({ relayUrl, pacer, alarmsWaiting: () => arc.waiting(), clock, log });
const uploads = new UploadQueue({ dir: join(data, 'clips'), auth, pacer, clock, log, warnables });
const lasts = (eventId: string) => devices.lasts(eventId);
const recorder = new Recorder({ journal, video, uploads, lasts, dir: join(data, 'clips'), clock, log, warnables });

const config = new DesiredConfig({
  dir: data,
  unseal: (secret, context) => identity.unseal(secret, context),
  appliers: {
    devices: (items) => {
      remote.apply(items);
      needed.set(
        'devices',
        items.map((device) => device.host),
      );
      return devices.apply(items);
    },
    panels: (items) => panels.apply(items),
    recording: (items) => recorder.apply(items),
    storage: (item) => uploads.configure(item),
    arc: (items, unreadable) => {
      needed.set(
        'receivers',
        items.map((account) => account.direct.host),
      );
      return arc.apply(items, unreadable);
    },
  },
  log,
  warnables,
});

const health = new HealthReport({
  version: VERSION,
  dataDir: data,
  clock,
  warnables,
  devices,
  panels,
  video,
  arc,
  uploads,
  tunnel,
});
const claimedFile = join(data, 'claimed');
const uplink = new Uplink({
  journal,
  auth,
  serial: identity.serial,
  config,
  health: () => health.read(),
  clock,
  log,
  warnables,
  claimed: existsSync(claimedFile) ? true : null,
  releasedFile: join(data, 'released.json'),
});
health.watch(uplink);

uplink.onChange(() => {
  const { claimed } = uplink.state();
  if (claimed === true && !existsSync(claimedFile)) writePrivateFile(claimedFile, iso(clock.now()));
  if (claimed === false) rmSync(claimedFile, { force: true });
});
devices.onChange(() => {
  video.setChannels(devices.channels());
  uplink.healthChanged();
});
video.onChange(() => uplink.healthChanged());
panels.onChange(() => uplink.healthChanged());
arc.onChange(() => uplink.healthChanged());
// Whichever of the connections returns first takes the others along.
tunnel.onChange(() => tunnel.state().connected && !uplink.state().connected && uplink.kick());
uplink.onChange(() => {
  if (!uplink.state().connected) return;
  if (!tunnel.state().connected) tunnel.kick();
  uploads.kick();
});

// The set-up page.
const setup = setupApp({
  identity,
  password: new SetupPassword({ dir: data, clock }),
  discovery,
  uplink,
  tunnel,
  remote,
  restream,
  relayUrl: options.relay,
  health: () => health.read(),
  ready: () => uplink.state().connected,
  metrics: boxMetrics(() => health.read()),
  hosts: options.setupHost,
  staticDir: join(root, 'ui/dist/setup'),
  log,
});
const server = createServer(limitPipelining(getRequestListener(setup.fetch)));
server.on('error', (error: NodeJS.ErrnoException) => {
  const why =
    error.code === 'EADDRINUSE'
      ? `port ${options.port} is in use: is the box running already?`
      : 'the set-up page cannot be served';
  die(error, why);
});

await temporary.start();
discovery.start();
video.start();
restream.start();
uploads.start();
recorder.start();
arc.start();
devices.start();
panels.start();
jobs.start();
void packages.sweep();
config.start();
uplink.start();
tunnel.start();
server.listen(Number(options.port), options.host, () => {
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : options.port;
  log.info(
    { serial: identity.serial, boot: identity.boot, epoch: identity.epoch, port, relay: options.relay },
    'the box is up',
  );
});
void journal.append([boxEvent('boxRestarted', `Box ${identity.serial} started (version ${VERSION}).`, clock.now())]);

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  setTimeout(() => die(null, 'the box did not stop in time'), 10_000).unref();
  server.close();
  server.closeAllConnections();
  live.stop();
  playback.stop();
  await talks.stop();
  await Promise.all([jobs.stop(), devices.stop(), panels.stop(), discovery.stop(), uplink.stop(), tunnel.stop()]);
  await Promise.all([recorder.stop(), arc.stop(), restream.stop()]);
  await Promise.all([video.stop(), uploads.stop()]);
  await journal.stop();
  process.exit(0);
}
process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
