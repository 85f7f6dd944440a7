// A box reduced to what alarms need, in a process of its own, to be stopped and killed: identity, journal, uplink, wishes of
// the relay, alarm transmission; each as the program composes them. Its source of events is the parent, by IPC.
// argv: JSON BoxOptions.
import dns from 'node:dns';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { ArcService } from '../../../edge/arc/service.ts';
import { DesiredConfig } from '../../../edge/config/desired-config.ts';
import { Identity } from '../../../edge/identity/identity.ts';
import { Journal } from '../../../edge/journal/journal.ts';
import { RelayAuth } from '../../../edge/uplink/relay-auth.ts';
import { Uplink } from '../../../edge/uplink/uplink.ts';
import { Warnables } from '../../../edge/warnables.ts';
import { iso } from '../../../protocol/clock.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import type { BoxOptions, FromBox, ToBox } from './box.ts';
import { SpeedClock } from './speed-clock.ts';

const o = JSON.parse(process.argv[2]!) as BoxOptions;
const tell = (message: FromBox): void => void process.send?.(message);
process.on('disconnect', () => process.exit());

// A name server of our own for one name: it can fail as a real one does, by not answering in time.
const nameServer = { silentMs: 0, address: '127.0.0.1' };
const lookup = dns.lookup as unknown as (...args: unknown[]) => void;
type Answer = (error: NodeJS.ErrnoException | null, address?: unknown, family?: number) => void;
(dns as { lookup: unknown }).lookup = (name: string, options: { all?: boolean }, answer: Answer): void => {
  if (name !== o.directName) lookup(name, options, answer);
  else if (nameServer.silentMs > 0) {
    const error = Object.assign(new Error(`getaddrinfo EAI_AGAIN ${name}`), { code: 'EAI_AGAIN', hostname: name });
    setTimeout(() => answer(error), nameServer.silentMs);
  } else if (options.all) setImmediate(() => answer(null, [{ address: nameServer.address, family: 4 }]));
  else setImmediate(() => answer(null, nameServer.address, 4));
};

mkdirSync(o.dir, { recursive: true });
const clock = new SpeedClock(o.clockMs ?? 0);
const log = pino({ level: o.logLevel ?? 'info' });
const warnables = new Warnables({ clock, log });
const identity = new Identity({ dir: o.dir });
identity.start();
const die = (error: Error): never => {
  log.fatal({ err: error }, 'the journal broke');
  process.exit(1);
};
const journal = new Journal({ path: join(o.dir, 'journal.db'), clock, log, warnables, onBroken: die, ballastBytes: 0 });
journal.start();
const auth = new RelayAuth({ relayUrl: o.relay, identity, log });
const arc = new ArcService({ journal, dir: join(o.dir, 'arc'), auth, clock, log, warnables, ...o.timings });
const config = new DesiredConfig({
  dir: o.dir,
  unseal: (secret, context) => identity.unseal(secret, context),
  appliers: {
    devices: () => [],
    recording: () => [],
    storage: () => {},
    panels: () => [],
    arc: (items) => arc.apply(items),
  },
  log,
  warnables,
});
const uplink = new Uplink({
  journal,
  auth,
  serial: identity.serial,
  config,
  clock,
  log,
  warnables,
  health: () => ({
    at: iso(clock.now()),
    version: '0.1.0',
    uptimeMs: process.uptime() * 1000,
    rssBytes: process.memoryUsage.rss(),
    diskFreeBytes: 1,
    diskTotalBytes: 1,
    tunnelRttMs: null,
    devices: [],
    warnables: warnables.list(),
    queues: { uplink: 0, upload: 0, uploadBytes: 0, arc: arc.waiting() },
    arc: arc.health(),
  }),
  releasedFile: join(o.dir, 'released.json'),
});

arc.start();
config.start();
arc.onChange(() => {
  uplink.healthChanged();
  tell({ is: 'health', arc: arc.health() });
});
uplink.onChange(() => uplink.state().connected && tell({ is: 'online' }));
uplink.start();
tell({ is: 'up', serial: identity.serial, code: identity.code });
tell({ is: 'health', arc: arc.health() });

/** Of events that may end: number → id in the journal. */
const ids = new Map<number, string>();
process.on('message', (message: ToBox) => {
  if (message.do === 'event') void event(message);
  else if (message.do === 'end') {
    const eventId = ids.get(message.n);
    ids.delete(message.n);
    if (eventId) void journal.append([{ kind: 'eventEnd', body: { eventId, endedAt: iso(clock.now()) } }]);
  } else if (message.do === 'names') nameServer.silentMs = message.silentMs;
  else if (message.do === 'speed') {
    clock.setSpeed(message.factor);
    tell({ is: 'ahead', ms: clock.now() - Date.now() });
  } else if (message.do === 'stop') void stop();
});

async function event({ n, type, area, zone, ends }: Extract<ToBox, { do: 'event' }>): Promise<void> {
  const id = uuidv7();
  if (ends) ids.set(n, id);
  const at = iso(clock.now());
  const times = { occurredAt: at, seenAt: at, deviceTime: null };
  const what = { id, type, deviceId: null, channel: zone, area, sourceRef: null, text: null };
  try {
    await journal.append([{ kind: 'event', body: { ...what, ...times } }]);
  } catch {
    return;
  }
  tell({ is: 'journalled', n });
}

async function stop(): Promise<void> {
  await Promise.all([uplink.stop(), arc.stop()]);
  await journal.stop();
  process.exit(0);
}
