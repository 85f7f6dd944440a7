import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const VERSION = 1;

/**
 * Secrets that the relay must read again (of second factors, for example), sealed with AES-256-GCM under a key that lies
 * beside the database, not in it (`vault.key`, mode 0600): who gets a copy of the database alone cannot read them. What
 * is sealed is bound to its purpose, so that it cannot be moved to another row.
 */
export class Vault {
  readonly #dir: string;
  #key: Buffer | null = null;

  constructor({ dir }: { dir: string }) {
    this.#dir = dir;
  }

  /** Reads the key, or makes it at the first start. */
  start(): void {
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    const file = join(this.#dir, 'vault.key');
    try {
      writeFileSync(file, randomBytes(32).toString('base64'), { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
    if (key.length !== 32) throw new Error(`${file} is no key of the vault: restore it from a backup`);
    this.#key = key;
  }

  seal(purpose: string, text: string): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#must(), nonce).setAAD(Buffer.from(purpose));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), sealed]).toString('base64');
  }

  /** Throws for what was changed, was sealed for another purpose, or under another key. */
  open(purpose: string, sealed: string): string {
    const bytes = Buffer.from(sealed, 'base64');
    if (bytes[0] !== VERSION || bytes.length < 29) throw new Error('not sealed by this vault');
    const decipher = createDecipheriv('aes-256-gcm', this.#must(), bytes.subarray(1, 13), { authTagLength: 16 })
      .setAAD(Buffer.from(purpose))
      .setAuthTag(bytes.subarray(13, 29));
    return Buffer.concat([decipher.update(bytes.subarray(29)), decipher.final()]).toString('utf8');
  }

  #must(): Buffer {
    if (!this.#key) throw new Error('the vault is not started');
    return this.#key;
  }
}
