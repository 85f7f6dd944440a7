import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { uuidv7 } from '../protocol/wire/ids.ts';
import { sampleClip } from '../relay/clips/testing/sample.ts';
import { NarrowUplink, WIRE } from './netns.ts';
import { percentile } from './percentile.ts';
import { measure } from './uploads.ts';

const ENDS = join(import.meta.dirname, 'cloud/ends.ts');
const TESTS = join(import.meta.dirname, 'uplink/process.ts');
const CUTS = 20;
const LINES = {
  5: { mbit: 5, bufferMs: 800 },
  20: { mbit: 20, bufferMs: 400 },
} as const;

/**
 * Footage on its way to the cloud over a narrow uplink: until a clip is complete, beside `curl -T` of the same bytes; a
 * click and an alarm beside it; the line cut again and again in the middle of it; and what a test of the uplink finds.
 */
export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  const missing = NarrowUplink.missing();
  if (missing) {
    emit({ bench: 'footage to the cloud', skipped: missing });
    return;
  }
  const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'gatepost-cloud-'));
  try {
    const sample = join(dir, 'sample');
    mkdirSync(sample);
    const parts = sampleClip({ seconds: quick ? 10 : 20, bitrate: '2000k', size: '1280x720' });
    for (const { n, data } of parts) writeFileSync(join(sample, String(n)), data);
    const whole = Buffer.concat(parts.map(({ data }) => data));
    writeFileSync(join(sample, 'whole'), whole);
    for (const line of quick ? [LINES[20]] : [LINES[5], LINES[20]]) {
      const { cloudMs, curlMs } = await beside(dir, sample, line, quick ? 2 : 5);
      emit({
        bench: `clip of ${round(whole.length / 1e6)} MB complete in the cloud, ${line.mbit} Mbit/s uplink`,
        unit: 'ms',
        p50: round(percentile(cloudMs, 50)),
        max: round(Math.max(...cloudMs)),
        runs: cloudMs.length,
        peer: 'curl -T',
        peerP50: round(percentile(curlMs, 50)),
        peerMax: round(Math.max(...curlMs)),
        idealMs: round((whole.length * 8) / line.mbit / 1000),
      });
    }
    const { requestMs, alarmMs, mbit } = await measure(LINES[5], 'paced', quick ? 10 : 40);
    emit({
      bench: 'click and alarm beside uploads, 5 Mbit/s uplink',
      unit: 'ms',
      uploadMbit: round(mbit),
      clickP50: round(percentile(requestMs, 50)),
      clickP99: round(percentile(requestMs, 99)),
      clickMax: round(Math.max(...requestMs)),
      alarmP99: round(percentile(alarmMs, 99)),
      alarmMax: round(Math.max(...alarmMs)),
      target: 'click ≤ 150, alarm ≤ 1000',
    });
    const cuts = quick ? 5 : CUTS;
    emit({ bench: `line cut ${cuts} times in mid-upload`, ...(await cut(dir, sample, parts.length, cuts)) });
    for (const mbit of quick ? [5] : [1, 5, 20]) emit(await test(dir, mbit));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

interface Ends {
  wire: NarrowUplink;
  relay: ChildProcess;
  box: ChildProcess;
  plain: string;
}

/** Both ends over a line of their own, until `fn` has ended. */
async function over<T>(
  script: string,
  dir: string,
  line: { mbit: number; bufferMs: number },
  more: string[],
  fn: (ends: Ends) => Promise<T>,
): Promise<T> {
  const own = mkdtempSync(join(dir, 'ends-'));
  for (const name of ['box', 'relay']) mkdirSync(join(own, name));
  const children: ChildProcess[] = [];
  const wire = new NarrowUplink();
  const start = (namespace: string, ...args: string[]) => {
    const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, script, ...args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    children.push(child);
    return child;
  };
  try {
    wire.start(line);
    const relay = start(wire.relay, 'relay', join(own, 'relay'), wire.relayAddress, ...more);
    const { url, plain } = await message<{ url: string; plain: string }>(relay);
    const connected = message(relay);
    const box = start(wire.box, 'box', join(own, 'box'), url, ...more);
    await connected;
    return await fn({ wire, relay, box, plain });
  } finally {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await exited;
    }
    wire.stop();
  }
}

/** One after the other, by turns, so that what else the machine does hits both. */
function beside(dir: string, sample: string, line: { mbit: number; bufferMs: number }, runs: number) {
  return over(ENDS, dir, line, [sample], async ({ wire, relay, box, plain }) => {
    const [cloudMs, curlMs]: [number[], number[]] = [[], []];
    for (let i = 0; i < runs; i++) {
      const clipId = uuidv7();
      relay.send({ begin: clipId });
      box.send({ add: clipId });
      const { at: begun } = await message<{ at: number }>(box);
      relay.send({ await: clipId });
      cloudMs.push((await message<{ at: number }>(relay)).at - begun);
      const started = performance.now();
      const curl = ['netns', 'exec', wire.box, 'curl', '-sS', '-T', join(sample, 'whole'), plain];
      await promisify(execFile)('ip', curl);
      curlMs.push(performance.now() - started);
    }
    return { cloudMs, curlMs };
  });
}

/** The box's end of the line goes down and comes back while clips go up. */
function cut(dir: string, sample: string, parts: number, cuts: number): Promise<object> {
  return over(ENDS, dir, LINES[20], [sample], async ({ wire, relay, box }) => {
    const link = (state: string) => execFileSync('ip', ['-n', wire.box, 'link', 'set', WIRE, state]);
    const clipIds: string[] = [];
    const started = performance.now();
    for (let i = 0; i < cuts; i++) {
      // Never without something on its way when the line goes down.
      const clipId = uuidv7();
      clipIds.push(clipId);
      relay.send({ begin: clipId });
      box.send({ add: clipId });
      await message(box);
      await sleep(400 + 37 * i);
      link('down');
      await sleep(300 + 90 * (i % 5));
      link('up');
    }
    box.send({ wait: true });
    await message(box);
    const drainedMs = Math.round(performance.now() - started);
    relay.send({ check: clipIds });
    const { rows, wrong } = await message<{ rows: number; wrong: number }>(relay);
    const expected = clipIds.length * parts;
    return {
      clips: clipIds.length,
      parts: expected,
      stored: rows,
      differing: wrong,
      drainedMs,
      target: '0 differing',
    };
  });
}

/** What the uplink test says of a line, and what a click took meanwhile. */
function test(dir: string, mbit: number): Promise<object> {
  return over(TESTS, dir, { mbit, bufferMs: 400 }, [], async ({ relay }) => {
    relay.send({ test: true });
    const found = await message<{ kbps: number | null; clickMs: number[]; channels: number; definition: string }>(
      relay,
    );
    return {
      bench: `uplink test, ${mbit} Mbit/s uplink`,
      unit: 'kbit/s',
      found: found.kbps,
      recommended: `${found.channels} × ${found.definition}`,
      clickP50: round(percentile(found.clickMs, 50)),
      clickP99: round(percentile(found.clickMs, 99)),
      clicks: found.clickMs.length,
    };
  });
}

/** The next message of a child; rejects when it ends. */
function message<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`an end of the benchmark ended (${code})`));
    child.once('exit', ended);
    child.once('message', (m) => {
      child.off('exit', ended);
      resolve(m as T);
    });
  });
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const round = (value: number) => Math.round(value * 10) / 10;

if (import.meta.main) {
  await run((line) => console.log(JSON.stringify(line)), { quick: process.argv.includes('--quick') });
}
