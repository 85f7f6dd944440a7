import { Demo, until } from '../lab/journeys/demo.ts';
import { percentile } from './percentile.ts';

function summary(samples: number[]): { p50: number; p99: number; n: number } {
  const at = (p: number) => Math.round(percentile(samples, p));
  return { p50: at(50), p99: at(99), n: samples.length };
}

/**
 * The whole product on one machine: from the camera's alert to the event in the portal's live list, and to the
 * receiver's acknowledgement, directly and through the relay. Milliseconds, one clock.
 */
export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  const events = quick ? 20 : 100;
  const demo = await new Demo({ GATEPOST_HOLD_DOWN: '5000' }).start();
  try {
    for (const path of ['direct', 'relay'] as const) {
      if (path === 'relay') {
        await demo.fault('arc-direct', 'refuse');
        const { id } = await demo.emit('camera-1', 'tamper');
        await demo.arrived(id);
        await until('the relay path', 20_000, async () => (await demo.box()).health?.arc[0]?.path === 'relay');
      }
      const emitted = new Map<string, number>();
      const seen = new Map<string, number>();
      const stream = new AbortController();
      const live = follow(demo, stream.signal, (sourceRef) => seen.set(sourceRef, Date.now()));
      for (let i = 0; i < events; i++) {
        const before = Date.now();
        const { id } = await demo.emit(i % 2 ? 'camera-1' : 'camera-2', i % 4 < 2 ? 'intrusion' : 'lineCrossing');
        emitted.set(id, before);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
      const done = await until('all acknowledged', 30_000, async () => {
        const list = (await demo.events(200)).filter((e) => e.sourceRef && emitted.has(e.sourceRef));
        const acknowledged = list.flatMap((e) =>
          e.alarms.filter((a) => a.kind === 'alarm' && a.acknowledgedAt).map((a) => ({ e, a })),
        );
        return acknowledged.length >= events && acknowledged;
      });
      stream.abort();
      await live;
      if (path === 'direct') {
        const toApi = [...emitted].flatMap(([id, at]) => (seen.has(id) ? [(seen.get(id) as number) - at] : []));
        emit({ bench: 'event to API (live list)', unit: 'ms', ...summary(toApi), target: '≤ 1000' });
      }
      const toArc = done
        .filter(({ a }) => a.path === path)
        .map(
          ({ e, a }) => new Date(a.acknowledgedAt as string).getTime() - (emitted.get(e.sourceRef as string) as number),
        );
      emit({
        bench: `event to ARC acknowledgement, ${path}`,
        unit: 'ms',
        ...summary(toArc),
        target: path === 'direct' ? 'p99 ≤ 300' : 'p99 ≤ 1000',
      });
    }
  } finally {
    await demo.remove();
  }
}

/** Reads the site's server-sent events. */
async function follow(demo: Demo, signal: AbortSignal, onEvent: (sourceRef: string) => void): Promise<void> {
  try {
    const response = await demo.raw(`/sites/${demo.site.id}/stream`, { signal });
    let rest = '';
    for await (const chunk of response.body ?? []) {
      const blocks = (rest + Buffer.from(chunk).toString('utf8')).split('\n\n');
      rest = blocks.pop() as string;
      for (const block of blocks) {
        if (!/^event: event$/m.test(block)) continue;
        const data = /^data: (.*)$/m.exec(block)?.[1];
        const item = data ? (JSON.parse(data) as { sourceRef: string | null; endedAt: string | null }) : null;
        if (item?.sourceRef && !item.endedAt) onEvent(item.sourceRef);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

if (import.meta.main)
  await run((line) => console.log(JSON.stringify(line)), { quick: process.argv.includes('--quick') });
