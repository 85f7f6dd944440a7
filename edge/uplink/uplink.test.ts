import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { systemClock as clock, iso } from '../../protocol/clock.ts';
import { seal } from '../../protocol/codec/sealed.ts';
import { parseBoxAuth } from '../../protocol/wire/box-auth.ts';
import type { DesiredState } from '../../protocol/wire/desired.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { problem } from '../../protocol/wire/problem.ts';
import type { Health } from '../../protocol/wire/uplink.ts';
import { DesiredConfig } from '../config/desired-config.ts';
import type { DeviceConfig } from '../devices/types.ts';
import { Identity } from '../identity/identity.ts';
import { Journal } from '../journal/journal.ts';
import { Warnables } from '../warnables.ts';
import { RelayAuth } from './relay-auth.ts';
import { Uplink } from './uplink.ts';

const log = pino({ level: 'silent' });

/** A relay reduced to its broker: what arrives is kept by topic, what it answers is set by the test. */
class Broker {
  aedes!: Aedes;
  server!: Server;
  url = '';
  received: { topic: string; body: Record<string, unknown> }[] = [];
  refuse: string | null = null;
  hello: object = { journalId: null, seq: 0, claimed: true };
  desired: DesiredState | null = null;
  /** Withhold PUBACK for the journal. */
  silent = false;

  async start(): Promise<void> {
    this.aedes = await Aedes.createBroker({
      authorizePublish: (_client, packet, done) => {
        if (this.silent && packet.topic.endsWith('/journal')) return;
        this.received.push({
          topic: packet.topic.split('/').at(-1) as string,
          body: JSON.parse(packet.payload.toString()),
        });
        done(null);
      },
    });
    this.aedes.on('subscribe', (subscriptions, client) => {
      for (const { topic } of subscriptions) {
        const body = topic.endsWith('/hello') ? this.hello : this.desired;
        if (body)
          client.publish(
            { cmd: 'publish', topic, payload: JSON.stringify(body), qos: 1, retain: false, dup: false },
            () => {},
          );
      }
    });
    this.server = createServer((request, response) => {
      request.resume();
      const answer =
        request.url === '/box/v1/enrol' ? { state: 'claimed' } : { nonce: 'n'.repeat(32), expiresInMs: 60_000 };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    });
    const sockets = new WebSocketServer({ noServer: true });
    this.server.on('upgrade', (request, socket, head) => {
      if (this.refuse) {
        const body = JSON.stringify(problem(this.refuse as 'box-revoked'));
        socket.end(`HTTP/1.1 403 Forbidden\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`);
        return;
      }
      expect(parseBoxAuth(request.headers.authorization)?.nonce).toBe('n'.repeat(32));
      sockets.handleUpgrade(request, socket, head, (ws) => this.aedes.handle(createWebSocketStream(ws), request));
    });
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.aedes.close(resolve));
    this.server.closeAllConnections();
    this.server.close();
  }

  records(): { seq: number }[] {
    return this.received.filter((m) => m.topic === 'journal').flatMap((m) => m.body.records as { seq: number }[]);
  }
}

let dir: string;
let broker: Broker;
let identity: Identity;
let warnables: Warnables;
let journal: Journal;
let uplink: Uplink;
let applied: DeviceConfig[][];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-uplink-'));
  broker = new Broker();
  await broker.start();
  identity = new Identity({ dir });
  identity.start();
  warnables = new Warnables({ clock, log });
  journal = new Journal({ path: join(dir, 'journal.db'), clock, log, warnables });
  journal.start();
  applied = [];
  const config = new DesiredConfig({
    dir,
    unseal: (secret, context) => identity.unseal(secret, context),
    appliers: {
      storage: () => {},
      devices: (items) => {
        applied.push(items);
        return [];
      },
      panels: () => [],
      recording: () => [],
      arc: () => [],
    },
    log,
    warnables,
  });
  const health = () => ({ at: iso(clock.now()) }) as Health;
  const auth = new RelayAuth({ relayUrl: broker.url, identity, log });
  uplink = new Uplink({
    journal,
    auth,
    serial: identity.serial,
    config,
    health,
    clock,
    log,
    warnables,
    releasedFile: join(dir, 'released.json'),
  });
});
afterEach(async () => {
  await uplink.stop();
  await journal.stop();
  await broker.stop();
  rmSync(dir, { recursive: true, force: true });
});

const end = () => ({ kind: 'eventEnd' as const, body: { eventId: uuidv7(), endedAt: iso(clock.now()) } });
const seqs = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

describe('uplink', () => {
  it('sends the journal in order and remembers what was acknowledged', async () => {
    await journal.append(Array.from({ length: 300 }, end));
    uplink.start();
    await vi.waitFor(() => expect(broker.records()).toHaveLength(300), 5000);
    await journal.append([end()]);
    await vi.waitFor(() => expect(uplink.waiting()).toBe(0), 5000);
    expect(broker.records().map((r) => r.seq)).toEqual(seqs(301));
  });

  it('says that it stops when it was told to, so that nobody is called', async () => {
    uplink.start();
    await vi.waitFor(() => expect(uplink.state().connected).toBe(true), 5000);
    await uplink.stop();
    const said = broker.received.filter((m) => m.topic === 'status').map((m) => m.body);
    expect(said.slice(0, 2)).toEqual([{ online: true }, { online: false, backMs: 180_000 }]);
  });

  it('starts where the relay stands, also when that is further back than before', async () => {
    await journal.append(Array.from({ length: 10 }, end));
    journal.consumer('uplink', 'start').commit(10);
    broker.hello = { journalId: journal.id, seq: 7, claimed: true };
    uplink.start();
    await vi.waitFor(() => expect(broker.records().map((r) => r.seq)).toEqual([8, 9, 10]), 5000);
  });

  it('sends everything of a journal that the relay does not know', async () => {
    await journal.append(Array.from({ length: 3 }, end));
    journal.consumer('uplink', 'start').commit(3);
    broker.hello = { journalId: uuidv7(), seq: 900, claimed: true };
    uplink.start();
    await vi.waitFor(() => expect(broker.records().map((r) => r.seq)).toEqual([1, 2, 3]), 5000);
  });

  it('sends again what was not acknowledged when the connection broke', async () => {
    broker.silent = true;
    uplink.start();
    await vi.waitFor(() => expect(uplink.state().connected).toBe(true), 5000);
    await journal.append([end(), end()]);
    broker.silent = false;
    for (const client of Object.values(
      (broker.aedes as unknown as { clients: Record<string, { conn: { destroy(): void } }> }).clients,
    )) {
      client.conn.destroy();
    }
    await vi.waitFor(() => expect(broker.records().map((r) => r.seq)).toEqual([1, 2]), 8000);
    await vi.waitFor(() => expect(uplink.waiting()).toBe(0), 5000);
  });

  it('keeps the journal to itself until it is claimed', async () => {
    broker.hello = { journalId: null, seq: 0, claimed: false };
    await journal.append([end()]);
    uplink.start();
    await vi.waitFor(() => expect(uplink.state().claimed).toBe(false), 5000);
    expect(broker.records()).toEqual([]);
    const topic = `box/${identity.serial}/hello`;
    const payload = JSON.stringify({ journalId: null, seq: 0, claimed: true });
    broker.aedes.publish({ cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false }, () => {});
    await vi.waitFor(() => expect(broker.records()).toHaveLength(1), 5000);
  });

  it('given back and claimed by somebody else, keeps what happened before to itself', async () => {
    const say = (claimed: boolean, seq = 1) => {
      const payload = JSON.stringify({ journalId: journal.id, seq, claimed });
      const topic = `box/${identity.serial}/hello`;
      broker.aedes.publish({ cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false }, () => {});
    };
    await journal.append([end()]);
    uplink.start();
    await vi.waitFor(() => expect(broker.records()).toHaveLength(1), 5000);
    broker.silent = true;
    await journal.append([end(), end()]);
    say(false);
    await vi.waitFor(() => expect(uplink.state().claimed).toBe(false), 5000);
    broker.silent = false;
    await journal.append([end()]);
    say(true);
    await vi.waitFor(() => expect(broker.records().map((r) => r.seq)).toEqual([1, 4]), 5000);
    expect(JSON.parse(readFileSync(join(dir, 'released.json'), 'utf8'))).toEqual({ journalId: journal.id, seq: 3 });
  });

  it('applies wishes, reports them, and keeps passwords sealed on disk', async () => {
    const id = uuidv7();
    const good = seal('hunter2!', identity.enrolment('1').sealKey, `device:${id}`);
    const device = {
      id,
      kind: 'isapi' as const,
      name: 'Cam',
      mac: null,
      serial: null,
      host: '10.0.0.2',
      httpPort: 80,
      username: 'admin',
      password: good,
      credentialVersion: 1,
    };
    const moved = { ...device, id: uuidv7() };
    broker.desired = {
      version: 4,
      sections: {
        devices: { version: 3, items: [device, moved] },
        recording: { version: 0, items: [] },
        arc: { version: 0, items: [] },
        storage: { version: 0, items: [] },
      },
    };
    uplink.start();
    await vi.waitFor(() => expect(applied).toHaveLength(1), 5000);
    expect(applied[0]?.map((d) => [d.id, d.password])).toEqual([[id, 'hunter2!']]);
    await vi.waitFor(() => expect(broker.received.some((m) => m.topic === 'reported')).toBe(true), 5000);
    const reported = broker.received.find((m) => m.topic === 'reported')?.body as unknown as {
      sections: { devices: { version: number; errors: { id: string; code: string }[] } };
    };
    expect(reported.sections.devices.version).toBe(3);
    expect(reported.sections.devices.errors.map((e) => [e.id, e.code])).toEqual([[moved.id, 'secret-unreadable']]);
    expect(readFileSync(join(dir, 'desired.json'), 'utf8')).not.toContain('hunter2!');
  });

  it('says why when the relay refuses it', async () => {
    broker.refuse = 'box-revoked';
    uplink.start();
    await vi.waitFor(() => expect(warnables.list().map((w) => w.code)).toEqual(['relay-refuses']), 5000);
    expect(uplink.state().connected).toBe(false);
    broker.refuse = null;
    await vi.waitFor(() => expect(uplink.state().connected).toBe(true), 8000);
    expect(warnables.list()).toEqual([]);
  });
});
