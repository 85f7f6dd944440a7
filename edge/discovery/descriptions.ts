import { request } from 'node:http';
import type { Clock } from '../../protocol/clock.ts';
import { readDescription, type UpnpDevice } from './ssdp.ts';

const TIMEOUT_MS = 2_000;
const MAX_BYTES = 32 * 1024;
const AT_ONCE = 4;
const MAX_KNOWN = 500;
/** A description does not change while a device runs; one that could not be read is asked for again as late. */
const KEPT_MS = 10 * 60_000;

/**
 * Descriptions of UPnP devices, each fetched once from the very address that announced it: without a login, without
 * following redirects, with little patience.
 */
export class Descriptions {
  readonly #clock: Clock;
  readonly #known = new Map<string, { device: UpnpDevice | null; mono: number }>();
  readonly #abort = new AbortController();
  #running = 0;

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  stop(): void {
    this.#abort.abort();
  }

  /** Null: none, none of interest, or too busy to ask now. */
  async of(source: string, uuid: string, where: { port: number; path: string }): Promise<UpnpDevice | null> {
    const key = `${source} ${uuid} ${where.port} ${where.path}`;
    const now = this.#clock.mono();
    const known = this.#known.get(key);
    if (known && now - known.mono < KEPT_MS) return known.device;
    if (this.#running >= AT_ONCE || this.#abort.signal.aborted) return null;
    if (this.#known.size >= MAX_KNOWN) this.#known.delete(this.#known.keys().next().value as string);
    // Asked for now: a second announcement in the meantime does not ask again.
    this.#known.set(key, { device: null, mono: now });
    this.#running++;
    try {
      const xml = await this.#fetch(source, where);
      const device = xml && readDescription(xml, source, where.port);
      if (device) this.#known.set(key, { device, mono: now });
      return device;
    } finally {
      this.#running--;
    }
  }

  #fetch(host: string, { port, path }: { port: number; path: string }): Promise<Buffer | null> {
    return new Promise((resolve) => {
      const req = request({ host, port, path, agent: false, signal: this.#abort.signal });
      const end = (found: Buffer | null) => {
        cancel();
        req.destroy();
        resolve(found);
      };
      const cancel = this.#clock.after(TIMEOUT_MS, () => end(null));
      req.on('error', () => end(null));
      req.on('response', (res) => {
        if (res.statusCode !== 200) return end(null);
        const parts: Buffer[] = [];
        let size = 0;
        res.on('data', (part: Buffer) => {
          size += part.length;
          if (size > MAX_BYTES) end(null);
          else parts.push(part);
        });
        res.on('error', () => end(null));
        res.on('end', () => end(Buffer.concat(parts)));
      });
      req.end();
    });
  }
}
