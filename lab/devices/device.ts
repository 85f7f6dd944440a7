import { type Loudspeaker, plainBackchannel } from '../camera/backchannel-session.ts';
import { Recordings } from '../camera/recordings.ts';
import type { RtspFront } from '../camera/rtsp-front.ts';
import type { Coding } from '../camera/video.ts';
import { AlertStreams } from '../isapi/alert-stream.ts';
import { type DigestLogin, LoginCounter } from '../isapi/digest.ts';
import { Documents } from '../isapi/documents.ts';
import { jsonHeartbeat, pictureAlert } from '../isapi/event-words.ts';
import { DeviceEvents, type Emitted } from '../isapi/events.ts';
import { tellsCenter } from '../isapi/parts/trigger.ts';
import { type Handlers, IsapiServer } from '../isapi/server.ts';
import { SessionLogin } from '../isapi/session-login.ts';
import { Heard } from '../talk/heard.ts';
import type { Addresses } from './addresses.ts';
import { Factory, type Kept } from './factory.ts';
import { digestOf, rtspDigestOf } from './logins.ts';
import { type DeviceProfile, isIsapi } from './profile.ts';

/** A group of functions of a device: documents that it adds, requests that it answers, state that tests look at. */
export interface Part extends Handlers {
  state?(): Record<string, unknown>;
  stop?(): void;
  /** It has its address and listens; and no longer. */
  up?(address: string): void;
  down?(): void;
  /** Back to the factory's settings. */
  reset?(mode: 'basic' | 'full'): void;
  /** What tests do to it, over the control API; what it gives is the answer. */
  control?: Record<string, (body: Record<string, unknown>) => unknown>;
}
export type MakePart = (device: Device) => Part;

export interface DeviceOptions {
  profile: DeviceProfile;
  httpPort: number;
  parts: MakePart[];
  addresses: Addresses;
  /** Another device on the LAN, by the address that it has now. */
  neighbour: (address: string) => Device | undefined;
  neighbours: () => Device[];
  rtsp: ((login: DigestLogin, recordings: Recordings, loudspeaker: Loudspeaker | null) => RtspFront) | null;
  snapshot: () => Promise<Buffer>;
  record: (emitted: Emitted) => void;
  onLabel: (text: string) => void;
  /** Its main stream is coded in another way from now on. */
  onCoding: (coding: Partial<Coding>) => void;
  /** Where a device from the factory keeps the password that it was given. */
  kept: Kept;
  /** Where a recorder keeps its channels. */
  keptChannels: Kept;
  /** How long it is gone when it restarts. */
  restartMs?: number;
}

/** One simulated device on its own address, with one count of failed logins whatever the protocol. */
export class Device {
  readonly profile: DeviceProfile;
  readonly logins = new LoginCounter();
  readonly factory: Factory;
  readonly documents: Documents;
  readonly streams: AlertStreams;
  readonly events: DeviceEvents;
  readonly session: SessionLogin | null;
  readonly rtsp: RtspFront | null;
  /** What it has recorded. */
  readonly recordings: Recordings;
  /** Of an ONVIF camera: what is spoken to by RTSP. */
  readonly loudspeaker: Loudspeaker | null;
  readonly parts: Part[];
  readonly snapshot: () => Promise<Buffer>;
  readonly neighbour: DeviceOptions['neighbour'];
  readonly neighbours: DeviceOptions['neighbours'];
  readonly bootedAt = { ms: Date.now() };
  /** Those of ONVIF, which are others than the device's own. */
  readonly onvifUsers = new Map<string, string>();
  /** Further users and their passwords. */
  readonly users = new Map<string, string>();
  readonly keptChannels: Kept;
  readonly #options: DeviceOptions;
  readonly #server: IsapiServer;
  #restart: NodeJS.Timeout | null = null;
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;
  /** How often it was restarted, and why last. */
  restarts = 0;
  powered = true;
  /** Called when its address changed or it came back: it says hello again. */
  onAppear: () => void = () => {};

  constructor(options: DeviceOptions) {
    const { profile } = options;
    this.#options = options;
    this.profile = profile;
    this.snapshot = options.snapshot;
    this.neighbour = options.neighbour;
    this.neighbours = options.neighbours;
    this.keptChannels = options.keptChannels;
    this.factory = new Factory(profile.password ?? options.kept.read(), options.kept.write);
    this.documents = new Documents(profile.odd.missing);
    this.streams = new AlertStreams(profile, () => this.#heartbeat());
    this.events = new DeviceEvents({
      profile,
      streams: this.streams,
      httpPort: () => this.httpPort,
      record: options.record,
      onLabel: options.onLabel,
      tells: (type, channel) => tellsCenter(this.documents, type, channel),
    });
    const password = (user: string) => this.passwordOf(user);
    const { login } = profile.odd;
    this.session =
      login === 'digest'
        ? null
        : new SessionLogin({
            password,
            counter: this.logins,
            irreversible: true,
            salt2: login === 'both',
            cookie: login === 'both' ? 'WebSession_4c41420001' : 'WebSession',
          });
    this.recordings = new Recordings(profile);
    this.loudspeaker = isIsapi(profile.kind)
      ? null
      : { odd: { ...plainBackchannel }, heard: new Heard(), speaking: new Set(), sessionsTotal: 0, packets: [] };
    const rtspLogin = rtspDigestOf(profile, this.logins, password);
    this.rtsp = options.rtsp?.(rtspLogin, this.recordings, this.loudspeaker) ?? null;
    this.parts = options.parts.map((make) => make(this));
    this.#server = new IsapiServer({
      profile,
      port: options.httpPort,
      digest: login === 'session' ? null : digestOf(profile, this.logins, password),
      session: this.session,
      factory: this.factory,
      counter: this.logins,
      documents: this.documents,
      handlers: this.parts,
    });
  }

  get name(): string {
    return this.profile.name;
  }
  get httpPort(): number {
    return this.#server.listeners.port;
  }
  /** Where its web server is, as it writes it into its own answers. */
  get origin(): string {
    const { scheme, port } = this.#server.listeners.origin;
    return `${scheme}://${this.profile.address}:${port}`;
  }
  /** SHA-256 of what it shows; null: plain HTTP. */
  get certificate(): string | null {
    return this.#server.listeners.fingerprint;
  }
  get rtspPort(): number {
    return this.rtsp?.port ?? 554;
  }
  get onvif(): boolean {
    return this.profile.odd.onvif;
  }
  /** Where its services are, as the odd ones say it in WS-Discovery. */
  get xaddrs(): string | undefined {
    return this.profile.kind === 'onvif-odd' ? `http://0.0.0.0:${this.httpPort}/onvif/device_service` : undefined;
  }
  /** Whether it can be reached over TCP. */
  get up(): boolean {
    return this.#server.listeners.listening;
  }
  get delayMs(): number {
    return this.#server.delayMs;
  }
  set delayMs(ms: number) {
    this.#server.delayMs = ms;
  }

  /** Whoever watches is cut off when the codec is another one, as when a camera starts its encoder anew. */
  async code(coding: Partial<Coding>): Promise<void> {
    this.#options.onCoding(coding);
    if (coding.codec === undefined && coding.sound === undefined) return;
    await this.rtsp?.stop();
    if (this.powered) await this.rtsp?.start();
  }

  passwordOf(user: string): string | null {
    if (user === this.profile.username) return this.factory.password;
    return this.users.get(user) ?? null;
  }

  async start(): Promise<void> {
    this.streams.start();
    await this.#up();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.events.stop();
    this.streams.stop();
    for (const part of this.parts) part.stop?.();
    await this.#down();
  }

  /** Gone for a few seconds, as after a restart. */
  restart(afterMs = 100): void {
    this.restarts++;
    this.#later(afterMs, async () => {
      await this.power(false);
      this.#restart = this.#later(this.#options.restartMs ?? 2000, () => this.power(true));
    });
  }

  async power(on: boolean): Promise<void> {
    if (this.#restart) clearTimeout(this.#restart);
    if (on === this.powered) return;
    this.powered = on;
    if (!on) return this.#down();
    this.bootedAt.ms = Date.now();
    await this.#up();
    this.onAppear();
  }

  /** It makes another certificate, as when somebody asks for that on its page. */
  async renewCertificate(): Promise<void> {
    this.#server.listeners.renew();
    await this.power(false);
    await this.power(true);
  }

  /** New network settings; the old address is left a moment after the answer is out. */
  moveTo(to: { address?: string; mask?: string; gateway?: string; dhcp?: boolean }): void {
    const moves = to.address !== undefined && to.address !== this.profile.address;
    const { mask = this.profile.mask, gateway = this.profile.gateway, dhcp = this.profile.dhcp } = to;
    Object.assign(this.profile, { mask, gateway, dhcp });
    if (!moves) return;
    this.#later(100, async () => {
      await this.#down();
      await this.#options.addresses.leave(this.profile.address);
      this.profile.address = to.address!;
      if (this.powered) await this.#up();
      this.onAppear();
    });
  }

  resetSettings(mode: 'basic' | 'full'): void {
    this.documents.reset((path) => mode === 'basic' && /^\/(System\/Network|Security)/.test(path));
    for (const part of this.parts) part.reset?.(mode);
    if (mode === 'full') {
      this.users.clear();
      this.#server.listeners.renew();
      this.factory.reset();
    }
  }

  state() {
    return {
      activated: this.factory.activated,
      passwordNow: this.factory.activated ? this.factory.password : null,
      powered: this.powered,
      reachable: this.up,
      restarts: this.restarts,
      failedLogins: this.logins.failedLogins,
      locked: this.logins.locked,
      alertStreams: this.streams.count,
      sessions: this.session?.sessions ?? 0,
      httpRequests: this.#server.requests,
      origin: this.origin,
      certificate: this.certificate,
      rtspSessions: this.rtsp?.sessions ?? 0,
      rtspSessionsTotal: this.rtsp?.sessionsTotal ?? 0,
      videoMode: this.rtsp?.mode ?? null,
      ...Object.assign({}, ...this.parts.map((part) => part.state?.() ?? {})),
    };
  }

  #later(ms: number, then: () => Promise<void>): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#stopped) then().catch(() => {});
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  async #up(): Promise<void> {
    const { address } = this.profile;
    // An address in a foreign subnet is one that this machine may not have: then only SADP reaches the device.
    if (!(await this.#options.addresses.take(address))) return;
    try {
      await this.#server.listeners.start(address);
      await this.rtsp?.start(address);
    } catch (error) {
      // Two devices with one address: whoever came first has it.
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE' && this.#options.neighbour(address);
      if (!taken) throw error;
      return;
    }
    for (const part of this.parts) part.up?.(address);
  }

  async #down(): Promise<void> {
    this.session?.end();
    for (const part of this.parts) part.down?.();
    await this.rtsp?.stop();
    await this.#server.listeners.stop();
  }

  #heartbeat(): string {
    const { odd } = this.profile;
    if (odd.boundary === 'MIME_boundary') return jsonHeartbeat(this.profile, this.httpPort, Date.now());
    const fields = { type: 'videoloss', state: 'inactive', count: 0, uuid: null, channel: 1 } as const;
    return pictureAlert(this.profile, this.httpPort, Date.now(), fields);
  }
}
