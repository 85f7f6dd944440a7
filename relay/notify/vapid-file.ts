import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { generateVapidKeys, type VapidKeys } from './push-crypto.ts';

const File = z.object({ publicKey: z.string().length(87), privateKey: z.string().length(43) });

/** The relay's keys for web push, made at its first start. Lost keys end every subscription: they are never replaced. */
export function vapidKeys(dataDir: string): VapidKeys {
  const path = join(dataDir, 'vapid.json');
  if (existsSync(path)) {
    const found = File.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    if (!found.success) throw new Error(`${path} is damaged: put it back from a backup`);
    return found.data;
  }
  const keys = generateVapidKeys();
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, `${JSON.stringify(keys)}\n`, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
  return keys;
}
