import { type Command, Option } from 'commander';
import { pino } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { BOX_STATES, type OperatorCompanyQuery } from '../../protocol/wire/operator.ts';
import { ProblemError } from '../api/problem.ts';
import { Sessions } from '../auth/sessions.ts';
import type { Db } from '../db/database.ts';
import { NotifyLive } from '../notify/live.ts';
import { Notifier } from '../notify/notifier.ts';
import { Outbox } from '../notify/outbox.ts';
import { Companies } from '../people/companies.ts';
import { OperatorBoxes } from './boxes.ts';
import { OperatorCompanies } from './companies.ts';
import { makeOperator } from './first.ts';
import { ServiceKeys } from './service-keys.ts';

interface Tools {
  clock: Clock;
  /** Adds the options that say where the database is. */
  where: (command: Command) => Command;
  /** Opens that database for as long as `fn` takes. */
  withDb: (command: Command, fn: (db: Db) => Promise<void>) => Promise<void>;
  /** The password on standard input; ends the program when it is none. */
  password: () => Promise<string>;
  fail: (message: string) => never;
}

/**
 * The operator's console on the command line. It works on the database, with a relay running on it or not; a running one
 * follows within seconds. A line of JSON for each thing.
 */
export function addOperatorCommands(program: Command, tools: Tools): void {
  const { clock, where, withDb, password, fail } = tools;
  const print = (value: unknown) => console.log(JSON.stringify(value));
  const command = (name: string, description: string) => where(program.command(name).description(description));
  const action =
    (fn: (db: Db, options: Record<string, string | boolean>, id: string) => Promise<void>) =>
    async (...args: unknown[]) => {
      const self = args.at(-1) as Command;
      const id = typeof args[0] === 'string' ? args[0] : '';
      try {
        await withDb(self, (db) => fn(db, self.optsWithGlobals(), id));
      } catch (error) {
        if (error instanceof ProblemError) fail(`${error.message} (${error.code})`);
        throw error;
      }
    };
  const companies = (db: Db) => new OperatorCompanies({ db, clock, sessions: new Sessions({ db, clock }) });

  command('operator', 'make a person who runs this relay, or set their password again; reads it from standard input')
    .requiredOption('--email <address>')
    .option('--name <name>', 'name of the person', 'Operator')
    .action(
      action(async (db, { email, name }) => {
        if (!/^[^\s@]+@[^\s@]+$/.test(String(email))) fail(`--email ${email} is no e-mail address`);
        const wanted = { email: String(email), name: String(name), password: await password() };
        print(await makeOperator(db, clock, wanted).catch((error: Error) => fail(error.message)));
      }),
    );

  command('companies', 'list companies')
    .option('--search <text>', 'part of the name or of the administrator’s address')
    .option('--waiting', 'only those that wait for a decision')
    .action(
      action(async (db, { search, waiting }) => {
        const query: OperatorCompanyQuery = { limit: 200 };
        if (search) query.q = String(search);
        if (waiting) query.authentication = 'submitted';
        for (;;) {
          const { items, nextCursor } = await companies(db).list(query);
          for (const item of items) print(item);
          if (nextCursor === null) return;
          query.cursor = nextCursor;
        }
      }),
    );

  const decide = async (db: Db, id: string, reason: string | null) => {
    await companies(db).get(id);
    const operator = await db
      .selectFrom('users as u')
      .innerJoin('companies as c', 'c.id', 'u.companyId')
      .select(['u.id as userId', 'u.companyId'])
      .where('c.type', '=', 'operator')
      .orderBy('u.id')
      .executeTakeFirst();
    if (!operator) return fail('make an operator first: relay/main.ts operator --email …');
    const who = { ...operator, companyType: 'operator', admin: true, limited: false, permissions: new Set<never>() };
    const people = new Companies({ db, clock, notifier: writingNotifier(db, clock) });
    const decision = reason === null ? ({ approved: true } as const) : ({ approved: false, reason } as const);
    await people.decide(who as Parameters<Companies['decide']>[0], id, decision);
    print(await companies(db).get(id));
  };
  command('approve <company>', 'approve the authentication that a company asked for').action(
    action((db, _, id) => decide(db, id, null)),
  );
  command('reject <company>', 'reject it')
    .requiredOption('--reason <text>', 'what the company reads')
    .action(action((db, { reason }, id) => decide(db, id, String(reason).slice(0, 500))));
  for (const [name, suspended, description] of [
    ['suspend', true, 'let nobody of a company in; its boxes and alarms go on'],
    ['resume', false, 'let them in again'],
  ] as const)
    command(`${name} <company>`, description).action(
      action(async (db, _, id) => print(await companies(db).setSuspended(id, suspended))),
    );

  command('issue-key', 'issue service keys; they are shown this once')
    .addOption(new Option('--slots <number>', 'employee account add-ons that each gives').makeOptionMandatory())
    .option('--count <number>', 'how many keys', '1')
    .option('--note <text>', 'for whom, or on which order', '')
    .option('--days <number>', 'how long they can be redeemed', '365')
    .action(
      action(async (db, o) => {
        const number = (name: string, max: number) => {
          const value = Number(o[name]);
          if (!Number.isInteger(value) || value < 1 || value > max)
            fail(`--${name}: a number from 1 to ${max} is needed`);
          return value;
        };
        const keys = await new ServiceKeys({ db, clock }).issue({
          content: 'employee-slots',
          quantity: number('slots', 1000),
          count: number('count', 100),
          note: String(o.note).slice(0, 200),
          validDays: number('days', 3650),
        });
        for (const key of keys) print(key);
      }),
    );

  command('boxes', 'list boxes')
    .option('--search <text>', 'beginning of the serial, or part of the name of site or company')
    .addOption(new Option('--state <state>').choices(BOX_STATES))
    .action(
      action(async (db, { search, state }) => {
        const boxes = new OperatorBoxes({ db, online: () => false });
        let cursor: string | undefined;
        for (;;) {
          const query = { limit: 200, cursor, q: search ? String(search) : undefined, state: state as undefined };
          const { items, nextCursor } = await boxes.list(query);
          // Who is connected, only the relay that they are connected to knows.
          for (const { online: _, ...item } of items) print(item);
          if (nextCursor === null) return;
          cursor = nextCursor;
        }
      }),
    );
  command('revoke <serial>', 'revoke a box for good').action(
    action(async (db, _, serial) => {
      const boxes = new OperatorBoxes({ db, online: () => false });
      await boxes.get(serial);
      await db.updateTable('boxes').set({ state: 'revoked' }).where('serial', '=', serial).execute();
      const { online: __, ...box } = await boxes.get(serial);
      print(box);
    }),
  );
}

/** Writes messages for the running relay to deliver. */
function writingNotifier(db: Db, clock: Clock): Notifier {
  const log = pino({ level: 'silent' });
  const channels = (['email', 'sms', 'push'] as const).map((name) => ({
    name,
    missing: 'the relay delivers',
    deliver: async () => ({ kind: 'down', reason: 'the relay delivers' }) as const,
  }));
  const outbox = new Outbox({ db, clock, log, channels });
  return new Notifier({ db, clock, log, outbox, live: new NotifyLive() });
}
