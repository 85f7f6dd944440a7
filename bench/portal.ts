import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { PrivatePostgres } from '../relay/testing/postgres.ts';
import { freePort } from './free-port.ts';
import type { Outcome, Plan } from './portal/load.ts';
import { type Seeded, seeded } from './portal/seed.ts';
import { FULL, PASSWORD, QUICK } from './portal/world.ts';

const PER_SECOND = 200;
const TARGET = 'p95 ≤ 50';
/** How often each page is asked for, of a hundred. */
const MIX = { home: 10, 'list of sites': 25, 'search of sites': 20, 'devices of a site': 20, 'page of events': 25 };

/**
 * The pages that people look at all day, with very much in the database: at 200 requests a second by people of 121
 * companies, and how fast people can sign in. On SQLite and on PostgreSQL; the load comes from a process of its own.
 */
export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  for (const kind of ['sqlite', 'postgres'] as const) {
    if (kind === 'postgres' && !PrivatePostgres.installed()) {
      emit({ bench: 'portal, postgres', skipped: 'PostgreSQL is not installed' });
      continue;
    }
    const data = await seeded(kind, quick ? QUICK : FULL);
    try {
      await measure(kind, data, emit, quick);
    } finally {
      await data.stop();
    }
  }
}

async function measure(kind: string, data: Seeded, emit: (line: object) => void, quick: boolean): Promise<void> {
  const { sites, devices, events } = data.world.size;
  const relay = await Relay.start(data);
  try {
    emit({
      bench: `portal, ${kind}: start with ${sites} sites, ${devices} devices, ${events} events`,
      unit: 's',
      start: Math.round(relay.startMs / 100) / 10,
      seeding: Math.round(data.seededMs / 1000),
    });
    const people = data.world.people();
    const { tokens, perSecond } = await relay.signIn(people.map((person) => person.email));
    emit({
      bench: `portal, ${kind}: sign-in with Argon2id (19 MiB, 2 passes)`,
      unit: '1/s',
      perSecond,
      n: tokens.length,
    });
    const words = data.world.words();
    const cursors = await relay.cursors(tokens[0]!);
    const questions = Object.entries(MIX).flatMap(([page, share]) =>
      [...Array(share * 10).keys()].map((n) => {
        const at = (n * 7919) % people.length;
        const { siteIds } = people[at]!;
        const site = siteIds[(n * 31) % siteIds.length];
        const word = encodeURIComponent(pick(n % 2 ? words.common : words.rare, n));
        const path = {
          home: `/home?sites=${site}`,
          'list of sites': `/sites?limit=50${at === 0 && n % 3 && cursors.sites ? `&cursor=${encodeURIComponent(cursors.sites)}` : ''}`,
          'search of sites': `/sites?limit=50&q=${word}`,
          'devices of a site': `/sites/${site}/devices`,
          'page of events': `/sites/${site}/events?limit=50`,
        }[page];
        return { kind: page, token: tokens[at]!, path: `/api/v1${path}` };
      }),
    );
    shuffle(questions);
    const plan = {
      url: relay.url,
      questions,
      perSecond: PER_SECOND,
      warmUpSeconds: quick ? 2 : 10,
      seconds: quick ? 8 : 60,
    };
    const before = await relay.cpuSeconds();
    const outcome = await load(plan);
    const asked =
      Object.values(outcome.kinds).reduce((sum, { n }) => sum + n, 0) * (1 + plan.warmUpSeconds / plan.seconds);
    emit({
      bench: `portal, ${kind}: processor time of the relay's program for a request`,
      unit: 'ms',
      mean: Math.round((((await relay.cpuSeconds()) - before) * 100_000) / asked) / 100,
    });
    for (const [page, { failed, ...figures }] of Object.entries(outcome.kinds)) {
      const name = `portal, ${kind}: ${page}, ${PER_SECOND} requests/s in all`;
      emit({ bench: name, unit: 'ms', ...figures, failed, generatorLateP99: outcome.lateP99, target: TARGET });
    }
    if (outcome.failure) throw new Error(outcome.failure);
  } finally {
    await relay.stop();
  }
}

/** The relay's own program on the world's database. */
class Relay {
  readonly url: string;
  readonly startMs: number;
  readonly #child: ChildProcess;
  readonly #dir: string;

  private constructor(at: { url: string; startMs: number; child: ChildProcess; dir: string }) {
    this.url = at.url;
    this.startMs = at.startMs;
    this.#child = at.child;
    this.#dir = at.dir;
  }

  static async start({ address }: Seeded): Promise<Relay> {
    const port = await freePort();
    const dir = mkdtempSync(join(tmpdir(), 'gatepost-bench-'));
    const database =
      'url' in address ? ['--data', dir, '--database-url', address.url] : ['--data', join(address.path, '..')];
    const args = ['relay/main.ts', '--host', '127.0.0.1', '--port', String(port), '--log-level', 'fatal', ...database];
    const began = performance.now();
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    const url = `http://127.0.0.1:${port}`;
    for (;;) {
      const ready = await fetch(`${url}/readyz`).then(
        (r) => r.ok,
        () => false,
      );
      if (ready) return new Relay({ url, startMs: performance.now() - began, child, dir });
      if (child.exitCode !== null) throw new Error('the relay did not start');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Eight people at a time, each once; and how many that made a second. */
  async signIn(emails: string[]): Promise<{ tokens: string[]; perSecond: number }> {
    const tokens: string[] = [];
    const waiting = [...emails.entries()];
    const began = performance.now();
    const one = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [i, email] = next;
        const body = JSON.stringify({ email, password: PASSWORD });
        const headers = { 'content-type': 'application/json' };
        const response = await fetch(`${this.url}/api/v1/auth/login`, { method: 'POST', body, headers });
        if (!response.ok) throw new Error(`sign-in: ${await response.text()}`);
        tokens[i] = ((await response.json()) as { token: string }).token;
      }
    };
    await Promise.all(Array.from({ length: 8 }, one));
    const perSecond = Math.round((emails.length / (performance.now() - began)) * 10_000) / 10;
    return { tokens, perSecond };
  }

  /** Where a second page begins. */
  async cursors(token: string): Promise<{ sites: string | null }> {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${this.url}/api/v1/sites?limit=50`, { headers });
    const { nextCursor = null } = (await response.json()) as { nextCursor?: string | null };
    return { sites: nextCursor };
  }

  /** Processor time that the program took so far. */
  async cpuSeconds(): Promise<number> {
    const metrics = await (await fetch(`${this.url}/metrics`)).text();
    return Number(/^process_cpu_seconds_total (\S+)/m.exec(metrics)?.[1]);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.exitCode === null && this.#child.kill('SIGTERM')) await ended;
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

async function load(plan: Plan): Promise<Outcome> {
  const args = [join(import.meta.dirname, 'portal/load.ts')];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(plan));
  return JSON.parse(await text(child.stdout)) as Outcome;
}

const pick = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;

function shuffle(list: unknown[]): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [list[i], list[j]] = [list[j], list[i]];
  }
}

if (import.meta.main)
  await run((line) => console.log(JSON.stringify(line)), { quick: process.argv.includes('--quick') });
