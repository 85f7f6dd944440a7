import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { JournalRecord } from '../../protocol/wire/event.ts';
import type { Health } from '../../protocol/wire/uplink.ts';
import type { Api } from '../api/app.ts';
import type { EventStreams } from '../api/event-stream.ts';
import type { Vault } from '../auth/vault.ts';
import type { AuthenticatedBox } from '../boxes/authenticate.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { DesiredStates } from '../desired/desired.ts';
import type { BoxClient } from '../devices/box-client.ts';
import type { Presence } from '../health/presence.ts';
import type { ApiKeys } from '../keys/keys.ts';
import type { Notifier } from '../notify/notifier.ts';
import { type HostedOptions, HostedReceivers, NOT_RECEIVING } from '../receiver/hosted.ts';
import { tellOfOutput } from '../receiver/output-notice.ts';
import { takeForeign } from '../receiver/to-desk.ts';
import { ArcAccounts } from './accounts.ts';
import { Alarms, applyAlarmReport } from './alarms.ts';
import { Desk } from './desk/desk.ts';
import type { DialGuard } from './dial-guard.ts';
import type { AnswerHosted } from './hosted.ts';
import { ArcJoining } from './joining/joining.ts';
import { ArcList } from './joining/list.ts';
import { registerJoiningRoutes } from './joining/routes.ts';
import { OwnLine } from './own-line/own-line.ts';
import { reachesItself } from './own-line/self-check.ts';
import { ArcPath } from './path.ts';
import { registerReceiverRoutes } from './receiver-routes.ts';
import { Receivers } from './receivers.ts';
import { registerArcRoutes } from './routes.ts';
import { ArcServices } from './service/service.ts';

export interface ArcDeps {
  db: Db;
  clock: Clock;
  log: Logger;
  guard: DialGuard;
  desired: DesiredStates;
  vault: Vault;
  notifier: Notifier;
  keys: ApiKeys;
  /** Who helps centres to join; without it the operator's administrator. */
  helpEmail?: string;
  /** Receivers that are this relay itself; without it there are none. */
  receiver?: HostedOptions;
  box: BoxClient;
  presence: Presence;
  /** Ends every connection of a box. */
  cut: (serial: string, reason: string) => void;
  /** What a connected box last said of itself. */
  health: (serial: string) => Health | null;
  /** How browsers reach the portal; null: not known. */
  publicUrl: () => URL | null;
}

/** Everything about alarm receiving centres: receivers and accounts, the relay's path to them, lists of alarms. */
export class Arc {
  readonly alarms: Alarms;
  readonly desk: Desk;
  readonly receivers: Receivers;
  readonly services: ArcServices;
  readonly #joining: ArcJoining;
  readonly #list: ArcList;
  readonly #path: ArcPath;
  readonly #line: OwnLine;
  readonly #hosted: HostedReceivers;
  readonly #presence: Presence;
  readonly #health: (serial: string) => Health | null;
  #unlisten: () => void = () => {};
  readonly #accounts: ArcAccounts;

  constructor(deps: ArcDeps) {
    const { db, clock, guard, desired, vault, health, presence } = deps;
    const log = deps.log.child({ module: 'arc' });
    this.alarms = new Alarms({ db });
    const own = (id: string | null) => this.#hosted.end(id);
    const refresh = () => this.#hosted.refresh();
    this.receivers = new Receivers({ db, clock, log, desired, guard, vault, hosted: own, hostedChanged: refresh });
    const { notifier, keys, helpEmail = null } = deps;
    this.#joining = new ArcJoining({ db, clock, log, notifier, keys, helpEmail });
    this.#list = new ArcList({ db });
    const { receivers } = this;
    this.#hosted = new HostedReceivers({
      db,
      clock,
      log: deps.log,
      vault,
      guard,
      options: deps.receiver ?? NOT_RECEIVING,
      publicHost: () => deps.publicUrl()?.hostname ?? null,
      receiverKey: (id) => receivers.key(id),
      moved: (id) => receivers.moved(id),
      foreign: (trx, message) => takeForeign(this.desk, trx, message),
      told: (ids) => this.desk.told(ids),
      news: (news) => tellOfOutput({ db, notifier }, news),
    });
    const hosted: AnswerHosted = (...of) => this.#hosted.answer(...of);
    const gone = (serial: string, heardMono: number) => this.#line.gone(serial, heardMono);
    this.#presence = presence;
    this.#health = health;
    this.#path = new ArcPath({ db, guard, clock, log, hosted, gone, cut: deps.cut });
    this.#line = new OwnLine({
      db,
      clock,
      log,
      guard,
      receivers,
      health,
      hosted,
      wrote: (trx, alarmId) => this.desk.wrote(trx, alarmId),
      online: (serial) => presence.online(serial) || this.#path.isConnected(serial),
      heard: (receiverId, account) => this.#hosted.heardMono(receiverId, account),
      connections: () => Math.max(presence.count(), this.#path.connections),
      reachable: () => reachesItself(deps.publicUrl()),
    });
    this.#accounts = new ArcAccounts({ db, clock, log, desired, guard, health });
    const { box, publicUrl } = deps;
    const online = (serial: string) => presence.online(serial);
    this.desk = new Desk({ db, clock, log, vault, box, online, health, publicUrl });
    this.services = new ArcServices({ db, clock, log, notifier, desired, receivers, box, online, health });
  }

  async start(): Promise<void> {
    await this.#hosted.start();
    this.#path.start();
    this.#unlisten = this.#presence.onChange((serial, online, heardMono) => {
      if (!online) this.#line.gone(serial, heardMono);
      this.desk.presence(serial);
    });
    this.#line.start();
    this.desk.start();
  }

  async stop(): Promise<void> {
    this.#unlisten();
    await this.desk.stop();
    await this.#line.stop();
    await this.#path.stop();
    await this.#hosted.stop();
  }

  registerRoutes(api: Api, { streams }: { streams: EventStreams }): void {
    registerReceiverRoutes(api, { receivers: this.receivers });
    registerJoiningRoutes(api, { joining: this.#joining, list: this.#list });
    registerArcRoutes(api, { accounts: this.#accounts, alarms: this.alarms });
    this.services.registerRoutes(api);
    this.desk.registerRoutes(api, { streams });
    this.#hosted.registerRoutes(api);
  }

  /** What a box says became of a message; after the commit the caller calls {@link stored}. */
  async applyAlarm(
    trx: DbOrTrx,
    box: Pick<AuthenticatedBox, 'serial' | 'siteId'>,
    record: Extract<JournalRecord, { kind: 'alarm' }>,
  ): Promise<void> {
    await applyAlarmReport(trx, box, record);
    await this.desk.take(trx, record.body.id);
  }

  /** A batch of a box's journal was committed. */
  stored(records: JournalRecord[]): void {
    this.desk.stored(records);
  }

  /** A box told its health. */
  heard(serial: string): void {
    const health = this.#health(serial);
    if (health) this.desk.heard(serial, health);
  }

  /** Open relay paths of boxes. */
  get connections(): number {
    return this.#path.connections;
  }

  /** A box says that it stops and will be back in about so long; null: that it is there. */
  announced(serial: string, backMs: number | null): void {
    this.#line.announced(serial, backMs);
  }

  /** The box's relay path ends: it was released or revoked. */
  disconnect(serial: string, reason: string): void {
    this.#path.disconnect(serial, reason);
  }

  /** A box opens its relay path (/arc-path); already authenticated. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, box: AuthenticatedBox): void {
    this.#path.handleUpgrade(request, socket, head, box);
  }
}

/** What handovers, sites and devices tell it inside their transactions; made before it is there. */
export const arcHooks = (arc: () => Arc) => ({
  leaves: (trx: DbOrTrx, deviceIds: string[]) => arc().services.devicesGo(trx, deviceIds),
  decides: (trx: DbOrTrx, siteId: string) => arc().services.customerDecides(trx, siteId),
  siteEnds: (trx: DbOrTrx, siteId: string) => arc().services.siteEnds(trx, siteId),
});
