import type { LogEntry } from '../../protocol/wire/audit.ts';

const COLUMNS: [title: string, of: (entry: LogEntry) => string | number | null][] = [
  ['Number', (e) => e.seq],
  ['Time (UTC)', (e) => e.at],
  ['Name', (e) => e.operator.name],
  ['E-mail', (e) => e.operator.email],
  ['Company', (e) => e.operator.companyName],
  ['Client', (e) => (e.clientName === null ? e.client : `${e.client} ${e.clientName}`)],
  ['Address', (e) => e.address],
  ['Site', (e) => e.site && (e.site.name ?? e.site.id)],
  ['Target', (e) => e.target && [e.target.kind, e.target.name ?? e.target.id].filter(Boolean).join(' ')],
  ['Operation', (e) => e.action],
  ['Detail', (e) => e.detail],
  ['Result', (e) => e.result],
  ['Hash', (e) => e.hash],
];

/** With a byte order mark: spreadsheets take it for Latin-1 otherwise. */
export const csvHead = () => `\uFEFF${COLUMNS.map(([title]) => cell(title)).join(',')}\r\n`;
export const csvLine = (entry: LogEntry) => `${COLUMNS.map(([, of]) => cell(of(entry))).join(',')}\r\n`;

/** RFC 4180; text that a spreadsheet would run as a formula is kept text by an apostrophe. */
export function cell(value: string | number | null): string {
  if (value === null) return '';
  const text = typeof value === 'string' && /^\s*[=+\-@\t\r|]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
