import { constants, createDecipheriv, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { OK, refusal, statusXml } from '../isapi/answer.ts';

const head = '<?xml version="1.0" encoding="UTF-8"?>\n';

export interface Kept {
  read: () => string | null;
  /** null: nothing is kept any more. */
  write: (text: string | null) => void;
}

export const keptInMemory = (): Kept => {
  let kept: string | null = null;
  return {
    read: () => kept,
    write: (password) => {
      kept = password;
    },
  };
};

/** What such firmware refuses in a password, or null. */
export function badPassword(password: string): string | null {
  if (password.length < 8) return 'userPwdLenUnder8';
  if (password.length > 16) return 'passwordLenNoMoreThan16';
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z\d]/].filter((kind) => kind.test(password)).length;
  return kinds < 2 || /admin|nimda/i.test(password) ? 'riskPassword' : null;
}

/**
 * A device as it leaves the factory: without a password, and answering nothing but what gives it one. A random text goes out
 * encrypted to the caller's key; the password comes back encrypted with it (AES-128-ECB, zeros behind).
 */
export class Factory {
  #password: string | null;
  readonly #keep: (password: string | null) => void;
  #random: Buffer | null = null;
  /** Called when there is a new password, the first one included. */
  onChange: () => void = () => {};

  /** `password` null: not activated. `keep` stores what it was given, as a camera does. */
  constructor(password: string | null, keep: (password: string | null) => void = () => {}) {
    this.#password = password;
    this.#keep = keep;
  }

  get activated(): boolean {
    return this.#password !== null;
  }
  /** A password that nobody has while there is none. */
  get password(): string {
    return this.#password ?? randomBytes(16).toString('hex');
  }

  /** The first password, or another one. */
  set(password: string): void {
    this.#password = password;
    this.#keep(password);
    this.onChange();
  }

  reset(): void {
    this.#password = null;
    this.#keep(null);
    this.#random = null;
  }

  /** The answer to a request without a login, or null where one is needed. */
  answer(method: string, path: string, body: string): { status: number; xml: string } | null {
    if (path === '/SDK/activateStatus') {
      const said = `<ActivateStatus version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">\n<Activated>${this.activated}</Activated>\n</ActivateStatus>\n`;
      return { status: 200, xml: head + said };
    }
    const refuse = (sub: string) => ({ status: 403, xml: statusXml(path, refusal(sub)) });
    const isChallenge = path === '/ISAPI/Security/challenge' && method === 'POST';
    const isActivation = path === '/ISAPI/System/activate' && method === 'PUT';
    if (this.activated) return isChallenge || isActivation ? refuse('hasActivated') : null;
    if (isChallenge) {
      const sealed = this.#challenge(body);
      if (!sealed) return refuse('badXmlContent');
      return { status: 200, xml: `${head}<Challenge>\n<key>${sealed}</key>\n</Challenge>\n` };
    }
    if (!isActivation) return refuse('notActivated');
    const password = this.#opened(body);
    if (password === null) return refuse('badXmlContent');
    const bad = badPassword(password);
    if (bad) return refuse(bad);
    this.set(password);
    return { status: 200, xml: statusXml(path, OK) };
  }

  #challenge(body: string): string | null {
    const key = /<key>\s*([A-Za-z0-9+/=]+)\s*<\/key>/.exec(body)?.[1] ?? '';
    const modulus = Buffer.from(key, 'base64').toString('latin1');
    if (!/^[0-9a-f]{256}$/i.test(modulus)) return null;
    const n = Buffer.from(modulus, 'hex').toString('base64url');
    const publicKey = createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' });
    this.#random = randomBytes(16);
    const text = Buffer.from(this.#random.toString('hex'));
    const sealed = publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, text);
    return Buffer.from(sealed.toString('hex')).toString('base64');
  }

  /** A random text is good for one try. */
  #opened(body: string): string | null {
    const random = this.#random;
    this.#random = null;
    const hex = Buffer.from(/<password>\s*([^<\s]+)/.exec(body)?.[1] ?? '', 'base64').toString('latin1');
    if (!random || !/^([0-9a-f]{32})+$/i.test(hex)) return null;
    const cipher = createDecipheriv('aes-128-ecb', random, null).setAutoPadding(false);
    const plain = Buffer.concat([cipher.update(hex, 'hex'), cipher.final()])
      .toString('latin1')
      .replace(/\0+$/, '');
    return plain.startsWith(random.toString('hex').slice(0, 16)) ? plain.slice(16) : null;
  }
}
