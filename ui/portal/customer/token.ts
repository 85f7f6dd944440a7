const KEY = 'gatepost-handover';

/** The secret of a handover's link: part of the address that no server sees; kept while an account is made in this window. */
export function keepToken(): string | null {
  const token = location.hash.slice(1);
  if (/^[\w-]{43}$/.test(token)) sessionStorage.setItem(KEY, token);
  return keptToken();
}
export const keptToken = (): string | null => sessionStorage.getItem(KEY);
export const forgetToken = (): void => sessionStorage.removeItem(KEY);
