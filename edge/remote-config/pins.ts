import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writePrivateFile } from '../identity/identity.ts';

const Pins = z.record(z.string(), z.string().max(128));

/**
 * Certificates of devices are self-signed: the first one that a device shows is trusted, and from then on no other, until a
 * person says so (a reset to factory settings makes a new one).
 */
export class CertificatePins {
  readonly #file: string;
  #pins: Record<string, string> = {};

  constructor({ dir }: { dir: string }) {
    this.#file = join(dir, 'device-certificates.json');
  }

  start(): void {
    try {
      this.#pins = Pins.parse(JSON.parse(readFileSync(this.#file, 'utf8')));
    } catch {
      // None yet, or unreadable: devices are met for the first time again.
      this.#pins = {};
    }
  }

  /** Whether it is the device's certificate; the first one becomes it. */
  trusts(deviceId: string, fingerprint: string): boolean {
    if (fingerprint === '') return false;
    const known = this.#pins[deviceId];
    if (known !== undefined) return known === fingerprint;
    this.#pins[deviceId] = fingerprint;
    this.#save();
    return true;
  }

  forget(deviceId: string): void {
    if (!(deviceId in this.#pins)) return;
    delete this.#pins[deviceId];
    this.#save();
  }

  /** Devices that are not looked after any more are strangers again. */
  keepOnly(ids: ReadonlySet<string>): void {
    const gone = Object.keys(this.#pins).filter((id) => !ids.has(id));
    for (const id of gone) delete this.#pins[id];
    if (gone.length > 0) this.#save();
  }

  #save(): void {
    writePrivateFile(this.#file, JSON.stringify(this.#pins));
  }
}
