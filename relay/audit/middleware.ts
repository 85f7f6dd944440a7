import type { Context, MiddlewareHandler } from 'hono';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { LogClient } from '../../protocol/wire/audit.ts';
import type { CompanyType } from '../../protocol/wire/rights.ts';
import type { Api, ApiEnv, AuditNote } from '../api/app.ts';
import { ProblemError } from '../api/problem.ts';
import type { RemoteAddress } from '../api/remote.ts';
import { normalAccount } from '../auth/login.ts';
import type { Db } from '../db/database.ts';
import type { Operation, OperationLog } from './operation-log.ts';
import { type Matched, operations } from './operations.ts';
import { audience, known, refusedNote, subjectOf, withNote, withoutErased } from './subject.ts';

/** What strangers do to an account stands in its company's log; who only writes somebody's address somewhere does not. */
const BY_ACCOUNT = new Set(['signIn', 'forgotPassword']);
/** Programs do it all day, and it changes nothing but where they go on reading; or it is looking, which routes note by themselves. */
export const UNLOGGED: ReadonlySet<string> = new Set([
  'commitArcMessages',
  'startLiveView',
  'trickleLiveView',
  'endLiveView',
]);
const SAME_LOOK_MS = 10 * 60_000;
const MAX_LOOKS = 10_000;

interface Deps {
  app: Api;
  db: Db;
  clock: Clock;
  log: Logger;
  operationLog: OperationLog;
  remote: RemoteAddress;
}
interface Operator {
  userId: string;
  name: string;
  email: string | null;
  companyId: string;
  companyType: CompanyType;
}

/**
 * Writes every request that changes something, and those for which the route says `always`, into the operation log. The
 * answer is given when the entry is stored.
 */
export function auditing({ app, db, clock, log, operationLog, remote }: Deps): MiddlewareHandler<ApiEnv> {
  const operationOf = operations(app);
  const looks = new Looks(clock);

  const userBy = (column: 'users.id' | 'users.email' | 'users.phone', value: string): Promise<Operator | undefined> =>
    db
      .selectFrom('users')
      .innerJoin('companies', 'companies.id', 'users.companyId')
      .select(['users.id as userId', 'users.name', 'users.email', 'users.companyId', 'companies.type as companyType'])
      .where(column, '=', value)
      .where('users.deletedAt', 'is', null)
      .executeTakeFirst();

  /** Who signs in, or tries to, is not signed in yet: known by the account they name. */
  const accountNamed = async (c: Context<ApiEnv>): Promise<Operator | undefined> => {
    const { actor } = c.get('audit') ?? {};
    if (actor) return userBy('users.id', actor.userId);
    if (!BY_ACCOUNT.has(operationOf(c)?.operationId ?? '')) return undefined;
    const body = (await c.req.json().catch(() => null)) as { email?: unknown; account?: unknown } | null;
    const account = body?.email ?? body?.account;
    if (typeof account !== 'string') return undefined;
    const name = normalAccount(account);
    return userBy(name.startsWith('+') ? 'users.phone' : 'users.email', name);
  };

  return async (c, next) => {
    const matched = operationOf(c);
    if (!matched) return next();
    const reads = c.req.method === 'GET' || c.req.method === 'HEAD' || UNLOGGED.has(matched.operationId);
    const principal = c.get('principal');
    const atMs = clock.now();
    const describe = (operator: Operator): Operation => ({
      atMs,
      operatorCompanyId: operator.companyId,
      userId: operator.userId,
      name: operator.name,
      email: operator.email,
      address: remote(c.env.incoming),
      action: matched.operationId,
      client: principal?.kind === 'key' ? 'api-key' : clientOf(c.req.header('user-agent')),
      clientName: principal?.kind === 'key' ? principal.name : null,
      siteId: null,
      siteName: null,
      targetKind: null,
      targetId: null,
      targetName: null,
      detail: null,
      result: 'ok',
    });
    const operator = principal && !reads ? await userBy('users.id', principal.userId) : undefined;
    const subject = reads ? null : await subjectOf(db, c.get('scope'), matched);
    const pending = operator && (await operationLog.begin({ ...describe(operator), ...idOnly(matched.params) }));

    await next();
    const note: AuditNote = c.get('audit') ?? {};
    if (
      reads &&
      (!note.always || (note.always === 'looking' && principal && !looks.isNew(principal.id, matched, note)))
    )
      return;
    const write = async () => {
      const result = resultOf(c);
      const told = result === 'ok' ? note : await refusedNote(db, c.get('scope'), note);
      const who = operator ?? (principal ? await userBy('users.id', principal.userId) : await accountNamed(c));
      if (!who) return;
      const found = subject ?? (await subjectOf(db, c.get('scope'), matched));
      const made = found.targetKind || note.target ? {} : await created(c.res, matched.last);
      const about = await withoutErased(db, await withNote(db, { ...known(found, result), ...made }, told));
      const detail = told.detail?.slice(0, 512) ?? null;
      const operation = { ...describe(who), ...about, detail, result };
      const companies = await audience(db, who, about, told);
      if (pending) await operationLog.finish(pending, operation, companies);
      else await operationLog.write(operation, companies);
    };
    const written = (principal || resultOf(c) !== 'too-many-tries' ? write() : Promise.resolve()).catch((error) =>
      // What was begun is found again by the sweep; the answer stands, as the operation does.
      log.error({ err: error, operation: matched.operationId }, 'an operation could not be logged'),
    );
    if (principal) return void (await written);
    // How long an answer takes must not tell a stranger whether there is such an account. Refused tries beyond the
    // limit are not written: nobody fills another's log.
    operationLog.meanwhile(written);
  };
}

const idOnly = (params: [string, string][]) => {
  const [name, id] = params.at(-1) ?? [];
  return name ? { targetKind: name.replace(/Id$/, ''), targetId: id ?? null } : {};
};

/** What people look at: again within ten minutes it is the same look. */
class Looks {
  readonly #clock: Clock;
  readonly #seen = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isNew(who: string, { operationId, params }: Matched, { detail }: AuditNote): boolean {
    const key = JSON.stringify([who, operationId, params, detail]);
    const now = this.#clock.mono();
    const before = this.#seen.get(key);
    if (before !== undefined && now - before < SAME_LOOK_MS) return false;
    this.#seen.delete(key);
    this.#seen.set(key, now);
    if (this.#seen.size > MAX_LOOKS) this.#seen.delete(this.#seen.keys().next().value as string);
    return true;
  }
}

/** Of what a request made, its id and name as the answer has them. */
async function created(response: Response, last: string) {
  if (response.status !== 201 || !response.headers.get('content-type')?.startsWith('application/json')) return {};
  const body = (await response.clone().json()) as { id?: unknown; serial?: unknown; name?: unknown } | null;
  const text = (value: unknown) => (typeof value === 'string' ? value.slice(0, 128) : null);
  const kind = last.replace(/ies$/, 'y').replace(/(box)es$|s$/, '$1');
  return { targetKind: kind, targetId: text(body?.id ?? body?.serial), targetName: text(body?.name) };
}

function resultOf(c: Context<ApiEnv>): string {
  if (c.error instanceof ProblemError) return c.error.code;
  if (c.error) return c.res.status < 500 ? 'invalid-request' : 'internal-error';
  return c.res.status < 400 ? 'ok' : `http-${c.res.status}`;
}

/** What a browser or program calls itself, in the words of the log. */
export function clientOf(userAgent = ''): LogClient {
  if (/iPhone|iPad|iPod/.test(userAgent)) return 'mobile-ios';
  if (/Android/.test(userAgent)) return 'mobile-android';
  return userAgent.startsWith('Mozilla/') ? 'portal' : 'api';
}
