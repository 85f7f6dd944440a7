import type { Logger } from 'pino';
import { z } from 'zod';
import { ReportedState } from '../../protocol/wire/desired.ts';
import { Health, type Hello, Status, topics } from '../../protocol/wire/uplink.ts';
import type { BoxConnection, BrokerHandler, MqttBroker } from '../broker/broker.ts';
import type { Db } from '../db/database.ts';
import type { DesiredStates } from '../desired/desired.ts';
import type { JournalIngest } from '../events/ingest.ts';
import type { Quarantine } from '../events/quarantine.ts';
import type { HealthStore } from '../health/health.ts';
import type { SiteWarnables } from '../health/warnables.ts';
import type { AuthenticatedBox, ProvenBox } from './authenticate.ts';
import type { ClaimTries } from './claims.ts';

/** What each MQTT topic of a box means (protocol/wire/uplink.ts). */
export class BoxUplink implements BrokerHandler {
  readonly #db: Db;
  readonly #log: Logger;
  readonly #ingest: JournalIngest;
  readonly #quarantine: Quarantine;
  readonly #health: HealthStore;
  readonly #desired: DesiredStates;
  readonly #warnables: SiteWarnables;
  readonly #tries: ClaimTries;
  readonly #told: (box: AuthenticatedBox) => void;
  readonly #announced: (serial: string, backMs: number | null) => void;
  #broker!: MqttBroker;
  #unlisten: (() => void) | null = null;

  constructor(deps: {
    db: Db;
    log: Logger;
    ingest: JournalIngest;
    quarantine: Quarantine;
    health: HealthStore;
    desired: DesiredStates;
    warnables: SiteWarnables;
    tries: ClaimTries;
    /** A box told its health. */
    told: (box: AuthenticatedBox) => void;
    /** A box says that it stops and will be back in about so long; null: that it is there. */
    announced: (serial: string, backMs: number | null) => void;
  }) {
    this.#db = deps.db;
    this.#log = deps.log;
    this.#ingest = deps.ingest;
    this.#quarantine = deps.quarantine;
    this.#health = deps.health;
    this.#desired = deps.desired;
    this.#warnables = deps.warnables;
    this.#tries = deps.tries;
    this.#told = deps.told;
    this.#announced = deps.announced;
  }

  start(broker: MqttBroker): void {
    this.#broker = broker;
    this.#unlisten = this.#desired.onChange((serial) => this.#again(serial, topics(serial).desired));
  }

  stop(): void {
    this.#unlisten?.();
  }

  /** Someone claimed the box: if it waits here, it is told at once. */
  async claimed(serial: string): Promise<void> {
    const connection = this.#broker.connection(serial);
    if (!connection) return;
    await this.subscribed(connection, topics(serial).hello);
    await this.subscribed(connection, topics(serial).desired);
  }

  async subscribed(connection: BoxConnection, topic: string): Promise<void> {
    const { serial } = connection.box;
    const row = await this.#db
      .selectFrom('boxes')
      .select(['state', 'siteId', 'companyId'])
      .where('serial', '=', serial)
      .executeTakeFirst();
    if (row?.state !== 'claimed' && row?.state !== 'unclaimed') {
      connection.ws.terminate();
      return;
    }
    connection.box = { ...connection.box, siteId: row.siteId, companyId: row.companyId };
    if (topic === topics(serial).hello) {
      const hello: Hello = { ...(await this.#ingest.position(serial)), claimed: row.state === 'claimed' };
      this.#broker.send(connection, topic, hello);
    } else {
      const wishes = await this.#desired.get(serial);
      // One that was released learns that nothing is wished of it any more.
      if (row.state === 'claimed' || wishes.version > 0) this.#broker.send(connection, topic, wishes);
    }
  }

  async message(connection: BoxConnection, topic: string, payload: Buffer): Promise<void> {
    const { serial } = connection.box;
    const t = topics(serial);
    if (topic === t.allowClaim) {
      this.#tries.clear(serial);
      this.#log.info({ serial }, 'a person at the box lets claiming be tried again');
      return;
    }
    if (topic === t.status) return this.#status(serial, payload);
    const box = claimedBox(connection.box);
    // What an unclaimed box says is nobody's yet. Its journal keeps it and comes after the claim.
    if (!box) return;
    const text = payload.toString('utf8');
    if (topic === t.journal) return this.#ingest.ingest(box, topic, text, connection);
    if (topic === t.health) {
      const health = await this.#parse(Health, box, topic, text);
      if (!health) return;
      this.#health.set(serial, health);
      this.#told(box);
    } else if (topic === t.reported) {
      const reported = await this.#parse(ReportedState, box, topic, text);
      if (!reported) return;
      await this.#db
        .updateTable('desired_states')
        .set({ reported: JSON.stringify(reported) })
        .where('serial', '=', serial)
        .execute();
    } else {
      await this.#refuse(box, topic, text, 'unknown topic');
    }
  }

  /** The connection itself says whether a box is there; its words say whether it meant to go. */
  #status(serial: string, payload: Buffer): void {
    try {
      const { online, backMs } = Status.parse(JSON.parse(payload.toString('utf8')));
      if (online || backMs !== undefined) this.#announced(serial, online ? null : (backMs ?? 0));
    } catch {
      this.#log.debug({ serial }, 'a status that cannot be read');
    }
  }

  foreignTopic(box: ProvenBox, topic: string): void {
    this.#log.error({ serial: box.serial, topic: topic.slice(0, 256) }, 'a box reached into a foreign topic');
    if (!box.siteId) return;
    this.#warnables
      .raise(box.siteId, {
        code: 'box-foreign-topic',
        subject: `box:${box.serial}`,
        severity: 'error',
        text: `Box ${box.serial} tried to reach what belongs to another box and was disconnected. Nothing was let through. It may have been tampered with: check it, or revoke it.`,
        forMs: 86_400_000,
      })
      .catch((error) => this.#log.error({ err: error }, 'a problem could not be recorded'));
  }

  #again(serial: string, topic: string): void {
    const connection = this.#broker.connection(serial);
    if (!connection) return;
    this.subscribed(connection, topic).catch((error) => {
      this.#log.error({ err: error, serial, topic }, 'could not be sent: the box gets it when it connects again');
      connection.ws.terminate();
    });
  }

  async #parse<T>(schema: z.ZodType<T>, box: AuthenticatedBox, topic: string, text: string): Promise<T | null> {
    let value: unknown = null;
    try {
      value = JSON.parse(text);
    } catch {
      // The schema says so below.
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    await this.#refuse(box, topic, text, z.prettifyError(parsed.error));
    return null;
  }

  async #refuse(box: AuthenticatedBox, topic: string, payload: string, reason: string): Promise<void> {
    this.#log.warn({ serial: box.serial, topic, reason: reason.slice(0, 300) }, 'message quarantined');
    await this.#quarantine.put(this.#db, box.serial, { topic, reason, payload });
    await this.#quarantine.warn(box.siteId, box.serial, reason);
  }
}

function claimedBox({ siteId, companyId, ...box }: ProvenBox): AuthenticatedBox | null {
  return siteId !== null && companyId !== null ? { ...box, siteId, companyId } : null;
}
