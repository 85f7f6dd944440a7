// Entry of `npm start`, `npm test`, `npm run bench` and `npm run test:soak`: plain JavaScript for any Node ≥ 20. It installs what is missing,
// then hands over to TypeScript under Node 24.
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);

const GST =
  'python3-gi gir1.2-gst-rtsp-server-1.0 gir1.2-gst-plugins-base-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly fonts-dejavu-core';
/** Debian packages a task needs, with a file that shows that it is there. */
const DEBIAN = {
  ffmpeg: ['/usr/bin/ffmpeg'],
  [GST]: [
    '/usr/lib/x86_64-linux-gnu/girepository-1.0/GstRtspServer-1.0.typelib',
    '/usr/lib/aarch64-linux-gnu/girepository-1.0/GstRtspServer-1.0.typelib',
  ],
  chromium: ['/usr/bin/chromium'],
  'iproute2 openssh-server openssh-client': ['/usr/sbin/sshd'],
  strace: ['/usr/bin/strace'],
  'librtsp-server-perl': ['/usr/share/perl5/RTSP/Server.pm'],
  postgresql: ['/usr/lib/postgresql'],
  coturn: ['/usr/bin/turnserver'],
};
const NEEDS = {
  start: ['ffmpeg', GST],
  test: Object.keys(DEBIAN),
  check: [],
  soak: Object.keys(DEBIAN),
  bench: Object.keys(DEBIAN),
};

function fail(message) {
  console.error(message);
  process.exit(1);
}

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (done.error) fail(`${command}: ${done.error.message}`);
  return done.status ?? 1;
}

function installDebianPackages(task) {
  const missing = NEEDS[task].filter((names) => !DEBIAN[names].some((file) => existsSync(file)));
  if (missing.length === 0) return;
  const names = missing.join(' ').split(' ');
  const command = `apt-get install -y --no-install-recommends ${names.join(' ')}`;
  if (!existsSync('/usr/bin/apt-get')) fail(`These programs are missing, please install them: ${names.join(' ')}`);
  if (process.getuid?.() !== 0)
    fail(
      `Some system packages are missing. Run this once, then start again:\n\n  sudo apt-get update && sudo ${command}\n`,
    );
  console.error(`installing system packages: ${names.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'], env };
  run('apt-get', ['update', '-qq'], quiet);
  if (run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], quiet) !== 0)
    fail(`failed: ${command}`);
}

function installNodePackages() {
  const lock = readFileSync('package-lock.json', 'utf8');
  const stamp = join('node_modules', '.gatepost-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.error('installing packages …');
  try {
    accessSync('.', constants.W_OK);
  } catch {
    fail(`${root} is not writable: packages cannot be installed here`);
  }
  // Packages bring what is compiled ready-made, so nothing but Node itself runs a script at installation: npm would compile
  // some of them again, with a compiler and Python that a fresh machine does not have.
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  for (const args of [
    ['ci', '--ignore-scripts', ...quiet],
    ['rebuild', 'node', '--ignore-scripts=false', ...quiet],
  ])
    if (run('npm', args, { stdio: ['ignore', 2, 2] }) !== 0) fail(`npm ${args[0]} failed: see above`);
  writeFileSync(stamp, lock);
}

const task = process.argv[2] ?? '';
if (!(task in NEEDS)) fail('usage: node scripts/run.mjs start|test|check|bench|soak');
if (Number(process.versions.node.split('.')[0]) < 20)
  fail('Gatepost needs Node 20 or newer to start (it brings its own Node 24).');
// What only the user can put right comes first.
installDebianPackages(task);
installNodePackages();
const node = join(root, 'node_modules', 'node', 'bin', 'node');
const script = `scripts/${task === 'check' ? 'test' : task}.ts`;
const args = [script, ...(task === 'check' ? ['check'] : []), ...process.argv.slice(3)];
const child = spawn(existsSync(node) ? node : process.execPath, args, {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${dirname(node)}:${join(root, 'node_modules', '.bin')}:${process.env.PATH}` },
});
// The terminal sends Ctrl-C to the child as well; a signal sent to us alone is passed on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
// npm passes on what it can; when it is killed, what it started ends with it all the same. (Only npm: a shell that started
// us in the background may go.)
const parent = process.ppid;
if (process.env.npm_lifecycle_event) setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), 500).unref();
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
