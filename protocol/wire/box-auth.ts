import { z } from 'zod';
import { Serial, Uuid } from './ids.ts';

/*
 * How a box proves itself to the relay (design: identity and secrets).
 *
 *   POST /box/v1/enrol   EnrolRequest            → 201 / 200; the key is known, unclaimed
 *   POST /box/v1/nonce   {}                      → { nonce, expiresInMs }
 *   then, on the upgrade of /mqtt, /tunnel, /arc-path and on POST /box/v1/uploads, one header:
 *   Authorization: Gatepost serial="…",boot="…",epoch="7",nonce="…",signature="…"
 *
 * A nonce is good for one request. The signature is Ed25519 over `signingInput(...)`, base64url. No clock of the box is
 * in it: a box without a clock battery starts in 1970.
 */

export const EnrolRequest = z.object({
  serial: Serial,
  /** Raw Ed25519 public key, base64url (43 characters). */
  publicKey: z.string().length(43),
  /** Raw X25519 public key for sealed secrets, base64url (43 characters). */
  sealKey: z.string().length(43),
  /** `sha256(serial + ":" + code)`, hex: the relay checks claims without knowing the code. */
  codeHash: z.string().regex(/^[0-9a-f]{64}$/),
  version: z.string().max(32),
  /** Ed25519 over `enrolInput(...)`, base64url: who enrols a key holds it. */
  signature: z.string().length(86),
});
export type EnrolRequest = z.infer<typeof EnrolRequest>;

export const EnrolResponse = z.object({ state: z.enum(['unclaimed', 'claimed']) });

export const NonceResponse = z.object({ nonce: z.string().min(16).max(256), expiresInMs: z.int() });

export const BoxAuth = z.object({
  serial: Serial,
  boot: Uuid,
  epoch: z.coerce.number().int().min(1),
  nonce: z.string().min(16).max(256),
  signature: z.string().length(86),
});
export type BoxAuth = z.infer<typeof BoxAuth>;

export function enrolInput(r: Pick<EnrolRequest, 'serial' | 'publicKey' | 'sealKey' | 'codeHash'>): string {
  return `gatepost-enrol-v1\n${r.serial}\n${r.publicKey}\n${r.sealKey}\n${r.codeHash}`;
}

/** `purpose` is the path asked for (`/mqtt`, `/tunnel`, `/arc-path`, `/box/v1/uploads`, `/box/v1/firmware`, `/box/v1/arc-links`), so that no proof fits elsewhere. */
export function signingInput(a: Omit<BoxAuth, 'signature'>, purpose: string): string {
  return `gatepost-auth-v1\n${purpose}\n${a.serial}\n${a.boot}\n${a.epoch}\n${a.nonce}`;
}

export function formatBoxAuth(a: BoxAuth): string {
  return `Gatepost serial="${a.serial}",boot="${a.boot}",epoch="${a.epoch}",nonce="${a.nonce}",signature="${a.signature}"`;
}

/** Parses the header; null for anything that is not exactly of this form. */
export function parseBoxAuth(header: string | undefined): BoxAuth | null {
  if (!header || header.length > 1024 || !header.startsWith('Gatepost ')) return null;
  const fields: Record<string, string> = {};
  for (const part of header.slice(9).split(',')) {
    const m = /^\s*([a-z]+)="([^"]*)"\s*$/.exec(part);
    if (!m || m[1]! in fields) return null;
    fields[m[1]!] = m[2]!;
  }
  const parsed = BoxAuth.safeParse(fields);
  return parsed.success ? parsed.data : null;
}
