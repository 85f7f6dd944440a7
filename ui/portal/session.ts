import { signal } from '@preact/signals';
import type { Me } from '../../protocol/wire/api.ts';
import { createClient } from '../client/client.ts';
import { forgetEarly } from '../components/http.ts';

/** Who is signed in: undefined until asked, null for nobody. */
export const me = signal<Me | null | undefined>(undefined);
/** True when a session ended by itself, so that the sign-in page can say so. */
export const expired = signal(false);

/** The relay says that nobody is signed in. */
export function sessionEnded(): void {
  forgetEarly();
  if (me.value) expired.value = true;
  me.value = null;
}

export const api = createClient(sessionEnded);

/** `code`: of the second factor, asked for by `second-factor-needed`. */
export async function signIn(email: string, password: string, code?: string): Promise<void> {
  enter(await api.post('/auth/login', { email, password, ...(code ? { code } : {}) }));
}

/** A session has begun, or goes on with a new token. */
export function enter(session: { me: Me }): void {
  expired.value = false;
  me.value = session.me;
}

/** Reads again who is signed in, after what that says was changed. */
export async function refreshMe(): Promise<void> {
  me.value = await api.get('/auth/me');
}

export async function signOut(): Promise<void> {
  await api.post('/auth/logout');
  forgetEarly();
  me.value = null;
}
