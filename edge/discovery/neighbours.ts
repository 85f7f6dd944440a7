import { readFile } from 'node:fs/promises';
import { macOf } from './sadp.ts';

/** Who answers at which address of our networks, from the kernel's table of neighbours: MACs by address. */
export async function neighbours(file = '/proc/net/arp'): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const table = await readFile(file, 'utf8').catch(() => '');
  for (const line of table.split('\n')) {
    const [ip, , flags, written] = line.trim().split(/\s+/);
    // 0x2: complete; an entry without it holds no address yet.
    const mac = ip && written && (Number(flags) & 2) !== 0 ? macOf(written) : null;
    if (ip && mac) found.set(ip, mac);
  }
  return found;
}

/** The MAC of a host on the same network; null when it is not there (another subnet, or nothing was exchanged lately). */
export async function macOfNeighbour(address: string, file?: string): Promise<string | null> {
  return (await neighbours(file)).get(address) ?? null;
}
