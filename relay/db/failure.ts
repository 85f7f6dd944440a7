/** Connection lost, resources used up, shut down, lock not had in time, serialisation, system and internal errors. */
const POSTGRES_FAILURE = /^(08|40|53|57|58|XX|55P03|25P0[34])/;
const SOCKET = /^E(CONN(REFUSED|RESET|ABORTED)|PIPE|NOENT|NOTFOUND|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN)$/;
const ENDED =
  /driver has already been destroyed|connection is not open|[Cc]onnection (terminated|timeout)|exceeded when trying to connect|Client has encountered a connection error/;

/**
 * Whether the database itself failed (disk full, file gone, locked, server away), so that trying again later is right;
 * false for a row it did not take, and for bugs, which no retry heals.
 */
export function isDatabaseFailure(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  if (typeof code !== 'string') return ENDED.test(String(error));
  if (code.startsWith('SQLITE_')) return !/^SQLITE_(CONSTRAINT|MISMATCH|RANGE|TOOBIG|ERROR)/.test(code);
  return POSTGRES_FAILURE.test(code) || SOCKET.test(code);
}

/** Whether a row was refused because one with the same unique value is there: of either database. */
export function isDuplicate(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY' || code === '23505';
}
