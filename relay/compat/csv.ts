import { COMPAT_FEATURES, CompatEntry } from '../../protocol/wire/compat.ts';
import { ProblemError } from '../api/problem.ts';
import { cell } from '../audit/csv.ts';

const PLAIN = [
  ...(['list', 'deviceType', 'series', 'model', 'firmware'] as const),
  ...(['maxChannels', 'maxWidth', 'maxHeight', 'maxKbps'] as const),
] as const;
const COLUMNS: readonly string[] = [...PLAIN, ...COMPAT_FEATURES, 'remarks'];
const NUMBERS: readonly string[] = ['maxChannels', 'maxWidth', 'maxHeight', 'maxKbps'];
const YES_NO: Record<string, boolean> = { yes: true, no: false };
const MAX_ROWS = 5_000;
const MAX_ERRORS = 20;

/** With a byte order mark: spreadsheets take it for Latin-1 otherwise. */
export const compatHead = () => `\uFEFF${COLUMNS.join(',')}\r\n`;
export const compatLine = (entry: CompatEntry) => `${COLUMNS.map((name) => cell(columnOf(entry, name))).join(',')}\r\n`;

function columnOf(entry: CompatEntry, name: string): string | number | null {
  if ((COMPAT_FEATURES as readonly string[]).includes(name)) {
    const has = entry.features[name as (typeof COMPAT_FEATURES)[number]];
    return has === undefined ? '' : has ? 'yes' : 'no';
  }
  return entry[name as (typeof PLAIN)[number] | 'remarks'];
}

/**
 * Reads what {@link compatHead} and {@link compatLine} write, or a spreadsheet made of it: columns in any order, those that
 * are not known left alone. Throws with what is wrong in which line; nothing is taken over then.
 */
export function readCompatCsv(text: string): CompatEntry[] {
  const [head, ...lines] = parseCsv(text);
  const names = (head?.cells ?? []).map((name) => name.trim());
  for (const needed of ['list', 'deviceType', 'model']) {
    if (!names.includes(needed)) throw new ProblemError('invalid-request', `The file has no column “${needed}”.`);
  }
  const errors: { path: string; message: string }[] = [];
  const seen = new Set<string>();
  const entries: CompatEntry[] = [];
  for (const { line, cells } of lines) {
    if (cells.every((value) => value.trim() === '')) continue;
    if (entries.length >= MAX_ROWS) throw new ProblemError('limit-reached', `The list has room for ${MAX_ROWS} rows.`);
    const read = readRow(names, cells);
    if (!read.ok) errors.push(...read.errors.map((message) => ({ path: `line ${line}`, message })));
    else {
      const { list, model, firmware } = read.entry;
      const key = JSON.stringify([list, model.toUpperCase().replaceAll(/\s/g, ''), firmware]);
      if (seen.has(key))
        errors.push({ path: `line ${line}`, message: `${model} stands here twice with ${firmware || 'no version'}` });
      seen.add(key);
      entries.push(read.entry);
    }
    if (errors.length >= MAX_ERRORS) break;
  }
  if (errors.length > 0) {
    const { path, message } = errors[0] as { path: string; message: string };
    throw new ProblemError('invalid-request', `${path[0]?.toUpperCase()}${path.slice(1)}: ${message}.`, { errors });
  }
  if (entries.length === 0) throw new ProblemError('invalid-request', 'There is no row in the file.');
  return entries;
}

function readRow(names: string[], cells: string[]): { ok: true; entry: CompatEntry } | { ok: false; errors: string[] } {
  const raw: Record<string, unknown> = {};
  const features: Record<string, boolean> = {};
  const errors: string[] = [];
  names.forEach((name, i) => {
    // The apostrophe that keeps a spreadsheet from running text as a formula.
    const value = (cells[i] ?? '').trim().replace(/^'(?=\s*[=+\-@\t\r|])/, '');
    if (value === '') return;
    if (NUMBERS.includes(name)) raw[name] = /^\d{1,9}$/.test(value) ? Number(value) : value;
    else if ((COMPAT_FEATURES as readonly string[]).includes(name)) {
      const has = YES_NO[value.toLowerCase()];
      if (has === undefined) errors.push(`“${name}” is “yes”, “no” or empty`);
      else features[name] = has;
    } else if (COLUMNS.includes(name)) raw[name] = value;
  });
  const entry = CompatEntry.safeParse({ ...raw, features });
  if (!entry.success) errors.push(...entry.error.issues.map((e) => `“${e.path.join('.')}”: ${e.message}`));
  return entry.success && errors.length === 0 ? { ok: true, entry: entry.data } : { ok: false, errors };
}

/** RFC 4180, with `;` where the first line has no comma, and any end of line. */
function parseCsv(text: string): { line: number; cells: string[] }[] {
  const clean = text.replace(/^\uFEFF/, '');
  const separator = /^[^\r\n]*,/.test(clean) ? ',' : ';';
  const rows: { line: number; cells: string[] }[] = [];
  let cells: string[] = [];
  let value = '';
  let quoted = false;
  let line = 1;
  let began = 1;
  const end = () => {
    rows.push({ line: began, cells: [...cells, value] });
    [cells, value] = [[], ''];
  };
  for (let i = 0; i < clean.length; i++) {
    const c = clean[i] as string;
    if (c === '\n') line++;
    if (quoted) {
      if (c !== '"') value += c;
      else if (clean[i + 1] === '"') {
        value += '"';
        i++;
      } else quoted = false;
    } else if (c === '"' && value === '') quoted = true;
    else if (c === separator) {
      cells.push(value);
      value = '';
    } else if (c === '\n') {
      end();
      began = line;
    } else if (c !== '\r') value += c;
  }
  if (quoted) throw new ProblemError('invalid-request', `A quotation mark in line ${began} is not closed.`);
  if (value !== '' || cells.length > 0) end();
  return rows;
}
