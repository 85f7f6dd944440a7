import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import pino from 'pino';
import { WebSocket } from 'ws';
import { iso, ManualClock } from '../../../protocol/clock.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import { MEDIA_CONTENT_TYPE, type MediaMessage, readMedia, writeMedia } from '../../../protocol/wire/media.ts';
import type { DevicePermission } from '../../../protocol/wire/rights.ts';
import { createApi } from '../../api/app.ts';
import { OperationLog } from '../../audit/operation-log.ts';
import { Leases } from '../../auth/leases.ts';
import { Sessions } from '../../auth/sessions.ts';
import type { Db } from '../../db/database.ts';
import { BoxClient } from '../../devices/box-client.ts';
import { registerDeviceRoutes } from '../../devices/routes.ts';
import { ApiKeys } from '../../keys/keys.ts';
import { dropTestDatabase, openTestDatabase } from '../../testing/database.ts';
import { deviceRow } from '../../testing/device-row.ts';
import type { TunnelHub, TunnelRequest } from '../../tunnel/hub.ts';
import { Metrics } from '../../web/metrics.ts';
import { listen, webServer } from '../../web/server.ts';
import type { IceOptions } from '../ice-servers.ts';
import { Watching } from '../watching.ts';

export const SERIAL = 'T123T45R6';

/** What a box was asked, and its answer as a test writes it. */
export interface Asked {
  serial: string;
  method: string;
  path: string;
  body: string;
  signal: AbortSignal | undefined;
  /** Of streams: what the test sends. */
  stream: PassThrough;
  /** A body that goes on. */
  sound: Readable | null;
}

/** A person, signed in, with these permissions on the camera. */
export interface Person {
  userId: string;
  companyId: string;
  sessionId: string;
  token: string;
}

/** The routes of live view on a real server, with a box that does as it is told and a clock that stands still. */
export class Stage {
  readonly clock = new ManualClock(Date.UTC(2026, 3, 1, 12));
  readonly dir = mkdtempSync(join(tmpdir(), 'gatepost-watching-'));
  readonly asked: Asked[] = [];
  readonly siteId = uuidv7();
  readonly camera = uuidv7();
  readonly elsewhere = uuidv7();
  connected = true;
  /** What the box refuses with; null: it does what it is asked. */
  refusal: { status: number; body: object } | null = null;
  db!: Db;
  sessions!: Sessions;
  watching!: Watching;
  url = '';
  #server!: Server;
  #owner!: string;

  async start(ice?: IceOptions): Promise<this> {
    const { clock } = this;
    const log = pino({ level: 'silent' });
    const db = await openTestDatabase(this.dir);
    this.db = db;
    const sessions = new Sessions({ db, clock });
    this.sessions = sessions;
    const hub = {
      isConnected: () => this.connected,
      request: (serial: string, request: TunnelRequest) => this.#request(serial, request),
    } as unknown as TunnelHub;
    const box = new BoxClient({ tunnel: hub });
    const leases = new Leases({ clock });
    const parts = { db, clock, log, hub, box, leases, sessions, metrics: new Metrics(), ice };
    this.watching = new Watching(parts);
    await this.watching.start();
    const operationLog = new OperationLog({ db, clock, log });
    const keys = new ApiKeys({ db, clock, log, sessions });
    const api = createApi({ db, clock, log, sessions, keys, operationLog, remote: () => '192.0.2.1' });
    this.watching.registerRoutes(api);
    // Of devices only their pictures: nothing else is asked for here.
    registerDeviceRoutes(api, { box, watching: this.watching, discovery: {} } as never);
    const app = new Hono<{ Bindings: HttpBindings }>();
    app.all('/api/*', (c) => api.fetch(c.req.raw, c.env));
    const none = { proxyOf: () => null, handle: () => {} };
    this.#server = webServer({ app, pages: none, upgrades: none, clock, log });
    this.url = `http://127.0.0.1:${(await listen(this.#server, '127.0.0.1', 0)).port}`;
    await this.#site();
    return this;
  }

  async stop(): Promise<void> {
    await this.watching.stop();
    this.#server.closeAllConnections();
    this.#server.close();
    await this.db.destroy();
    await dropTestDatabase(this.dir);
    rmSync(this.dir, { recursive: true, force: true });
  }

  async company(name: string): Promise<string> {
    const id = uuidv7();
    await this.db
      .insertInto('companies')
      .values({ id, name, createdAt: iso(this.clock.now()) })
      .execute();
    return id;
  }

  /** `permissions` null: as the company that made the site. */
  async person(permissions: DevicePermission[] | null, untilMs: number | null = null): Promise<Person> {
    const { db, clock } = this;
    const companyId = permissions === null ? this.#owner : await this.company('Partner');
    const userId = uuidv7();
    const createdAt = iso(clock.now());
    const person = { id: userId, companyId, email: `${userId}@x.example`, name: 'Pia', passwordHash: '', createdAt };
    await db
      .insertInto('users')
      .values({ ...person, admin: 1 })
      .execute();
    for (const permission of permissions ?? [])
      await db
        .insertInto('grants')
        .values({
          id: uuidv7(),
          companyId,
          siteId: this.siteId,
          deviceId: this.camera,
          permission,
          untilMs,
          source: 'application',
        })
        .execute();
    const { token } = await this.sessions.create(userId, { remote: '', userAgent: '' });
    return { userId, companyId, sessionId: (await this.sessions.find(token))!.id, token };
  }

  call(
    who: Person | null,
    method: string,
    path: string,
    o: { body?: string; type?: string; signal?: AbortSignal } = {},
  ): Promise<Response> {
    const headers: Record<string, string> = { ...(who && { authorization: `Bearer ${who.token}` }) };
    if (o.body !== undefined) headers['content-type'] = o.type ?? 'application/json';
    return fetch(`${this.url}/api/v1${path}`, { method, headers, body: o.body, signal: o.signal });
  }

  /** A WebSocket, and what came by it. */
  socket(headers: Record<string, string>, path: string): Viewer {
    return new Viewer(`${this.url.replace('http', 'ws')}/api/v1${path}`, headers);
  }

  watch(who: Person, query = 'stream=main', camera = this.camera): Viewer {
    const path = `/devices/${camera}/channels/1/live/socket?${query}`;
    return this.socket({ authorization: `Bearer ${who.token}` }, path);
  }

  async #request(serial: string, request: TunnelRequest) {
    const stream = new PassThrough();
    const { method, path, signal } = request;
    const body = Buffer.isBuffer(request.body) ? request.body.toString() : '';
    const sound = request.body instanceof Readable ? request.body : null;
    this.asked.push({ serial, method, path, body, signal, stream, sound });
    // As the tunnel does: whoever gives up hears of it.
    signal?.addEventListener('abort', () => stream.destroy(new Error('given up')));
    stream.on('error', () => {});
    const { refusal } = this;
    if (refusal) {
      const said = Readable.from([Buffer.from(JSON.stringify(refusal.body))]);
      return { status: refusal.status, headers: { 'content-type': 'application/problem+json' }, body: said };
    }
    if (method === 'PATCH') return { status: 204, headers: {}, body: Readable.from([]) };
    if (path.startsWith('/v1/live/options')) {
      const main = { stream: 'main', codec: 'avc1.64001f', width: 1280, height: 720, audio: 'PCMU' };
      const said = { streams: [main], encrypted: false, playback: true };
      const answer = Readable.from([Buffer.from(JSON.stringify(said))]);
      return { status: 200, headers: { 'content-type': 'application/json' }, body: answer };
    }
    if (path.startsWith('/v1/playback/file'))
      return { status: 200, headers: { 'content-type': 'video/mp4' }, body: stream };
    const list = { '/v1/playback/search': { items: [], complete: true }, '/v1/playback/days': { days: [3, 4] } }[path];
    if (list) {
      const answer = Readable.from([Buffer.from(JSON.stringify(list))]);
      return { status: 200, headers: { 'content-type': 'application/json' }, body: answer };
    }
    if (path.includes('/snapshot'))
      return { status: 200, headers: { 'content-type': 'image/jpeg' }, body: Readable.from([Buffer.from('JPEG')]) };
    const type = /^\/v1\/(live\/webrtc|talk)/.test(path) ? 'application/x-ndjson' : MEDIA_CONTENT_TYPE;
    return { status: 200, headers: { 'content-type': type }, body: stream };
  }

  async #site(): Promise<void> {
    const { db, clock, siteId } = this;
    const createdAt = iso(clock.now());
    this.#owner = await this.company('Acme');
    const companyId = this.#owner;
    const place = { id: siteId, companyId, name: 'S', sortName: 's', timeZone: 'UTC', createdAt };
    await db.insertInto('sites').values(place).execute();
    await db
      .insertInto('grants')
      .values({ id: uuidv7(), companyId, siteId, permission: 'all', source: 'site' })
      .execute();
    const box = { serial: SERIAL, publicKey: '', sealKey: '', codeHash: '', state: 'claimed' as const, siteId };
    await db
      .insertInto('boxes')
      .values({ ...box, version: null, enrolledMs: 0, companyId, boot: null, epoch: null, seenMs: null })
      .execute();
    for (const [id, boxSerial] of [
      [this.camera, SERIAL],
      [this.elsewhere, null],
    ] as const)
      await db.insertInto('devices').values(deviceRow({ id, siteId, boxSerial })).execute();
  }
}

/** Somebody at the other end of a WebSocket. */
export class Viewer {
  readonly socket: WebSocket;
  readonly messages: MediaMessage[] = [];
  readonly said: Record<string, unknown>[] = [];
  readonly closed: Promise<{ code: number; status: number | null }>;

  constructor(url: string, headers: Record<string, string>) {
    this.socket = new WebSocket(url, { headers });
    this.socket.on('error', () => {});
    this.socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) return void this.said.push(JSON.parse(data.toString()));
      const message = readMedia(data);
      if (message) this.messages.push(message);
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('unexpected-response', (_, response) => {
        response.resume();
        resolve({ code: 0, status: response.statusCode ?? 0 });
        this.socket.terminate();
      });
      this.socket.on('close', (code) => resolve({ code, status: null }));
    });
  }

  get types(): string {
    return this.messages.map(({ type }) => type).join(' ');
  }
  get note(): string | null {
    const last = this.messages.findLast((message) => message.type === 'note');
    return last?.type === 'note' ? last.note.code : null;
  }
  close(): void {
    this.socket.close();
  }
}

/** Media messages as a box sends them, each behind its length. */
export function media(...types: ('init' | 'key' | 'delta')[]): Buffer {
  const init = { codecs: 'avc1.64001f', width: 1280, height: 720, audio: null, transcoded: false };
  return Buffer.concat(
    types.flatMap((type) => {
      const data = Buffer.alloc(type === 'init' ? 20 : 1000, type);
      const message = writeMedia(type === 'init' ? { type, init, data } : { type, wallMs: 1, data });
      const length = Buffer.alloc(4);
      length.writeUInt32BE(message.length);
      return [length, message];
    }),
  );
}
