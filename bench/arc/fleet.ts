import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock as clock } from '../../protocol/clock.ts';
import { percentile } from '../percentile.ts';
import { RelayProcess } from './faults/relay-process.ts';
import { type Delivered, FleetBox } from './fleet-box.ts';
import { FleetCentre, giveOwnLine, KEY } from './fleet-centre.ts';

const POLL_MS = 25_000;
const EVENTS_PER_SECOND = 50;
/** All back, and after this long nobody was called silent. */
const QUIET_MS = 100_000;

/** Of /proc: memory in MB and processor time in seconds. */
function used(pid: number): { rssMb: number; cpu: number } {
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return { rssMb: rss / 1024, cpu: (Number(stat[11]) + Number(stat[12])) / 100 };
}

interface Sample {
  at: number;
  mb: number;
}

/** What the relay says that its objects take, in MB. */
async function heapMb(relay: RelayProcess): Promise<number> {
  const text = await (await fetch(`${relay.url}/metrics`)).text();
  return Number(/^nodejs_heap_size_used_bytes (\S+)/m.exec(text)?.[1]) / 1024 / 1024;
}

/**
 * Node collects late and in steps, so that memory is a saw: its floor is what the program keeps. After the first tenth,
 * which warms up, the floor of the first third is held against that of the last; the peak beside it.
 */
function stable(samples: Sample[], loadMs: number) {
  const third = (from: number) =>
    samples.filter(({ at }) => at >= loadMs * from && at < loadMs * (from + 0.3)).map(({ mb }) => mb);
  const [first, last] = [third(0.1), third(0.7)];
  const floor = [Math.min(...first), Math.min(...last)] as const;
  const peak = [Math.max(...first), Math.max(...last)] as const;
  const growth = ([from, to]: readonly [number, number]) => Math.round((to / from - 1) * 1000) / 10;
  const [floorMb, peakMb] = [floor.map(Math.round), peak.map(Math.round)];
  return { floorMb, peakMb, floorGrowthPercent: growth(floor), peakGrowthPercent: growth(peak) };
}

const ms = (list: number[], p: number) => Math.round(percentile(list, p));

/**
 * A relay in a process of its own with many boxes (acceptance F4, F5): each keeps its three connections, polls its receiver
 * through the relay every 25 s, and together they send 50 alarms a second. Then the relay is killed and all come back at once.
 */
export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  const boxCount = quick ? 60 : 500;
  const loadMs = quick ? 20_000 : 600_000;
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-fleet-'));
  const centre = new FleetCentre();
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
  giveOwnLine(relay, receiver.id);
}

async function load(
  emit: (line: object) => void,
  relay: RelayProcess,
  boxes: FleetBox[],
  centre: FleetCentre,
  loadMs: number,
): Promise<void> {
  const [events, polls]: [Delivered[], number[]] = [[], []];
  const [rss, heap]: [Sample[], Sample[]] = [[], []];
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
    if (at - (rss.at(-1)?.at ?? -5_000) >= 5_000) {
      rss.push({ at, mb: used(relay.pid).rssMb });
      heap.push({ at, mb: await heapMb(relay) });
    }
    await sleep(10);
  }
  await Promise.all(underWay);
  stop.abort();
  await Promise.all(polling);
  const seconds = (performance.now() - began) / 1000;
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
    rss: stable(rss, loadMs),
    heap: stable(heap, loadMs),
    relayCores: Math.round(((used(relay.pid).cpu - before.cpu) / seconds) * 100) / 100,
    target: 'p95 ≤ 1000 ms, lost 0, growth of the heap’s floor and of the peak of RSS ≤ 10 %',
  });
}

async function returnAtOnce(
  emit: (line: object) => void,
  relay: RelayProcess,
  boxes: FleetBox[],
  centre: FleetCentre,
  quick: boolean,
): Promise<void> {
  const own = centre.own.length;
  await relay.kill();
  // Until every box has seen it.
  while (boxes.some((box) => box.path.connected)) await sleep(10);
  relay.spawn();
  const began = performance.now();
  const ready = relay.ready().then(() => (performance.now() - began) / 1000);
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
    relayReady: Math.round((await ready) * 10) / 10,
    missing: waiting.size,
    p50: round(50),
    p95: round(95),
    last: round(100),
    pollsUnanswered: polled.filter((took) => took === null).length,
    raisedFalsely: centre.own.length - own,
    target: 'all ≤ 60 s, none raised',
  });
}

if (import.meta.main) {
  await run((line) => console.log(JSON.stringify(line)), { quick: process.argv.includes('--quick') });
  process.exit(0);
}
