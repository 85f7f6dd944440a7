import { hash, verify } from '@node-rs/argon2';

/** Argon2id, 19 MiB, 2 passes, 1 lane (OWASP password storage cheat sheet). */
const OPTIONS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export const hashPassword = (password: string): Promise<string> => hash(password, OPTIONS);

/** A hash of a password nobody has. */
const NOBODY = '$argon2id$v=19$m=19456,t=2,p=1$egmRf7WdrJt6GACyrMVvbA$fcjFkhOBb6/aN/y74NrDjAsJgss2KaPmE8W9YNGKEG4';

/** Takes as long for an unknown user (`stored` null) as for a wrong password. */
export async function verifyPassword(stored: string | null, password: string): Promise<boolean> {
  const fits = await verify(stored ?? NOBODY, password);
  return fits && stored !== null;
}
