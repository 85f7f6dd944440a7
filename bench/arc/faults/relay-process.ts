import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../free-port.ts';
import { COMPILED, until } from './wait.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PASSWORD = 'a password for the soak';
const EMAIL = 'soak@gatepost.example';

/** The relay as it is installed, in a process of its own and on SQLite, to be killed and started again. */
export class RelayProcess {
  readonly dir: string;
  port = 0;
  siteId = '';
  #token = '';
  #child: ChildProcess | null = null;
  readonly #nice: number;

  constructor(dir: string, { nice = 0 } = {}) {
    this.dir = dir;
    this.#nice = nice;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    mkdirSync(this.dir, { recursive: true });
    // Whoever interrupts a run leaves nothing behind.
    process.once('exit', () => this.#child?.kill('SIGKILL'));
    this.port = await freePort();
    const names = ['--company', 'Soak', '--name', 'Soak', '--email', EMAIL, '--site', 'Soak'];
    const made = execFile(process.execPath, ['relay/main.ts', 'bootstrap', '--data', this.dir, ...names], {
      cwd: ROOT,
    });
    made.stdin!.end(PASSWORD);
    let said = '';
    made.stderr!.on('data', (text) => {
      said += text;
    });
    const [code] = await once(made, 'close');
    if (code !== 0) throw new Error(`relay/main.ts bootstrap ended with ${code}: ${said.trim().slice(-500)}`);
    this.spawn();
    await this.ready();
    const { token } = await this.api<{ token: string }>('POST', '/auth/login', { email: EMAIL, password: PASSWORD });
    this.#token = token;
    const { items } = await this.api<{ items: { id: string }[] }>('GET', '/sites');
    this.siteId = items[0]!.id;
  }

  /** Does not wait until it is ready. */
  spawn(): void {
    const log = openSync(join(this.dir, 'relay.log'), 'a');
    const place = ['--port', `${this.port}`, '--host', '127.0.0.1', '--data', this.dir];
    const limits = ['--enrol-limit', '1000000', '--address-rate', '10000', '--company-rate', '10000'];
    const options = [...place, ...limits, '--allow-internal', '127.0.0.0/8'];
    this.#child = spawn('nice', ['-n', `${this.#nice}`, process.execPath, 'relay/main.ts', ...options], {
      cwd: ROOT,
      stdio: ['ignore', log, log],
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILED },
    });
    this.#child.on('error', () => {});
    closeSync(log);
  }

  async ready(): Promise<void> {
    const isReady = () =>
      fetch(`${this.url}/readyz`).then(
        (r) => r.ok,
        () => false,
      );
    await until('the relay to be ready', isReady, 60_000);
  }

  /** As the power does it. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async api<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.#token}` },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text || 'null') as T;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await gone;
    clearTimeout(late);
  }
}
