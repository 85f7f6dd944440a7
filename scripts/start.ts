// `npm start`: relay, box and a lab LAN on this machine, on loopback only, set up as an installer would set them up.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  createWriteStream,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installDemo } from './demo.ts';
import { type DemoLogin, type DemoPeople, registerDemoPeople } from './demo-people.ts';

const HOST = '127.0.0.1';
const base = Number(process.env.PORT ?? 8080);
if (!Number.isInteger(base) || base < 1 || base > 65_516) fail(`PORT=${process.env.PORT} is no port`);
const VAR = process.env.GATEPOST_VAR ?? 'var';
const DEMO_FILE = join(VAR, 'demo.json');
const former = existsSync(DEMO_FILE) ? JSON.parse(readFileSync(DEMO_FILE, 'utf8')) : {};
// The lab's LAN stays where the first start put it: cameras and receiver are set up in the portal with these ports.
const lan = {
  arcDirect: base + 4,
  arcRelay: base + 5,
  receiver: base + 6,
  cameraHttp: base + 7,
  cameraRtsp: base + 8,
  // SADP's own port, unless everything was moved: then a second demo must not hear the first one.
  sadp: base === 8080 ? 37_020 : base + 9,
  wsd: base === 8080 ? 3_702 : base + 19,
  ...(former.lan as Record<never, number> | undefined),
};
const port = {
  portal: base,
  setup: base + 1,
  lab: base + 2,
  boxRelay: base + 3,
  smtp: base + 10,
  mailbox: base + 11,
  boxDc09: base + 18,
  ...lan,
};

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

const children = new Map<string, ChildProcess>();
let stopping = false;

/** Starts a part of the demo and, as systemd would, starts it again when it dies. */
function supervise(name: string, args: string[], onLine?: (line: string) => void): void {
  const out = createWriteStream(join(VAR, 'log', `${name}.log`), { flags: 'a', mode: 0o600 });
  // As the units do: compiled code is kept (half the start-up time, 20 MB less), and memory is given back sooner.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(VAR, 'cache'), MALLOC_ARENA_MAX: '2' };
  const child = spawn(process.execPath, ['--max-semi-space-size=4', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const startedAt = performance.now();
  children.set(name, child);
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() as string).slice(-100_000);
    for (const line of lines) {
      // What the lab announces has its cameras' passwords in it.
      if (!line.startsWith('ready ')) out.write(`${line}\n`);
      onLine?.(line);
    }
  });
  child.stderr.on('data', (text) => out.write(text));
  child.on('exit', (code, signal) => {
    out.end();
    if (stopping) return;
    // One that was killed started well enough.
    if (signal === null && performance.now() - startedAt < 3_000) {
      console.error(`${name} does not start (exit ${code}); its last words in ${VAR}/log/${name}.log:`);
      console.error(
        readFileSync(join(VAR, 'log', `${name}.log`), 'utf8')
          .trim()
          .split('\n')
          .slice(-5)
          .join('\n'),
      );
      void stop(1);
      return;
    }
    console.error(`${name} ended (${signal ?? `exit ${code}`}): starting it again`);
    setTimeout(() => {
      if (stopping) return;
      supervise(name, args, onLine);
      if (existsSync(DEMO_FILE)) writeDemoFile({ ...JSON.parse(readFileSync(DEMO_FILE, 'utf8')), pids: pids() });
    }, 500);
  });
}

const pids = () => Object.fromEntries([...children].map(([name, child]) => [name, child.pid]));

async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  const ended = [...children.values()].map(
    (child) =>
      new Promise((done) => ((child.exitCode ?? child.signalCode) === null ? child.once('exit', done) : done(null))),
  );
  for (const child of children.values()) child.kill('SIGTERM');
  await Promise.race([Promise.all(ended), sleep(8_000)]);
  for (const child of children.values()) child.kill('SIGKILL');
  process.exit(code);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(0));

/** Whether this process id is one of us (ids are used again). */
function runs(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('scripts/start.ts');
  } catch {
    return false;
  }
}

// Whoever started the demo is gone: it goes too, instead of keeping the ports.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) void stop(0);
}, 500).unref();

function free(p: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false));
    probe.listen(p, HOST, () => probe.close(() => resolve(true)));
  });
}

function buildUi(): void {
  const sources = globSync('{ui,protocol/wire}/**/*.{ts,tsx,css,html,svg,json}', { exclude: ['ui/dist/**'] });
  const newest = Math.max(...sources.map((f) => statSync(f).mtimeMs));
  const built = ['portal', 'setup'].map((f) => `ui/dist/${f}/index.html`);
  if (built.every((f) => existsSync(f) && statSync(f).mtimeMs > newest)) return;
  console.error('building the web UI …');
  const { status } = spawnSync('vite', ['build', '--config', 'ui/vite.config.ts', '--logLevel', 'warn'], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) fail('the web UI cannot be built: see above');
}

function writeDemoFile(demo: object): void {
  writeFileSync(`${DEMO_FILE}.new`, `${JSON.stringify(demo, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${DEMO_FILE}.new`, DEMO_FILE);
}

async function up(url: string): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (
      await fetch(url).then(
        (r) => r.ok,
        () => false,
      )
    )
      return;
    if (stopping) return;
    await sleep(100);
  }
  throw new Error(`${url} does not answer`);
}

mkdirSync(join(VAR, 'log'), { recursive: true, mode: 0o700 });
if (former.pid && runs(former.pid))
  fail(`Gatepost is running already on ${VAR}: ${former.portal ?? 'it is just starting'}`);
for (const [name, p] of Object.entries(port)) {
  if (name === 'sadp' || name === 'wsd' || (await free(p))) continue;
  fail(
    `port ${p} (${name}) is in use: is Gatepost running already? Stop it, or choose other ports with PORT=9000 npm start`,
  );
}
const account = (name: string): DemoLogin => ({
  email: `${name}@demo.gatepost.example`,
  password: randomBytes(12).toString('base64url'),
});
const login: DemoLogin = former.login ?? account('installer');
const operator: DemoLogin = former.operator ?? account('operator');
const people: DemoPeople = {
  customer: account('customer'),
  employee: account('employee'),
  arc: account('arc'),
  partner: account('partner'),
  ...former.people,
};
const setupPassword: string = former.setupPassword ?? randomBytes(12).toString('base64url');
// Kept from the first moment: a start that fails half-way must not lose the passwords it has set.
writeDemoFile({ ...former, login, operator, people, setupPassword, lan, pid: process.pid });
buildUi();

const bootstrap = spawnSync(
  process.execPath,
  [
    'relay/main.ts',
    'bootstrap',
    '--data',
    join(VAR, 'relay'),
    '--company',
    'Demo Security',
    '--name',
    'Dana Installer',
    '--email',
    login.email,
    '--site',
    'Corner Shop',
    '--time-zone',
    'Europe/Berlin',
  ],
  { input: login.password, encoding: 'utf8' },
);
if (bootstrap.status !== 0) fail(`the relay cannot be set up:\n${bootstrap.stdout}${bootstrap.stderr}`);
const makeOperator = spawnSync(
  process.execPath,
  ['relay/main.ts', 'operator', '--data', join(VAR, 'relay'), '--email', operator.email, '--name', 'Olga Operator'],
  { input: operator.password, encoding: 'utf8' },
);
if (makeOperator.status !== 0) fail(`no operator can be made:\n${makeOperator.stdout}${makeOperator.stderr}`);

type LabReady = Parameters<typeof installDemo>[0]['lab'] & { boxRelay: { url: string } };
const labReady = new Promise<LabReady>((resolve) => {
  supervise(
    'lab',
    [
      'lab/main.ts',
      '--port',
      `${port.lab}`,
      '--data',
      join(VAR, 'lab'),
      '--relay',
      `${HOST}:${port.portal}`,
      '--sadp-port',
      `${port.sadp}`,
      '--wsd-port',
      `${port.wsd}`,
      '--sound',
      process.env.GATEPOST_LAB_SOUND ?? 'pcmu',
      '--unactivated',
      '1',
      '--devices',
      process.env.GATEPOST_LAB_DEVICES ?? 'nvr,door-station,ax-pro,onvif,switch',
      '--http-port',
      `${port.cameraHttp}`,
      '--rtsp-port',
      `${port.cameraRtsp}`,
      '--box-relay-port',
      `${port.boxRelay}`,
      '--arc-direct-port',
      `${port.arcDirect}`,
      '--arc-relay-port',
      `${port.arcRelay}`,
      '--receiver-port',
      `${port.receiver}`,
    ],
    (line) => {
      if (line.startsWith('ready ')) resolve(JSON.parse(line.slice(6)));
    },
  );
});
supervise('post', ['lab/post.ts', '--smtp-port', `${port.smtp}`, '--port', `${port.mailbox}`]);
supervise('relay', [
  'relay/main.ts',
  '--port',
  `${port.portal}`,
  '--host',
  HOST,
  '--data',
  join(VAR, 'relay'),
  '--allow-internal',
  '127.0.0.0/8',
  '--smtp-url',
  `smtp://${HOST}:${port.smtp}`,
  '--mail-from',
  'Gatepost <no-reply@demo.gatepost.example>',
  '--sms-url',
  `http://${HOST}:${port.mailbox}/sms`,
  // Taken when a centre makes a receiver, or an output, that is this relay.
  '--dc09-ports',
  `${base + 12}-${base + 15}`,
  '--surgard-ports',
  `${base + 16}-${base + 17}`,
  '--receiver-address',
  HOST,
]);
const demo = {
  portal: `http://${HOST}:${port.portal}`,
  setup: `http://${HOST}:${port.setup}`,
  lab: `http://${HOST}:${port.lab}`,
  mailbox: `http://${HOST}:${port.mailbox}`,
  login,
  operator,
  people,
  setupPassword,
  lan,
};
try {
  const lab = await labReady;
  // The box reaches its relay through the lab's proxy, so that the demo can cut this path too.
  supervise('box', [
    'edge/main.ts',
    '--port',
    `${port.setup}`,
    '--host',
    HOST,
    '--data',
    join(VAR, 'edge'),
    '--relay',
    lab.boxRelay.url,
    '--interface',
    'lo',
    '--sadp-port',
    `${port.sadp}`,
    '--wsd-port',
    `${port.wsd}`,
    '--dc09-port',
    `${port.boxDc09}`,
  ]);
  await Promise.all([up(`${demo.portal}/healthz`), up(`${demo.setup}/healthz`), up(`${demo.mailbox}/healthz`)]);
  await registerDemoPeople({ portal: demo.portal, mailbox: demo.mailbox, installer: login, people });
  await installDemo({ ...demo, lab });
} catch (error) {
  console.error(`the demo cannot be set up: ${(error as Error).message} (logs in ${VAR}/log)`);
  await stop(1);
  await new Promise(() => {}); // a stop is under way, which ends the process
}
const ready = { ...demo, pid: process.pid, pids: pids() };
writeDemoFile(ready);
console.log(`ready ${JSON.stringify(ready)}`);
const others = Object.entries({ operator, ...people })
  .map(([who, { email, password }]) => `    ${who.padEnd(12)}as ${email} with ${password}`)
  .join('\n');
console.error(`
  Portal        ${demo.portal}   sign in as ${login.email} with ${login.password}
${others}
  Set-up page   ${demo.setup}   password ${setupPassword}
  Lab           ${demo.lab}
  Mailbox       ${demo.mailbox}   everybody's e-mail and text messages

  Let the camera see motion:
    curl -X POST ${demo.lab}/devices/camera-1/events -H 'content-type: application/json' -d '{"type":"motion","active":true}'
  Cut the direct path to the alarm receiving centre:
    curl -X POST ${demo.lab}/faults -H 'content-type: application/json' -d '{"target":"arc-direct","mode":"refuse"}'

  Ctrl-C ends everything; it comes back as it was.`);
