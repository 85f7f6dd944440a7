import { createHash, generateKeyPairSync, type KeyObject, randomInt, randomUUID, sign } from 'node:crypto';
import mqtt, { type MqttClient } from 'mqtt';
import { WebSocket } from 'ws';
import { rawPublicKey } from '../../protocol/codec/sealed.ts';
import { type EnrolRequest, enrolInput, formatBoxAuth, signingInput } from '../../protocol/wire/box-auth.ts';
import type { Event, JournalRecord } from '../../protocol/wire/event.ts';
import { SERIAL_ALPHABET, uuidv7 } from '../../protocol/wire/ids.ts';
import { type Health, topics } from '../../protocol/wire/uplink.ts';
import { type Company, type TestRelay, until } from './relay.ts';

const text = (length: number) =>
  Array.from({ length }, () => SERIAL_ALPHABET[randomInt(SERIAL_ALPHABET.length)]).join('');

/** The relay's view of a box: keys, proofs, and an MQTT client; for tests. */
export class TestBox {
  readonly serial = text(9);
  readonly code = text(10);
  readonly journalId = uuidv7();
  readonly sealKey: KeyObject;
  readonly received: { topic: string; message: Record<string, unknown> }[] = [];
  readonly #relay: TestRelay;
  readonly #signKey: KeyObject;
  readonly publicKey: string;
  readonly #sealPublic: string;
  boot = randomUUID();
  epoch = 1;
  seq = 0;
  mqtt: MqttClient | null = null;

  constructor(relay: TestRelay) {
    this.#relay = relay;
    const pair = generateKeyPairSync('ed25519');
    this.#signKey = pair.privateKey;
    this.publicKey = rawPublicKey(pair.publicKey);
    const seal = generateKeyPairSync('x25519');
    this.sealKey = seal.privateKey;
    this.#sealPublic = rawPublicKey(seal.publicKey);
  }

  get topics() {
    return topics(this.serial);
  }

  enrolment(change: Partial<EnrolRequest> = {}): EnrolRequest {
    const body = {
      serial: this.serial,
      publicKey: this.publicKey,
      sealKey: this.#sealPublic,
      codeHash: createHash('sha256').update(`${this.serial}:${this.code}`).digest('hex'),
      version: '0.1.0',
      ...change,
    };
    return { signature: this.sign(enrolInput(body)), ...body };
  }

  sign(input: string): string {
    return sign(null, Buffer.from(input), this.#signKey).toString('base64url');
  }

  enrol(): Promise<{ status: number; body: { state?: string; code?: string } }> {
    return this.#relay.call('POST', '/box/v1/enrol', this.enrolment());
  }

  async header(purpose: string): Promise<string> {
    const { nonce } = (await this.#relay.call('POST', '/box/v1/nonce', {})).body;
    const claim = { serial: this.serial, boot: this.boot, epoch: this.epoch, nonce };
    return formatBoxAuth({ ...claim, signature: this.sign(signingInput(claim, purpose)) });
  }

  /** Opens a WebSocket with a proof; resolves with the HTTP status when it is refused. */
  async upgrade(path: string, authorization?: string): Promise<{ status: number; code?: string; ws?: WebSocket }> {
    const headers = { authorization: authorization ?? (await this.header(path)) };
    const url = `${this.#relay.url.replace('http', 'ws')}${path}`;
    const ws = path === '/mqtt' ? new WebSocket(url, 'mqtt', { headers }) : new WebSocket(url, { headers });
    return new Promise((resolve, reject) => {
      ws.on('open', () => resolve({ status: 101, ws }));
      ws.on('error', reject);
      ws.on('unexpected-response', (_, response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, code: body ? JSON.parse(body).code : undefined });
          ws.removeAllListeners('error');
          ws.on('error', () => {});
          ws.terminate();
        });
      });
    });
  }

  /** Connects over MQTT and waits for the relay's Hello. */
  async connect(options: { will?: string; subscribe?: boolean } = {}): Promise<Record<string, unknown>> {
    const headers = { authorization: await this.header('/mqtt') };
    const client = mqtt.connect(`${this.#relay.url.replace('http', 'ws')}/mqtt`, {
      protocolVersion: 4,
      clientId: this.serial,
      clean: true,
      keepalive: 10,
      reconnectPeriod: 0,
      wsOptions: { headers, perMessageDeflate: false },
      will: {
        topic: options.will ?? this.topics.status,
        payload: Buffer.from('{"online":false}'),
        qos: 1,
        retain: false,
      },
    });
    this.mqtt = client;
    client.on('error', () => {});
    client.on('message', (topic, payload) => this.received.push({ topic, message: JSON.parse(payload.toString()) }));
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve());
      client.once('close', () => reject(new Error('closed before CONNACK')));
    });
    if (options.subscribe === false) return {};
    const before = this.received.length;
    await client.subscribeAsync([this.topics.hello, this.topics.desired], { qos: 1 });
    const found = await until('Hello', () =>
      this.received.slice(before).find((message) => message.topic === this.topics.hello),
    );
    return found.message;
  }

  last(topic: string): Record<string, unknown> | undefined {
    return this.received.findLast((message) => message.topic === topic)?.message;
  }

  /** Resolves at PUBACK; rejects when the connection closes first. */
  async publish(topic: string, message: unknown): Promise<void> {
    const client = this.mqtt;
    if (!client) throw new Error('not connected');
    const payload = typeof message === 'string' ? message : JSON.stringify(message);
    await new Promise<void>((resolve, reject) => {
      const closed = () => reject(new Error('connection closed'));
      client.once('close', closed);
      client.publish(topic, payload, { qos: 1 }, (error) => {
        client.off('close', closed);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  journal(records: unknown[]): Promise<void> {
    return this.publish(this.topics.journal, { journalId: this.journalId, records });
  }

  event(change: Partial<Event> = {}): Extract<JournalRecord, { kind: 'event' }> {
    const at = new Date().toISOString();
    const id = change.id ?? uuidv7();
    const body: Event = {
      id,
      type: 'motion',
      deviceId: null,
      channel: 1,
      occurredAt: at,
      seenAt: at,
      deviceTime: null,
      sourceRef: null,
      text: null,
      ...change,
    };
    return { seq: ++this.seq, id, at, kind: 'event', body };
  }

  health(change: Partial<Health> = {}): Health {
    return {
      at: new Date().toISOString(),
      version: '0.1.0',
      uptimeMs: 1000,
      rssBytes: 1,
      diskFreeBytes: 1,
      diskTotalBytes: 2,
      tunnelRttMs: null,
      queues: { uplink: 0, upload: 0, uploadBytes: 0, arc: 0 },
      devices: [],
      arc: [],
      warnables: [],
      ...change,
    };
  }

  /** As after a restart of the box. */
  restart(): void {
    this.boot = randomUUID();
    this.epoch++;
  }

  disconnect(): void {
    this.mqtt?.end(true);
    this.mqtt = null;
  }

  /** Enrols and is claimed for the company's site. */
  async claimedBy(company: Company): Promise<this> {
    await this.enrol();
    const { serial, code } = this;
    const claim = await company.api('POST', `/sites/${company.siteId}/boxes`, { serial, code });
    if (claim.status !== 201) throw new Error(`claim: ${JSON.stringify(claim.body)}`);
    return this;
  }
}
