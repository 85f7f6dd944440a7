import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PacketLimit } from './packet-limit.ts';

/** A packet of MQTT with `length` bytes after its fixed header (MQTT 3.1.1 §2.2.3). */
function packet(length: number): Buffer {
  const header = [0x30];
  let rest = length;
  do {
    const digit = rest % 128;
    rest = Math.floor(rest / 128);
    header.push(rest > 0 ? digit | 0x80 : digit);
  } while (rest > 0);
  return Buffer.concat([Buffer.from(header), Buffer.alloc(length, 0x80)]);
}

describe('PacketLimit', () => {
  it('lets any packets up to the limit through, however they are cut, and stops the first larger one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 20 }),
        (lengths, cuts) => {
          const limit = new PacketLimit(16_384);
          const bytes = Buffer.concat(lengths.map(packet));
          let accepted = true;
          for (let at = 0, i = 0; at < bytes.length && accepted; i++) {
            const size = cuts[i % cuts.length]!;
            accepted = limit.accept(bytes.subarray(at, at + size));
            at += size;
          }
          expect(accepted).toBe(lengths.every((length) => length <= 16_384));
        },
      ),
    );
  });

  it('stops a length of more than four bytes', () => {
    expect(new PacketLimit(1e9).accept(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01]))).toBe(false);
  });
});
