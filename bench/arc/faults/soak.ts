import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { nowMs } from './box.ts';
import type { ForeignReceiver } from './centre.ts';
import { type KillRow, killBox, killRelay } from './kills.ts';
import { KINDS, RELAY_DOWN } from './kinds.ts';
import { burst, latency } from './latency.ts';
import { type OutageRow, outage } from './outage.ts';
import { RelayProcess } from './relay-process.ts';
import type { Circumstances, Results } from './report.ts';
import { dayWithout, flapping, type RuleRow, silentBox } from './rules.ts';
import type { Run } from './world.ts';

/** Parts of a run, in the order they are run; what stands together runs side by side. */
export const PARTS = ['faults', 'flapping', 'silent', 'kills', 'latency', 'burst', 'day'] as const;
export type Part = (typeof PARTS)[number];

export interface SoakOptions {
  events: number;
  kills: number;
  scale: number;
  rate: number;
  /** Names of kinds; none: all. */
  faults: string[];
  parts: readonly Part[];
  foreign: ForeignReceiver | null;
  log: (text: string) => void;
}

/** The whole run; what fails is in the results, nothing is thrown. */
export async function soak(o: SoakOptions): Promise<{ results: Results; about: Omit<Circumstances, 'command'> }> {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-soak-'));
  const relay = new RelayProcess(join(dir, 'relay'));
  const results: Results = { outages: [], rules: [], kills: [], broken: [] };
  const started = performance.now();
  const startedAt = new Date().toISOString();
  const loadBefore = loadavg()[0]!;
  const stopped = () => process.exit(1);
  const clean = () => rmSync(dir, { recursive: true, force: true });
  process.once('SIGINT', stopped).once('SIGTERM', stopped).once('exit', clean);
  try {
    await relay.start();
    const relayStartedMs = nowMs();
    const { events, kills, scale, rate, foreign } = o;
    const run: Run = { dir, relay, events, kills, rate, scale, foreign, log: o.log };
    const has = (part: Part): boolean => o.parts.includes(part);
    const attempt = async <T>(what: string, fn: () => Promise<T>, keep: (value: T) => void): Promise<void> => {
      o.log(`${what}: begun`);
      await fn().then(keep, (error: Error) => {
        results.broken.push({ what, error: error.message });
        o.log(`${what}: ${error.stack}`);
      });
    };
    const ofRules = (rows: RuleRow[]): void => void results.rules.push(...rows);
    const rule = (what: string, fn: () => Promise<RuleRow[]>) => attempt(what, fn, ofRules);
    const kinds = [...KINDS, RELAY_DOWN].filter((k) => o.faults.length === 0 || o.faults.includes(k.name));
    const faults = has('faults')
      ? kinds.map((kind) =>
          attempt<OutageRow>(
            kind.title,
            () => outage(run, kind),
            (row) => void results.outages.push(row),
          ),
        )
      : [];
    const struck = (fn: (run: Run) => Promise<KillRow>, what: string) =>
      attempt(
        what,
        () => fn(run),
        (row) => void results.kills.push(row),
      );
    const killing = () =>
      has('kills') ? [struck(killBox, 'kill -9 of the box'), struck(killRelay, 'kill -9 of the relay')] : [];
    // Short: everything beside one another. Long: kills take the processor from what is measured, so they come after.
    const short = scale > 1;
    await Promise.all([
      ...faults,
      ...(has('flapping') ? [rule('flapping', () => flapping(run))] : []),
      ...(has('silent') ? [rule('silent box', () => silentBox({ ...run, scale: 1 }, relayStartedMs))] : []),
      ...(short ? killing() : []),
    ]);
    if (!short) await Promise.all(killing());
    if (has('latency')) {
      await rule('latency, direct', () => latency({ ...run, scale: 1 }, 'direct'));
      await rule('latency, relay', () => latency({ ...run, scale: 1 }, 'relay'));
    }
    if (has('burst')) await rule('burst', () => burst({ ...run, scale: 1 }));
    if (has('day')) await rule('a day without paths', () => dayWithout({ ...run, scale: 1 }));
    const order = [...KINDS, RELAY_DOWN].map((k) => k.name);
    results.outages.sort((a, b) => order.indexOf(a.kind.name) - order.indexOf(b.kind.name));
    results.rules.sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
  } catch (error) {
    results.broken.push({ what: 'the run', error: (error as Error).message });
  } finally {
    await relay.stop();
    process.off('SIGINT', stopped).off('SIGTERM', stopped).off('exit', clean);
    clean();
  }
  const about = {
    commit: commit(),
    startedAt,
    scale: o.scale,
    rate: o.rate,
    seconds: (performance.now() - started) / 1_000,
    receiver: o.foreign
      ? `${o.foreign.host}:${o.foreign.port}, a program unknown to the run, watched from in front of it`
      : 'the test’s own strict one, with records of its own',
    cost: cost(),
    load: [loadBefore, loadavg()[0]!],
  };
  return { results, about };
}

/** This process, and all that it has started and seen end. */
function cost(): Circumstances['cost'] {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const [cutime, cstime] = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ').slice(13, 15).map(Number);
  return { self: Math.round((userCPUTime + systemCPUTime) / 1e6), children: Math.round((cutime! + cstime!) / 100) };
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: import.meta.dirname })
      .toString()
      .trim();
  } catch {
    return 'unknown';
  }
}
