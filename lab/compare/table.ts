import type { Comparison } from './lists.ts';

/** The comparison for a person: one line a step. */
export function table({ steps, ok }: Comparison): string {
  const rows = [
    ['step', 'expected', 'found', 'missing', 'excused', 'double', 'unknown'],
    ...steps.map((s) => [
      `${s.from} → ${s.to}`,
      ...[s.expected, s.found, s.missing.length, s.excused.length, s.double.length, s.unknown.length].map(String),
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  );
  return [...lines, ok ? 'nothing is missing' : 'SOMETHING IS MISSING'].join('\n');
}
