import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino, { type Logger } from 'pino';
import { type Clock, systemClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { hashPassword } from '../auth/passwords.ts';
import type { Identity } from '../auth/scope.ts';
import { bootstrap } from '../bootstrap.ts';
import type { Db } from '../db/database.ts';
import { makeOperator } from '../operator/first.ts';
import type { RelayOptions } from '../options.ts';
import { Relay } from '../relay.ts';
import { dropTestDatabase, openTestDatabase, testDatabase } from './database.ts';

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what came, whatever it is
  body: any;
  headers: Headers;
}
export type Call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

export interface Company extends Identity {
  siteId: string;
  email: string;
  password: string;
  /** Signed in, below /api/v1. */
  api: Call;
  token: string;
}

/** A real relay on a free loopback port with a data directory of its own, for tests. */
export class TestRelay {
  readonly dir = mkdtempSync(join(tmpdir(), 'gatepost-relay-'));
  /** Lines of the log, newest last. */
  readonly logged: Record<string, unknown>[] = [];
  readonly #options: Partial<RelayOptions>;
  #relay: Relay | null = null;
  port = 0;

  constructor(options: Partial<RelayOptions> = {}) {
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get clock(): Clock {
    return this.#options.clock ?? systemClock;
  }

  async start(): Promise<this> {
    const log: Logger = pino({ level: 'debug' }, { write: (line: string) => this.logged.push(JSON.parse(line)) });
    this.#relay = new Relay({
      host: '127.0.0.1',
      port: this.port,
      dataDir: this.dir,
      database: await testDatabase(this.dir),
      allowInternal: ['127.0.0.0/8'],
      proxies: 0,
      clock: systemClock,
      log,
      ...this.#options,
    });
    this.port = (await this.#relay.start()).port;
    return this;
  }

  /** Stops it and keeps its data: `start()` brings it back on the same port. */
  async halt(): Promise<void> {
    await this.#relay?.stop();
    this.#relay = null;
  }

  async stop(): Promise<void> {
    await this.halt();
    await dropTestDatabase(this.dir);
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** A second connection to the relay's database. */
  async withDb<T>(fn: (db: Db) => Promise<T>): Promise<T> {
    const db = await openTestDatabase(this.dir);
    try {
      return await fn(db);
    } finally {
      await db.destroy();
    }
  }

  readonly call: Call = async (method, path, body, headers = {}) => {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = /[/+]json(;|$)/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers };
  };

  async company(name: string): Promise<Company> {
    const email = `owner@${name.toLowerCase()}.example`;
    const password = `password of ${name}`;
    const made = await this.withDb((db) =>
      bootstrap(db, this.clock, { company: name, name: 'Owner', email, password, site: `${name} HQ`, timeZone: 'UTC' }),
    );
    const login = await this.call('POST', '/api/v1/auth/login', { email, password });
    if (login.status !== 200) throw new Error(`sign-in: ${JSON.stringify(login.body)}`);
    const { token } = login.body;
    const api: Call = (method, path, body, headers) =>
      this.call(method, `/api/v1${path}`, body, { authorization: `Bearer ${token}`, ...headers });
    const identity = { companyType: 'installer', admin: true, limited: false, permissions: new Set<never>() } as const;
    return { ...identity, ...made, email, password, api, token };
  }

  /** Whoever runs the relay, signed in. */
  async operator(): Promise<Call> {
    const wanted = { email: 'operator@relay.example', name: 'Operator', password: 'password of the operator' };
    await this.withDb((db) => makeOperator(db, this.clock, wanted));
    const { body } = await this.call('POST', '/api/v1/auth/login', wanted);
    return (method, path, sent, headers) =>
      this.call(method, `/api/v1${path}`, sent, { authorization: `Bearer ${body.token}`, ...headers });
  }

  /** An end user's own tenant, signed in; the address is verified, a `phone` too. */
  async customer(name: string, more: { phone?: string } = {}): Promise<Omit<Company, 'siteId'>> {
    const email = `${name.toLowerCase()}@home.example`;
    const password = `password of ${name}`;
    const now = this.clock.now();
    const [companyId, userId] = [uuidv7(now), uuidv7(now)];
    const createdAt = new Date(now).toISOString();
    const passwordHash = await hashPassword(password);
    await this.withDb(async (db) => {
      await db.insertInto('companies').values({ id: companyId, name, createdAt, type: 'customer' }).execute();
      await db
        .insertInto('users')
        .values({
          id: userId,
          companyId,
          email,
          name,
          passwordHash,
          createdAt,
          admin: 1,
          emailVerifiedMs: now,
          phone: more.phone ?? null,
          phoneVerifiedMs: more.phone ? now : null,
        })
        .execute();
    });
    const login = await this.call('POST', '/api/v1/auth/login', { email, password });
    if (login.status !== 200) throw new Error(`sign-in: ${JSON.stringify(login.body)}`);
    const { token } = login.body;
    const api: Call = (method, path, body, headers) =>
      this.call(method, `/api/v1${path}`, body, { authorization: `Bearer ${token}`, ...headers });
    const identity = { companyType: 'customer', admin: true, limited: false, permissions: new Set<never>() } as const;
    return { ...identity, companyId, userId, email, password, api, token };
  }
}

/** Waits until `read` gives something; fails loudly after `ms`. */
export async function until<T>(what: string, read: () => T | Promise<T>, ms = 5_000): Promise<NonNullable<T>> {
  const end = performance.now() + ms;
  for (;;) {
    const found = await read();
    if (found) return found as NonNullable<T>;
    if (performance.now() > end) throw new Error(`waited ${ms} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
