import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { compare } from './compare/collect.ts';
import type { Downtime } from './compare/lists.ts';
import { table } from './compare/table.ts';

const downtime = (text: string, former: Downtime[]): Downtime[] => {
  const found = /^(\d{13}),(\d{13})$/.exec(text);
  if (!found || Number(found[1]) > Number(found[2])) throw new InvalidArgumentError('from,to in ms since 1970');
  return [...former, { from: Number(found[1]), to: Number(found[2]) }];
};
const more = (text: string, former: string[] = []) => [...former, text];

const program = new Command('compare')
  .description(
    'Compares what the lab emitted, what stands in the journals of the boxes, what the relay has and what the alarm receiver acknowledged. Exit code 1: something is missing; 2: a list cannot be read.',
  )
  .option('--demo <file>', 'what npm start wrote: stands in for what is not given', 'var/demo.json')
  .option('--lab <url>', "the lab's control API")
  .option('--portal <url>', 'the relay')
  .option('--email <address>', 'login at the portal')
  .option('--password <text>', 'its password')
  .option('--journal <file>', "a box's journal (repeatable)", more)
  .option('--downtime <from,to>', 'ms since 1970 during which a box was down (repeatable)', downtime, [] as Downtime[])
  .option('--since <ms>', 'look at events emitted or journaled since then only', Number, 0)
  .parse();

const { demo: demoFile, downtime: downtimes, ...given } = program.opts();
const demo = existsSync(demoFile) ? JSON.parse(readFileSync(demoFile, 'utf8')) : {};
const options = { journal: [join(dirname(demoFile), 'edge/journal.db')], ...demo, ...demo.login, ...given };
const absent = ['lab', 'portal', 'email', 'password'].find((name) => options[name] === undefined);
if (absent) program.error(`--${absent} is needed: ${demoFile} is not there`, { exitCode: 2 });
try {
  const result = await compare({ ...options, journals: options.journal, downtimes });
  process.stdout.write(`${table(result)}\n${JSON.stringify(result, null, 2)}\n`);
  process.exitCode = result.ok ? 0 : 1;
} catch (error) {
  process.stderr.write(`the lists cannot be read: ${(error as Error).message}\n`);
  process.exitCode = 2;
}
