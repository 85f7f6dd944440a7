// `npm run test:soak [-- options]`: faults on the alarm paths and kill -9, in their long form (bench/arc/faults), and with
// `--only journeys` the long journeys of the lab, with `--only outputs` the receiving centre and what it hands alarms to, with `--only video` an hour of cameras that lose packets. Prints tables; a whole run writes them to docs/soak.md.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { KINDS, RELAY_DOWN } from '../bench/arc/faults/kinds.ts';
import { passed, report } from '../bench/arc/faults/report.ts';
import { PARTS, soak } from '../bench/arc/faults/soak.ts';
import { videoSoak } from '../bench/video/soak.ts';
import { parseDc09Key } from '../protocol/codec/dc09-cipher.ts';

const JOURNEYS = 'journeys';
const OUTPUTS = 'outputs';
const VIDEO = 'video';
const ALL = [...PARTS, JOURNEYS, OUTPUTS, VIDEO];
const NAMES = [...KINDS, RELAY_DOWN].map((kind) => kind.name);

const whole = (least: number, most: number) => (text: string) => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) throw new InvalidArgumentError(`${least} to ${most}`);
  return value;
};
const some = (known: readonly string[]) => (text: string) => {
  const names = text.split(',');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`one of ${known.join(', ')}`);
  return names;
};
const address = (text: string) => {
  const parts = /^(.+):(\d{1,5})$/.exec(text);
  if (!parts) throw new InvalidArgumentError('host:port');
  return { host: parts[1]!, port: Number(parts[2]) };
};

const hexKey = (text: string) => {
  const bytes = parseDc09Key(text, 'hex');
  if (!bytes) throw new InvalidArgumentError('32, 48 or 64 hexadecimal digits');
  return bytes;
};

const options = new Command()
  .name('npm run test:soak --')
  .addOption(new Option('--events <number>', 'events for each fault').argParser(whole(50, 90_000)).default(2_000))
  .addOption(new Option('--kills <number>', 'of the box, and of the relay').argParser(whole(1, 5_000)).default(500))
  .addOption(new Option('--rate <number>', 'events a second for each fault').argParser(whole(1, 50)).default(5))
  .addOption(
    new Option('--scale <number>', 'divides all times of the box; of video, its length')
      .argParser(whole(1, 20))
      .default(1),
  )
  .addOption(new Option('--fault <names>', `only these faults: ${NAMES.join(',')}`).argParser(some(NAMES)).default([]))
  .addOption(new Option('--only <parts>', `only these parts: ${ALL.join(',')}`).argParser(some(ALL)))
  .addOption(new Option('--receiver <host:port>', 'an alarm receiver that is running already').argParser(address))
  .addOption(new Option('--account <number>', 'its account').default('00A1'))
  .addOption(new Option('--key <hex>', 'its AES key, 32, 48 or 64 digits (default: not encrypted)').argParser(hexKey))
  .addOption(new Option('--report <file>', 'where to write the tables (default: docs/soak.md, when everything is run)'))
  .parse()
  .opts();

const only: string[] = options.only ?? (options.fault.length > 0 ? ['faults'] : [...PARTS]);
let failed = false;

if (only.includes(JOURNEYS)) {
  const env = { ...process.env, GATEPOST_KILLS: '50', GATEPOST_OUTAGE_MS: '300000' };
  const files = ['bad-input', 'faults', 'kills', 'one-alarm'].map((name) => `lab/journeys/${name}.test.ts`);
  const long = spawnSync('vitest', ['run', ...files], { stdio: 'inherit', env });
  failed = long.status !== 0;
}
if (only.includes(OUTPUTS)) {
  const { events, kills } = options;
  const env = {
    ...process.env,
    GATEPOST_F3_MESSAGES: String(events),
    GATEPOST_RECEIVER_KILLS: String(Math.ceil(kills / 10)),
  };
  const tests = ['bench/arc/receiver.test.ts', 'bench/arc/receiver-process.test.ts'];
  const long = spawnSync('vitest', ['run', '--project', 'parts', ...tests], { stdio: 'inherit', env });
  failed ||= long.status !== 0;
}
if (only.includes(VIDEO)) {
  const result = await videoSoak({ scale: options.scale, log: (text) => console.error(text) });
  console.log(JSON.stringify(result, null, 2));
  failed ||= result.problems.length > 0;
}
const foreign = options.receiver ? { ...options.receiver, account: options.account, key: options.key ?? null } : null;
// A receiver of somebody else has one account; the burst needs ten.
const parts = PARTS.filter((part) => only.includes(part) && !(foreign && part === 'burst'));
if (parts.length > 0) {
  const started = performance.now();
  const log = (text: string) =>
    console.error(`${((performance.now() - started) / 1_000).toFixed(0).padStart(5)} s  ${text}`);
  const { events, kills, scale, rate, fault: faults } = options;
  const { results, about } = await soak({ events, kills, scale, rate, faults, parts, foreign, log });
  // The key stays out of what is printed and kept.
  const given = process.argv
    .slice(2)
    .map((text, i, all) => (all[i - 1] === '--key' ? '…' : text.replace(/^--key=.*/, '--key=…')));
  const command = ['npm run test:soak', ...(given.length > 0 ? ['--', ...given] : [])].join(' ');
  const text = report(results, { ...about, command });
  console.log(text);
  const everything = parts.length === PARTS.length && faults.length === 0 && scale === 1;
  const file = options.report ?? (everything ? join(import.meta.dirname, '../docs/soak.md') : null);
  if (file) writeFileSync(file, text);
  failed ||= !passed(results);
}
process.exit(failed ? 1 : 0);
