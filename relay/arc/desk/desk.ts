import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Logger } from 'pino';
import type { Clock } from '../../../protocol/clock.ts';
import type { JournalRecord } from '../../../protocol/wire/event.ts';
import type { Health } from '../../../protocol/wire/uplink.ts';
import type { Api } from '../../api/app.ts';
import type { EventStreams } from '../../api/event-stream.ts';
import type { RemoteAddress } from '../../api/remote.ts';
import type { Vault } from '../../auth/vault.ts';
import type { BoxAuthenticator } from '../../boxes/authenticate.ts';
import type { Clips } from '../../clips/clips.ts';
import type { Db, DbOrTrx } from '../../db/database.ts';
import type { BoxClient } from '../../devices/box-client.ts';
import { Accounts } from './account-list.ts';
import { registerDeskAccountRoutes } from './account-routes.ts';
import { AlarmList } from './alarm-list.ts';
import { DeskFeed } from './feed.ts';
import { Handling } from './handling.ts';
import { type ForeignMessage, Intake } from './intake.ts';
import { Links } from './links.ts';
import { linkRoutes } from './links-http.ts';
import { PathLog } from './path-log.ts';
import { Reports } from './reports.ts';
import { registerDeskRoutes } from './routes.ts';
import { TestModes } from './test-modes.ts';

const SOON_MS = 100;
/** Clips of which it is known that they have begun to arrive. */
const MAX_CLIPS = 10_000;

/** The desk of alarm receiving centres: their alarms as they come, what people do about them, accounts and reports. */
export class Desk {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #intake: Intake;
  readonly #list: AlarmList;
  readonly #handling: Handling;
  readonly #accounts: Accounts;
  readonly #feed: DeskFeed;
  readonly #paths: PathLog;
  readonly #tests: TestModes;
  readonly #reports: Reports;
  readonly #links: Links;
  readonly #clips = new Set<string>();

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    vault: Vault;
    box: BoxClient;
    online: (serial: string) => boolean;
    health: (serial: string) => Health | null;
    publicUrl: () => URL | null;
  }) {
    const { db, clock, vault, box, online, health, publicUrl } = deps;
    const log = deps.log.child({ module: 'desk' });
    this.#clock = clock;
    this.#log = log;
    this.#intake = new Intake({ clock });
    this.#list = new AlarmList({ db, health });
    this.#handling = new Handling({ db, clock, list: this.#list });
    this.#accounts = new Accounts({ db, clock, online, health });
    this.#feed = new DeskFeed({ list: this.#list, accounts: this.#accounts, log });
    const changed = (accountId: string) => this.#feed.account(accountId);
    this.#paths = new PathLog({ db, clock, log, changed });
    this.#tests = new TestModes({ db, clock, log, box, accounts: this.#accounts, changed });
    this.#reports = new Reports({ db, clock, accounts: this.#accounts, paths: this.#paths });
    this.#links = new Links({ db, clock, vault, publicUrl });
  }

  start(): void {
    this.#paths.start();
    this.#tests.start();
    this.#links.start();
  }

  async stop(): Promise<void> {
    this.#links.stop();
    await this.#tests.stop();
    await this.#paths.stop();
  }

  registerRoutes(api: Api, { streams }: { streams: EventStreams }): void {
    const [list, handling, feed, links] = [this.#list, this.#handling, this.#feed, this.#links];
    registerDeskRoutes(api, { list, handling, feed, links, streams, log: this.#log });
    registerDeskAccountRoutes(api, { accounts: this.#accounts, tests: this.#tests, reports: this.#reports });
  }

  /** Short addresses of pictures; mounted at the root, before the portal's pages. */
  linkRoutes(deps: { clips: Clips; authenticator: BoxAuthenticator; remote: RemoteAddress }): Hono<{
    Bindings: HttpBindings;
  }> {
    return linkRoutes({ ...deps, links: this.#links, log: this.#log });
  }

  /** A message in `alarms` is new or has changed; within its transaction. After the commit: {@link told}. */
  take(trx: DbOrTrx, alarmId: string): Promise<void> {
    return this.#intake.take(trx, alarmId);
  }

  /**
   * Events of one message of a sender that is no box; within the transaction that stores it. After the commit: {@link told} of
   * the first, which has the message's id.
   */
  async takeForeign(trx: DbOrTrx, events: ForeignMessage[]): Promise<void> {
    for (const event of events) await this.#intake.takeForeign(trx, event);
    const further = events.slice(1).map(({ id }) => id);
    if (further.length > 0) this.#clock.after(SOON_MS, () => this.told(further));
  }

  /** These messages are on the desk now, or have changed; after the commit. */
  told(alarmIds: string[]): void {
    this.#feed.alarms(alarmIds);
  }

  /** The same for what the relay itself writes: it is told a moment later, when its transaction is over. */
  async wrote(trx: DbOrTrx, alarmId: string): Promise<void> {
    await this.take(trx, alarmId);
    this.#clock.after(SOON_MS, () => this.told([alarmId]));
  }

  /** A batch of a box's journal was committed. */
  stored(records: JournalRecord[]): void {
    this.told(records.flatMap((record) => (record.kind === 'alarm' ? record.body.id : [])));
    const clips = records.flatMap((record) => (record.kind === 'clip' ? record.body : []));
    for (const { id, eventIds } of clips) {
      if (this.#clips.has(id)) continue;
      if (this.#clips.size > MAX_CLIPS) this.#clips.clear();
      this.#clips.add(id);
      this.#feed.events(eventIds);
    }
  }

  /** A box told its health. */
  heard(serial: string, health: Health): void {
    this.#paths.heard(serial, health);
  }

  /** A box came or went. */
  presence(serial: string): void {
    this.#accounts
      .ofBox(serial)
      .then((ids) => {
        for (const id of ids) this.#feed.account(id);
      })
      .catch((error) => this.#log.error({ err: error, serial }, 'presence could not be told'));
  }
}
