import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';

const md5 = (data: string | Buffer) => createHash('md5').update(data).digest();

/** The password field of `update` and other commands, as this device wants it (sadp §5). */
export function passwordField(password: string, generation: 'salt' | 'md5' | 'plain', salt: string): string {
  if (generation === 'plain') return password;
  if (generation === 'md5') return md5(password).toString('base64');
  const key = md5(createHash('sha256').update(`admin${salt}${password}`).digest('hex'));
  const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(Buffer.concat([key, Buffer.alloc(48)])), cipher.final()]).toString('base64');
}

/** One exchange of a random text (sadp §7.1): good for one try. */
export class CodeExchange {
  #random: string | null = null;

  /** `code`: base64 of a DER PKCS#1 key. Null: it is none. */
  seal(code: string): string | null {
    try {
      const key = createPublicKey({ key: Buffer.from(code, 'base64'), format: 'der', type: 'pkcs1' });
      if (key.asymmetricKeyType !== 'rsa') return null;
      this.#random = randomBytes(16).toString('hex');
      return publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(this.#random)).toString('base64');
    } catch {
      return null;
    }
  }

  open(sealed: string): string | null {
    const random = this.#random;
    this.#random = null;
    const bytes = Buffer.from(sealed, 'base64');
    if (!random || bytes.length === 0 || bytes.length % 16 !== 0) return null;
    const cipher = createDecipheriv('aes-128-ecb', Buffer.from(random.slice(0, 16)), null).setAutoPadding(false);
    const plain = Buffer.concat([cipher.update(bytes), cipher.final()])
      .toString('latin1')
      .replace(/\0+$/, '');
    return plain.startsWith(random.slice(0, 16)) ? plain.slice(16) : null;
  }
}
