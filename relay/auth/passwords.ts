import { hash, verify } from '@node-rs/argon2';
import { PASSWORD_MAX, PASSWORD_MIN } from '../../protocol/wire/people.ts';
import { ProblemError } from '../api/problem.ts';
import { COMMON } from './common-passwords.ts';

/** Argon2id, 19 MiB, 2 passes, 1 lane (OWASP password storage cheat sheet). */
const OPTIONS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** The same characters however a keyboard put them together (NIST SP 800-63B §3.1.1.2). */
const normal = (password: string) => password.normalize('NFKC');

export const hashPassword = (password: string): Promise<string> => hash(normal(password), OPTIONS);

/** A hash of a password nobody has. */
const NOBODY = '$argon2id$v=19$m=19456,t=2,p=1$egmRf7WdrJt6GACyrMVvbA$fcjFkhOBb6/aN/y74NrDjAsJgss2KaPmE8W9YNGKEG4';

/** Takes as long for an unknown user (`stored` null) as for a wrong password. */
export async function verifyPassword(stored: string | null, password: string): Promise<boolean> {
  const fits = await verify(stored ?? NOBODY, normal(password));
  return fits && stored !== null;
}

const LEET: Record<string, string> = { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't', '@': 'a', $: 's', '!': 'i' };
const letters = (text: string) => text.replace(/[^\p{L}]+/gu, '');

/**
 * What is wrong with a new password, or null. By NIST SP 800-63B: long rather than composed, and none that is guessed
 * first. 10 characters, because a second factor is offered but not forced.
 * @param about e-mail address, names and the like of the person: none of them may be the heart of it
 */
export function weakness(password: string, about: readonly string[]): string | null {
  const text = normal(password);
  const length = [...text].length;
  if (length < PASSWORD_MIN) return `It needs at least ${PASSWORD_MIN} characters.`;
  if (length > PASSWORD_MAX) return `It may have at most ${PASSWORD_MAX} characters.`;
  const lower = text.toLowerCase();
  if (/^(.{1,4}?)\1+.{0,3}$/u.test(lower)) return 'It repeats itself.';
  if (isRun(lower)) return 'It follows the alphabet, the numbers or the keyboard.';
  const plain = [...lower].map((c) => LEET[c] ?? c).join('');
  // The word without the digits and signs around it: "Passw0rd2026!" is "password".
  const hearts = [lower, letters(lower), letters(plain), letters(plain.replace(/[\d\W_]+$/u, ''))];
  const trimmed = [...lower.replace(/^[\d\W_]+|[\d\W_]+$/gu, '')].map((c) => LEET[c] ?? c).join('');
  if ([...hearts, letters(trimmed)].some((heart) => COMMON.has(heart)))
    return 'It is one of those that are tried first.';
  for (const word of about.flatMap((a) => a.toLowerCase().split('@'))) {
    // Of a name that is most of the password, nothing is left to guess.
    if ([...word].length >= 4 && lower.includes(word) && length - [...word].length < 8)
      return 'It is mostly your name or address.';
  }
  return null;
}

const RUNS = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890123456789',
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
];
const isRun = (text: string) => RUNS.some((run) => run.includes(text) || [...run].reverse().join('').includes(text));

export function mustBeStrong(password: string, about: readonly (string | null | undefined)[]): void {
  const found = weakness(
    password,
    about.filter((a): a is string => Boolean(a)),
  );
  if (found) throw new ProblemError('weak-password', found, { errors: [{ path: 'password', message: found }] });
}
