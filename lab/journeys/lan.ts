import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import { until } from './demo.ts';

const root = join(import.meta.dirname, '../..');
const HOST = '127.0.0.1';
const LOGIN = { email: 'in1@example.org', password: 'a good password' };
const SETUP_PASSWORD = 'set-up password';

export interface LabDevice {
  name: string;
  kind: string;
  address: string;
  mac: string;
  serial: string;
  password: string | null;
}
type Json = Record<string, unknown>;
interface More {
  lab?: string[];
  boxNode?: string[];
  relay?: string[];
  uplink?: boolean;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, HOST, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** A relay, a claimed box and a LAN of the devices asked for, without video; each a program of its own, as at a customer's. */
export class LanStack {
  readonly dir = mkdtempSync(join(tmpdir(), 'gatepost-lan-'));
  readonly #devices: string;
  readonly #base: string;
  #children = new Map<string, { child: ChildProcess; ended: Promise<void> }>();
  #box: string[] = [];
  #relay: string[] = [];
  #token = '';
  #cookie = '';
  readonly login = LOGIN;
  relay = '';
  setup = '';
  lab = '';
  siteId = '';
  boxSerial = '';

  readonly #more: More;

  /** `devices` as `--devices` of the lab takes them; `more`: further arguments of the lab, of the box's Node, of the relay; `uplink`: the box has one that {@link uplink} pulls. */
  constructor(devices: string, base = '127.91.0.', more: More = {}) {
    this.#devices = devices;
    this.#base = base;
    this.#more = more;
  }

  /** The process id of one of the programs. */
  pid(name: 'lab' | 'box' | 'relay'): number {
    return this.#children.get(name)!.child.pid!;
  }

  async start(): Promise<this> {
    const [relayPort, boxPort, labPort, sadp] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    this.relay = `http://${HOST}:${relayPort}`;
    this.setup = `http://${HOST}:${boxPort}`;
    this.lab = `http://${HOST}:${labPort}`;
    const relayDir = join(this.dir, 'relay');
    const who = ['--company', 'Installers', '--name', 'Ida', '--email', LOGIN.email, '--site', 'S1'];
    const made = spawnSync(
      process.execPath,
      ['relay/main.ts', 'bootstrap', '--data', relayDir, ...who, '--time-zone', 'Europe/Berlin'],
      { cwd: root, input: LOGIN.password, encoding: 'utf8' },
    );
    if (made.status !== 0) throw new Error(made.stderr);
    const search = ['--sadp-port', `${sadp}`, '--wsd-port', '0'];
    this.#relay = [
      'relay/main.ts',
      '--port',
      `${relayPort}`,
      '--host',
      HOST,
      '--data',
      relayDir,
      ...(this.#more.relay ?? []),
    ];
    this.startRelay();
    const devices = this.#devices === '' ? [] : ['--devices', this.#devices];
    const uplink = this.#more.uplink ? await freePort() : null;
    const pulled = uplink ? ['--relay', `${HOST}:${relayPort}`, '--box-relay-port', `${uplink}`] : [];
    const lan = [
      '--no-video',
      '--cameras',
      '0',
      ...devices,
      '--base',
      this.#base,
      ...pulled,
      ...(this.#more.lab ?? []),
    ];
    const ports = ['--http-port', '0', '--rtsp-port', '0', '--sadp-port', `${sadp}`, '--wsd-port', '0'];
    this.#run('lab', ['lab/main.ts', '--port', `${labPort}`, '--data', join(this.dir, 'lab'), ...lan, ...ports]);
    const box = ['--port', `${boxPort}`, '--host', HOST, '--data', join(this.dir, 'edge')];
    box.push('--relay', uplink ? `http://${this.#base}41:${uplink}` : this.relay);
    this.#box = [
      ...(this.#more.boxNode ?? []),
      'edge/main.ts',
      ...box,
      '--interface',
      'lo',
      ...search,
      '--mdns-port',
      '0',
      '--ssdp-port',
      '0',
    ];
    await this.startBox();
    const up = (url: string) =>
      fetch(url).then(
        (r) => r.ok,
        () => false,
      );
    await until('relay and lab', 30_000, async () => (await up(`${this.relay}/healthz`)) && (await up(this.lab)));
    const { token } = await this.#json<{ token: string }>('POST', `${this.relay}/api/v1/auth/login`, LOGIN);
    this.#token = token;
    this.siteId = (await this.api<{ items: { id: string }[] }>('GET', '/sites')).items[0]!.id;
    await this.#claim();
    return this;
  }

  async #claim(): Promise<void> {
    const first = await fetch(`${this.setup}/api/setup/password`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ password: SETUP_PASSWORD }),
    });
    this.#cookie = first.headers.get('set-cookie')!.split(';')[0]!;
    const status = () =>
      this.#json<{ serial: string; claim: { code: string } | null; relay: { mqtt: boolean } }>(
        'GET',
        `${this.setup}/api/setup/status`,
        undefined,
        { cookie: this.#cookie },
      );
    const { serial, claim } = await until('the box at the relay', 30_000, async () => {
      const now = await status();
      return now.relay.mqtt && now;
    });
    this.boxSerial = serial;
    await this.api('POST', `/sites/${this.siteId}/boxes`, { serial, code: claim!.code });
    await this.boxOnline();
  }

  boxOnline(): Promise<unknown> {
    const boxes = () =>
      this.api<{ items: { online: boolean; tunnel: boolean }[] }>('GET', `/sites/${this.siteId}/boxes`);
    return until('the box online', 60_000, async () => {
      const now = await boxes().catch(() => null);
      return now?.items.some((box) => box.online && box.tunnel);
    });
  }

  async startBox(): Promise<void> {
    this.#run('box', this.#box);
    await until('the box', 30_000, () =>
      fetch(`${this.setup}/healthz`).then(
        (r) => r.ok,
        () => false,
      ),
    );
  }

  /** Signs in as who runs the relay, made by its command. */
  async operator(): Promise<string> {
    const [email, password] = ['operator@example.org', 'an operator’s password'];
    const args = ['--data', join(this.dir, 'relay'), '--name', 'Olga', '--email', email];
    const made = spawnSync(process.execPath, ['relay/main.ts', 'operator', ...args], {
      cwd: root,
      input: password,
      encoding: 'utf8',
    });
    if (made.status !== 0) throw new Error(made.stderr);
    return (await this.api<{ token: string }>('POST', '/auth/login', { email, password })).token;
  }

  startRelay(): void {
    this.#run('relay', this.#relay);
  }

  /** Pulls the box's uplink, or plugs it in again. */
  async uplink(plugged: boolean): Promise<void> {
    await this.labApi('POST', '/faults', { target: 'box-relay', mode: plugged ? 'none' : 'refuse' });
  }

  async kill(name: 'box' | 'relay'): Promise<void> {
    const running = this.#children.get(name)!;
    running.child.kill('SIGKILL');
    await running.ended;
  }

  /** What the box sees of the lab's devices. */
  async discovered(macs: string[]): Promise<(DiscoveredDevice & { boxSerial: string })[]> {
    return until('all devices in the list', 30_000, async () => {
      const { items } = await this.api<{ items: (DiscoveredDevice & { boxSerial: string })[] }>(
        'GET',
        `/sites/${this.siteId}/discovery`,
      );
      return macs.every((mac) => items.some((item) => item.mac === mac)) && items;
    });
  }

  api<T = Json>(method: string, path: string, body?: unknown, token = this.#token): Promise<T> {
    return this.#json(method, `${this.relay}/api/v1${path}`, body, { authorization: `Bearer ${token}` });
  }

  /** A file of the API. */
  async download(path: string): Promise<Buffer> {
    const response = await fetch(`${this.relay}/api/v1${path}`, {
      headers: { authorization: `Bearer ${this.#token}` },
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return Buffer.from(await response.arrayBuffer());
  }

  labDevices(): Promise<LabDevice[]> {
    return this.#json<{ devices: LabDevice[] }>('GET', this.lab).then((all) => all.devices);
  }

  labApi<T = Json>(method: string, path: string, body?: unknown): Promise<T> {
    return this.#json(method, this.lab + path, body);
  }

  async stop(): Promise<void> {
    for (const { child } of this.#children.values()) child.kill('SIGTERM');
    await Promise.all([...this.#children.values()].map(({ ended }) => ended));
    rmSync(this.dir, { recursive: true, force: true });
  }

  #run(name: string, args: string[]): void {
    const env = { ...process.env, GATEPOST_LOG_LEVEL: 'warn' };
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.#children.set(name, { child, ended });
  }

  async #json<T>(method: string, url: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }
}
