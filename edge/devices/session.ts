import type { Logger } from 'pino';
import { Backoff } from '../../protocol/backoff.ts';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { ShownTls } from '../../protocol/wire/device-tls.ts';
import type { Event, NewRecord } from '../../protocol/wire/event.ts';
import type { DeviceHealth } from '../../protocol/wire/uplink.ts';
import type { DeviceInfo, Driver, DriverChannel } from '../drivers/driver.ts';
import { driverFor } from '../drivers/driver-for.ts';
import type { Alert } from '../isapi/alert.ts';
import { failure, type IsapiFailure, type Result } from '../isapi/answer.ts';
import { EventFolder } from '../isapi/fold.ts';
import { type Address, type Identity, isSame, type Lan, Places, sameAddress } from './address.ts';
import type { LoginGuard } from './login-guard.ts';
import { OfflineEvent } from './offline.ts';
import { shownInstead } from './shown.ts';
import type { ChannelConfig, DeviceConfig } from './types.ts';
import type { DeviceState, DeviceWarnings } from './warnings.ts';

const RETRY_FIRST_MS = 1_000;
const RETRY_CAP_MS = 60_000;
const NO_EVENTS_RETRY_MS = 60_000;
const NOT_ACTIVATED_RETRY_MS = 60_000;
/** A stream that lived so long was a good one. */
const GOOD_STREAM_MS = 10_000;
const MAX_UNWRITTEN = 256;
/** An unreadable part of the event stream is shown for so long after the last one. */
const UNREADABLE_MS = 600_000;

type Outcome = { next: 'now' } | { next: 'later'; ms?: number } | { next: 'wait' };

/**
 * Looks after one device: finds it, logs in once, learns what it is, listens to its events, and starts again when that
 * ends, for ever, with growing pauses up to a minute. Only a refused login stops it, until a person acts.
 */
export class DeviceSession {
  #config: DeviceConfig;
  readonly #guard: LoginGuard;
  readonly #places: Places;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #warnings: DeviceWarnings;
  readonly #append: (records: NewRecord[]) => Promise<unknown>;
  readonly #onChange: () => void;
  readonly #watchdogMs: number | undefined;
  readonly #fold: EventFolder;
  readonly #offline: OfflineEvent;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #woken = false;
  #streaming = false;
  #resume: () => void = () => {};
  #cancelUnlock: () => void = () => {};
  #cancelUnreadable: () => void = () => {};
  #driver: Driver | null = null;
  #state: DeviceState = 'connecting';
  #since: number;
  #info: DeviceInfo | null = null;
  /** What it shows and is not trusted. */
  #shows: ShownTls | null = null;
  #channels: DriverChannel[] = [];
  #unwritten = 0;
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(o: {
    config: DeviceConfig;
    guard: LoginGuard;
    lan: Lan;
    clock: Clock;
    log: Logger;
    warnings: DeviceWarnings;
    append: (records: NewRecord[]) => Promise<unknown>;
    onChange: () => void;
    watchdogMs?: number;
    random?: () => number;
  }) {
    this.#config = o.config;
    this.#guard = o.guard;
    this.#places = new Places(o.lan, { host: o.config.host, port: o.config.httpPort }, o.config.tls !== undefined);
    this.#clock = o.clock;
    this.#log = o.log.child({ device: o.config.id });
    this.#warnings = o.warnings;
    this.#append = o.append;
    this.#onChange = o.onChange;
    this.#watchdogMs = o.watchdogMs;
    this.#since = o.clock.now();
    this.#backoff = new Backoff(RETRY_FIRST_MS, RETRY_CAP_MS, o.random);
    const emit = (records: NewRecord[]) => this.#record(records);
    this.#fold = new EventFolder({ deviceId: o.config.id, clock: o.clock, emit });
    this.#offline = new OfflineEvent({ deviceId: o.config.id, clock: o.clock, emit });
  }

  /** `past`: this device's events from before a restart, oldest first. */
  start(past: { event: Event; ended: boolean }[]): void {
    this.#fold.restore(past.filter((p) => p.event.type !== 'deviceOffline'));
    const absence = past.findLast((p) => p.event.type === 'deviceOffline');
    if (absence && !absence.ended) this.#offline.restore(absence.event.id);
    const off = this.#guard.onChange(() => this.#guardChanged());
    this.#running = this.#run().finally(off);
  }

  /** `endEvents`: it is not taken up again after a restart, so what is under way ends now. */
  async stop(endEvents: boolean): Promise<void> {
    this.#stop.abort();
    this.#wake();
    this.#cancelUnlock();
    this.#cancelUnreadable();
    const closed = this.#driver?.close();
    this.#fold.stop(endEvents);
    this.#offline.stop(endEvents);
    await Promise.all([this.#running, closed]);
  }

  get config(): DeviceConfig {
    return this.#config;
  }

  /** A new name only; anything else takes a new session. */
  rename(config: DeviceConfig): void {
    this.#config = config;
    this.#onChange();
  }

  health(): Omit<DeviceHealth, 'channels'> & { channels: { channel: number; name: string }[] } {
    return {
      id: this.#config.id,
      state: this.#state,
      since: iso(this.#since),
      model: this.#info?.model || null,
      firmware: this.#info?.firmware ?? null,
      serial: this.#info?.serial || null,
      ...(this.#shows && { shows: this.#shows }),
      channels: this.#channels.map(({ channel, name }) => ({ channel, name })),
    };
  }

  /** Whether an event of this device is under way. */
  lasts(eventId: string): boolean {
    return this.#fold.lasts(eventId);
  }

  channels(): ChannelConfig[] {
    const { id, username, password, tls } = this.#config;
    const login = { username, password, tls, guard: this.#guard };
    return this.#channels.map((channel) => ({ ...channel, deviceId: id, ...login }));
  }

  /** Does something with the device as soon as it was reached once; the login is the one that the session made. */
  async operate<T>(fn: (driver: Driver) => Promise<Result<T>>): Promise<Result<T>> {
    const { refused } = this.#guard;
    if (refused) return failure(refused.locked ? 'device-locked' : 'device-refused-login', refused.text);
    if (!this.#driver || !this.#info) return failure('device-unreachable', 'It was not reached yet.');
    return fn(this.#driver);
  }

  /** Asks again which channels it has: somebody changed them. */
  async rereadChannels(): Promise<void> {
    const channels = await this.#driver?.channels(this.#stop.signal);
    if (!channels?.ok) return;
    this.#channels = channels.value;
    this.#onChange();
  }

  /** The search saw something new: the device may be elsewhere now. */
  lanChanged(): void {
    const place = this.#places.moved(this.#identity());
    if (!place || sameAddress(place, this.#driver)) return;
    // A stream that works is not given up for what anybody on the LAN may claim.
    if (this.#state === 'online') this.#driver?.check();
    else this.#wake();
  }

  /** By what it is recognised: as configured, else as it said itself. */
  #identity(): Identity {
    const { mac, serial } = this.#config;
    return { mac: mac ?? this.#info?.mac ?? null, serial: serial ?? (this.#info?.serial || null) };
  }

  async #run(): Promise<void> {
    const signal = this.#stop.signal;
    while (!signal.aborted) {
      const outcome = await this.#connect(signal);
      if (signal.aborted) break;
      if (outcome.next === 'now') continue;
      await this.#pause(outcome.next === 'wait' ? null : (outcome.ms ?? this.#backoff.next()));
    }
  }

  /** Until `ms` have passed (null: for ever) or something gives reason to try again. */
  #pause(ms: number | null): Promise<void> {
    return new Promise((resolve) => {
      const cancel = ms === null ? () => {} : this.#clock.after(ms, () => this.#wake());
      this.#resume = () => {
        cancel();
        resolve();
      };
      if (this.#woken || this.#stop.signal.aborted) this.#resume();
    });
  }

  /** Ends the pause, or lets the next one not begin when something happened while a try was under way. */
  #wake(): void {
    this.#woken = true;
    this.#resume();
  }

  /** From nothing to the end of an event stream. */
  async #connect(signal: AbortSignal): Promise<Outcome> {
    this.#woken = false;
    if (this.#guard.refused) return this.#refused();
    const place = this.#places.next(this.#identity());
    if (!place) return this.#nowhere();
    const driver = this.#driverAt(place);
    const info = await driver.identify(signal);
    if (signal.aborted) return { next: 'wait' };
    if (!info.ok) return this.#failed(info, driver);
    if (!isSame(info.value, this.#identity())) {
      this.#places.isForeign(place, info.value.serial || info.value.model);
      driver.close();
      this.#driver = null;
      return { next: 'now' };
    }
    const channels = await driver.channels(signal);
    const drift = await driver.clockDrift(signal);
    if (signal.aborted) return { next: 'wait' };
    if (this.#guard.refused) return this.#refused();
    this.#places.answered();
    this.#shows = null;
    this.#info = info.value;
    if (channels.ok) this.#channels = channels.value;
    this.#setState('online');
    this.#warnings.reached(this.#config, channels.ok ? null : channels.text, drift);
    return this.#listen(driver, signal);
  }

  async #listen(driver: Driver, signal: AbortSignal): Promise<Outcome> {
    let opened = Number.POSITIVE_INFINITY;
    const end = await driver.listen({
      signal,
      onOpen: () => {
        opened = this.#clock.mono();
        this.#streaming = true;
        this.#warnings.listening(this.#config);
        this.#log.info({ host: driver.host }, 'listening to the device');
      },
      onAlert: (alert) => this.#alert(alert),
      onUnreadable: () => this.#unreadable(),
    });
    this.#streaming = false;
    if (signal.aborted) return { next: 'wait' };
    if (end.how === 'failed') {
      if (end.failure.code !== 'device-error') return this.#failed(end.failure, driver);
      // It answers, but gives no events: say so, and see whether that changes.
      this.#warnings.noEvents(this.#config, end.failure.text);
      return { next: 'later', ms: NO_EVENTS_RETRY_MS };
    }
    this.#log.info({ host: driver.host, how: end.how }, end.text);
    const good = this.#clock.mono() - opened >= GOOD_STREAM_MS;
    if (good) this.#backoff.reset();
    if (end.how === 'lost' && !this.#guard.refused) this.#setState('connecting');
    // Some firmware closes the stream every 40 s or so: that is no reason to wait.
    return end.how === 'closed' && good ? { next: 'now' } : { next: 'later' };
  }

  #failed(f: IsapiFailure, { host, port }: Driver): Outcome {
    this.#log.info({ host, code: f.code, status: f.status }, f.text);
    if (this.#guard.refused) return this.#refused();
    if (f.code === 'device-not-activated') {
      this.#setState('notActivated');
      this.#warnings.notActivated(this.#config);
      return { next: 'later', ms: NOT_ACTIVATED_RETRY_MS };
    }
    if (f.code === 'device-locked') {
      // It said so before any credentials were sent: they may be right, so one try follows when it opens again.
      const unlockInMs = (f.unlockInMs ?? 0) + 5_000;
      this.#guard.refuse(this.#config.kind, f.text, true, true);
      this.#cancelUnlock = this.#clock.after(unlockInMs, () => this.#guard.reset());
      this.#warnings.locked(this.#config, f.text, unlockInMs);
      return { next: 'wait' };
    }
    this.#places.failed({ host, port });
    if (!this.#shows && !f.shown) this.#warnings.offline(this.#config, f.text);
    this.#setState('offline');
    void this.#look(f, { host, port });
    return { next: 'later' };
  }

  /** Whether it shows something else instead: a person is told, and may accept it. */
  async #look(f: IsapiFailure, place: Address): Promise<void> {
    const signal = this.#stop.signal;
    const shows = await shownInstead(f, { ...place, config: this.#config, clock: this.#clock, signal });
    if (signal.aborted || this.#state !== 'offline' || (!shows && !this.#shows)) return;
    this.#shows = shows;
    if (shows) this.#warnings.otherCertificate(this.#config, shows.certificate);
    else this.#warnings.offline(this.#config, f.text);
    this.#onChange();
  }

  #refused(): Outcome {
    const refusal = this.#guard.refused!;
    this.#setState(refusal.locked ? 'locked' : 'refused');
    if (!refusal.temporary) this.#warnings.refused(this.#config, refusal);
    return { next: 'wait' };
  }

  #nowhere(): Outcome {
    this.#setState('offline');
    this.#warnings.replaced(this.#config, this.#places.other());
    return { next: 'wait' };
  }

  #guardChanged(): void {
    // An event stream that is open is no new try, so it goes on; nothing else does.
    if (this.#guard.refused) this.#refused();
    else if (this.#streaming) this.#setState('online');
    this.#wake();
  }

  #alert(alert: Alert): Promise<void> | void {
    this.#fold.alert(alert, alert.channel);
    return this.#unwritten > MAX_UNWRITTEN ? this.#lastWrite : undefined;
  }

  #unreadable(): void {
    this.#warnings.unreadable(this.#config, true);
    this.#cancelUnreadable();
    this.#cancelUnreadable = this.#clock.after(UNREADABLE_MS, () => this.#warnings.unreadable(this.#config, false));
  }

  /** Hands records to the journal at once; their order is that of the calls. */
  #record(records: NewRecord[]): void {
    this.#unwritten += records.length;
    this.#lastWrite = this.#append(records)
      .then(
        () => this.#warnings.recorded(this.#config),
        (error) => this.#warnings.notRecorded(this.#config, (error as Error).message),
      )
      .finally(() => {
        this.#unwritten -= records.length;
      });
  }

  #driverAt(place: Address): Driver {
    if (this.#driver && sameAddress(place, this.#driver)) return this.#driver;
    this.#driver?.close();
    const { kind, tls, username, password } = this.#config;
    this.#driver = driverFor(kind, {
      ...place,
      tls,
      username,
      password,
      guard: this.#guard,
      clock: this.#clock,
      log: this.#log,
      watchdogMs: this.#watchdogMs,
    });
    return this.#driver;
  }

  #setState(state: DeviceState): void {
    if (state === 'offline') this.#offline.gone(this.#config.name);
    else if (state !== 'connecting') this.#offline.back();
    if (state !== this.#state) {
      this.#state = state;
      this.#since = this.#clock.now();
    }
    this.#onChange();
  }
}
