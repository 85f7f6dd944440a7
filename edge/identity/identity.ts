import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomInt,
  sign,
} from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { open, rawPublicKey } from '../../protocol/codec/sealed.ts';
import { type BoxAuth, type EnrolRequest, enrolInput, signingInput } from '../../protocol/wire/box-auth.ts';
import { SERIAL_ALPHABET, Serial, uuidv7, VerificationCode } from '../../protocol/wire/ids.ts';
import type { SealedSecret } from '../../protocol/wire/secret.ts';

const Stored = z.object({
  v: z.literal(1),
  serial: Serial,
  code: VerificationCode,
  /** PKCS#8 PEM. */
  signKey: z.string(),
  sealKey: z.string(),
  /** Grows at every start: the relay sees a copied identity by it. */
  epoch: z.int().min(0),
});
type Stored = z.infer<typeof Stored>;

function randomText(length: number): string {
  return Array.from({ length }, () => SERIAL_ALPHABET[randomInt(SERIAL_ALPHABET.length)]).join('');
}

/** A serial ends in a digit (SN rows): other software tells it from a product name by that. */
function randomSerial(): string {
  const digits = SERIAL_ALPHABET.replace(/\D/g, '');
  return randomText(8) + digits[randomInt(digits.length)];
}

/** Writes a file that only its owner may read, whole or not at all. */
export function writePrivateFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.new`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/**
 * Who this box is: an Ed25519 key to prove itself, an X25519 key for secrets sealed to it, a 9-character serial and a
 * verification code for claiming. Made at the first start, kept in `identity.json` (0600), or read from the systemd
 * credential `identity` if there is one (then only the epoch is written to the data directory).
 */
export class Identity {
  readonly #dir: string;
  readonly #credentials: string | undefined;
  #stored!: Stored;
  #signKey!: KeyObject;
  #sealKey!: KeyObject;
  readonly boot = uuidv7();

  constructor(o: { dir: string; credentialsDir?: string }) {
    this.#dir = o.dir;
    this.#credentials = o.credentialsDir;
  }

  /** Throws when the identity file cannot be read: a box must never silently become another one. */
  start(): void {
    const file = join(this.#dir, 'identity.json');
    const credential = this.#credentials ? join(this.#credentials, 'identity') : '';
    if (credential && existsSync(credential)) {
      const epochFile = join(this.#dir, 'epoch');
      const epoch = existsSync(epochFile) ? Number(readFileSync(epochFile, 'utf8')) : 0;
      this.#stored = { ...Stored.parse(JSON.parse(readFileSync(credential, 'utf8'))), epoch: epoch + 1 };
      writePrivateFile(epochFile, String(this.#stored.epoch));
    } else {
      this.#stored = existsSync(file) ? Stored.parse(JSON.parse(readFileSync(file, 'utf8'))) : create();
      this.#stored.epoch++;
      writePrivateFile(file, JSON.stringify(this.#stored, null, 2));
    }
    this.#signKey = createPrivateKey(this.#stored.signKey);
    this.#sealKey = createPrivateKey(this.#stored.sealKey);
  }

  get serial(): string {
    return this.#stored.serial;
  }

  /** For the set-up page until the box is claimed; never logged. */
  get code(): string {
    return this.#stored.code;
  }

  get epoch(): number {
    return this.#stored.epoch;
  }

  enrolment(version: string): EnrolRequest {
    const body = {
      serial: this.serial,
      publicKey: rawPublicKey(createPublicKey(this.#signKey)),
      sealKey: rawPublicKey(createPublicKey(this.#sealKey)),
      codeHash: createHash('sha256').update(`${this.serial}:${this.code}`).digest('hex'),
    };
    return { ...body, version, signature: this.#sign(enrolInput(body)) };
  }

  prove(nonce: string, purpose: string): BoxAuth {
    const claim = { serial: this.serial, boot: this.boot, epoch: this.epoch, nonce };
    return { ...claim, signature: this.#sign(signingInput(claim, purpose)) };
  }

  /** Throws when the secret was sealed to another box or for another context. */
  unseal(secret: SealedSecret, context: string): string {
    return open(secret, this.#sealKey, context);
  }

  /** A key that only this box has, for what it keeps encrypted on its own disk; another one for each purpose. */
  keyFor(purpose: string): Buffer {
    const secret = this.#sealKey.export({ type: 'pkcs8', format: 'der' });
    return Buffer.from(hkdfSync('sha256', secret, this.serial, `gatepost-${purpose}-v1`, 32));
  }

  #sign(text: string): string {
    return sign(null, Buffer.from(text), this.#signKey).toString('base64url');
  }
}

function create(): Stored {
  const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }) as string;
  return {
    v: 1,
    serial: randomSerial(),
    code: randomText(10),
    signKey: pem(generateKeyPairSync('ed25519').privateKey),
    sealKey: pem(generateKeyPairSync('x25519').privateKey),
    epoch: 0,
  };
}
