import { z } from 'zod';

const CLASSES = [/[A-Z]/, /[a-z]/, /[0-9]/, /[ !"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/];

/** The user that activation makes, on every device. */
export const FIRST_USER = 'admin';

/**
 * What is wrong with a password for a device, or null (INIT-24): 8 to 16 characters of two of the four classes, ASCII only;
 * devices refuse as weak what holds the user's name, forwards or backwards.
 */
export function devicePasswordFault(password: string): 'length' | 'characters' | 'classes' | 'user-name' | null {
  if (password.length < 8 || password.length > 16) return 'length';
  if (!/^[\x20-\x7e]+$/.test(password)) return 'characters';
  if (CLASSES.filter((one) => one.test(password)).length < 2) return 'classes';
  const lower = password.toLowerCase();
  const mirrored = [...FIRST_USER].reverse().join('');
  return lower.includes(FIRST_USER) || lower.includes(mirrored) ? 'user-name' : null;
}

export const DevicePassword = z.string().superRefine((password, context) => {
  const fault = devicePasswordFault(password);
  if (fault) context.addIssue({ code: 'custom', message: fault });
});
