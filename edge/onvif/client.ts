import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import type { LoginGuard } from '../devices/login-guard.ts';
import { LastWords } from '../drivers/last-words.ts';
import { failure, type IsapiFailure, isPassing, type Result } from '../isapi/answer.ts';
import { DigestSession, parseChallenges } from '../isapi/digest.ts';
import { Slots } from '../isapi/slots.ts';
import { offsets, readDeviceTime } from './device-time.ts';
import { judge, type Outcome, type Recover, type Refusal } from './judge.ts';
import { envelope, usernameToken } from './soap.ts';
import { type HttpAnswer, Transport } from './transport.ts';
import type { Element } from './tree.ts';

/** Where a service answers: the path as the device says, and the ports that may be meant; the one that worked comes first. */
export interface Address {
  path: string;
  ports: number[];
  /** As the device wrote it, for WS-Addressing. */
  written?: string;
}
export interface CallOptions {
  /** SOAP headers, XML. */
  headers?: string;
  /** Never log in for this one. */
  anonymous?: boolean;
  timeoutMs?: number;
  maxBytes?: number;
  signal?: AbortSignal;
  alone?: 'long' | 'last';
  /** What to make of a successful answer that is no SOAP. */
  recover?: Recover;
}

type Login = { kind: 'token'; offsetMs: number } | { kind: 'digest'; session: DigestSession };
/** So many refused logins a person's action may cost; devices lock themselves after five, and two stay in reserve. */
const MAX_LOGINS = 2;
const CLOCK_MOVED_MS = 2_000;
const REFRESH_MS = 24 * 3_600_000;
const INFORMATION = '<tds:GetDeviceInformation/>';
const NOT_ALLOWED = 'It does not let this user do that.';
const WHOSE =
  'It refused user name or password for ONVIF. Many devices have users of their own for it, to be made on their web page.';

/**
 * SOAP to one device (onvif.md §2). At most two requests are under way and the rest queue; a pull of events waits beside.
 *
 * Calls go without credentials until the device asks for them: by HTTP Digest where it offers that, else by WS-Security in
 * the device's own time. What it refuses is never repeated by itself: a login gets two tries in all, one that has worked
 * before is proven again before it is called wrong (a device says the same for "not this user"), and then the
 * {@link LoginGuard} stops everything until a person acts.
 */
export class OnvifClient {
  readonly host: string;
  readonly port: number;
  readonly tls: DeviceTls | undefined;
  /** The entry point; every service is reached from it. */
  readonly device: Address;
  readonly clock: Clock;
  readonly log: Logger;
  /** Said when it closes, with calls that are `last`. */
  readonly lastWords = new LastWords();
  /** Calls that had no answer for a reason that passes. */
  missed = 0;
  readonly #username: string;
  readonly #password: string;
  readonly #guard: LoginGuard;
  readonly #transport: Transport;
  readonly #slots = new Slots(2, 64);
  readonly #loginSlot = new Slots(1, 128);
  #login: Login | null = null;
  /** The first call that the login was good for. */
  #proof: { at: Address; body: string } | null = null;
  /** In use; as the device shows it; when it was read. */
  #offset = { ms: 0, shownMs: 0, readMono: Number.NEGATIVE_INFINITY };
  #noHeader = false;
  /** Refusals of a login that no call has proven. */
  #doubts = 0;

  constructor(o: {
    host: string;
    port: number;
    tls?: DeviceTls;
    username: string;
    password: string;
    guard: LoginGuard;
    clock: Clock;
    log: Logger;
  }) {
    this.host = o.host;
    this.port = o.port;
    this.tls = o.tls;
    this.device = { path: '/onvif/device_service', ports: [o.port] };
    this.clock = o.clock;
    this.log = o.log;
    this.#username = o.username;
    this.#password = o.password;
    this.#guard = o.guard;
    this.#transport = new Transport(o);
  }

  get username(): string {
    return this.#username;
  }
  /** By how much the device's clock is ahead of ours, as far as known. */
  get offsetMs(): number {
    return this.#offset.ms;
  }

  /** Ends everything under way at once; resolves after the last words. The client is not used again. */
  async close(): Promise<void> {
    const said = this.lastWords.say(this.clock);
    this.#transport.close();
    await said;
  }

  /**
   * An address that the device wrote, made safe: its path on this host. A port of its own on the same host may be real; of
   * another host (translated addresses) it is the second guess; written for the other of HTTP and HTTPS it is none.
   */
  address(written: string): Address | null {
    const trimmed = written.trim();
    const url = URL.parse(trimmed);
    if (!url) return trimmed.startsWith('/') ? { path: trimmed, ports: [this.port], written: trimmed } : null;
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
    const own = url.protocol === (this.tls ? 'https:' : 'http:');
    const advertised = own ? Number(url.port || (this.tls ? 443 : 80)) : this.port;
    const same = url.hostname.replace(/^\[|\]$/g, '') === this.host;
    const ports = new Set(same ? [advertised, this.port] : [this.port, advertised]);
    return { path: `${url.pathname}${url.search}`, ports: [...ports], written: trimmed };
  }

  /** A call; its value is the response element. A fault is a failure with its innermost code as `subStatus`. */
  async call(at: Address, body: string, o: CallOptions = {}): Promise<Result<Element>> {
    const release = o.alone ? () => {} : await this.#slots.take(o.signal);
    if (!release) {
      this.missed++;
      return failure('device-error', 'Too many requests to it are waiting.');
    }
    try {
      const result = await this.#call(at, body, o);
      if (!result.ok && isPassing(result)) this.missed++;
      return result;
    } finally {
      release();
    }
  }

  /** A GET, as for snapshots; answers a Digest challenge. A wrong login here says nothing about SOAP, and is tried once only. */
  async get(
    at: Address,
    o: { timeoutMs?: number; maxBytes?: number; signal?: AbortSignal } = {},
  ): Promise<Result<HttpAnswer>> {
    const release = await this.#slots.take(o.signal);
    if (!release) return failure('device-error', 'Too many requests to it are waiting.');
    try {
      const stopped = this.#stopped();
      if (stopped) return stopped;
      const answer = await this.#exchange(at, { method: 'GET', ...o });
      if (!answer.ok || answer.value.status !== 401) return answer;
      const session = DigestSession.from(parseChallenges(answer.value.rawHeaders), this.#username, this.#password);
      if (!session || this.#guard.picturesRefused) return answer;
      const headers = { Authorization: session.authorization('GET', at.path) };
      const again = await this.#exchange(at, { method: 'GET', ...o, headers });
      if (again.ok && again.value.status === 401) this.#guard.picturesRefused = true;
      return again;
    } finally {
      release();
    }
  }

  /** By how much its clock is ahead of ours; null: it does not say. */
  async clockAhead(signal?: AbortSignal): Promise<number | null> {
    return (await this.#askClock(signal)).found[0] ?? null;
  }

  /** Its clock was set: logins are made in that time from now on. */
  async clockWasSet(signal?: AbortSignal): Promise<void> {
    if (this.#login?.kind === 'token') await this.#followClock(this.#login, signal);
  }

  /** By how much its clock may be ahead of ours, the likeliest first; `dateMs`: what it said otherwise. */
  async #readClock(signal?: AbortSignal, dateMs: number | null = null): Promise<number[]> {
    const { found, nowMs, toldMs } = await this.#askClock(signal);
    const date = dateMs ?? toldMs;
    return found.length > 0 ? found : [date === null ? 0 : date - nowMs];
  }

  async #askClock(signal?: AbortSignal): Promise<{ found: number[]; nowMs: number; toldMs: number | null }> {
    const before = this.clock.now();
    const read = await this.#once(this.device, '<tds:GetSystemDateAndTime/>', { anonymous: true, signal }, null);
    const nowMs = (before + this.clock.now()) / 2;
    this.#offset.readMono = this.clock.mono();
    const found = read.kind === 'done' && read.result.ok ? offsets(readDeviceTime(read.result.value), nowMs) : [];
    return { found, nowMs, toldMs: read.kind === 'refused' ? read.refusal.dateMs : null };
  }

  async #call(at: Address, body: string, o: CallOptions): Promise<Result<Element>> {
    const stopped = this.#stopped(o);
    if (stopped) return stopped;
    const used = this.#login;
    if (used?.kind === 'token' && !o.alone && this.clock.mono() - this.#offset.readMono > REFRESH_MS) {
      await this.#followClock(used, o.signal);
    }
    const outcome = await this.#once(at, body, o, used);
    if (outcome.kind === 'done') return outcome.result;
    if (outcome.kind === 'no-header') return this.#withoutHeader(at, body, o);
    if (o.anonymous || o.alone === 'last') return failure('device-error', 'It wants a login for that.');
    // One login at a time: with a wrong password, two at once would be two tries.
    const release = await this.#loginSlot.take(o.signal);
    if (!release) return failure('device-error', 'Too many requests to it are waiting.');
    try {
      if (this.#login && this.#login !== used) {
        const again = await this.#once(at, body, o, this.#login);
        if (again.kind === 'done') return again.result;
      }
      return (
        this.#stopped() ??
        (await (this.#login
          ? this.#again(this.#login, at, body, o, outcome.refusal)
          : this.#logIn(at, body, o, outcome.refusal)))
      );
    } finally {
      release();
    }
  }

  /** The first login: in the ways that the device offers, with as few tries as can be. */
  async #logIn(at: Address, body: string, o: CallOptions, asked: Refusal): Promise<Result<Element>> {
    if (asked.locked) return failure('device-locked', `It is locked: ${asked.text}`, { unlockInMs: 30 * 60_000 });
    const clocks = await this.#readClock(o.signal, asked.dateMs);
    const tried: Login[] = [];
    this.#offset.shownMs = clocks[0] ?? 0;
    let last = asked;
    for (let login = this.#way(tried, last, clocks); login; login = this.#way(tried, last, clocks)) {
      const outcome = await this.#once(at, body, o, login);
      if (outcome.kind === 'no-header') {
        this.#noHeader = true;
        continue;
      }
      if (outcome.kind === 'done') {
        if (outcome.result.ok) this.#proven(login, at, body);
        return outcome.result;
      }
      tried.push(login);
      last = outcome.refusal;
      if (last.locked) break;
    }
    if (tried.length === 0) return failure('device-error', 'It offers no login that keeps the password secret.');
    return this.#refuse(last);
  }

  /**
   * What to try next: HTTP Digest where it is offered, else the token by the likeliest clock, also after a digest that the device
   * turned down without asking for another; null: no more.
   */
  #way(tried: Login[], { challenges }: Refusal, clocks: number[]): Login | null {
    if (tried.length >= MAX_LOGINS) return null;
    const offered = DigestSession.from(challenges, this.#username, this.#password);
    const digest = tried.some((t) => t.kind === 'digest');
    // A right password would have been good for the nonce, which was new: it would be wrong in the token, too.
    if (digest && offered) return null;
    const session = digest ? null : offered;
    if (session) return { kind: 'digest', session };
    const offsetMs = clocks.find((ms) => !tried.some((t) => t.kind === 'token' && t.offsetMs === ms));
    return this.#noHeader || offsetMs === undefined ? null : { kind: 'token', offsetMs };
  }

  /** A login that has worked is turned down: by a new nonce or a new clock, for want of rights, or for good. */
  async #again(login: Login, at: Address, body: string, o: CallOptions, refusal: Refusal): Promise<Result<Element>> {
    const renewed = await this.#renew(login, refusal, o.signal);
    // The device says itself that only the nonce was too old: the login is not in doubt.
    const stale = refusal.challenges.some((c) => /^true$/i.test(c.params.get('stale') ?? ''));
    if (renewed?.kind === 'digest' && stale) {
      const outcome = await this.#once(at, body, o, renewed);
      if (outcome.kind === 'done') {
        this.#login = renewed;
        return outcome.result;
      }
    }
    const proof = this.#proof;
    const current = renewed ?? login;
    const isProof = proof?.body === body && proof.at.path === at.path;
    if (!proof) {
      // Nothing can be repeated that tells the one reason from the other.
      if (++this.#doubts >= MAX_LOGINS) return this.#refuse(refusal);
      return failure('device-error', NOT_ALLOWED, { subStatus: 'NotAuthorized' });
    }
    if (isProof && !renewed) return this.#refuse(refusal);
    const proven = await this.#once(proof.at, proof.body, { signal: o.signal }, current);
    if (proven.kind === 'refused') return this.#refuse(proven.refusal);
    if (proven.kind === 'done' && !proven.result.ok && proven.result.code !== 'device-error') return proven.result;
    this.#login = current;
    if (isProof && proven.kind === 'done') return proven.result;
    const outcome = renewed ? await this.#once(at, body, o, current) : null;
    if (outcome?.kind === 'done') return outcome.result;
    return failure('device-error', NOT_ALLOWED, { subStatus: 'NotAuthorized' });
  }

  async #renew(login: Login, refusal: Refusal, signal?: AbortSignal): Promise<Login | null> {
    if (login.kind === 'digest') {
      let { challenges } = refusal;
      if (challenges.length === 0) {
        // A dead nonce can be turned down without a word.
        const asked = await this.#once(this.device, INFORMATION, { signal }, null);
        if (asked.kind === 'refused') challenges = asked.refusal.challenges;
      }
      const session = DigestSession.from(challenges, this.#username, this.#password);
      return session ? { kind: 'digest', session } : null;
    }
    return this.#followClock(login, signal);
  }

  /** After a restart a device may live in another year; null: its clock goes on as it did. */
  async #followClock(login: Login & { kind: 'token' }, signal?: AbortSignal): Promise<Login | null> {
    const { shownMs } = this.#offset;
    const [now, ...others] = await this.#readClock(signal);
    if (now === undefined || Math.abs(now - shownMs) <= CLOCK_MOVED_MS) return null;
    // One that does not check what it shows goes on not doing so.
    const offsetMs = Math.abs(login.offsetMs - shownMs) <= CLOCK_MOVED_MS ? now : (others[0] ?? now);
    const moved: Login = { kind: 'token', offsetMs };
    if (this.#login === login) this.#login = moved;
    this.#offset.ms = offsetMs;
    this.#offset.shownMs = now;
    return moved;
  }

  /** Built without WS-Security: it serves everybody, or by HTTP Digest. */
  async #withoutHeader(at: Address, body: string, o: CallOptions): Promise<Result<Element>> {
    this.#noHeader = true;
    this.#login = null;
    return this.#call(at, body, o);
  }

  #proven(login: Login, at: Address, body: string): void {
    this.#login = login;
    if (login.kind === 'token') this.#offset.ms = login.offsetMs;
    // Repeated later, so it must do nothing.
    if (/^<\w+:Get/.test(body)) this.#proof ??= { at, body };
  }

  #refuse(refusal: Refusal): IsapiFailure {
    this.log.warn(
      { host: this.host, locked: refusal.locked, said: refusal.text },
      'the device refused the ONVIF login',
    );
    this.#login = null;
    this.#guard.refuse('onvif', refusal.locked ? 'It is locked after wrong passwords.' : WHOSE, refusal.locked);
    return this.#stopped()!;
  }

  #stopped(o: CallOptions = {}): IsapiFailure | null {
    const refused = this.#guard.refused;
    if (refused) return failure(refused.locked ? 'device-locked' : 'device-refused-login', refused.text);
    if (o.alone === 'last') return null;
    return this.#transport.closed ? failure('device-unreachable', 'It is no longer looked after.') : null;
  }

  async #once(at: Address, body: string, o: CallOptions, login: Login | null): Promise<Outcome> {
    const token =
      login?.kind === 'token' && !o.anonymous
        ? usernameToken(this.#username, this.#password, this.clock.now() + login.offsetMs)
        : '';
    const headers: Record<string, string> = { 'Content-Type': 'application/soap+xml; charset=utf-8' };
    if (login?.kind === 'digest' && !o.anonymous) {
      headers.Authorization = login.session.authorization('POST', at.path);
    }
    const { timeoutMs, maxBytes, signal, alone } = o;
    const answer = await this.#exchange(at, {
      method: 'POST',
      headers,
      body: envelope(token + (o.headers ?? ''), body),
      timeoutMs,
      maxBytes,
      signal,
      alone,
    });
    if (!answer.ok) return { kind: 'done', result: answer };
    const outcome = judge(answer.value, o.recover);
    if (outcome.kind !== 'no-header' || token) return outcome;
    return { kind: 'done', result: failure('device-error', 'It does not understand what is meant.') };
  }

  /** The ports in turn, until one has the service. */
  async #exchange(
    at: Address,
    o: Omit<Parameters<Transport['exchange']>[0], 'port' | 'path'>,
  ): Promise<Result<HttpAnswer>> {
    let answer: Result<HttpAnswer> = failure('device-unreachable', 'It has no address.');
    for (const port of at.ports) {
      answer = await this.#transport.exchange({ ...o, port, path: at.path });
      if (o.signal?.aborted) return answer;
      if (answer.ok && answer.value.status !== 404) {
        if (port !== at.ports[0]) at.ports = [port, ...at.ports.filter((p) => p !== port)];
        return answer;
      }
    }
    return answer;
  }
}
