import { signal } from '@preact/signals';
import type { Me } from '../../protocol/wire/api.ts';
import { createClient } from '../client/client.ts';

/** Who is signed in: undefined until asked, null for nobody. */
export const me = signal<Me | null | undefined>(undefined);
/** True when a session ended by itself, so that the sign-in page can say so. */
export const expired = signal(false);

/** The relay says that nobody is signed in. */
export function sessionEnded(): void {
  if (me.value) expired.value = true;
  me.value = null;
}

export const api = createClient(sessionEnded);

export async function signIn(email: string, password: string): Promise<void> {
  const answer = await api.post<{ me: Me }>('/auth/login', { email, password });
  expired.value = false;
  me.value = answer.me;
}

export async function signOut(): Promise<void> {
  await api.post('/auth/logout');
  me.value = null;
}
