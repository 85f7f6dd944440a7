import { createHash, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';

export interface Pair {
  key: string;
  cert: string;
  /** SHA-256, with colons. */
  fingerprint: string;
}

/** How good a device's certificate is: as current firmware makes it, or as ten years ago, in every way wrong. */
export type CertificateAge = 'current' | 'old';

const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
};
const sequence = (...parts: Buffer[]) => der(0x30, ...parts);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const utcTime = (ms: number) => {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
};
const name = (common: string) => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(common)))));

const DAY_MS = 86_400_000;
const NULL = Buffer.from([0x05, 0x00]);
/** sha256WithRSAEncryption and sha1WithRSAEncryption (RFC 8017 A.2.4). */
const SIGNED_WITH = { sha256: '2a864886f70d01010b', sha1: '2a864886f70d010105' };

/**
 * A certificate that signs itself (RFC 5280 §4.1), as a device makes it when it starts for the first time: `old` has 1024 bits, SHA-1, another
 * device's name, and ran out in 2015.
 */
export function selfSigned(common: string, age: CertificateAge): Pair {
  const old = age === 'old';
  const hash = old ? 'sha1' : 'sha256';
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: old ? 1024 : 2048 });
  const from = old ? Date.UTC(2005, 0, 1) : Date.now() - DAY_MS;
  const to = old ? Date.UTC(2015, 0, 1) : Date.now() + 1_000 * DAY_MS;
  const algorithm = sequence(oid(SIGNED_WITH[hash]), NULL);
  const subject = name(old ? 'localhost.localdomain' : common);
  const serial = Buffer.concat([Buffer.from([0x01]), randomBytes(8)]);
  const toSign = sequence(
    der(0x02, serial),
    algorithm,
    subject,
    sequence(utcTime(from), utcTime(to)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = sign(hash, toSign, privateKey);
  const whole = sequence(toSign, algorithm, der(0x03, Buffer.from([0x00]), signature));
  const cert = new X509Certificate(whole).toString();
  const hex = createHash('sha256').update(whole).digest('hex').toUpperCase();
  const fingerprint = hex.match(/../g)!.join(':');
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, cert, fingerprint };
}
