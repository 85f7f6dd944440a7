import type { AddDevices } from '../../../protocol/wire/adding.ts';

export interface ImportLine {
  line: number;
  error: 'columns' | 'port' | 'channels' | null;
  device: AddDevices['devices'][number] | null;
}

/**
 * Lines of `name, host, port, user name, password, channels`, separated by comma, semicolon or tab; values may stand in
 * double quotes. A first line of headings and empty lines are passed over. Port 80 and one channel where none is given.
 */
export function readImport(text: string): ImportLine[] {
  return text.split(/\r?\n/).flatMap((line, i): ImportLine[] => {
    if (!line.trim()) return [];
    const [name = '', host = '', port = '', username = '', password = '', channels = ''] = cells(line);
    if (i === 0 && /^(host|address|adresse|ip)/i.test(host)) return [];
    const bad = (error: ImportLine['error']) => [{ line: i + 1, error, device: null }];
    if (!name || !host || !username || !password) return bad('columns');
    const at = Number(port || 80);
    if (!Number.isInteger(at) || at < 1 || at > 65_535) return bad('port');
    const channelCount = Number(channels || 1);
    if (!Number.isInteger(channelCount) || channelCount < 1 || channelCount > 128) return bad('channels');
    return [
      { line: i + 1, error: null, device: { method: 'ip', name, host, port: at, username, password, channelCount } },
    ];
  });
}

function cells(line: string): string[] {
  const separator = line.includes('\t') ? '\t' : line.includes(';') ? ';' : ',';
  const found: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (char === '"' && quoted && line[i + 1] === '"') {
      cell += '"';
      i++;
    } else if (char === '"') quoted = !quoted;
    else if (char === separator && !quoted) {
      found.push(cell.trim());
      cell = '';
    } else cell += char;
  }
  return [...found, cell.trim()];
}
