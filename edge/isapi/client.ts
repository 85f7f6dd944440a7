import { type Agent, type RequestOptions as HttpOptions, type IncomingMessage, request } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import type { LoginGuard } from '../devices/login-guard.ts';
import { LastWords } from '../drivers/last-words.ts';
import { DeviceAgents, type DialOptions } from '../https/agents.ts';
import {
  failure,
  type IsapiFailure,
  type IsapiResponse,
  isPassing,
  judge,
  type Result,
  readRefusal,
  unanswered,
} from './answer.ts';
import { DigestSession, parseChallenges } from './digest.ts';
import { Slots } from './slots.ts';
import { type Login, openSession, WebSession } from './web-session.ts';

/** A body that is too large for memory; read again from the start when it has to be sent again. */
export interface BodyStream {
  size: number;
  open: () => Readable;
}
export interface RequestOptions {
  body?: Buffer;
  stream?: BodyStream;
  contentType?: string;
  maxBytes?: number;
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Goes at once, on a connection of its own, and is not broken off by `close`. */
  last?: boolean;
}
type Answer = { ok: true; res: IncomingMessage; finish: () => void } | IsapiFailure;

const MAX_BODY_BYTES = 512 * 1024;
const DEFAULT_LOCK_MS = 30 * 60_000;
const LOCKED = 'It is locked after wrong passwords, by this or another program.';
const STILL_LOCKED = 'It is locked after wrong passwords, by this or another program, and did not take the login.';

/**
 * HTTP (with `tls`: HTTPS) to one device with digest authentication, or with a session login where it offers no digest (isapi.md §1). Cameras
 * take few connections, so at most two requests are under way and the rest queue; one login serves all of them.
 *
 * Credentials are never sent in the clear. A dead nonce looks different from firmware to firmware, so a 401 to a reused
 * one leads to exactly one new round trip; a 401 to a fresh one is a refusal, told to the {@link LoginGuard}, and nothing
 * is sent any more until the guard is reset: every try counts towards the device's lock-out.
 */
export class IsapiClient {
  /** `/ISAPI`; empty or `/PSIA` on very old firmware. */
  prefix = '/ISAPI';
  /** Said when it closes, with requests that are `last`. */
  readonly lastWords = new LastWords();
  readonly host: string;
  readonly port: number;
  readonly tls: DeviceTls | undefined;
  /** Exchanges that had no answer for a reason that passes. */
  missed = 0;
  readonly #username: string;
  readonly #password: string;
  readonly #guard: LoginGuard;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #reserveTries: number;
  readonly #agents: DeviceAgents;
  readonly #agent: Agent;
  readonly #slots = new Slots(2, 32);
  readonly #loginSlot = new Slots(1, 64);
  readonly #closed = new AbortController();
  #login: Login | null = null;
  /** Answers without end that are open. */
  #streams = 0;

  constructor(o: {
    host: string;
    port: number;
    tls?: DeviceTls;
    username: string;
    password: string;
    guard: LoginGuard;
    clock: Clock;
    log: Logger;
    /** Do not log in when the device says that so few tries (or fewer) are left; a person may use them. */
    reserveTries?: number;
  }) {
    this.host = o.host;
    this.port = o.port;
    this.tls = o.tls;
    this.#agents = new DeviceAgents(o);
    this.#agent = this.#agents.keeping({ maxSockets: 2, maxFreeSockets: 1 });
    this.#username = o.username;
    this.#password = o.password;
    this.#guard = o.guard;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#reserveTries = o.reserveTries ?? 2;
  }

  /** Ends everything under way at once; resolves after the last words. The client is not used again. */
  async close(): Promise<void> {
    const said = this.lastWords.say(this.#clock);
    this.#login?.close?.();
    this.#login = null;
    this.#closed.abort();
    this.#agents.destroy();
    await said;
  }

  /** A whole exchange whose answer is a success (see `judge`). `path` comes after the prefix, query included. */
  async get(path: string, o: RequestOptions = {}): Promise<Result<IsapiResponse>> {
    const result = await this.request('GET', path, o);
    if (!result.ok) return result;
    const fault = judge(result.value);
    if (fault && isPassing(fault)) this.missed++;
    return fault ?? result;
  }

  /** A whole exchange, whatever status it ends with; 401 never comes back, it is a failure. */
  async request(method: string, path: string, o: RequestOptions = {}): Promise<Result<IsapiResponse>> {
    const release = o.last ? () => {} : await this.#slots.take(o.signal);
    if (!release) {
      this.missed++;
      return failure('device-error', 'Too many requests to it are waiting.');
    }
    try {
      const result = await this.#exchange(method, path, o);
      if (!result.ok && isPassing(result)) this.missed++;
      return result;
    } finally {
      release();
    }
  }

  async #exchange(method: string, path: string, o: RequestOptions): Promise<Result<IsapiResponse>> {
    const answer = await this.#answer(method, this.prefix + path, o, this.#agent);
    if (!answer.ok) return answer;
    const body = await this.#read(answer, o.maxBytes ?? MAX_BODY_BYTES);
    if (!Buffer.isBuffer(body)) return body;
    return { ok: true, value: { status: answer.res.statusCode!, headers: answer.res.headers, body } };
  }

  /** An answer without end, on a connection of its own; `timeoutMs` holds until its header is there. */
  async open(
    path: string,
    o: RequestOptions & { method?: 'GET' | 'POST' | 'PUT' } = {},
  ): Promise<Result<IncomingMessage>> {
    const answer = await this.#answer(o.method ?? 'GET', this.prefix + path, o, false);
    if (!answer.ok) return answer;
    const { res, finish } = answer;
    if (res.statusCode === 200) {
      finish();
      this.#streams++;
      res.once('close', () => this.#streams--);
      return { ok: true, value: res };
    }
    const body = await this.#read(answer, MAX_BODY_BYTES);
    if (!Buffer.isBuffer(body)) return body;
    return (
      judge({ status: res.statusCode!, headers: res.headers, body }) ?? failure('device-error', 'It sent nothing.')
    );
  }

  async #answer(method: string, uri: string, o: RequestOptions, agent: Agent | false): Promise<Answer> {
    const stopped = this.#stopped(o);
    if (stopped) return stopped;
    const used = this.#login;
    if (used) {
      const answer = await this.#send(method, uri, o, agent, used);
      if (!answer.ok || answer.res.statusCode !== 401) return answer;
      await this.#read(answer, MAX_BODY_BYTES);
      this.#drop(used);
    }
    // One login at a time: with a wrong password, two at once would be two tries.
    const release = await this.#loginSlot.take(o.signal);
    if (!release) return failure('device-error', 'Too many requests to it are waiting.');
    try {
      const other = this.#login;
      if (other) {
        const answer = await this.#send(method, uri, o, agent, other);
        if (!answer.ok || answer.res.statusCode !== 401) return answer;
        await this.#read(answer, MAX_BODY_BYTES);
      }
      return this.#stopped(o) ?? (await this.#logIn(method, uri, o, agent));
    } finally {
      release();
    }
  }

  /**
   * Asks for a challenge before a write: some terminals refuse an empty write before they ask for a login, so a write is never
   * the one that asks. Who asks for no login at all gets no write, for what is written may be secret.
   */
  async #probe(signal: AbortSignal | undefined, agent: Agent | false): Promise<Answer> {
    // Very old firmware does not have the first.
    for (const path of ['/Security/userCheck', '/System/deviceInfo']) {
      const probe = await this.#send('GET', this.prefix + path, { signal }, agent, null);
      if (!probe.ok || probe.res.statusCode === 401 || probe.res.statusCode === 403) return probe;
      await this.#read(probe, MAX_BODY_BYTES);
    }
    return failure('device-error', 'It asks for no login, and so nothing is written to it: is it the right device?');
  }

  /** A round trip without credentials for the challenge, then one with them. */
  async #logIn(method: string, uri: string, o: RequestOptions, agent: Agent | false): Promise<Answer> {
    if (this.#login) this.#drop(this.#login);
    const probe = method === 'GET' ? await this.#send('GET', uri, o, agent, null) : await this.#probe(o.signal, agent);
    if (!probe.ok || (probe.res.statusCode !== 401 && probe.res.statusCode !== 403)) return probe;
    const body = await this.#read(probe, MAX_BODY_BYTES);
    if (!Buffer.isBuffer(body)) return body;
    const said = readRefusal(body);
    if (said.notActivated) return failure('device-not-activated', 'It is not activated: it has no password yet.');
    if (said.locked) return failure('device-locked', LOCKED, { unlockInMs: said.unlockInMs ?? DEFAULT_LOCK_MS });
    if (probe.res.statusCode === 403) return failure('device-error', 'It forbids access.', { status: 403 });
    if (said.triesLeft !== null && said.triesLeft <= this.#reserveTries) {
      return failure('device-locked', `It leaves only ${said.triesLeft} tries before it locks itself; they are kept.`, {
        unlockInMs: DEFAULT_LOCK_MS,
      });
    }
    const login = DigestSession.from(parseChallenges(probe.res.rawHeaders), this.#username, this.#password);
    // Panels of older firmware take nothing but a session login. Either way it is one login that is tried.
    if (!login) return this.#logInBySession(method, uri, o, agent);
    const answer = await this.#send(method, uri, o, agent, login);
    if (!answer.ok || answer.res.statusCode !== 401) {
      if (answer.ok) this.#login = login;
      return answer;
    }
    const refusal = await this.#read(answer, MAX_BODY_BYTES);
    return this.#refused(Buffer.isBuffer(refusal) ? refusal : Buffer.alloc(0));
  }

  async #logInBySession(method: string, uri: string, o: RequestOptions, agent: Agent | false): Promise<Answer> {
    const opened = await openSession({
      username: this.#username,
      password: this.#password,
      nowMs: this.#clock.now(),
      exchange: async (verb, path, body) => {
        const answer = await this.#send(verb, this.prefix + path, { body, signal: o.signal }, this.#agent, null);
        if (!answer.ok) return answer;
        const read = await this.#read(answer, MAX_BODY_BYTES);
        if (!Buffer.isBuffer(read)) return read;
        return { status: answer.res.statusCode!, setCookie: answer.res.headers['set-cookie'] ?? [], body: read };
      },
    });
    if ('refused' in opened) return this.#refused(opened.refused);
    if ('ok' in opened) return opened;
    const session = new WebSession({
      cookie: opened.cookie,
      clock: this.#clock,
      listening: () => this.#streams > 0,
      send: (using, path) => void this.#keepAlive(using, path),
    });
    if (this.#closed.signal.aborted) {
      session.close();
      return this.#stopped()!;
    }
    this.#login = session;
    const answer = await this.#send(method, uri, o, agent, session);
    if (!answer.ok || answer.res.statusCode !== 401) return answer;
    await this.#read(answer, MAX_BODY_BYTES);
    this.#drop(session);
    return failure('device-error', 'It took the login, but not the session that it opened.');
  }

  async #keepAlive(session: WebSession, path: string): Promise<void> {
    // A logout comes when everything else has been broken off.
    const last = path.endsWith('Logout');
    const answer = await this.#sendOnce('PUT', this.prefix + path, { timeoutMs: 5_000, last }, false, session);
    if (!answer.ok) return;
    await this.#read(answer, MAX_BODY_BYTES);
    if (answer.res.statusCode === 401) this.#drop(session);
  }

  /** The device takes this login no more; the next request logs in anew. */
  #drop(login: Login): void {
    if (login instanceof WebSession) login.lapse();
    if (this.#login === login) this.#login = null;
  }

  #refused(body: Buffer): IsapiFailure {
    const said = readRefusal(body);
    const left = said.triesLeft === null ? '' : ` It leaves ${said.triesLeft} tries before it locks itself.`;
    const message = said.locked ? STILL_LOCKED : `It refused user name or password.${left}`;
    this.#log.warn({ host: this.host, locked: said.locked, triesLeft: said.triesLeft }, 'the device refused the login');
    this.#guard.refuse('isapi', message, said.locked);
    return this.#stopped()!;
  }

  #stopped(o: RequestOptions = {}): IsapiFailure | null {
    const refused = this.#guard.refused;
    if (refused) return failure(refused.locked ? 'device-locked' : 'device-refused-login', refused.text);
    return this.#closed.signal.aborted && !o.last
      ? failure('device-unreachable', 'It is no longer looked after.')
      : null;
  }

  /** One request up to the header of its answer. A kept-alive connection that had died is replaced once. */
  async #send(
    method: string,
    uri: string,
    o: RequestOptions,
    agent: Agent | false,
    login: Login | null,
  ): Promise<Answer> {
    const first = await this.#sendOnce(method, uri, o, agent, login);
    if (first.ok || !first.stale || method !== 'GET') return first;
    return this.#sendOnce(method, uri, o, agent, login);
  }

  #sendOnce(
    method: string,
    uri: string,
    o: RequestOptions,
    agent: Agent | false,
    login: Login | null,
  ): Promise<Answer & { stale?: boolean }> {
    return new Promise((resolve) => {
      const headers: Record<string, string | number> = {
        Host: hostHeader(this.host, this.port, this.tls),
        Accept: '*/*',
      };
      Object.assign(headers, login?.headers(method, uri));
      if (o.body || o.stream) headers['Content-Type'] = o.contentType ?? 'application/xml; charset="UTF-8"';
      if (o.body || method !== 'GET') headers['Content-Length'] = o.stream?.size ?? o.body?.length ?? 0;
      if (agent === false && !o.last) headers.Connection = 'keep-alive';
      const signals = [...(o.signal ? [o.signal] : []), this.#closed.signal];
      const signal = o.last ? undefined : AbortSignal.any(signals);
      const dial: HttpOptions & DialOptions = {
        host: this.host,
        port: this.port,
        method,
        path: uri,
        headers,
        agent: o.last || !agent ? this.#agents.alone() : agent,
        // Old devices write headers that a strict reader refuses.
        insecureHTTPParser: true,
        maxHeaderSize: 32 * 1024,
        signal,
        dialSignal: signal,
      };
      const req = request(dial);
      const cancel = this.#clock.after(o.timeoutMs ?? 8_000, () => req.destroy(new Error('it took too long')));
      const failed = (error: Error & { code?: string }) => {
        cancel();
        const stale = req.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        resolve({ ...unanswered(error), stale });
      };
      req.on('error', failed);
      req.on('response', (res) => {
        // Errors after the header belong to whoever reads the body.
        res.on('error', () => {});
        resolve({ ok: true, res, finish: cancel });
      });
      if (!o.stream) return void req.end(o.body);
      // What goes wrong with the body ends the request, and an answer that came before its end is an answer.
      pipeline(o.stream.open(), req, (error) => error && req.destroy(error));
    });
  }

  async #read(answer: Extract<Answer, { ok: true }>, maxBytes: number): Promise<Buffer | IsapiFailure> {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of answer.res as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > maxBytes) return failure('device-error', `Its answer is larger than ${maxBytes} bytes.`);
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    } catch (error) {
      return failure('device-unreachable', `Its answer broke off (${(error as Error).message}).`);
    } finally {
      answer.finish();
      answer.res.destroy();
    }
  }
}

export const hostHeader = (host: string, port: number, tls?: DeviceTls): string => {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === (tls ? 443 : 80) ? name : `${name}:${port}`;
};
