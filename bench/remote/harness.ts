import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { Networks } from '../../edge/remote-config/networks.ts';
import { CertificatePins } from '../../edge/remote-config/pins.ts';
import { RemotePolicy } from '../../edge/remote-config/policy.ts';
import { TunnelClient } from '../../edge/tunnel/client.ts';
import { type Clock, systemClock } from '../../protocol/clock.ts';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { TestBox } from '../../relay/testing/box.ts';
import { type Company, TestRelay, until } from '../../relay/testing/relay.ts';
import { Browser } from './browser.ts';

const silent = pino({ level: 'silent' });
let nextMac = 1;
const mac = () => `02-00-00-00-02-${(nextMac++).toString(16).padStart(2, '0')}`;

/** What the search of a box finds, as the test says. */
export class Lan {
  found: Partial<DiscoveredDevice>[] = [];
  byMac = (wanted: string) => this.found.find((d) => d.mac === wanted) as DiscoveredDevice | undefined;
  bySerial = (wanted: string) => this.found.find((d) => d.serial === wanted) as DiscoveredDevice | undefined;
  at = (address: string) => this.found.filter((d) => d.address === address) as DiscoveredDevice[];
}

export interface Device {
  id: string;
  name: string;
  mac: string | null;
  serial: string | null;
  host: string;
  httpPort: number;
  tls?: DeviceTls;
}

/** A box of one company with its real tunnel and policy, and devices that are known to relay and box. */
export class Site {
  readonly lan = new Lan();
  readonly box: TestBox;
  readonly company: Company;
  readonly policy: RemotePolicy;
  readonly pins: CertificatePins;
  readonly dir = mkdtempSync(join(tmpdir(), 'gatepost-remote-'));
  readonly online = new Set<string>();
  readonly neighbours = new Map<string, string>();
  readonly #relay: TestRelay;
  readonly httpsPorts: number[] = [];
  #tunnel: TunnelClient | null = null;
  devices: Device[] = [];

  constructor(
    relay: TestRelay,
    company: Company,
    networks: Pick<Networks, 'permits'> = new Networks({ interface: 'lo' }),
  ) {
    this.#relay = relay;
    this.company = company;
    this.box = new TestBox(relay);
    this.pins = new CertificatePins({ dir: this.dir });
    this.pins.start();
    this.policy = new RemotePolicy({
      dir: this.dir,
      networks,
      seen: this.lan,
      isOnline: (id) => this.online.has(id),
      pins: this.pins,
      ownPorts: [8081, relay.port],
      loopback: true,
      relayUrl: new URL(relay.url),
      httpsPorts: () => this.httpsPorts,
      neighbour: async (address) => this.neighbours.get(address) ?? null,
      clock: systemClock,
      log: silent,
    });
  }

  async start(): Promise<this> {
    await this.box.claimedBy(this.company);
    await this.connect();
    return this;
  }

  async connect(): Promise<void> {
    this.box.restart();
    const tunnel = new TunnelClient({
      auth: { relayUrl: new URL(this.#relay.url), header: (purpose) => this.box.header(purpose) },
      handler: async (request) => {
        const id = /\/v1\/devices\/([\w-]+)\/certificate\/forget$/.exec(request.url)?.[1];
        if (id) this.pins.forget(id);
        return Response.json({});
      },
      connectPolicy: (authority, headers) => this.policy.resolve(authority, headers),
      clock: systemClock,
      log: silent,
    });
    tunnel.start();
    this.#tunnel = tunnel;
    await until('the tunnel', () => tunnel.state().connected);
  }

  async disconnect(): Promise<void> {
    await this.#tunnel?.stop();
    this.#tunnel = null;
  }

  /** Adds a device to relay and box, and lets the search see it there. */
  async add(host: string, httpPort: number, change: { byAddress?: boolean; tls?: DeviceTls } = {}): Promise<Device> {
    const id = uuidv7();
    const { tls } = change;
    const row = { id, name: `Camera ${host}`, mac: mac(), serial: `DS-${id}`, host, httpPort };
    const device: Device = { ...row, tls };
    await this.#relay.withDb((db) =>
      db
        .insertInto('devices')
        .values({
          ...row,
          certificate: tls?.certificate ?? null,
          siteId: this.company.siteId,
          boxSerial: change.byAddress ? null : this.box.serial,
          accessMode: change.byAddress ? 'ip' : 'p2p',
          kind: 'isapi',
          username: 'admin',
          createdAt: new Date().toISOString(),
          deletedAt: null,
        })
        .execute(),
    );
    this.devices.push(device);
    this.policy.apply(this.devices);
    this.see(device);
    return device;
  }

  /** Takes it away again, at relay and box, with what is open to it. */
  async remove(device: Device): Promise<void> {
    const { items = [] } = (await this.company.api('GET', `/devices/${device.id}/remote-sessions`)).body;
    for (const { id } of items) await this.company.api('DELETE', `/devices/${device.id}/remote-sessions/${id}`);
    const deletedAt = new Date().toISOString();
    await this.#relay.withDb((db) =>
      db.updateTable('devices').set({ deletedAt }).where('id', '=', device.id).execute(),
    );
    this.devices = this.devices.filter((one) => one !== device);
    this.lan.found = this.lan.found.filter((one) => one.mac !== device.mac);
    this.policy.apply(this.devices);
  }

  see(device: Device, change: Partial<DiscoveredDevice> = {}): void {
    const { mac: address, serial, host, httpPort } = device;
    this.lan.found = this.lan.found.filter((d) => d.mac !== device.mac);
    this.lan.found.push({
      mac: address ?? '',
      serial: serial ?? '',
      model: 'M',
      address: host,
      httpPort,
      protocols: ['sadp'],
      ...change,
    });
  }

  async stop(): Promise<void> {
    await this.disconnect();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export interface Opened {
  id: string;
  /** `http://{label}.localhost:{port}` */
  url: string;
}

/** Opens a device's page over the API and goes through the portal, as a window does. */
export async function openPage(
  relay: TestRelay,
  company: Pick<Company, 'api' | 'token'>,
  deviceId: string,
  browser = new Browser(relay.port),
): Promise<Opened & { browser: Browser }> {
  const made = await company.api('POST', `/devices/${deviceId}/remote-sessions`);
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  browser.jar(`127.0.0.1:${relay.port}`).set('gp_session', company.token);
  const { url, id } = made.body as Opened;
  return { id, url, browser };
}

/** A web server of a device on a loopback address. */
export async function webServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  host: string,
  port = 0,
): Promise<{ server: Server; port: number; stop: () => Promise<void> }> {
  const server = createServer({ requestTimeout: 0 }, answer);
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { server, port: (server.address() as AddressInfo).port, stop };
}

export async function startRelay(clock: Clock = systemClock): Promise<TestRelay> {
  return new TestRelay({ clock }).start();
}
