import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino, { type Logger } from 'pino';
import { type Clock, systemClock } from '../../../protocol/clock.ts';
import { parseDc09Key } from '../../../protocol/codec/dc09-cipher.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import { OutputConfig } from '../../../protocol/wire/receiver.ts';
import { DialGuard } from '../../arc/dial-guard.ts';
import type { Db } from '../../db/database.ts';
import { dropTestDatabase, openTestDatabase } from '../../testing/database.ts';
import { ReceivingCentre } from '../centre.ts';
import type { Directory, KnownAccount } from '../directory.ts';
import { ReceiverLine } from '../line.ts';
import type { NewMessage } from '../message.ts';

/** A receiving centre on a database of its own with one line on a free port, for tests. */
export class TestCentre implements Directory {
  readonly dir = mkdtempSync(join(tmpdir(), 'gatepost-receiver-'));
  readonly clock: Clock;
  readonly logged: Record<string, unknown>[] = [];
  readonly accounts = new Map<string, KnownAccount>();
  readonly secrets = new Map<string, string>();
  db!: Db;
  centre!: ReceivingCentre;
  line!: ReceiverLine;
  port = 0;
  other?: (account: string) => boolean;

  constructor({ clock = systemClock }: { clock?: Clock } = {}) {
    this.clock = clock;
  }

  async start(): Promise<this> {
    const { clock } = this;
    const log: Logger = pino({ level: 'debug' }, { write: (line: string) => this.logged.push(JSON.parse(line)) });
    this.db = await openTestDatabase(this.dir);
    this.centre = new ReceivingCentre({
      db: this.db,
      clock,
      log,
      guard: new DialGuard({ allow: ['127.0.0.0/8'] }),
      directory: this,
      secret: (row) => this.secrets.get(row.id) ?? null,
      outputHost: '127.0.0.1',
      outputPort: async (_, wanted) => wanted ?? 0,
    });
    await this.centre.start();
    const { inbox, supervision } = this.centre;
    this.line = new ReceiverLine({
      receiverId: 'main',
      host: '127.0.0.1',
      port: this.port,
      transports: ['tcp', 'udp'],
      directory: this,
      inbox,
      supervision,
      clock,
      log,
    });
    this.port = (await this.line.start()).tcp!;
    return this;
  }

  /** Stopped; the database stays for `start`. */
  async halt(): Promise<void> {
    await this.line.stop();
    await this.centre.stop();
    await this.db.destroy();
  }

  async stop(): Promise<void> {
    await this.halt();
    await dropTestDatabase(this.dir);
    rmSync(this.dir, { recursive: true, force: true });
  }

  async find(receiverId: string, account: string): Promise<KnownAccount | null> {
    return this.accounts.get(`${receiverId} ${account}`) ?? null;
  }

  async supervised(): Promise<KnownAccount[]> {
    return [...this.accounts.values()].filter((known) => known.supervisionMs !== null);
  }

  account(account: string, more: { key?: string; supervisionMs?: number } = {}): KnownAccount {
    const known: KnownAccount = {
      owner: 'own',
      receiverId: 'main',
      account,
      accountId: null,
      localTime: false,
      key: more.key ? parseDc09Key(more.key, 'hex') : null,
      supervisionMs: more.supervisionMs ?? null,
    };
    this.accounts.set(`main ${account}`, known);
    return known;
  }

  async output(config: unknown, more: { secret?: string; repeats?: boolean } = {}): Promise<string> {
    const id = uuidv7();
    const parsed = OutputConfig.parse(config);
    if (more.secret) this.secrets.set(id, more.secret);
    await this.db
      .insertInto('receiver_outputs')
      .values({
        id,
        owner: 'own',
        name: parsed.kind,
        kind: parsed.kind,
        config: JSON.stringify(parsed),
        sealed: null,
        enabled: 1,
        repeats: more.repeats ? 1 : 0,
        createdMs: 0,
        cursor: 0,
        acknowledgedMs: null,
      })
      .execute();
    await this.centre.outputs.reload(id);
    return id;
  }

  async state(id: string) {
    return (await this.centre.outputs.list('own')).find((output) => output.id === id)!;
  }
}

/** A message as a device would have sent it: number `n` is in its zone. */
export function sample(account: string, n: number, more: Partial<NewMessage> = {}): NewMessage {
  const zone = String(n % 1000).padStart(3, '0');
  const area = Math.floor(n / 1000) % 100;
  return {
    owner: 'own',
    receiverId: 'main',
    accountId: null,
    account,
    source: 'device',
    protocol: 'ADM-CID',
    sequence: (n % 9999) + 1,
    line: '0',
    encrypted: false,
    xdata: [],
    pictures: [],
    data: `#${account}|1130 ${String(area).padStart(2, '0')} ${zone}`,
    events: [{ event: '130', qualifier: 'begin', area, zone, text: null }],
    occurredMs: null,
    receivedMs: Date.now(),
    peer: 'test',
    frame: '',
    ...more,
  };
}
