// Everything CI runs, in the order of how quickly it fails. `check` as first argument stops before the tests.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Failed } from './failed-files.ts';

const checkOnly = process.argv[2] === 'check';
const vitestArgs = process.argv.slice(checkOnly ? 3 : 2);

type Step = [name: string, command: string, args: string[], env?: Record<string, string>];
const steps: Step[] = [
  ['types', 'tsc', ['--noEmit']],
  ['lint', 'biome', ['check', '--error-on-warnings', '.']],
  ['web UI', 'vite', ['build', '--config', 'ui/vite.config.ts', '--logLevel', 'warn']],
  ...(['relay', 'edge', 'lab'] as const).map((main): [string, string, string[]] => [
    `${main} starts under plain Node`,
    process.execPath,
    [`${main}/main.ts`, '--help'],
  ]),
];
if (!checkOnly) {
  steps.push(['tests', 'vitest', ['run', ...vitestArgs]]);
  const onPostgres = { GATEPOST_TEST_DATABASE: 'postgres' };
  if (vitestArgs.length === 0)
    steps.push(['the relay on PostgreSQL', 'vitest', ['run', '--project', 'parts', 'relay/'], onPostgres]);
}

let running: ChildProcess | null = null;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => running?.kill(signal));

/** Runs a step to its end; null: it went well, else how it ended. */
async function run([name, command, args, env]: Step): Promise<string | null> {
  const started = performance.now();
  console.log(`\n# ${name}`);
  const quiet = name.includes('starts') ? (['ignore', 'ignore', 'inherit'] as const) : ('inherit' as const);
  const child = spawn(command, args, { stdio: quiet as 'inherit', env: { ...process.env, ...env } });
  running = child;
  const failure = await new Promise<string | null>((done) => {
    child.on('error', (error) => done(error.message));
    child.on('exit', (code, signal) => done(code === 0 ? null : `${signal ?? `exit ${code}`}`));
  });
  console.log(`# ${name}: ${failure ?? 'done'}, ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return failure;
}

/**
 * Tests in CI: of browsers, cameras and clocks that share two cores one may come too late. Files with a failure run once more as a whole, from
 * their beginning and one at a time; what fails then is broken. An error that belongs to no test has no second try.
 */
async function runTests([name, command, args, env]: Step): Promise<string | null> {
  const folder = mkdtempSync(join(tmpdir(), 'gatepost-tests-'));
  try {
    const list = join(folder, 'failed.json');
    const reporters = ['--reporter', 'default', '--reporter', './scripts/failed-files.ts'];
    const failure = await run([name, command, [...args, ...reporters], { ...env, FAILED_FILES: list }]);
    if (failure !== 'exit 1') return failure;
    const { files, strayErrors } = JSON.parse(readFileSync(list, 'utf8')) as Failed;
    // So many did not just come too late.
    if (files.length === 0 || files.length > 5 || strayErrors > 0) return failure;
    console.log(`once more, by themselves: ${files.join(', ')}`);
    return await run([`${name}, once more`, command, ['run', ...files, '--no-file-parallelism'], env]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const step of steps) {
  const failure = await (process.env.CI && step[1] === 'vitest' ? runTests : run)(step);
  if (failure) {
    console.error(`failed: ${step[0]} (${failure})`);
    process.exit(1);
  }
}
