import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

const DEBIAN = '/usr/lib/postgresql';

/**
 * A PostgreSQL of its own, for tests and benchmarks: an empty cluster in a directory of its own, reached over a socket in
 * it, so that no port is taken. It ends with {@link stop}, and when this process ends in whatever way.
 */
export class PrivatePostgres {
  readonly #dir: string;
  readonly #keep: boolean;
  readonly #settings: string[];
  #child: ChildProcess | null = null;

  /** `dir`: kept between runs. Without `durable` it does not wait for the disk. */
  constructor({ dir, durable = false, settings = [] }: { dir?: string; durable?: boolean; settings?: string[] } = {}) {
    this.#keep = dir !== undefined;
    this.#dir = dir ?? mkdtempSync(join(tmpdir(), 'gatepost-pg-'));
    this.#settings = [...(durable ? [] : ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off']), ...settings];
  }

  static installed(): boolean {
    return binaries() !== null;
  }

  url(database: string): string {
    return `postgresql://gatepost@/${database}?host=${encodeURIComponent(this.#dir)}`;
  }

  async start(): Promise<this> {
    const bin = binaries();
    if (!bin) throw new Error('PostgreSQL is not installed: apt-get install postgresql');
    const data = join(this.#dir, 'data');
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    const who = unprivileged();
    if (who) chownSync(this.#dir, who.uid, who.gid);
    const options = { ...who, cwd: this.#dir, env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' } };
    if (!existsSync(join(data, 'PG_VERSION'))) {
      const args = ['-D', data, '-U', 'gatepost', '-A', 'trust', '-E', 'UTF8', '--no-sync'];
      execFileSync(join(bin, 'initdb'), args, { ...options, stdio: ['ignore', 'ignore', 'inherit'] });
    }
    const settings = [
      'listen_addresses=',
      `unix_socket_directories=${this.#dir}`,
      'max_connections=300',
      'log_min_messages=fatal',
    ];
    const flags = [...settings, ...this.#settings].flatMap((setting) => ['-c', setting]);
    // Its standard input ends when this process is gone, however it went; a word before says that the data stay.
    const script = 'dir=$1; shift; "$@" & pid=$!; word=$(cat); kill -INT $pid; wait $pid; [ "$word" ] || rm -rf "$dir"';
    const command = ['-c', script, 'sh', this.#dir, join(bin, 'postgres'), '-D', data, ...flags];
    this.#child = spawn('/bin/sh', command, { ...options, stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    if (this.#keep) this.#child.stdin?.write('keep');
    await this.#ready();
    return this;
  }

  /** Stops it and keeps its data. */
  async halt(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child && child.exitCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.stdin?.end('keep');
      await ended;
    }
  }

  async stop(): Promise<void> {
    await this.halt();
    if (!this.#keep) rmSync(this.#dir, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    const end = performance.now() + 60_000;
    for (;;) {
      try {
        return await onServer(this.url('postgres'), 'select 1');
      } catch (error) {
        if (performance.now() > end) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }
}

/** Runs one statement on a connection of its own. */
export async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Where Debian keeps the programs: the newest version. */
function binaries(): string | null {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions
    .map((version) => join(DEBIAN, version, 'bin'))
    .find((dir) => existsSync(join(dir, 'postgres')));
  return found ?? null;
}

/** The server refuses to run as root. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
