// `npm run bench [-- --quick] [name …]`: every benchmark in one run, a JSON line a result.
import { cpus, totalmem } from 'node:os';

export type Emit = (line: object) => void;
type Bench = { run(emit: Emit, options: { quick: boolean }): Promise<void> };

const benches: Record<string, () => Promise<Bench>> = {
  portal: () => import('../bench/portal.ts'),
  'ui-load': () => import('../bench/ui-load.ts'),
  events: () => import('../bench/events.ts'),
  arc: () => import('../bench/arc.ts'),
  codec: () => import('../bench/arc/codec.ts'),
  interop: () => import('../bench/arc/interop.ts'),
  'panel-in': () => import('../bench/arc/panel-in.ts'),
  fleet: () => import('../bench/arc/fleet.ts'),
  silent: () => import('../bench/arc/silent.ts'),
  latency: () => import('../bench/arc/latency.ts'),
  tunnel: () => import('../bench/tunnel.ts'),
  uploads: () => import('../bench/uploads.ts'),
  cloud: () => import('../bench/cloud.ts'),
  clips: () => import('../bench/clips.ts'),
  lan: () => import('../bench/lan.ts'),
  boxes: () => import('../bench/boxes.ts'),
  video: () => import('../bench/video.ts'),
  live: () => import('../bench/live.ts'),
};

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const names = args.filter((a) => !a.startsWith('--'));
const unknown = names.find((n) => !(n in benches));
if (unknown) {
  console.error(`no benchmark is called ${unknown}; there are ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}
const emit: Emit = (line) => console.log(JSON.stringify(line));

emit({
  bench: 'machine',
  cores: cpus().length,
  cpu: cpus()[0]?.model,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  at: new Date().toISOString(),
  quick,
});
let failed = false;
for (const [name, load] of Object.entries(benches)) {
  if (names.length > 0 && !names.includes(name)) continue;
  try {
    await (await load()).run(emit, { quick });
  } catch (error) {
    failed = true;
    emit({ bench: name, error: (error as Error).message });
  }
}
process.exit(failed ? 1 : 0);
