import { cpus, getPriority, totalmem } from 'node:os';
import type { KillRow } from './kills.ts';
import type { OutageRow } from './outage.ts';
import type { RuleRow } from './rules.ts';

export interface Results {
  outages: OutageRow[];
  rules: RuleRow[];
  kills: KillRow[];
  /** What could not even be run. */
  broken: { what: string; error: string }[];
}

export interface Circumstances {
  command: string;
  commit: string;
  startedAt: string;
  seconds: number;
  scale: number;
  rate: number;
  receiver: string;
  /** Processor seconds: of boxes and relays together, and of sources, proxies and receivers. */
  cost: { children: number; self: number };
  load: number[];
}

export const passed = (r: Results): boolean =>
  r.broken.length === 0 &&
  [...r.outages, ...r.kills].every((row) => row.failures.length === 0) &&
  r.outages.every((row) => row.late.length === 0) &&
  r.rules.every((row) => row.ok);

const s = (value: number | null): string => (value === null ? '–' : value.toFixed(value < 10 ? 2 : 1));
const table = (head: string[], rows: (string | number)[][]): string[] => [
  `| ${head.join(' | ')} |`,
  `|${head.map(() => ' --- |').join('')}`,
  ...rows.map((row) => `| ${row.join(' | ')} |`),
  '',
];
const verdict = (failures: string[]): string =>
  failures.length === 0 ? 'passed' : `**failed**: ${failures.join('; ')}`;

/** The whole run as Markdown. */
export function report(results: Results, c: Circumstances): string {
  const { outages, rules, kills, broken } = results;
  const lines = [
    '# Faults on the alarm paths: the last long run',
    '',
    `Written by \`${c.command}\`; figures of acceptance lists C, D, E and G of alarm transmission. ${passed(results) ? 'Everything passed.' : 'Not everything passed.'}`,
    '',
    `- ${c.startedAt}, ${Math.round(c.seconds)} s, commit ${c.commit}`,
    `- ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}; load average before ${c.load[0]?.toFixed(1)}, after ${c.load[1]?.toFixed(1)}${getPriority() === 0 ? '' : `, nice ${getPriority()}`}`,
    `- processor time: boxes and relays ${c.cost.children} s, sources, proxies and receivers ${c.cost.self} s`,
    `- receiver: ${c.receiver}; ${c.scale === 1 ? 'the product’s own times' : `all times of the box divided by ${c.scale}`}`,
    '- A box is identity, journal, uplink and alarm transmission as the program composes them, in a process of its own; the relay is the whole program on SQLite; sockets are real. Each event has a number that the receiver reads in area and zone; what the source handed over and the box had on disk is compared with what the receiver acknowledged.',
    '',
  ];
  if (outages.length > 0) lines.push('## One fault each, side by side', '', ...outageTable(outages, c));
  if (rules.length > 0) {
    lines.push('## Rules', '');
    const rows = rules.map((r) => [r.id, r.what, r.demanded, r.measured, r.ok ? 'passed' : '**failed**']);
    lines.push(...table(['', 'what', 'demanded', 'measured', ''], rows));
  }
  if (kills.length > 0) lines.push('## `kill -9` under 20 events a second', '', ...killTable(kills));
  if (broken.length > 0) lines.push('## Could not be run', '', ...broken.map((b) => `- ${b.what}: ${b.error}`), '');
  return lines.join('\n');
}

function outageTable(outages: OutageRow[], c: Circumstances): string[] {
  const rows = outages.map((r) => [
    r.kind.title,
    r.tally.owed,
    r.tally.lost.length,
    `${r.tally.doubled} (${r.swallowed}${r.gaveUp > 0 ? ` + ${r.gaveUp} late` : ''})`,
    r.tally.inversions.length + r.tally.restoresAstray.length,
    `${s(r.first)} (≤ ${r.kind.firstMs / 1_000})`,
    `${s(r.laterP95)} / ${s(r.laterMax)}`,
    `${s(r.told)} (${r.tolds.length})`,
    `${s(r.back)} (${r.goodPolls})`,
    r.restores,
    s(r.atChange),
    `${r.via.direct} / ${r.via.relay}`,
    `${r.audit.complete} / ${r.audit.leaks.length}`,
    verdict([...r.failures, ...r.late]),
  ]);
  const sum = (pick: (r: OutageRow) => number): number => outages.reduce((all, r) => all + pick(r), 0);
  rows.push([
    '**together**',
    sum((r) => r.tally.owed),
    sum((r) => r.tally.lost.length),
    `${sum((r) => r.tally.doubled)} (${sum((r) => r.swallowed)})`,
    sum((r) => r.tally.inversions.length + r.tally.restoresAstray.length),
    ...Array(6).fill(''),
    `${sum((r) => r.via.direct)} / ${sum((r) => r.via.relay)}`,
    '',
    '',
  ]);
  const head = [
    ...['fault', 'events', 'lost', 'doubled (ACKs swallowed)', 'out of order', 'first alarm s (limit)'],
    ...[
      'later alarms p95 / max s',
      'path fault told after s (times)',
      'back after s (good polls)',
      'R350',
      'longest at the change s',
    ],
    ...['by direct / relay', 'audit lines / keys found', ''],
  ];
  return [
    ...table(head, rows),
    `Steady ${c.rate} events a second each: seven alarms, a video loss and a test of ten, every tenth event ending; healthy, broken, healthy again. Demanded: lost 0 (D5); doubled no more than the acknowledgements that the proxies threw away, each with its number and content (D6; “late”: the relay answered after the box had given it up, which happens on a machine that is busy with other work); order kept per account and priority, no restore before its alarm (D7); later alarms p95 ≤ 2 s (D2); the path’s loss told once, within 90 s (D3); back on direct within 120 s, after ≥ 60 s and ≥ 3 good polls, told once (D4). The first alarm is the first that came through the relay, from when the outage’s first was handed over (D1); later alarms are those handed over after it. Where the relay’s leg fails alarms go direct all the time, “back” is when its return was told, and its limit of 5 h is set to 45 s for the run.`,
    '',
  ];
}

function killTable(kills: KillRow[]): string[] {
  const rows = kills.map((r) => [
    r.victim,
    `${r.kills} (${r.starting})`,
    r.tally.owed,
    r.unconfirmed,
    r.tally.lost.length,
    r.tally.doubled,
    r.resent ?? '–',
    r.tally.inversions.length,
    r.tally.reused.length,
    `${r.seconds}`,
    verdict(r.failures),
  ]);
  const head = [
    ...['killed', 'kills (while starting)', 'events on disk', 'never confirmed to the source', 'lost', 'doubled'],
    ...['sent again though recorded', 'out of order', 'numbers reused', 's', ''],
  ];
  return [
    ...table(head, rows),
    'Demanded: every event that the box confirmed arrives (E1, E2); doubled at most the frame that was out at a kill; nothing is sent again whose acknowledgement the relay had on disk (E2); a sequence number stands for one message until it comes round (E4). Box killed: alarms direct. Relay killed: every alarm through it.',
    '',
  ];
}
