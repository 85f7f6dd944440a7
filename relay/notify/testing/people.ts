import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { iso, ManualClock } from '../../../protocol/clock.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import { DialGuard } from '../../arc/dial-guard.ts';
import { Sessions } from '../../auth/sessions.ts';
import type { Db, DbOrTrx } from '../../db/database.ts';
import { dropTestDatabase, openTestDatabase } from '../../testing/database.ts';
import { Notify, type NotifyOptions } from '../notify.ts';

/** A database with people in it and the notifier over it, for tests; `restart` keeps the database. */
export class TestPeople {
  readonly dir = mkdtempSync(join(tmpdir(), 'gatepost-notify-'));
  /** Begins at the present: what the lab checks has a real clock. */
  readonly clock = new ManualClock(Date.now());
  readonly logged: Record<string, unknown>[] = [];
  readonly companyId = uuidv7();
  db!: Db;
  notify!: Notify;
  sessions!: Sessions;

  async start(options: NotifyOptions = {}, publicUrl: string | null = 'https://relay.example/'): Promise<this> {
    this.db = await openTestDatabase(this.dir);
    this.sessions = new Sessions({ db: this.db, clock: this.clock });
    this.notify = new Notify({
      db: this.db,
      clock: this.clock,
      log: pino({ level: 'debug' }, { write: (line: string) => this.logged.push(JSON.parse(line)) }),
      dataDir: this.dir,
      guard: new DialGuard({ allow: ['127.0.0.0/8'] }),
      sessions: this.sessions,
      publicUrl: () => (publicUrl ? new URL(publicUrl) : null),
      options,
    });
    this.notify.start();
    return this;
  }

  async company(id = this.companyId): Promise<void> {
    const row = { id, name: `Company ${id}`, createdAt: iso(this.clock.now()) };
    await this.db
      .insertInto('companies')
      .values(row)
      .onConflict((c) => c.doNothing())
      .execute();
  }

  async person(
    email: string | null,
    more: Partial<{ name: string; locale: string; admin: number; enabled: number; companyId: string }> = {},
  ): Promise<string> {
    const id = uuidv7();
    const companyId = more.companyId ?? this.companyId;
    await this.company(companyId);
    await this.db
      .insertInto('users')
      .values({ id, companyId, email, name: 'Pat', passwordHash: '', createdAt: iso(this.clock.now()), ...more })
      .execute();
    return id;
  }

  /** Writes in a transaction and kicks after it, as a route does. */
  async write(fn: (trx: DbOrTrx) => Promise<void>): Promise<void> {
    await this.db.transaction().execute(fn);
    this.notify.notifier.kick();
  }

  async mail(email: string, text: string): Promise<void> {
    await this.write((trx) =>
      this.notify.notifier.mail(trx, { email, locale: 'en', name: 'Pat' }, 'test-message', { name: text }, '/messages'),
    );
  }

  async waiting(): Promise<number> {
    const rows = await this.db.selectFrom('outbox').select('id').where('state', '=', 'waiting').execute();
    return rows.length;
  }

  async halt(): Promise<void> {
    await this.notify.stop();
    await this.db.destroy();
  }

  async stop(): Promise<void> {
    await this.halt();
    await dropTestDatabase(this.dir);
    rmSync(this.dir, { recursive: true, force: true });
  }
}
