import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Command, Option } from 'commander';
import pino from 'pino';
import { systemClock as clock } from '../protocol/clock.ts';
import { lockDataDirectory } from '../protocol/data-lock.ts';
import type { Rate } from './api/rate-limit.ts';
import { OperationLog } from './audit/operation-log.ts';
import { bootstrap } from './bootstrap.ts';
import { addS3Options, s3Options } from './clips/s3-options.ts';
import { readCountries } from './cloud/regions.ts';
import { openDatabase } from './db/database.ts';
import { addOperatorCommands } from './operator/commands.ts';
import type { PortRange } from './receiver/ports.ts';
import { Relay } from './relay.ts';
import { isTimeZone } from './sites/time-zone.ts';
import { VERSION } from './version.ts';
import { addIceOptions, iceOptions } from './video/ice-options.ts';

const data = () =>
  new Option('--data <directory>', 'where everything is kept').env('GATEPOST_DATA').default('./var/relay');

const databaseUrl = () =>
  new Option(
    '--database-url <url>',
    'PostgreSQL database, as postgresql://user:password@host/name (default: SQLite in the data directory)',
  ).env('GATEPOST_DATABASE_URL');
const database = (o: { data?: string; databaseUrl?: string }) =>
  o.databaseUrl ? { url: o.databaseUrl } : { path: join(o.data ?? '', 'relay.db') };

const program = new Command()
  .name('relay/main.ts')
  .description('The Gatepost relay: the cloud side. One port for portal, API and boxes.')
  .addOption(new Option('--port <number>', 'port to listen on').env('GATEPOST_PORT').default('8080'))
  .addOption(new Option('--host <address>', 'address to listen on').env('GATEPOST_HOST').default('0.0.0.0'))
  .addOption(data())
  .addOption(databaseUrl())
  .addOption(
    new Option('--public-url <url>', 'how browsers reach the relay; https makes cookies secure').env(
      'GATEPOST_PUBLIC_URL',
    ),
  )
  .addOption(
    new Option(
      '--device-origin <url>',
      'where pages of devices are opened, as https://*.devices.example.org (default on this machine: *.localhost)',
    ).env('GATEPOST_DEVICE_ORIGIN'),
  )
  .addOption(
    new Option('--allow-internal <cidr...>', 'internal networks that the relay may dial (receivers)')
      .env('GATEPOST_ALLOW_INTERNAL')
      .default([]),
  )
  .addOption(
    new Option('--proxies <number>', 'reverse proxies in front whose X-Forwarded-For is believed')
      .env('GATEPOST_PROXIES')
      .default('0'),
  )
  .addOption(
    new Option(
      '--dc09-ports <range>',
      'ports for receivers of alarms that are this relay itself, one each, as 12128-12147 (default: none)',
    ).env('GATEPOST_DC09_PORTS'),
  )
  .addOption(
    new Option(
      '--surgard-ports <range>',
      'ports on which automation software may connect for Sur-Gard MLR2, one each (default: none)',
    ).env('GATEPOST_SURGARD_PORTS'),
  )
  .addOption(
    new Option('--receiver-address <host>', 'how devices reach these receivers (default: as in --public-url)').env(
      'GATEPOST_RECEIVER_ADDRESS',
    ),
  )
  .addOption(
    new Option('--metrics-token <token>', 'bearer token for /metrics (default: loopback only)').env(
      'GATEPOST_METRICS_TOKEN',
    ),
  )
  .addOption(
    new Option('--enrol-limit <number>', 'new boxes that one address may enrol in an hour')
      .env('GATEPOST_ENROL_LIMIT')
      .default('60'),
  )
  .addOption(
    new Option('--company-rate <number>', 'requests a second that one company may make of the API, on average')
      .env('GATEPOST_COMPANY_RATE')
      .default('300'),
  )
  .addOption(
    new Option('--address-rate <number>', 'the same for one address where nobody is signed in')
      .env('GATEPOST_ADDRESS_RATE')
      .default('50'),
  )
  .addOption(
    new Option('--smtp-url <url>', 'mail server, as smtp://user:password@host:587 or smtps://…').env(
      'GATEPOST_SMTP_URL',
    ),
  )
  .addOption(
    new Option('--mail-from <address>', 'sender of e-mail, as Name <name@example.org>').env('GATEPOST_MAIL_FROM'),
  )
  .addOption(
    new Option('--help-email <address>', 'whom alarm receiving centres ask for help with joining').env(
      'GATEPOST_HELP_EMAIL',
    ),
  )
  .addOption(new Option('--sms-url <url>', 'SMS gateway: gets {id, to, text} by POST').env('GATEPOST_SMS_URL'))
  .addOption(new Option('--sms-token <token>', 'bearer token for it').env('GATEPOST_SMS_TOKEN'))
  .addOption(
    new Option('--basic-clip-days <number>', 'days that clips of channels without cloud storage are kept')
      .env('GATEPOST_BASIC_CLIP_DAYS')
      .default('7'),
  )
  .addOption(
    new Option('--cloud-storage-not-in <countries...>', 'countries in which cloud storage is not offered, as NG JP')
      .env('GATEPOST_CLOUD_STORAGE_NOT_IN')
      .default([]),
  )
  .addOption(
    new Option('--log-level <level>', 'fatal, error, warn, info, debug').env('GATEPOST_LOG_LEVEL').default('info'),
  )
  .version(VERSION)
  .action(run);

addS3Options(program);
addIceOptions(program);

program
  .command('bootstrap')
  .description(
    'make a company, its first user and a site, or set the user’s password again; reads it from standard input',
  )
  .addOption(data())
  .addOption(databaseUrl())
  .requiredOption('--company <name>')
  .requiredOption('--name <name>', 'name of the user')
  .requiredOption('--email <address>')
  .requiredOption('--site <name>')
  .addOption(new Option('--time-zone <zone>', 'of the site, as Europe/Berlin').default('UTC'))
  .action(setUp);

program
  .command('verify-log')
  .description(
    'check that nobody has changed the operation logs; a line for each company, exit code 1 when one is broken',
  )
  .addOption(data())
  .addOption(databaseUrl())
  .action(verifyLog);

addOperatorCommands(program, {
  clock,
  where: (command) => command.addOption(data()).addOption(databaseUrl()),
  withDb: async (command, fn) => {
    const db = await openDatabase(database(command.optsWithGlobals()));
    try {
      await fn(db);
    } finally {
      await db.destroy();
    }
  },
  password: readPassword,
  fail,
});

await program.parseAsync();

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

function number(name: string, value: string, max: number): number {
  if (!/^\d{1,9}$/.test(value) || Number(value) > max) fail(`--${name} ${value}: a number up to ${max} is needed`);
  return Number(value);
}

/** `12128`, or `12128-12147`. */
function range(name: string, value: string | undefined): PortRange | null {
  if (!value) return null;
  const found = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(value);
  const [from, to] = [Number(found?.[1]), Number(found?.[2] ?? found?.[1])];
  if (!(from >= 1 && from <= to && to <= 65_535)) fail(`--${name} ${value}: ports are needed, as 12128-12147`);
  return { from, to };
}

/** Ten seconds' worth may come at once. */
function rate(name: string, value: string): Rate {
  const perSecond = number(name, value, 1_000_000);
  if (perSecond === 0) fail(`--${name} 0: nobody could ask anything`);
  return { perSecond, burst: perSecond * 10 };
}

function orFail<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    return fail((error as Error).message);
  }
}

async function readPassword(): Promise<string> {
  const password = (await text(process.stdin)).replace(/\r?\n$/, '');
  if (password.length < 8 || password.length > 128) fail('the password (standard input) must have 8 to 128 characters');
  return password;
}

async function setUp(_: unknown, command: Command): Promise<void> {
  const o = command.optsWithGlobals();
  const password = await readPassword();
  if (!/^[^\s@]+@[^\s@]+$/.test(o.email)) fail(`--email ${o.email} is no e-mail address`);
  if (!isTimeZone(o.timeZone)) fail(`--time-zone ${o.timeZone} is no time zone like Europe/Berlin`);
  const db = await openDatabase(database(o));
  try {
    const { company, name, email, site, timeZone } = o;
    const made = await bootstrap(db, clock, { company, name, email, password, site, timeZone });
    console.log(JSON.stringify(made));
  } finally {
    await db.destroy();
  }
}

async function verifyLog(_: unknown, command: Command): Promise<void> {
  const db = await openDatabase(database(command.optsWithGlobals()));
  try {
    for await (const verdict of new OperationLog({ db, clock, log: pino({ level: 'silent' }) }).verifyAll()) {
      console.log(JSON.stringify(verdict));
      if (verdict.broken) process.exitCode = 1;
    }
  } finally {
    await db.destroy();
  }
}

async function run(o: Record<string, string> & { allowInternal: string | string[] }): Promise<void> {
  const log = pino({ level: o.logLevel, base: { program: 'relay' } });
  process.on('uncaughtException', (error) => die(error, 'a bug ended the relay'));
  process.on('unhandledRejection', (error) => die(error, 'a bug ended the relay'));
  function die(error: unknown, why: string): never {
    log.fatal({ err: error }, why);
    process.exit(1);
  }
  const port = number('port', o.port as string, 65_535);
  mkdirSync(o.data as string, { recursive: true, mode: 0o700 });
  if (!lockDataDirectory(o.data as string)) die(null, `another relay runs on ${o.data} already`);
  const basicClipDays = number('basic-clip-days', o.basicClipDays as string, 3650);
  if (basicClipDays === 0) fail('--basic-clip-days 0: clips are kept for a day at least');
  const relay = new Relay({
    host: o.host as string,
    port,
    dataDir: o.data as string,
    database: database({ data: o.data, databaseUrl: o.databaseUrl }),
    // From the environment it comes as one text.
    allowInternal: [o.allowInternal]
      .flat()
      .flatMap((part) => part.split(/[\s,]+/))
      .filter(Boolean),
    publicUrl: o.publicUrl,
    deviceOrigin: o.deviceOrigin,
    proxies: number('proxies', o.proxies as string, 10),
    metricsToken: o.metricsToken,
    helpEmail: o.helpEmail,
    receiver: {
      host: o.host as string,
      ports: range('dc09-ports', o.dc09Ports),
      softwarePorts: range('surgard-ports', o.surgardPorts),
      address: o.receiverAddress ?? null,
    },
    notify: {
      ...(o.smtpUrl ? { smtp: { url: o.smtpUrl, from: o.mailFrom } } : {}),
      ...(o.smsUrl ? { sms: { url: o.smsUrl, token: o.smsToken } } : {}),
    },
    basicClipDays,
    cloudNotIn: orFail(() => readCountries(o.cloudStorageNotIn as string | string[])),
    s3: orFail(() => s3Options(o, process.env)),
    s3Forget: Boolean(o.s3Forget),
    ice: orFail(() => iceOptions(o, process.env)),
    enrolmentsPerAddressPerHour: number('enrol-limit', o.enrolLimit as string, 1_000_000),
    rateLimits: {
      company: rate('company-rate', o.companyRate as string),
      address: rate('address-rate', o.addressRate as string),
    },
    clock,
    log,
  });
  try {
    const listening = await relay.start();
    log.info({ host: o.host, ...listening, data: o.data, version: VERSION }, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      die(error, `port ${port} is in use: is a relay running already? Choose another with --port`);
    die(error, 'the relay cannot start');
  }
  let ending = false;
  const end = (signal: string) => {
    if (ending) return;
    ending = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => die(null, 'could not stop in time'), 10_000).unref();
    relay.stop().then(
      () => process.exit(0),
      (error) => die(error, 'could not stop'),
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end(signal));
}
