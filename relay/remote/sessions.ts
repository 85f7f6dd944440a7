import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { RemoteSession as Shown } from '../../protocol/wire/remote-config.ts';
import { ProblemError } from '../api/problem.ts';
import type { Leases } from '../auth/leases.ts';
import type { Scope } from '../auth/scope.ts';
import { hashToken, type Principal, type Sessions } from '../auth/sessions.ts';
import type { DeviceRow } from '../db/schema.ts';
import type { DeviceOrigins } from './origin.ts';
import { type Dial, Upstream } from './upstream.ts';

const IDLE_MS = 15 * 60_000;
const MAX_AGE_MS = 8 * 3_600_000;
const CODE_MS = 30_000;
const SWEEP_MS = 15_000;
const MAX_PER_USER = 8;
const MAX_PER_DEVICE = 4;
const MAX_SESSIONS = 2_000;
const MAX_KEYS = 4;
/** Ended ones whose page says so, instead of that there never was one. */
const MAX_REMEMBERED = 2_000;

export type End = 'ended' | 'idle' | 'too-old' | 'signed-out' | 'not-allowed' | 'stopped';

export interface Counts {
  requests: number;
  webSockets: number;
  /** From the browser. */
  bytesUp: number;
  bytesDown: number;
}
export interface Opening {
  device: DeviceRow & { boxSerial: string };
  who: Principal;
  scopeNow: () => Promise<Scope>;
  /** Origin of the portal that it was opened from. */
  portal: string;
  /** Where the person's browser is. */
  remote: string;
}

/** One person's look at one device's own page: an origin, a cookie, connections, and a right that is asked for again and again. */
export class RemoteSession {
  readonly id: string;
  readonly label: string;
  readonly device: DeviceRow & { boxSerial: string };
  readonly who: Principal;
  readonly portal: string;
  readonly remote: string;
  readonly openedMs: number;
  readonly upstream: Upstream;
  readonly counts: Counts = { requests: 0, webSockets: 0, bytesUp: 0, bytesDown: 0 };
  readonly #scopeNow: () => Promise<Scope>;
  readonly #cuts = new Set<() => void>();
  readonly #keys: string[] = [];
  #code: { hash: string; state: string; untilMs: number } | null = null;
  usedMs: number;
  /** Open now. */
  webSockets = 0;
  ended: End | null = null;

  constructor(o: Opening & { label: string; now: number; upstream: Upstream }) {
    this.id = uuidv7(o.now);
    this.label = o.label;
    this.device = o.device;
    this.who = o.who;
    this.portal = o.portal;
    this.remote = o.remote;
    this.openedMs = o.now;
    this.usedMs = o.now;
    this.upstream = o.upstream;
    this.#scopeNow = o.scopeNow;
  }

  /** Rejects when whoever opened it is not let in any more, or may not configure the device. */
  async check(): Promise<void> {
    const scope = await this.#scopeNow();
    const row = await scope.device(this.device.id, 'configure');
    if (row.boxSerial !== this.device.boxSerial || row.accessMode !== 'p2p')
      throw new ProblemError('not-found', 'The device is not reached this way any more.');
  }

  /** A code for the browser that holds `state`, once and for half a minute. */
  newCode(state: string, now: number): string {
    const code = randomBytes(24).toString('base64url');
    this.#code = { hash: hashToken(code), state, untilMs: now + CODE_MS };
    return code;
  }

  /** The key of a browser that shows the code and the state it was made for; null when they are not right. */
  redeem(code: string, state: string, now: number): string | null {
    const made = this.#code;
    this.#code = null;
    if (!made || made.hash !== hashToken(code) || made.state !== hashToken(state) || made.untilMs <= now) return null;
    const key = randomBytes(32).toString('base64url');
    this.#keys.push(hashToken(key));
    if (this.#keys.length > MAX_KEYS) this.#keys.shift();
    return key;
  }

  opens(key: string): boolean {
    return this.#keys.includes(hashToken(key));
  }

  /** It is in use. */
  touch(now: number): void {
    this.usedMs = now;
  }

  /** Something that is open and ends with the session; returns the release. */
  hold(cut: () => void): () => void {
    this.#cuts.add(cut);
    return () => this.#cuts.delete(cut);
  }
  get open(): number {
    return this.#cuts.size;
  }

  end(): void {
    this.upstream.end();
    for (const cut of [...this.#cuts]) cut();
    this.#cuts.clear();
  }
}

/** The sessions of this relay. They live in its memory: a restart ends them, as it ends the tunnels. */
export class RemoteSessions {
  readonly #origins: () => DeviceOrigins | null;
  readonly #hub: Dial;
  readonly #leases: Leases;
  readonly #portalSessions: Sessions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #told: (session: RemoteSession, why: End) => void;
  readonly #byLabel = new Map<string, RemoteSession>();
  readonly #releases = new Map<string, () => void>();
  readonly #endedLabels = new Map<string, End>();
  #stops: (() => void)[] = [];

  constructor(o: {
    origins: () => DeviceOrigins | null;
    hub: Dial;
    leases: Leases;
    sessions: Sessions;
    clock: Clock;
    log: Logger;
    /** A session has ended. */
    told: (session: RemoteSession, why: End) => void;
  }) {
    this.#origins = o.origins;
    this.#hub = o.hub;
    this.#leases = o.leases;
    this.#portalSessions = o.sessions;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#told = o.told;
  }

  start(): void {
    this.#stops = [
      this.#clock.every(SWEEP_MS, () => this.sweep()),
      this.#portalSessions.onEnd((id) => {
        for (const session of this.#all()) if (session.who.id === id) this.end(session, 'signed-out');
      }),
    ];
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
    for (const session of this.#all()) this.end(session, 'stopped');
  }

  /** The session of that browser at the device, or a new one. */
  open(o: Opening): RemoteSession {
    const origins = this.#origins();
    if (!origins) throw new ProblemError('conflict', 'This relay has no addresses for pages of devices.');
    const all = this.#all();
    const again = all.find((one) => one.device.id === o.device.id && one.who.id === o.who.id);
    if (again) return again;
    const count = (of: (one: RemoteSession) => boolean) => all.filter(of).length;
    if (count((one) => one.device.id === o.device.id) >= MAX_PER_DEVICE)
      throw new ProblemError('limit-reached', `${MAX_PER_DEVICE} people have this device's page open: end one first.`);
    if (count((one) => one.who.userId === o.who.userId) >= MAX_PER_USER || all.length >= MAX_SESSIONS)
      throw new ProblemError('limit-reached', `${MAX_PER_USER} pages of devices are open: end one first.`);
    const { id, httpPort, certificate, boxSerial } = o.device;
    const at = { port: httpPort, tls: certificate !== null || httpPort === 443 };
    const upstream = new Upstream({ hub: this.#hub, boxSerial, deviceId: id, at, clock: this.#clock });
    const session = new RemoteSession({ ...o, label: origins.newLabel(), now: this.#clock.now(), upstream });
    this.#byLabel.set(session.label, session);
    const release = this.#leases.hold(
      () => session.check(),
      () => this.end(session, 'not-allowed'),
    );
    this.#releases.set(session.id, release);
    this.#log.info({ sessionId: session.id, deviceId: id, userId: o.who.userId }, 'remote configuration opened');
    return session;
  }

  byLabel(label: string): RemoteSession | null {
    const session = this.#byLabel.get(label);
    if (session) this.#endOverdue(session);
    return session && !session.ended ? session : null;
  }

  byId(id: string): RemoteSession | null {
    return this.#all().find((session) => session.id === id) ?? null;
  }

  ofDevice(deviceId: string): RemoteSession[] {
    return this.#all().filter((session) => session.device.id === deviceId);
  }

  /** Why the session of an address has ended; null: there was none, as far as remembered. */
  whyEnded(label: string): End | null {
    return this.#endedLabels.get(label) ?? null;
  }

  view(session: RemoteSession, asker: Principal): Shown {
    const own = session.who.id === asker.id;
    return {
      id: session.id,
      deviceId: session.device.id,
      userName: session.who.name,
      own,
      url: own ? (this.#origins()?.of(session.label) ?? null) : null,
      openedAt: iso(session.openedMs),
      usedAt: iso(session.usedMs),
      endsAt: iso(Math.min(session.openedMs + MAX_AGE_MS, session.who.expiresMs)),
      requests: session.counts.requests,
    };
  }

  end(session: RemoteSession, why: End): void {
    if (session.ended) return;
    session.ended = why;
    this.#byLabel.delete(session.label);
    this.#releases.get(session.id)?.();
    this.#releases.delete(session.id);
    this.#endedLabels.set(session.label, why);
    if (this.#endedLabels.size > MAX_REMEMBERED) this.#endedLabels.delete(this.#endedLabels.keys().next().value!);
    session.end();
    this.#log.info({ sessionId: session.id, why, ...session.counts }, 'remote configuration ended');
    this.#told(session, why);
  }

  sweep(): void {
    for (const session of this.#all()) this.#endOverdue(session);
  }

  #endOverdue(session: RemoteSession): void {
    const now = this.#clock.now();
    if (now >= session.who.expiresMs) this.end(session, 'signed-out');
    else if (now >= session.openedMs + MAX_AGE_MS) this.end(session, 'too-old');
    else if (now >= session.usedMs + IDLE_MS) this.end(session, 'idle');
  }

  #all(): RemoteSession[] {
    return [...this.#byLabel.values()];
  }
}
