import { mkdirSync, readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import pino from 'pino';
import { systemClock as clock } from '../protocol/clock.ts';
import { lockDataDirectory } from '../protocol/data-lock.ts';
import { newWebhookSecret } from './receiver/outputs/webhook-signature.ts';
import { readConfig } from './receiver/standalone/config.ts';
import { StandaloneReceiver } from './receiver/standalone/standalone.ts';
import { VERSION } from './version.ts';

const config = () =>
  new Option('--config <file>', 'accounts and outputs; docs/receiver.md describes it')
    .env('GATEPOST_RECEIVER_CONFIG')
    .default('./receiver.json');

const program = new Command()
  .name('relay/receiver-main.ts')
  .description(
    'The Gatepost receiver alone: takes DC-09 from devices over TCP and UDP and hands it on to automation software as DC-09, Sur-Gard MLR2, webhooks or over a pull API.',
  )
  .addOption(config())
  .addOption(
    new Option('--data <directory>', 'where everything is kept').env('GATEPOST_DATA').default('./var/receiver'),
  )
  .addOption(new Option('--port <number>', 'DC-09 port, instead of the file’s').env('GATEPOST_DC09_PORT'))
  .addOption(
    new Option('--log-level <level>', 'fatal, error, warn, info, debug').env('GATEPOST_LOG_LEVEL').default('info'),
  )
  .version(VERSION)
  .action(run);

program
  .command('check')
  .description('say whether the configuration can be used')
  .addOption(config())
  .action((_, command: Command) => {
    read(command.optsWithGlobals().config);
    console.log('The configuration can be used.');
  });

program
  .command('secret')
  .description('make a secret for a webhook')
  .action(() => console.log(newWebhookSecret()));

await program.parseAsync();

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

function read(file: string) {
  try {
    return readConfig(readFileSync(file, 'utf8'), process.env);
  } catch (error) {
    fail(`${file}: ${(error as Error).message}`);
  }
}

async function run(o: { config: string; data: string; port?: string; logLevel: string }): Promise<void> {
  const log = pino({ level: o.logLevel, base: { program: 'receiver' } });
  function die(error: unknown, why: string): never {
    log.fatal({ err: error }, why);
    process.exit(1);
  }
  process.on('uncaughtException', (error) => die(error, 'a bug ended the receiver'));
  process.on('unhandledRejection', (error) => die(error, 'a bug ended the receiver'));
  const settings = read(o.config);
  if (o.port !== undefined) {
    if (!/^\d{1,5}$/.test(o.port) || Number(o.port) > 65_535) fail(`--port ${o.port}: a number up to 65535 is needed`);
    settings.listen.port = Number(o.port);
  }
  mkdirSync(o.data, { recursive: true, mode: 0o700 });
  if (!lockDataDirectory(o.data)) die(null, `another receiver runs on ${o.data} already`);
  const receiver = new StandaloneReceiver({ config: settings, dataDir: o.data, clock, log });
  try {
    const listening = await receiver.start();
    log.info({ ...listening, accounts: settings.accounts.length, data: o.data, version: VERSION }, 'listening');
  } catch (error) {
    die(error, 'the receiver cannot start');
  }
  let ending = false;
  const end = (signal: string) => {
    if (ending) return;
    ending = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => die(null, 'could not stop in time'), 10_000).unref();
    receiver.stop().then(
      () => process.exit(0),
      (error) => die(error, 'could not stop'),
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end(signal));
}
