import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../protocol/clock.ts';
import { Serial } from '../../protocol/wire/ids.ts';
import { FragmentInfo } from '../../protocol/wire/uploads.ts';

const LIFETIME_MS = 10 * 60_000;

const number = (text: z.ZodType<string>) => text.transform(Number);
const Query = z.object({
  box: Serial,
  size: number(z.string().regex(/^\d{1,9}$/)),
  sha256: FragmentInfo.shape.sha256,
  durationMs: number(z.string().regex(/^\d{1,6}$/)),
  keyFrame: z.enum(['0', '1']).transform((v) => v === '1'),
  expires: number(z.string().regex(/^\d{1,15}$/)),
  signature: z.string().regex(/^[\w-]{43}$/),
});

export type Granted = FragmentInfo & { box: string };

/**
 * Pre-signed upload addresses: what may be stored there, and for which box, stands in the address under an HMAC. The key
 * lives as long as the process: after a restart boxes ask for new addresses.
 */
export class Grants {
  readonly #clock: Clock;
  readonly #key: Buffer;

  constructor({ clock, key = randomBytes(32) }: { clock: Clock; key?: Buffer }) {
    this.#clock = clock;
    this.#key = key;
  }

  sign(box: string, f: FragmentInfo): { url: string; expiresInMs: number } {
    const fields = {
      box,
      size: String(f.size),
      sha256: f.sha256,
      durationMs: String(f.durationMs),
      keyFrame: f.keyFrame ? '1' : '0',
      expires: String(this.#clock.now() + LIFETIME_MS),
    };
    const path = `/box/v1/uploads/${f.clipId}/${f.n}`;
    const signature = this.#sign(path, fields).toString('base64url');
    return { url: `${path}?${new URLSearchParams({ ...fields, signature })}`, expiresInMs: LIFETIME_MS };
  }

  /** What the address allows; null when it was not made here, was changed, or is too old. */
  verify(params: Record<string, string>, query: Record<string, string>): Granted | null {
    const target = FragmentInfo.pick({ clipId: true }).extend({ n: number(z.string().regex(/^\d{1,6}$/)) });
    const path = target.safeParse(params);
    const fields = Query.safeParse(query);
    if (!path.success || !fields.success) return null;
    const { signature: _, ...signed } = query;
    const expected = this.#sign(`/box/v1/uploads/${path.data.clipId}/${path.data.n}`, signed);
    const { signature, expires, ...rest } = fields.data;
    if (!timingSafeEqual(Buffer.from(signature, 'base64url'), expected) || expires < this.#clock.now()) return null;
    return { ...path.data, ...rest };
  }

  #sign(path: string, fields: Record<string, string>): Buffer {
    const names = ['box', 'size', 'sha256', 'durationMs', 'keyFrame', 'expires'];
    const text = ['gatepost-upload-v1', path, ...names.map((name) => fields[name])].join('\n');
    return createHmac('sha256', this.#key).update(text).digest();
  }
}
