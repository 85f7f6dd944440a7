import { describe, expect, it } from 'vitest';
import { formatBoxAuth, parseBoxAuth, signingInput } from './box-auth.ts';
import { uuidv7 } from './ids.ts';

const auth = { serial: 'ACDEFGHJ3', boot: uuidv7(), epoch: 7, nonce: 'n'.repeat(43), signature: 's'.repeat(86) };

describe('box authentication header', () => {
  it('comes back as it was written', () => {
    expect(parseBoxAuth(formatBoxAuth(auth))).toEqual(auth);
  });

  it.each([
    undefined,
    '',
    'Bearer x',
    'Gatepost ',
    formatBoxAuth(auth).replace('serial="ACDEFGHJ3"', 'serial="acdefghj3"'),
    formatBoxAuth(auth).replace('epoch="7"', 'epoch="7",epoch="8"'),
    formatBoxAuth(auth).replace('epoch="7"', 'epoch="0"'),
    `${formatBoxAuth(auth)},x`,
    `Gatepost ${'a="b",'.repeat(1000)}`,
  ])('refuses %s', (header) => {
    expect(parseBoxAuth(header)).toBeNull();
  });

  it('signs the purpose, so that a proof for one path fits no other', () => {
    expect(signingInput(auth, '/mqtt')).not.toBe(signingInput(auth, '/tunnel'));
  });
});

describe('uuidv7', () => {
  it('sorts by time and is unique', () => {
    const early = uuidv7(1_000_000);
    const late = uuidv7(1_000_001);
    expect(early < late).toBe(true);
    expect(early[14]).toBe('7');
    expect(new Set(Array.from({ length: 1000 }, () => uuidv7())).size).toBe(1000);
  });
});
