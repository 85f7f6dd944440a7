/**
 * Whether the database itself failed (disk full, file gone, locked), so that trying again later is right; false for a
 * row it did not take, and for bugs, which no retry heals.
 */
export function isDatabaseFailure(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  if (typeof code !== 'string') return /driver has already been destroyed|connection is not open/.test(String(error));
  return code.startsWith('SQLITE_') && !/^SQLITE_(CONSTRAINT|MISMATCH|RANGE|TOOBIG|ERROR)/.test(code);
}
