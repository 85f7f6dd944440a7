import { existsSync, readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import mqtt, { type MqttClient } from 'mqtt';
import type { Logger } from 'pino';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { Backoff } from '../../protocol/backoff.ts';
import type { Clock } from '../../protocol/clock.ts';
import { DesiredState } from '../../protocol/wire/desired.ts';
import type { JournalRecord } from '../../protocol/wire/event.ts';
import { Problem } from '../../protocol/wire/problem.ts';
import { type Health, Hello, MAX_BATCH_RECORDS, MAX_MQTT_BYTES, topics } from '../../protocol/wire/uplink.ts';
import type { DesiredConfig } from '../config/desired-config.ts';
import { writePrivateFile } from '../identity/identity.ts';
import type { Consumer, Journal } from '../journal/journal.ts';
import type { Warnables } from '../warnables.ts';
import { type RelayAuth, RelayAuthError } from './relay-auth.ts';

const KEEPALIVE_S = 10;
/** In flight at once; mqtt.js keeps no queue of its own beside the journal. */
const WINDOW = 4;
const BATCH_BYTES = MAX_MQTT_BYTES / 2;
const PUBACK_TIMEOUT_MS = 15_000;
const HEALTH_EVERY_MS = 15_000;
const HEALTH_SOON_MS = 250;
const BACKOFF_CAP_MS = 10_000;
/** A stop that was asked for is a restart or an update, mostly: until then the relay does not call this box silent. */
const BACK_IN_MS = 180_000;
const GOODBYE_MS = 500;

export interface UplinkState {
  connected: boolean;
  /** Wall ms since when it is as it is. */
  since: number | null;
  lastError: string | null;
  /** null: the relay has not said yet. */
  claimed: boolean | null;
}

/**
 * The MQTT side of the uplink (protocol/wire/uplink.ts): the journal goes up in order, from where the relay says it
 * stands; health and applied configuration go up, wishes come down.
 */
export class Uplink {
  readonly #journal: Journal;
  readonly #auth: RelayAuth;
  readonly #serial: string;
  readonly #config: DesiredConfig;
  readonly #health: () => Health;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #warnables: Warnables;
  readonly #backoff = new Backoff(500, BACKOFF_CAP_MS);
  readonly #listeners = new Set<() => void>();
  readonly #stopped = new AbortController();
  #state: UplinkState = { connected: false, since: null, lastError: null, claimed: null };
  readonly #releasedFile: string;
  #consumer!: Consumer;
  #client: MqttClient | null = null;
  #running: Promise<void> | null = null;
  /** Batches under way, in order; `next` is what has been handed out last. */
  #inFlight: { upTo: number; acknowledged: boolean }[] = [];
  #sentUpTo = 0;
  #ready = false;
  #cancelHealth: (() => void) | null = null;
  #healthDue = 0;
  #wake: AbortController | null = null;
  #unlisten: (() => void)[] = [];

  constructor(o: {
    journal: Journal;
    auth: RelayAuth;
    serial: string;
    config: DesiredConfig;
    health: () => Health;
    clock: Clock;
    log: Logger;
    warnables: Warnables;
    /** Where it is kept how much of the journal was a former owner's. */
    releasedFile: string;
    /** What the relay said last, before this start. */
    claimed?: boolean | null;
  }) {
    this.#state.claimed = o.claimed ?? null;
    this.#journal = o.journal;
    this.#releasedFile = o.releasedFile;
    this.#auth = o.auth;
    this.#serial = o.serial;
    this.#config = o.config;
    this.#health = o.health;
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'uplink' });
    this.#warnables = o.warnables;
  }

  start(): void {
    this.#consumer = this.#journal.consumer('uplink', 'start');
    this.#unlisten = [this.#journal.onAppend(() => this.#pump()), this.#warnables.onChange(() => this.healthChanged())];
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    for (const off of this.#unlisten) off();
    this.#cancelHealth?.();
    await this.#goodbye();
    this.#client?.end(true);
    await this.#running;
  }

  /** Says that this box stops because it was told to; waits a moment for it to arrive. */
  async #goodbye(): Promise<void> {
    const client = this.#client;
    if (!client?.connected) return;
    const arrived = new AbortController();
    const status = JSON.stringify({ online: false, backMs: BACK_IN_MS });
    client.publish(topics(this.#serial).status, status, { qos: 1 }, () => arrived.abort());
    await this.#clock.sleep(GOODBYE_MS, arrived.signal);
  }

  state(): UplinkState {
    return this.#state;
  }

  /** Records that the relay has not acknowledged. */
  waiting(): number {
    return Math.max(0, this.#journal.lastSeq - this.#consumer.cursor());
  }

  onChange(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  /** The network changed, or the tunnel is back: try now instead of waiting out the back-off. */
  kick(): void {
    this.#backoff.reset();
    this.#wake?.abort();
  }

  /** A person at the box lets claiming be tried again after too many wrong codes. False when the relay is away. */
  allowClaim(): boolean {
    if (!this.#client?.connected) return false;
    this.#client.publish(topics(this.#serial).allowClaim, '{}', { qos: 1 });
    return true;
  }

  /** Something that health tells has changed: told soon, together with what else changes meanwhile. */
  healthChanged(): void {
    if (this.#ready) this.#scheduleHealth(HEALTH_SOON_MS);
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      try {
        await this.#session();
        this.#set({ connected: false, lastError: 'the relay closed the connection' });
      } catch (error) {
        this.#refused(error as Error);
      }
      if (this.#stopped.signal.aborted) return;
      this.#wake = new AbortController();
      await this.#clock.sleep(this.#backoff.next(), AbortSignal.any([this.#wake.signal, this.#stopped.signal]));
    }
  }

  /** One connection, from proof to close. */
  async #session(): Promise<void> {
    const authorization = await this.#auth.header('/mqtt', this.#stopped.signal);
    const url = new URL('/mqtt', this.#auth.relayUrl);
    url.protocol = url.protocol.replace('http', 'ws');
    let refusal: Error | null = null;
    const t = topics(this.#serial);
    const client = mqtt.connect(url.href, {
      protocolVersion: 4,
      clientId: this.#serial,
      clean: true,
      keepalive: KEEPALIVE_S,
      connectTimeout: 10_000,
      reconnectPeriod: 0,
      queueQoSZero: false,
      will: { topic: t.status, payload: Buffer.from('{"online":false}'), qos: 1, retain: false },
      createWebsocket: (address, protocols) => {
        const socket = new WebSocket(address, protocols, {
          headers: { authorization },
          perMessageDeflate: false,
          maxPayload: 4 * 1024 * 1024,
        });
        socket.on('unexpected-response', (_request, response) => {
          void readProblem(response as unknown as Duplex).then((p) => {
            refusal = new RelayAuthError(
              (p?.code as 'box-revoked') ?? 'unreachable',
              p?.detail ?? p?.title ?? `${response.statusCode}`,
            );
            socket.terminate();
          });
        });
        return socket;
      },
    });
    this.#client = client;
    try {
      await new Promise<void>((resolve, reject) => {
        client.on('error', (error) => reject(refusal ?? error));
        client.on('close', () => (refusal ? reject(refusal) : resolve()));
        client.on('connect', () => void this.#connected(client, t).catch(reject));
        client.on('message', (topic, payload) => this.#message(topic, payload, t, client));
      });
    } finally {
      this.#ready = false;
      this.#inFlight = [];
      this.#cancelHealth?.();
      this.#cancelHealth = null;
      this.#client = null;
      client.end(true);
      client.on('error', () => {});
    }
  }

  async #connected(client: MqttClient, t: ReturnType<typeof topics>): Promise<void> {
    await client.subscribeAsync([t.hello, t.desired], { qos: 1 });
    client.publish(t.status, '{"online":true}', { qos: 1 });
    this.#backoff.reset();
    this.#warnables.clear('relay-refuses', 'box');
    this.#set({ connected: true, lastError: null });
    this.#log.info({ relay: this.#auth.relayUrl.host }, 'connected to the relay');
  }

  #message(topic: string, payload: Buffer, t: ReturnType<typeof topics>, client: MqttClient): void {
    try {
      if (payload.length > 4 * 1024 * 1024) throw new Error('too large');
      const value: unknown = JSON.parse(payload.toString('utf8'));
      if (topic === t.hello) this.#hello(Hello.parse(value));
      else if (topic === t.desired) {
        const reported = this.#config.take(DesiredState.parse(value));
        client.publish(t.reported, JSON.stringify(reported), { qos: 1 });
      }
    } catch (error) {
      this.#log.error({ err: error, topic }, 'a message of the relay could not be used');
      this.#warnables.raise(
        'relay-message-invalid',
        'box',
        'warning',
        `A message of the relay could not be used (${topic.split('/').at(-1)}). Update the box.`,
      );
    }
  }

  /** The relay says how far it got. Restored from a backup it says less than before, and gets the rest again. */
  #hello(hello: Hello): void {
    // Given back by its owner: what happened until now is not the next one's business.
    if (this.#state.claimed === true && !hello.claimed) this.#release();
    this.#set({ claimed: hello.claimed });
    if (!hello.claimed) {
      this.#ready = false;
      return;
    }
    if (!this.#ready) {
      const known = hello.journalId === this.#journal.id ? Math.min(hello.seq, this.#journal.lastSeq) : 0;
      const seq = Math.max(known, this.#releasedUpTo());
      this.#consumer.commit(seq);
      this.#sentUpTo = seq;
      this.#ready = true;
      this.#scheduleHealth(0);
    }
    this.#pump();
  }

  /** Written before it is acted on: a kill in between must not hand the past to the next owner. */
  #release(): void {
    const released = { journalId: this.#journal.id, seq: this.#journal.lastSeq };
    writePrivateFile(this.#releasedFile, JSON.stringify(released));
    this.#log.info(released, 'given back by its owner');
  }

  /** Up to here the journal belongs to an owner that the box no longer has. */
  #releasedUpTo(): number {
    if (!existsSync(this.#releasedFile)) return 0;
    const { journalId, seq } = Released.parse(JSON.parse(readFileSync(this.#releasedFile, 'utf8')));
    return journalId === this.#journal.id ? seq : 0;
  }

  #pump(): void {
    const client = this.#client;
    while (client && this.#ready && this.#inFlight.length < WINDOW) {
      const records = fitting(this.#journal.read(this.#sentUpTo, MAX_BATCH_RECORDS));
      const last = records.at(-1);
      if (!last) return;
      this.#sentUpTo = last.seq;
      const batch = { upTo: last.seq, acknowledged: false };
      this.#inFlight.push(batch);
      const cancel = this.#clock.after(PUBACK_TIMEOUT_MS, () => {
        this.#log.warn({ seq: last.seq }, 'the relay does not acknowledge: reconnecting');
        client.end(true);
        client.emit('close');
      });
      const payload = JSON.stringify({ journalId: this.#journal.id, records });
      client.publish(topics(this.#serial).journal, payload, { qos: 1 }, (error) => {
        cancel();
        if (error || client !== this.#client) return;
        batch.acknowledged = true;
        while (this.#inFlight[0]?.acknowledged) this.#consumer.commit(this.#inFlight.shift()!.upTo);
        this.#pump();
      });
    }
  }

  /** Never later than what is scheduled already: many changes in a row must not put it off. */
  #scheduleHealth(ms: number): void {
    const due = this.#clock.mono() + ms;
    if (this.#cancelHealth && this.#healthDue <= due) return;
    this.#cancelHealth?.();
    this.#healthDue = due;
    this.#cancelHealth = this.#clock.after(ms, () => {
      this.#cancelHealth = null;
      this.#client?.publish(topics(this.#serial).health, JSON.stringify(this.#health()), { qos: 1 });
      this.#scheduleHealth(HEALTH_EVERY_MS);
    });
  }

  #refused(error: Error): void {
    if (this.#stopped.signal.aborted) return;
    const code = error instanceof RelayAuthError ? error.code : 'unreachable';
    if (code === 'box-not-authenticated') this.#auth.forget();
    const advice = ADVICE[code];
    if (advice) this.#warnables.raise('relay-refuses', 'box', 'error', advice);
    if (this.#state.lastError !== error.message)
      this.#log.warn({ code, reason: error.message }, 'no connection to the relay');
    this.#set({ connected: false, lastError: error.message });
  }

  #set(change: Partial<UplinkState>): void {
    const since =
      change.connected !== undefined && change.connected !== this.#state.connected
        ? this.#clock.now()
        : this.#state.since;
    this.#state = { ...this.#state, ...change, since };
    for (const fn of this.#listeners) fn();
  }
}

const Released = z.object({ journalId: z.string(), seq: z.int().min(0) });

const ADVICE: Partial<Record<string, string>> = {
  'box-revoked':
    'This box was revoked: its company no longer uses it. Ask the installer, or reset the box to claim it anew.',
  'duplicate-identity':
    'Another box uses this identity (a copied disk?). Both are refused until the installer has cleared it in the portal.',
  'box-not-authenticated': 'The relay does not accept this box’s key. If its disk was exchanged, claim the box again.',
  'tls-needed': 'The relay takes no connection in clear. Give its address with https://.',
  'too-many-tries': 'The relay asks to wait: too many new boxes from this address.',
};

/** As many records as fit into one message; always at least one. */
function fitting(records: JournalRecord[]): JournalRecord[] {
  let bytes = 0;
  const end = records.findIndex((r, i) => {
    bytes += JSON.stringify(r).length;
    return i > 0 && bytes > BATCH_BYTES;
  });
  return end < 0 ? records : records.slice(0, end);
}

async function readProblem(response: Duplex): Promise<Problem | null> {
  let text = '';
  try {
    for await (const chunk of response) {
      text += chunk;
      if (text.length > 16_384) return null;
    }
    return Problem.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
