// A process of its own: asks a relay at a fixed rate, whatever it answers how fast, and tells how long each answer took,
// counted from when it was due. A slow answer delays no other question, and a late question counts as slow.
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { percentile } from '../percentile.ts';

export interface Plan {
  url: string;
  /** Asked in this order, over and over, each by the next person. */
  questions: { kind: string; token: string; path: string }[];
  perSecond: number;
  seconds: number;
  /** Not counted, at the beginning. */
  warmUpSeconds: number;
}
export interface Outcome {
  kinds: Record<string, { n: number; p50: number; p95: number; p99: number; max: number; failed: number }>;
  /** What the generator itself was late by: beyond a few milliseconds the figures mean the machine, not the relay. */
  lateP99: number;
  /** One failed answer, to see what is wrong. */
  failure: string | null;
}

const plan = JSON.parse(await text(process.stdin)) as Plan;
const { hostname, port } = new URL(plan.url);
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const took = new Map<string, number[]>();
const failures = new Map<string, number>();
const late: number[] = [];
let failure: string | null = null;
let wrong = 0;
let answered = 0;
const MAX_WRONG = 20;
const MAX_OPEN = 4_000;

function ask({ kind, token, path }: Plan['questions'][number], due: number, counts: boolean): Promise<void> {
  return new Promise((resolve) => {
    const end = (problem: string | null) => {
      answered++;
      if (problem) wrong++;
      if (counts) {
        const times = took.get(kind) ?? [];
        times.push(performance.now() - due);
        took.set(kind, times);
        if (problem) failures.set(kind, (failures.get(kind) ?? 0) + 1);
      }
      failure ??= problem && `${path}: ${problem}`;
      resolve();
    };
    const req = request({ hostname, port, path, agent, headers: { authorization: `Bearer ${token}` } }, (res) => {
      let size = 0;
      res.on('data', (chunk: Buffer) => {
        size += chunk.length;
      });
      res.on('end', () => end(res.statusCode === 200 && size > 2 ? null : `status ${res.statusCode}, ${size} bytes`));
    });
    req.setTimeout(30_000, () => req.destroy(new Error('no answer in 30 s')));
    req.on('error', (error) => end(error.message));
    req.end();
  });
}

const all: Promise<void>[] = [];
const began = performance.now();
const total = (plan.warmUpSeconds + plan.seconds) * plan.perSecond;
let due = began;
for (let i = 0; i < total; i++) {
  // Independent people: exponential gaps.
  due += (-Math.log(1 - Math.random()) * 1000) / plan.perSecond;
  const wait = due - performance.now();
  if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
  const counts = due - began > plan.warmUpSeconds * 1000;
  // Nothing is learnt from a relay that answers wrongly, or from a queue that only grows.
  if (wrong > MAX_WRONG || all.length - answered > MAX_OPEN) break;
  if (counts) late.push(performance.now() - due);
  all.push(ask(plan.questions[i % plan.questions.length]!, due, counts));
}
await Promise.all(all);
agent.destroy();
if (all.length < total) failure ??= `given up after ${all.length} of ${total} requests: the relay falls behind`;

const rounded = (ms: number) => Math.round(ms * 10) / 10;
const kinds: Outcome['kinds'] = {};
for (const [kind, times] of took) {
  const [p50, p95, p99, max] = [50, 95, 99, 100].map((p) => rounded(percentile(times, p))) as [
    number,
    number,
    number,
    number,
  ];
  kinds[kind] = { n: times.length, p50, p95, p99, max, failed: failures.get(kind) ?? 0 };
}
process.stdout.write(JSON.stringify({ kinds, lateP99: rounded(percentile(late, 99)), failure } satisfies Outcome));
