import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import pino from 'pino';
import { systemClock as clock } from '../../protocol/clock.ts';
import { Dc09Listener } from '../../protocol/dc09/listener.ts';
import { Vault } from '../../relay/auth/vault.ts';
import { percentile } from '../percentile.ts';
import { RelayProcess } from './faults/relay-process.ts';
import { type Delivered, FleetBox } from './fleet-box.ts';

const KEY = '000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F';
const POLL_MS = 25_000;
const EVENTS_PER_SECOND = 50;
/** L of the relay's own line: what comes on it is "box silent". */
const OWN_LINE = '9';
/** All back, and after this long nobody was called silent. */
const QUIET_MS = 100_000;

/** Alarms of the receiver, and what the relay said itself. */
class Centre {
  /** account + zone → how often it was acknowledged. */
  readonly alarms = new Map<string, number>();
  own = 0;
  readonly #listener = new Dc09Listener({
    ...{ host: '127.0.0.1', port: 0, transports: ['tcp'], clock, log: pino({ level: 'silent' }) },
    maxConnections: 10_000,
    known: () => ({ key: Buffer.from(KEY, 'hex') }),
    received: async ({ message, content }) => {
      if (content && message.line === OWN_LINE) this.own++;
      else if (content) this.alarms.set(message.data, (this.alarms.get(message.data) ?? 0) + 1);
      return 'ack';
    },
  });

  async start(): Promise<number> {
    return (await this.#listener.start()).tcp!;
  }

  stop(): Promise<void> {
    return this.#listener.stop();
  }
}

/** Of /proc: memory in MB and processor time in seconds. */
function used(pid: number): { rssMb: number; cpu: number } {
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return { rssMb: rss / 1024, cpu: (Number(stat[11]) + Number(stat[12])) / 100 };
}

const mean = (list: number[]) => list.reduce((sum, x) => sum + x, 0) / list.length;
const ms = (list: number[], p: number) => Math.round(percentile(list, p));

/**
 * A relay in a process of its own with many boxes (acceptance F4, F5): each keeps its three connections, polls its receiver
 * through the relay every 25 s, and together they send 50 alarms a second. Then the relay is killed and all come back at once.
 */
export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  const boxCount = quick ? 60 : 500;
  const loadMs = quick ? 20_000 : 600_000;
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-fleet-'));
  const centre = new Centre();
  const relay = new RelayProcess(join(dir, 'relay'));
  const boxes: FleetBox[] = [];
  try {
    const port = await centre.start();
    await relay.start();
    await enter(relay, boxes, { boxCount, port, dir });
    await load(emit, relay, boxes, centre, loadMs);
    await returnAtOnce(emit, relay, boxes, centre, quick);
  } finally {
    await Promise.all(boxes.map((box) => box.stop()));
    await relay.stop();
    await centre.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** One receiver with the relay's own line, and a box with an account there each. */
async function enter(
  relay: RelayProcess,
  boxes: FleetBox[],
  { boxCount, port, dir }: { boxCount: number; port: number; dir: string },
): Promise<void> {
  const end = { host: '127.0.0.1', port };
  const receiver = await relay.api<{ id: string }>('POST', '/receivers', { name: 'ARC', direct: end, relay: end });
  for (let at = 0; at < boxCount; at += 20) {
    await Promise.all(
      Array.from({ length: Math.min(20, boxCount - at) }, async (_, i) => {
        const account = (0x1000 + at + i).toString(16).toUpperCase();
        const key = Buffer.from(KEY, 'hex');
        const box = new FleetBox({ dir: join(dir, `box-${at + i}`), relayUrl: relay.url, account, key });
        boxes.push(box);
        const { identity, uplink, tunnel } = box.idle;
        uplink.start();
        while (!uplink.state().connected) await sleep(20);
        const { serial, code } = identity;
        await relay.api('POST', `/sites/${relay.siteId}/boxes`, { serial, code });
        const wanted = { boxSerial: serial, receiverId: receiver.id, account, key: KEY, protocol: 'SIA-DCS' };
        const added = await relay.api<{ id: string }>('POST', `/sites/${relay.siteId}/arc`, {
          ...wanted,
          events: ['motion'],
        });
        box.accountId = added.id;
        tunnel.start();
        box.path.start();
      }),
    );
  }
  while (!boxes.every((box) => box.back)) await sleep(50);
  // As a centre on the platform enters its receiver: the relay has the key and a line of its own.
  const vault = new Vault({ dir: relay.dir });
  vault.start();
  const db = new Database(join(relay.dir, 'relay.db'), { timeout: 10_000 });
  db.prepare('UPDATE arc_receivers SET settings = ?, key = ?').run(
    JSON.stringify({ ownLine: { enabled: true, line: OWN_LINE } }),
    vault.seal(`arc-receiver:${receiver.id}`, KEY),
  );
  db.close();
}

async function load(
  emit: (line: object) => void,
  relay: RelayProcess,
  boxes: FleetBox[],
  centre: Centre,
  loadMs: number,
): Promise<void> {
  const [events, polls, rss]: [Delivered[], number[], { at: number; rssMb: number }[]] = [[], [], []];
  const [underWay, stop] = [new Set<Promise<void>>(), new AbortController()];
  let unanswered = 0;
  const polling = boxes.map(async (box) => {
    await clock.sleep(Math.random() * POLL_MS, stop.signal);
    while (!stop.signal.aborted) {
      const took = await box.poll();
      if (took === null) unanswered++;
      else polls.push(took);
      await clock.sleep(POLL_MS, stop.signal);
    }
  });
  const began = performance.now();
  const before = used(relay.pid);
  let sent = 0;
  for (let at = 0; at < loadMs; at = performance.now() - began) {
    for (const due = Math.floor((at / 1000) * EVENTS_PER_SECOND); sent < due; sent++) {
      // Every box its turn, so that the number of its alarm makes it one of a kind.
      const box = boxes[(sent * 7) % boxes.length]!;
      const one: Promise<void> = box
        .event(Math.floor(sent / boxes.length) + 1)
        .then((done) => void events.push(done))
        .finally(() => underWay.delete(one));
      underWay.add(one);
    }
    if (at - (rss.at(-1)?.at ?? -5_000) >= 5_000) rss.push({ at, rssMb: used(relay.pid).rssMb });
    await sleep(10);
  }
  await Promise.all(underWay);
  stop.abort();
  await Promise.all(polling);
  const seconds = (performance.now() - began) / 1000;
  // The first tenth warms up; then the beginning is held against the end.
  const warm = rss.filter(({ at }) => at >= loadMs / 10).map(({ rssMb }) => rssMb);
  const tenth = Math.max(1, Math.floor(warm.length / 9));
  const [first, last] = [mean(warm.slice(0, tenth)), mean(warm.slice(-tenth))];
  const took = events.map((event) => event.tookMs);
  const copies = [...centre.alarms.values()];
  emit({
    bench: 'fleet through the relay (F4)',
    boxes: boxes.length,
    seconds: Math.round(seconds),
    events: sent,
    lost: sent - centre.alarms.size,
    doubled: copies.filter((n) => n > 1).length,
    retried: events.filter((event) => event.tries > 1).length,
    p50: ms(took, 50),
    p95: ms(took, 95),
    max: ms(took, 100),
    polls: polls.length,
    pollsUnanswered: unanswered,
    pollP95: ms(polls, 95),
    rssMb: [Math.round(first), Math.round(last)],
    rssGrowthPercent: Math.round((last / first - 1) * 1000) / 10,
    relayCores: Math.round(((used(relay.pid).cpu - before.cpu) / seconds) * 100) / 100,
    target: 'p95 ≤ 1000 ms, lost 0, growth ≤ 10 %',
  });
}

async function returnAtOnce(
  emit: (line: object) => void,
  relay: RelayProcess,
  boxes: FleetBox[],
  centre: Centre,
  quick: boolean,
): Promise<void> {
  const own = centre.own;
  await relay.kill();
  // Until every box has seen it.
  while (boxes.some((box) => box.path.connected)) await sleep(10);
  relay.spawn();
  const began = performance.now();
  const back: number[] = [];
  const waiting = new Set(boxes);
  while (waiting.size > 0 && performance.now() - began < 120_000) {
    for (const box of waiting) {
      if (!box.back) continue;
      waiting.delete(box);
      back.push((performance.now() - began) / 1000);
    }
    await sleep(20);
  }
  const polled = await Promise.all(boxes.map((box) => box.poll()));
  if (!quick) await sleep(QUIET_MS);
  const round = (p: number) => Math.round(percentile(back, p) * 10) / 10;
  emit({
    bench: 'all boxes return at once (F5)',
    boxes: boxes.length,
    unit: 's from the start of the relay, all three connections',
    missing: waiting.size,
    p50: round(50),
    p95: round(95),
    last: round(100),
    pollsUnanswered: polled.filter((took) => took === null).length,
    raisedFalsely: centre.own - own,
    target: 'all ≤ 60 s, none raised',
  });
}

if (import.meta.main) {
  await run((line) => console.log(JSON.stringify(line)), { quick: process.argv.includes('--quick') });
  process.exit(0);
}
