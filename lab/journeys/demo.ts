import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Alarm, Box, Clip, Device, EventDetail, EventItem, Page, Site } from '../../protocol/wire/api.ts';

/** What `npm start` prints. */
export interface Ready {
  portal: string;
  setup: string;
  lab: string;
  login: { email: string; password: string };
  setupPassword: string;
  pids: Record<'relay' | 'box' | 'lab', number>;
}

/** What the alarm receiving centre has. */
export interface Received {
  account: string;
  protocol: string;
  code: string;
  zone: string;
  occurredAt: string;
  acknowledgedAt: string;
  raw: string;
  via?: 'direct' | 'relay';
}

/** The first of some ports that nobody listens on; below those that the system gives to connections. */
async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const base = 20_000 + Math.floor(Math.random() * 12_000);
    const checks = Array.from({ length: count }, (_, i) => {
      return new Promise<boolean>((resolve) => {
        const server = createServer().once('error', () => resolve(false));
        server.listen(base + i, '127.0.0.1', () => server.close(() => resolve(true)));
      });
    });
    if ((await Promise.all(checks)).every(Boolean)) return base;
  }
  throw new Error('no free ports');
}

/** Polls `read` until it gives something; throws with `what` after `ms`. */
export async function until<T>(
  what: string,
  ms: number,
  read: () => Promise<T | null | undefined | false>,
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const value = await read();
    if (value) return value;
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(25);
  }
}

/** The whole product as a stranger starts it, in a directory and on ports of its own. */
export class Demo {
  readonly dir = mkdtempSync(join(tmpdir(), 'gatepost-demo-'));
  ready!: Ready;
  site!: Site;
  #base = 0;
  #token = '';
  #child: ChildProcess | null = null;
  readonly #env: Record<string, string>;

  constructor(env: Record<string, string> = {}) {
    this.#env = env;
  }

  async start(): Promise<this> {
    this.#base ||= await freePorts(10);
    const child = spawn(process.execPath, ['scripts/start.ts'], {
      cwd: join(import.meta.dirname, '../..'),
      env: {
        ...process.env,
        GATEPOST_LAB_DEVICES: '',
        ...this.#env,
        PORT: String(this.#base),
        GATEPOST_VAR: join(this.dir, 'var'),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    let said = '';
    this.ready = await new Promise<Ready>((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        const line = said.split('\n').find((l) => l.startsWith('ready {'));
        if (line) resolve(JSON.parse(line.slice(6)));
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      child.once('exit', (code) => reject(new Error(`npm start ended with ${code}:\n${said}`)));
    });
    await this.login();
    this.site = (await this.api<Page<Site>>('/sites')).items[0] as Site;
    return this;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#child = null;
    if (child.exitCode === null) {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await exited;
    }
  }

  /** Process ids now: what dies is started again under a new one. */
  pids(): Ready['pids'] {
    return (JSON.parse(readFileSync(join(this.dir, 'var/demo.json'), 'utf8')) as Ready).pids;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  async login(): Promise<void> {
    const body = JSON.stringify(this.ready.login);
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${this.ready.portal}/api/v1/auth/login`, { method: 'POST', headers, body });
    this.#token = ((await response.json()) as { token: string }).token;
  }

  async raw(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.ready.portal}/api/v1${path}`, {
      ...init,
      headers: { authorization: `Bearer ${this.#token}`, ...init.headers },
    });
  }

  async api<T>(path: string, init?: RequestInit): Promise<T> {
    const response = await this.raw(path, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  events(limit = 50): Promise<EventItem[]> {
    return this.api<Page<EventItem>>(`/sites/${this.site.id}/events?limit=${limit}`).then((p) => p.items);
  }

  async allEvents(): Promise<EventItem[]> {
    const all: EventItem[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
      const page: Page<EventItem> = await this.api(`/sites/${this.site.id}/events?limit=200${query}`);
      all.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor);
    return all;
  }

  event(id: string): Promise<EventDetail> {
    return this.api(`/events/${id}`);
  }

  clip(id: string): Promise<Clip> {
    return this.api(`/clips/${id}`);
  }

  alarms(): Promise<Alarm[]> {
    return this.api<Page<Alarm>>(`/sites/${this.site.id}/alarms?limit=200`).then((p) => p.items);
  }

  devices(): Promise<Device[]> {
    return this.api<{ items: Device[] }>(`/sites/${this.site.id}/devices`).then((p) => p.items);
  }

  box(): Promise<Box> {
    return this.api<{ items: Box[] }>(`/sites/${this.site.id}/boxes`).then((p) => p.items[0] as Box);
  }

  async lab<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(this.ready.lab + path, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`lab ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  emit(camera: string, type = 'motion', active = true): Promise<{ id: string; emittedAt: string }> {
    return this.lab('POST', `/devices/${camera}/events`, { type, active });
  }

  fault(target: 'arc-direct' | 'arc-relay' | 'box-relay', mode: string): Promise<unknown> {
    return this.lab('POST', '/faults', { target, mode });
  }

  received(): Promise<Received[]> {
    return this.lab<{ items: Received[] }>('GET', '/arc/alarms').then((r) => r.items);
  }

  /** The event at the relay that the lab emitted under this id. */
  arrived(labId: string, ms = 10_000): Promise<EventItem> {
    return until(`event ${labId} at the relay`, ms, async () =>
      (await this.events(200)).find((e) => e.sourceRef === labId),
    );
  }
}
