import snmp from 'net-snmp';
import { failure, type IsapiFailure, isPassing, type Result } from '../isapi/answer.ts';

/** A value as it came: text and addresses as bytes, numbers as numbers (64-bit counters, too, up to 2^53). */
export type Value = number | string | Buffer;

/** Rows of one column by their index, the part of the address behind the column's. */
export type Column = Map<string, Value>;

const MAX_ROWS = 4_096;
const PAGE = 20;
const TIMEOUT_MS = 2_000;
const RETRIES = 1;
/** With this user name the password is a community (v2c); any other name is a user of SNMPv3. */
const COMMUNITY_NAMES = /^(community|snmp|v2c|public|)$/i;

/** SNMP to one device: v2c with a community, else v3 with authentication and privacy. Failures are values. */
export class Snmp {
  readonly #session: snmp.Session;
  readonly #isV3: boolean;
  readonly #longestMs: number;
  /** Readings that had no answer. Writes do not count: some devices leave those of a community for reading without one. */
  missed = 0;
  #closed = false;

  constructor(o: { host: string; port: number; username: string; password: string; timeoutMs?: number }) {
    this.#isV3 = !COMMUNITY_NAMES.test(o.username);
    const timeout = o.timeoutMs ?? TIMEOUT_MS;
    this.#longestMs = timeout * (RETRIES + 3);
    const options = {
      port: o.port,
      timeout,
      retries: RETRIES,
      transport: o.host.includes(':') ? 'udp6' : 'udp4',
    } as const;
    this.#session = this.#isV3
      ? snmp.createV3Session(
          o.host,
          {
            name: o.username,
            level: snmp.SecurityLevel.authPriv,
            authProtocol: snmp.AuthProtocols.sha,
            authKey: o.password,
            privProtocol: snmp.PrivProtocols.aes,
            privKey: o.password,
          },
          options,
        )
      : snmp.createSession(o.host, o.password, { ...options, version: snmp.Version2c });
    // Also said to whoever asked; without a listener it would end the process.
    this.#session.on('error', () => {});
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#session.close();
  }

  /** Scalars by address; what the device does not have is left out. */
  get(oids: string[]): Promise<Result<Map<string, Value>>> {
    return this.#read((done) =>
      this.#session.get(oids, (error, varbinds) => {
        if (error) return done(this.#failed(error));
        const found = new Map<string, Value>();
        for (const [i, bind] of (varbinds ?? []).entries()) {
          const value = plain(bind as snmp.Varbind);
          if (value !== null) found.set(oids[i]!, value);
        }
        done({ ok: true, value: found });
      }),
    );
  }

  /** One column of a table, at most {@link MAX_ROWS}; empty when the device has no such table. */
  async column(oid: string): Promise<Result<Column>> {
    const rows: Column = new Map();
    let from = oid;
    while (rows.size < MAX_ROWS) {
      const page = await this.#bulk(from);
      if (!page.ok) return page;
      const last = page.value.at(-1);
      for (const bind of page.value) {
        if (!bind.oid.startsWith(`${oid}.`)) return { ok: true, value: rows };
        const value = plain(bind);
        if (value !== null) rows.set(bind.oid.slice(oid.length + 1), value);
      }
      // An agent that goes round in circles is not followed.
      if (!last || !follows(last.oid, from)) break;
      from = last.oid;
    }
    return { ok: true, value: rows };
  }

  /** What comes after `oid`, as far as it goes. */
  #bulk(oid: string): Promise<Result<snmp.Varbind[]>> {
    return this.#read((done) =>
      this.#session.getBulk([oid], 0, PAGE, (error, varbinds) => {
        if (error) return done(this.#failed(error));
        const page = ((varbinds ?? []) as unknown[]).flat() as snmp.Varbind[];
        const end = page.findIndex((bind) => snmp.isVarbindError(bind));
        done({ ok: true, value: end < 0 ? page : page.slice(0, end) });
      }),
    );
  }

  /** Several columns, one after the other: small switches lose requests that come at once. */
  async columns<N extends string>(oids: Record<N, string>): Promise<Result<Record<N, Column>>> {
    const found = {} as Record<N, Column>;
    for (const [name, oid] of Object.entries(oids) as [N, string][]) {
      const column = await this.column(oid);
      if (!column.ok) return column;
      found[name] = column.value;
    }
    return { ok: true, value: found };
  }

  setInteger(oid: string, value: number): Promise<Result<null>> {
    return this.#ask((done) =>
      this.#session.set([{ oid, type: snmp.ObjectType.Integer, value }], (error, varbinds) => {
        const wrong = (varbinds ?? []).find((bind) => snmp.isVarbindError(bind as snmp.Varbind));
        if (error) done(this.#failed(error));
        else done(wrong ? failure('device-error', 'It does not allow that.') : { ok: true, value: null });
      }),
    );
  }

  async #read<T>(start: (done: (result: Result<T>) => void) => void): Promise<Result<T>> {
    const result = await this.#ask(start);
    if (!result.ok && isPassing(result)) this.missed++;
    return result;
  }

  #ask<T>(start: (done: (result: Result<T>) => void) => void): Promise<Result<T>> {
    return new Promise((settle) => {
      if (this.#closed) return settle(failure('device-unreachable', 'It is no longer looked after.'));
      // Whatever becomes of a malformed answer, whoever asked gets one.
      const late = setTimeout(
        () => settle(failure('device-unreachable', 'It does not answer over SNMP.')),
        this.#longestMs,
      );
      const resolve = (result: Result<T>) => {
        clearTimeout(late);
        settle(result);
      };
      try {
        start(resolve);
      } catch (error) {
        resolve(failure('device-unreachable', `It could not be asked (${(error as Error).message}).`));
      }
    });
  }

  #failed(error: Error): IsapiFailure {
    if (error.name === 'RequestTimedOutError') {
      const what = this.#isV3 ? 'user name or password' : 'community';
      return failure('device-unreachable', `It does not answer over SNMP. A wrong ${what} may look the same.`);
    }
    const status = (error as Error & { status?: number }).status;
    const denied = [snmp.ErrorStatus.NoAccess, snmp.ErrorStatus.AuthorizationError, snmp.ErrorStatus.NotWritable];
    if (status !== undefined && denied.includes(status)) return failure('device-error', 'It does not allow that.');
    if (this.#isV3 && /digest|user ?name|unknown user|decrypt|authentication/i.test(error.message)) {
      return failure('device-refused-login', 'It refused user name or password (SNMPv3).');
    }
    return failure('device-error', `It answered an SNMP error (${error.message.slice(0, 80)}).`);
  }
}

/** Whether `a` stands behind `b` in the tree. */
function follows(a: string, b: string): boolean {
  const [x, y] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const difference = (x[i] ?? -1) - (y[i] ?? -1);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function plain(bind: snmp.Varbind): Value | null {
  if (snmp.isVarbindError(bind)) return null;
  const { value, type } = bind;
  if (type === snmp.ObjectType.Counter64 && Buffer.isBuffer(value)) {
    const n = value.length === 0 ? 0n : BigInt(`0x${value.toString('hex')}`);
    return Number(n);
  }
  if (Buffer.isBuffer(value) || typeof value === 'number' || typeof value === 'string') return value;
  return null;
}

/** Text of a value, without control characters. */
export function textOf(value: Value | undefined, max = 128): string {
  if (value === undefined || typeof value === 'number') return value === undefined ? '' : String(value);
  const text = typeof value === 'string' ? value : value.toString('utf8');
  return text
    .replace(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, max);
}

export const numberOf = (value: Value | undefined): number | null => (typeof value === 'number' ? value : null);

/** Six bytes as a MAC address; null: it is none. */
export function macOf(value: Value | undefined): string | null {
  if (!Buffer.isBuffer(value) || value.length !== 6 || value.every((b) => b === 0)) return null;
  return [...value].map((b) => b.toString(16).padStart(2, '0')).join('-');
}
