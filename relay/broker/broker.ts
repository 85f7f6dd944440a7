import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Aedes, type AedesPublishPacket, type Client, type PublishPacket, type Subscription } from 'aedes';
import type { Logger } from 'pino';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../../protocol/clock.ts';
import { MAX_MQTT_BYTES, topics } from '../../protocol/wire/uplink.ts';
import type { ProvenBox } from '../boxes/authenticate.ts';
import type { JournalSession } from '../events/ingest.ts';
import type { Presence } from '../health/presence.ts';
import { PacketLimit } from './packet-limit.ts';

/** Without a byte for this long a box counts as gone: two and more of its keep-alives (10 s). */
const SILENCE_MS = 22_000;
const SWEEP_MS = 2_000;
/** Fixed header, topic and packet id come on top of the payload. */
const MAX_PACKET_BYTES = MAX_MQTT_BYTES + 1024;

export interface BoxConnection extends JournalSession {
  /** Its site is filled in when it is claimed while connected. */
  box: ProvenBox;
  readonly ws: WebSocket;
  client: Client | null;
  heardMono: number;
  /** What it wants to hear of. */
  readonly subscribed: Set<string>;
  /** Messages are handled one after the other. */
  tail: Promise<void>;
}

export interface BrokerHandler {
  /** A message in the box's own subtree. Acknowledged when it resolves, the connection is closed when it rejects. */
  message(connection: BoxConnection, topic: string, payload: Buffer): Promise<void>;
  /** It asked for one of the relay's topics. */
  subscribed(connection: BoxConnection, topic: string): Promise<void>;
  /** It reached into another box's topics. */
  foreignTopic(box: ProvenBox, topic: string): void;
}

/**
 * The MQTT side of the relay: aedes behind a WebSocket whose box has proved itself already. A box has one connection, a
 * client id that is its serial, and the subtree `box/{serial}/`. Sessions are clean and nothing is retained: what a box
 * must know is read from the database when it subscribes.
 */
export class MqttBroker {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #presence: Presence;
  readonly #handler: BrokerHandler;
  readonly #wss = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_PACKET_BYTES + 16,
    handleProtocols: (offered) => (offered.has('mqtt') ? 'mqtt' : false),
  });
  /** The one connection of each box that has said CONNECT. */
  readonly #connections = new Map<string, BoxConnection>();
  readonly #open = new Set<BoxConnection>();
  readonly #byStream = new WeakMap<object, BoxConnection>();
  #aedes!: Aedes;
  #cancel: (() => void) | null = null;

  constructor(deps: { clock: Clock; log: Logger; presence: Presence; handler: BrokerHandler }) {
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#presence = deps.presence;
    this.#handler = deps.handler;
  }

  async start(): Promise<void> {
    this.#aedes = await Aedes.createBroker({
      concurrency: 1000,
      maxClientsIdLength: 64,
      maxTopicLevels: 8,
      drainTimeout: 20_000,
      connectTimeout: 10_000,
      preConnect: (client, packet, done) => {
        const box = this.#of(client)?.box;
        if (!box) return done(new Error('no proven box'), false);
        // Whatever name it gives itself: it is the box that proved itself, and it leaves no session behind.
        Object.assign(packet, { clientId: box.serial, clean: true });
        const own = !packet.will || packet.will.topic === topics(box.serial).status;
        if (!own) this.#handler.foreignTopic(box, packet.will!.topic);
        done(own ? null : new Error('last will in a foreign topic'), own);
      },
      authorizePublish: (client, packet, done) => {
        this.#authorizePublish(client, packet).then(() => done(null), done);
      },
      authorizeSubscribe: (client, subscription, done) => done(null, this.#authorizeSubscribe(client, subscription)),
    });
    this.#aedes.on('clientReady', (client) => this.#ready(client));
    this.#aedes.on('subscribe', (subscriptions, client) => this.#subscribed(subscriptions, client));
    this.#aedes.on('clientError', (client, error) => this.#closed(client, error));
    this.#aedes.on('connectionError', (client, error) => this.#closed(client, error));
    this.#cancel = this.#clock.every(SWEEP_MS, () => this.#sweep());
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    const open = [...this.#open];
    for (const { ws } of open) ws.close(1012, 'relay restarts');
    await new Promise<void>((resolve) => this.#aedes.close(resolve));
    for (const { ws } of open) ws.terminate();
    await Promise.all(open.map((connection) => connection.tail));
    this.#wss.close();
  }

  /** The box has proved itself. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, box: ProvenBox): void {
    this.#wss.handleUpgrade(request, socket, head, (ws) => {
      const limit = new PacketLimit(MAX_PACKET_BYTES);
      const connection: BoxConnection = {
        box,
        ws,
        client: null,
        heardMono: this.#clock.mono(),
        lastSeq: null,
        subscribed: new Set(),
        tail: Promise.resolve(),
      };
      ws.on('message', (data: Buffer) => {
        connection.heardMono = this.#clock.mono();
        if (limit.accept(data)) return;
        this.#log.warn({ serial: box.serial }, 'packet too large: connection closed');
        ws.terminate();
      });
      this.#open.add(connection);
      ws.on('close', () => {
        this.#open.delete(connection);
        this.#gone(connection);
      });
      const stream = createWebSocketStream(ws);
      stream.on('error', (error) => this.#log.debug({ err: error, serial: box.serial }, 'mqtt stream'));
      this.#byStream.set(stream, connection);
      this.#aedes.handle(stream, request);
    });
  }

  disconnect(serial: string, reason: string): void {
    for (const connection of this.#open) {
      if (connection.box.serial !== serial) continue;
      this.#log.info({ serial, reason }, 'mqtt connection cut');
      connection.ws.terminate();
      this.#gone(connection);
    }
  }

  connection(serial: string): BoxConnection | null {
    return this.#connections.get(serial) ?? null;
  }

  /** Sends to a box that has subscribed to the topic. */
  send(connection: BoxConnection, topic: string, message: unknown): void {
    if (!connection.client || !connection.subscribed.has(topic)) return;
    const packet = { cmd: 'publish', topic, payload: JSON.stringify(message), qos: 1, retain: false, dup: false };
    connection.client.publish(packet as AedesPublishPacket, (error) => {
      if (error) this.#log.debug({ err: error, serial: connection.box.serial, topic }, 'not delivered');
    });
  }

  #of(client: Client | null): BoxConnection | undefined {
    return client ? this.#byStream.get(client.conn) : undefined;
  }

  #ready(client: Client): void {
    const connection = this.#of(client);
    if (!connection || connection.ws.readyState !== connection.ws.OPEN) return;
    connection.client = client;
    const former = this.#connections.get(connection.box.serial);
    this.#connections.set(connection.box.serial, connection);
    former?.ws.terminate();
    this.#presence.set(connection.box.serial, true);
  }

  #gone(connection: BoxConnection): void {
    if (this.#connections.get(connection.box.serial) !== connection) return;
    this.#connections.delete(connection.box.serial);
    this.#presence.set(connection.box.serial, false, connection.heardMono);
  }

  #sweep(): void {
    const limit = this.#clock.mono() - SILENCE_MS;
    for (const connection of this.#connections.values()) {
      if (connection.heardMono < limit) this.disconnect(connection.box.serial, 'silent');
    }
  }

  /** aedes acknowledges when this resolves, and closes the connection when it rejects. */
  async #authorizePublish(client: Client | null, packet: PublishPacket): Promise<void> {
    const connection = this.#of(client);
    if (!connection) throw new Error('no proven box');
    const { box } = connection;
    // aedes would keep up to a thousand of them in memory for a client that never releases one.
    if (packet.qos === 2) throw new Error('QoS 2 is not offered');
    if (!packet.topic.startsWith(`box/${box.serial}/`)) {
      this.#handler.foreignTopic(box, packet.topic);
      throw new Error('foreign topic');
    }
    packet.retain = false;
    const payload = Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload);
    const work = connection.tail.then(() => this.#handler.message(connection, packet.topic, payload));
    connection.tail = work.catch(() => {});
    try {
      await work;
    } catch (error) {
      this.#log.error({ err: error, serial: box.serial, topic: packet.topic }, 'not stored, not acknowledged');
      // What follows on this connection would leave a gap: the box begins again from the relay's Hello.
      connection.ws.terminate();
      throw error;
    }
  }

  #authorizeSubscribe(client: Client, subscription: Subscription): Subscription | null {
    const connection = this.#of(client);
    if (!connection) return null;
    const { serial } = connection.box;
    if (subscription.topic === topics(serial).hello || subscription.topic === topics(serial).desired) {
      return subscription;
    }
    if (!subscription.topic.startsWith(`box/${serial}/`)) {
      this.#handler.foreignTopic(connection.box, subscription.topic);
    }
    return null;
  }

  #subscribed(subscriptions: Subscription[], client: Client): void {
    const connection = this.#of(client);
    for (const { topic, qos } of subscriptions) {
      // aedes writes 128 here for what was refused.
      if (!connection || (qos as number) === 128) continue;
      connection.subscribed.add(topic);
      this.#handler.subscribed(connection, topic).catch((error) => {
        this.#log.error({ err: error, serial: connection.box.serial, topic }, 'could not answer a subscription');
        connection.ws.terminate();
      });
    }
  }

  #closed(client: Client, error: Error): void {
    this.#log.info({ serial: this.#of(client)?.box.serial, reason: error.message }, 'mqtt connection closed');
  }
}
