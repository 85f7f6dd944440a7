import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { z } from 'zod';
import type { Clock } from '../../protocol/clock.ts';
import type { PasswordChanged, ProbeRequest, ProbeResult } from '../../protocol/wire/box-api.ts';
import type { Event } from '../../protocol/wire/event.ts';
import { Host } from '../../protocol/wire/ids.ts';
import type { ActionDone, DeviceAction } from '../../protocol/wire/operations.ts';
import type { ProblemCode } from '../../protocol/wire/problem.ts';
import type { Discovery } from '../discovery/discovery.ts';
import type { Driver } from '../drivers/driver.ts';
import type { Way } from '../https/way.ts';
import { failure, type IsapiFailure, type Result } from '../isapi/answer.ts';
import { changePassword, UNCERTAIN } from '../isapi/change-password.ts';
import type { Journal } from '../journal/journal.ts';
import type { Warnables } from '../warnables.ts';
import { isSame } from './address.ts';
import { LoginGuard } from './login-guard.ts';
import { pastEvents } from './past-events.ts';
import { probeDevice } from './probe.ts';
import { Refusals } from './refusals.ts';
import { DeviceSession } from './session.ts';
import type { ChannelConfig, DeviceConfig } from './types.ts';
import { DeviceWarnings } from './warnings.ts';

const MAX_DEVICES = 2_000;
const MAX_PROBES = 4;

type Done<T> = { ok: true; value: T } | Failed;
type Failed = { ok: false; code: ProblemCode; detail: string };
type ItemError = { id: string; code: string; text: string };

/** Looks after the devices of the desired state: one {@link DeviceSession} each. */
export class DeviceManager {
  readonly #journal: Pick<Journal, 'append' | 'read' | 'lastSeq'>;
  readonly #discovery: Pick<Discovery, 'byMac' | 'bySerial' | 'at' | 'permits' | 'onChange'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #warnings: DeviceWarnings;
  readonly #refusals: Refusals;
  readonly #watchdogMs: number | undefined;
  readonly #sessions = new Map<string, DeviceSession>();
  readonly #guards = new Map<string, { guard: LoginGuard; version: number; off: () => void }>();
  readonly #listeners = new Set<() => void>();
  readonly #ending = new Set<Promise<void>>();
  #past = new Map<string, { event: Event; ended: boolean }[]>();
  #wanted: DeviceConfig[] = [];
  #started = false;
  #probes = 0;
  #offDiscovery: () => void = () => {};

  constructor(o: {
    journal: Pick<Journal, 'append' | 'read' | 'lastSeq'>;
    discovery: Pick<Discovery, 'byMac' | 'bySerial' | 'at' | 'permits' | 'onChange'>;
    clock: Clock;
    log: Logger;
    warnables: Pick<Warnables, 'raise' | 'clear'>;
    /** Where refused logins are kept over restarts; in memory without it. */
    stateFile?: string;
    /** A stream without a byte for so long is dead. */
    watchdogMs?: number;
  }) {
    this.#journal = o.journal;
    this.#discovery = o.discovery;
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'devices' });
    this.#warnings = new DeviceWarnings(o.warnables);
    this.#refusals = new Refusals({ path: o.stateFile ?? null, log: this.#log });
    this.#watchdogMs = o.watchdogMs;
  }

  start(signal?: AbortSignal): void {
    this.#started = true;
    signal?.addEventListener('abort', () => void this.stop());
    this.#refusals.load();
    this.#past = pastEvents(this.#journal);
    this.#offDiscovery = this.#discovery.onChange(() => {
      for (const session of this.#sessions.values()) session.lanChanged();
    });
    this.apply(this.#wanted);
  }

  async stop(): Promise<void> {
    this.#started = false;
    this.#offDiscovery();
    for (const id of [...this.#sessions.keys()]) this.#end(id, false);
    await Promise.all(this.#ending);
  }

  /** Makes the devices looked after equal to `items`; what is wrong with single ones comes back and holds up no other. */
  apply(items: DeviceConfig[]): ItemError[] {
    this.#wanted = items;
    const errors: ItemError[] = [];
    const wanted = new Map<string, DeviceConfig>();
    for (const item of items) {
      const error = this.#unfit(item, wanted);
      if (error) errors.push({ id: item.id, ...error });
      else wanted.set(item.id, item);
    }
    if (!this.#started) return errors;
    for (const [id, session] of this.#sessions) {
      if (wanted.has(id)) continue;
      this.#end(id, true);
      this.#warnings.forget(session.config);
      this.#refusals.set(id, null);
      this.#guards.get(id)?.off();
      this.#guards.delete(id);
    }
    for (const config of wanted.values()) this.#apply(config);
    this.#changed();
    return errors;
  }

  health(): ReturnType<DeviceSession['health']>[] {
    return [...this.#sessions.values()].map((s) => s.health());
  }

  /** Whether an event of any of them is under way. */
  lasts(eventId: string): boolean {
    return [...this.#sessions.values()].some((s) => s.lasts(eventId));
  }

  channels(): ChannelConfig[] {
    return [...this.#sessions.values()].flatMap((s) => s.channels());
  }

  onChange(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  /** Does something with a device that is looked after; what the device says in the negative comes back in words. */
  async operate<T>(deviceId: string, fn: (driver: Driver) => Promise<Result<T>>): Promise<Done<T>> {
    const session = this.#sessions.get(deviceId);
    if (!session) return { ok: false, code: 'not-found', detail: 'This box does not look after such a device.' };
    const result = await session.operate(fn);
    return result.ok ? result : said(session.config.name, result);
  }

  /** Does one of the device's actions; one that changes its channels leaves none of them unknown. */
  async act(deviceId: string, action: DeviceAction, signal?: AbortSignal): Promise<Done<ActionDone>> {
    // Nothing is broken off half-way because the one who asked went away, except what moves.
    const moves = action.action === 'ptzMove' || action.action === 'focus';
    const done = await this.operate(deviceId, (driver) => driver.act(action, moves ? signal : undefined));
    const changed = action.action.startsWith('channel') && done.ok;
    if (changed) await this.#sessions.get(deviceId)?.rereadChannels();
    return done;
  }

  /** The device of that MAC, if it is looked after. */
  idOf(mac: string): string | null {
    const same = ({ config }: DeviceSession) => config.mac?.toLowerCase().replaceAll(':', '-') === mac;
    return [...this.#sessions.values()].find(same)?.config.id ?? null;
  }

  /** Which channels it has was changed, not by an action. */
  async rereadChannels(deviceId: string): Promise<void> {
    await this.#sessions.get(deviceId)?.rereadChannels();
  }

  /** How the device of that MAC is reached, if it is looked after over HTTPS. */
  wayTo(mac: string): Way | null {
    const config = this.#sessions.get(this.idOf(mac) ?? '')?.config;
    return config?.tls ? { port: config.httpPort, tls: config.tls } : null;
  }

  /** For comparing what a person enters with it; null: no such device. */
  passwordOf(deviceId: string): string | null {
    return this.#sessions.get(deviceId)?.config.password ?? null;
  }

  /** What it is logged in with now; null: it is not. */
  loginOf(deviceId: string): { username: string; password: string } | null {
    const session = this.#sessions.get(deviceId);
    if (session?.health().state !== 'online') return null;
    const { username, password } = session.config;
    return { username, password };
  }

  /**
   * Gives a device another password; `oldPassword` null: the one that this box has. Until the relay hands the new one over
   * with the desired state, nothing logs in to the device: that would be a wrong try.
   */
  async changePassword(
    deviceId: string,
    oldPassword: string | null,
    newPassword: string,
  ): Promise<Done<PasswordChanged>> {
    const session = this.#sessions.get(deviceId);
    const guard = this.#guards.get(deviceId)?.guard;
    if (!session || !guard)
      return { ok: false, code: 'not-found', detail: 'This box does not look after such a device.' };
    const { config } = session;
    const { mac, serial, username } = config;
    if (config.kind !== 'isapi') return said(config.name, failure('conflict', 'Change its password on its own page.'));
    if (oldPassword === null && guard.refused)
      return said(
        config.name,
        failure('device-refused-login', 'The box’s own login is refused: enter the old password.'),
      );
    const seen =
      (mac ? this.#discovery.byMac(mac) : undefined) ?? (serial ? this.#discovery.bySerial(serial) : undefined);
    const elsewhere = seen && seen.address !== config.host ? seen : null;
    const { tls, httpPort } = config;
    const port = tls ? httpPort : (elsewhere?.httpPort ?? httpPort);
    const at = { host: elsewhere?.address ?? config.host, port, tls };
    if (!this.#discovery.permits(at.host))
      return said(config.name, failure('device-error', `${at.host} is out of reach.`));
    const former = guard.refused;
    guard.refuse('isapi', 'Its password is being changed.', false, true);
    const result = await changePassword({
      ...at,
      username,
      newPassword,
      oldPassword: oldPassword ?? config.password,
      accept: (info) => (isSame(info, { mac, serial }) ? null : 'Another device answers at its address.'),
      clock: this.#clock,
      log: this.#log,
    });
    this.#log.info(
      { device: deviceId, result: result.ok ? 'changed' : (result.subStatus ?? result.code) },
      'password change',
    );
    if (result.ok) return { ok: true, value: { outcome: 'changed', text: null } };
    if (result.subStatus === UNCERTAIN) return { ok: true, value: { outcome: 'uncertain', text: result.text } };
    // Nothing was changed, so what held before holds again.
    if (!former) guard.reset();
    return said(config.name, result);
  }

  /** One login in a protocol with what a person has just entered, whatever was refused before; never repeated. */
  async probe(request: z.infer<typeof ProbeRequest>): Promise<{ ok: true; result: ProbeResult } | Failed> {
    const { host } = request;
    const refuse = (detail: string): Failed => ({ ok: false, code: 'device-error', detail });
    if (!this.#discovery.permits(host)) return refuse(`${host} is outside of what this box may reach.`);
    if (this.#probes >= MAX_PROBES) return refuse('Other devices are being tried: wait a moment.');
    this.#probes++;
    try {
      const probed = await probeDevice(request, { clock: this.#clock, log: this.#log });
      return probed.ok ? { ok: true, result: probed.value } : said(host, probed);
    } finally {
      this.#probes--;
    }
  }

  #unfit(item: DeviceConfig, before: Map<string, DeviceConfig>): { code: string; text: string } | null {
    if (before.has(item.id)) return { code: 'duplicate', text: 'This device is listed twice.' };
    if (before.size >= MAX_DEVICES) return { code: 'too-many', text: `One box looks after ${MAX_DEVICES} devices.` };
    if (!Host.safeParse(item.host).success)
      return { code: 'address-invalid', text: 'Its address is none: enter it again.' };
    if (this.#discovery.permits(item.host)) return null;
    return { code: 'not-allowed', text: `${item.host} is outside of what this box may reach.` };
  }

  #apply(config: DeviceConfig): void {
    const session = this.#sessions.get(config.id);
    const guard = this.#guardFor(config);
    if (session && sameButName(session.config, config)) {
      if (session.config.name !== config.name) session.rename(config);
      return;
    }
    if (session) this.#end(config.id, true);
    const fresh = new DeviceSession({
      config,
      guard,
      lan: this.#discovery,
      clock: this.#clock,
      log: this.#log,
      warnings: this.#warnings,
      append: (records) => this.#journal.append(records),
      onChange: () => this.#changed(),
      watchdogMs: this.#watchdogMs,
    });
    this.#sessions.set(config.id, fresh);
    fresh.start(this.#past.get(config.id) ?? []);
    this.#past.delete(config.id);
  }

  /** The device's one guard; new credentials from a person open it, and nothing else. */
  #guardFor(config: DeviceConfig): LoginGuard {
    const { id, credentialVersion } = config;
    const known = this.#guards.get(id);
    if (known) {
      if (credentialVersion > known.version) {
        known.version = credentialVersion;
        known.guard.reset();
      }
      return known.guard;
    }
    const guard = new LoginGuard();
    const entry = { guard, version: credentialVersion, off: () => {} };
    const kept = this.#refusals.get(id, credentialVersion);
    if (kept) guard.refuse(kept.by, kept.text, kept.locked);
    entry.off = guard.onChange(() => {
      const refused = guard.refused;
      if (!refused) this.#refusals.set(id, null);
      else if (!refused.temporary) this.#refusals.set(id, { ...refused, credentialVersion: entry.version });
    });
    this.#guards.set(id, entry);
    return guard;
  }

  #end(id: string, endEvents: boolean): void {
    const ending = this.#sessions.get(id)?.stop(endEvents);
    this.#sessions.delete(id);
    if (!ending) return;
    this.#ending.add(ending);
    ending.finally(() => this.#ending.delete(ending));
  }

  #changed(): void {
    for (const fn of this.#listeners) fn();
  }
}

const sameButName = (a: DeviceConfig, b: DeviceConfig): boolean =>
  isDeepStrictEqual({ ...a, name: '' }, { ...b, name: '' });

const said = (name: string, f: IsapiFailure): Failed => ({ ok: false, code: f.code, detail: `${name}: ${f.text}` });
