import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Refusal } from './login-guard.ts';

const File = z.record(
  z.string(),
  z.object({
    credentialVersion: z.int(),
    by: z.enum(['isapi', 'onvif', 'snmp', 'rtsp']),
    text: z.string().max(512),
    locked: z.boolean(),
    temporary: z.literal(false),
  }),
);
type Entry = Refusal & { credentialVersion: number };

/**
 * Which devices refused which credentials, kept over restarts: a box that is restarted again and again must not use up a
 * device's tries. Holds no secret. Without a file it lives in memory.
 */
export class Refusals {
  readonly #path: string | null;
  readonly #log: Logger;
  #entries: Map<string, Entry>;

  constructor(o: { path: string | null; log: Logger }) {
    this.#path = o.path;
    this.#log = o.log;
    this.#entries = new Map();
  }

  load(): void {
    if (!this.#path) return;
    try {
      this.#entries = new Map(Object.entries(File.parse(JSON.parse(readFileSync(this.#path, 'utf8')))));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#log.warn({ err: error }, 'the refused logins could not be read');
    }
  }

  /** The refusal of exactly these credentials. */
  get(deviceId: string, credentialVersion: number): Refusal | null {
    const entry = this.#entries.get(deviceId);
    return entry?.credentialVersion === credentialVersion ? entry : null;
  }

  set(deviceId: string, entry: Entry | null): void {
    if (entry ? this.#entries.get(deviceId)?.text === entry.text : !this.#entries.has(deviceId)) return;
    if (entry) this.#entries.set(deviceId, entry);
    else this.#entries.delete(deviceId);
    if (!this.#path) return;
    try {
      writeFileSync(`${this.#path}.new`, JSON.stringify(Object.fromEntries(this.#entries)), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    } catch (error) {
      this.#log.warn({ err: error }, 'a refused login could not be kept');
    }
  }
}
