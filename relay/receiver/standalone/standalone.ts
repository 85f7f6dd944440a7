import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import type { Logger } from 'pino';
import type { Clock } from '../../../protocol/clock.ts';
import { parseDc09Key } from '../../../protocol/codec/dc09-cipher.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import { DialGuard } from '../../arc/dial-guard.ts';
import { type Db, openDatabase } from '../../db/database.ts';
import { receiver } from '../../db/migrations/027-receiver.ts';
import { listen } from '../../web/server.ts';
import { ReceivingCentre } from '../centre.ts';
import type { Directory, KnownAccount } from '../directory.ts';
import { ReceiverLine } from '../line.ts';
import type { ReceiverConfig } from './config.ts';
import { standaloneApp } from './http.ts';

const OWNER = 'own';
const RECEIVER = 'main';

/**
 * A receiving centre by itself, on a machine of the alarm receiving centre: one DC-09 port, accounts and outputs from a file, its
 * own SQLite database. No portal, no boxes.
 */
export class StandaloneReceiver implements Directory {
  readonly #config: ReceiverConfig;
  readonly #dataDir: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #accounts: Map<string, KnownAccount>;
  #db: Db | null = null;
  #centre: ReceivingCentre | null = null;
  #line: ReceiverLine | null = null;
  #server: Server | null = null;
  #stopping = false;

  constructor(o: { config: ReceiverConfig; dataDir: string; clock: Clock; log: Logger }) {
    this.#config = o.config;
    this.#dataDir = o.dataDir;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#accounts = new Map(
      o.config.accounts.map((account) => [
        account.account,
        this.#known(account.account, account, account.supervisionS === null ? null : account.supervisionS * 1000),
      ]),
    );
  }

  async start(): Promise<{ dc09: { tcp: number | null; udp: number | null }; http: number }> {
    const { listen: on, http, outputs, repeatWindowS, keepDays } = this.#config;
    const [clock, log] = [this.#clock, this.#log];
    const db = await openDatabase({ path: join(this.#dataDir, 'receiver.db') }, [receiver]);
    this.#db = db;
    const secrets = new Map(outputs.map(({ name, secret }) => [name, secret]));
    await this.#syncOutputs(db);
    const centre = new ReceivingCentre({
      // Whoever writes the file may dial anything that this machine may.
      db,
      clock,
      log,
      guard: new DialGuard({ allow: ['0.0.0.0/0', '::/0'] }),
      directory: this,
      secret: (row) => secrets.get(row.name) ?? null,
      outputHost: on.host,
      outputPort: async (_, wanted) => wanted,
      repeatWindowMs: repeatWindowS * 1000,
      keepDays,
    });
    this.#centre = centre;
    await centre.start();
    const { inbox, supervision } = centre;
    const line = new ReceiverLine({
      receiverId: RECEIVER,
      host: on.host,
      port: on.port,
      transports: on.transports,
      directory: this,
      inbox,
      supervision,
      clock,
      log,
    });
    this.#line = line;
    const dc09 = await line.start();
    const stopping = () => this.#stopping;
    const app = standaloneApp({ db, owner: OWNER, token: http.token, centre, line, stopping });
    this.#server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
    const { port } = await listen(this.#server, http.host, http.port);
    return { dc09, http: port };
  }

  /** Answers what came, then ends. What waits at outputs waits for the next start. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    await this.#line?.stop();
    await this.#centre?.stop();
    const server = this.#server;
    server?.closeAllConnections();
    if (server?.listening) await new Promise((resolve) => server.close(resolve));
    await this.#db?.destroy();
  }

  async find(_receiverId: string, account: string): Promise<KnownAccount | null> {
    const known = this.#accounts.get(account);
    const { otherAccounts } = this.#config;
    return known ?? (otherAccounts ? this.#known(account, otherAccounts, null) : null);
  }

  other(account: string): boolean {
    return !this.#accounts.has(account);
  }

  async supervised(): Promise<KnownAccount[]> {
    return [...this.#accounts.values()].filter((known) => known.supervisionMs !== null);
  }

  #known(
    account: string,
    { key, keyFormat, localTime }: { key: string | null; keyFormat: 'hex' | 'characters'; localTime: boolean },
    supervisionMs: number | null,
  ): KnownAccount {
    const secret = key === null ? null : parseDc09Key(key, keyFormat);
    return { owner: OWNER, receiverId: RECEIVER, account, accountId: null, key: secret, localTime, supervisionMs };
  }

  /** The file says which outputs there are. One that is not in it any more is off; what waited for it stays for a while. */
  async #syncOutputs(db: Db): Promise<void> {
    const rows = await db.selectFrom('receiver_outputs').selectAll().execute();
    const createdMs = this.#clock.now();
    for (const { name, config, repeats, secret } of this.#config.outputs) {
      const { kind } = config;
      const marked = kind === 'webhook' || kind === 'pull';
      const values = {
        name,
        kind,
        config: JSON.stringify(config),
        enabled: 1,
        repeats: (repeats ?? marked) ? 1 : 0,
        // Only that there is one.
        sealed: secret === null ? null : '',
      };
      const old = rows.find((row) => row.name === name);
      if (old) await db.updateTable('receiver_outputs').set(values).where('id', '=', old.id).execute();
      else
        await db
          .insertInto('receiver_outputs')
          .values({ ...values, id: uuidv7(createdMs), owner: OWNER, createdMs, cursor: 0, acknowledgedMs: null })
          .execute();
    }
    const names = new Set(this.#config.outputs.map(({ name }) => name));
    for (const { id, name } of rows.filter((row) => !names.has(row.name) && row.enabled === 1)) {
      this.#log.warn({ output: name }, 'an output is not in the configuration any more: off');
      await db.updateTable('receiver_outputs').set({ enabled: 0 }).where('id', '=', id).execute();
    }
  }
}
