import { readFile } from 'node:fs/promises';
import { macOf } from './sadp.ts';

/**
 * The MAC of a host on the same network, from the kernel's table of neighbours; null when it is not there (another
 * subnet, or nothing was exchanged with it lately).
 */
export async function macOfNeighbour(address: string, file = '/proc/net/arp'): Promise<string | null> {
  const table = await readFile(file, 'utf8').catch(() => '');
  for (const line of table.split('\n')) {
    const [ip, , flags, mac] = line.trim().split(/\s+/);
    // 0x2: complete; an entry without it holds no address yet.
    if (ip === address && mac && (Number(flags) & 2) !== 0) return macOf(mac);
  }
  return null;
}
