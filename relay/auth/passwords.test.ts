import { describe, expect, it } from 'vitest';
import { hashPassword, mustBeStrong, verifyPassword, weakness } from './passwords.ts';

const about = ['ines.keller@keller.example', 'Ines Keller', 'Keller Security'];

describe('a new password', () => {
  it.each([
    ['short', 'at least 10'],
    ['neun-char', 'at least 10'],
    [`${'x'.repeat(64)}${'yz'.repeat(33)}`, 'at most 128'],
    ['aaaaaaaaaaaa', 'repeats'],
    ['abcabcabcabc1', 'repeats'],
    ['1234567890', 'follows'],
    ['abcdefghijkl', 'follows'],
    ['qwertyuiop', 'follows'],
    ['0987654321', 'follows'],
    ['Passw0rd2026!', 'tried first'],
    ['P@ssword12345', 'tried first'],
    ['!!Administrator1', 'tried first'],
    ['Gatepost2026', 'tried first'],
    ['ines.keller1', 'mostly your name'],
    ['Ines Keller 1', 'mostly your name'],
    ['correcthorsebatterystaple', 'tried first'],
  ])('%s is refused: %s', (password, why) => {
    expect(weakness(password, about)).toContain(why);
  });

  it.each([
    'a good password',
    'password of Acme',
    'zu viert im Regen',
    '7f3kQ9vL2x',
    'äöüäöü im Wald ß',
    '🚪🔒🏠🌲🚗🚲🌧️☔🎈🎉🍰',
  ])('%s is taken', (password) => expect(weakness(password, about)).toBeNull());

  it('is refused with a code and the field', () => {
    expect(() => mustBeStrong('short', [null])).toThrow(expect.objectContaining({ code: 'weak-password' }));
  });

  it('is the same however the keyboard composes its letters, and never accepted for nobody', async () => {
    const stored = await hashPassword('Mu\u0308nchen im Regen');
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await verifyPassword(stored, 'M\u00fcnchen im Regen')).toBe(true);
    expect(await verifyPassword(stored, 'Munchen im Regen')).toBe(false);
    expect(await verifyPassword(null, 'Munchen im Regen')).toBe(false);
  });
});
