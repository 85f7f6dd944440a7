// Everything CI runs, in the order of how quickly it fails. `check` as first argument stops before the tests.
import { type ChildProcess, spawn } from 'node:child_process';

const checkOnly = process.argv[2] === 'check';
const vitestArgs = process.argv.slice(checkOnly ? 3 : 2);

const steps: [name: string, command: string, args: string[], env?: Record<string, string>][] = [
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

for (const [name, command, args, env] of steps) {
  const started = performance.now();
  console.log(`\n# ${name}`);
  const quiet = name.includes('starts') ? (['ignore', 'ignore', 'inherit'] as const) : ('inherit' as const);
  const child = spawn(command, args, { stdio: quiet as 'inherit', env: { ...process.env, ...env } });
  running = child;
  const failure = await new Promise<string | null>((done) => {
    child.on('error', (error) => done(error.message));
    child.on('exit', (code, signal) => done(code === 0 ? null : `${signal ?? `exit ${code}`}`));
  });
  if (failure) {
    console.error(`failed: ${name} (${failure})`);
    process.exit(1);
  }
  console.log(`# ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
