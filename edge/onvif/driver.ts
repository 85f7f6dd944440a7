import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import type { DeviceCategory } from '../../protocol/wire/operations.ts';
import type { LoginGuard } from '../devices/login-guard.ts';
import { tcpPing } from '../discovery/ping.ts';
import type { DeviceInfo, Driver, DriverChannel } from '../drivers/driver.ts';
import { FeatureDriver } from '../drivers/feature-driver.ts';
import { FeatureSet, oneByOne } from '../drivers/feature-set.ts';
import type { StreamEnd } from '../isapi/alert-stream.ts';
import { failure, type Result } from '../isapi/answer.ts';
import { OnvifClient } from './client.ts';
import { ONVIF_FEATURES } from './features/index.ts';
import { inputs } from './features/inputs-outputs.ts';
import { type Identity, readIdentity } from './identity.ts';
import { type Media, type Profile, readMedia, readSnapshot, readStreamUri, type Source } from './media.ts';
import { OnvifDevice } from './onvif-device.ts';
import { PullPoint } from './pull-point.ts';
import { readServices, type Services } from './services.ts';
import { EventStates } from './states.ts';
import { meaningOf, type Notification, readNotification } from './topics.ts';

/** Entry points, the usual one first. */
const ENTRIES = ['/onvif/device_service', '/onvif/services', '/onvif/device'];
const PING_MS = 3_000;

/** Any device that speaks ONVIF (profiles S, T): video, events, moving, outputs, picture (onvif.md). */
export class OnvifDriver extends FeatureDriver<OnvifDevice> implements Driver {
  readonly host: string;
  readonly port: number;
  readonly #client: OnvifClient;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #changes = oneByOne();
  #identity: Identity | null = null;
  #services: Services = {};
  #media: Media = { service: 'media', sources: [] };
  #features: FeatureSet<OnvifDevice> | null = null;
  #device: OnvifDevice | null = null;
  #pulling: PullPoint | null = null;

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
    super();
    this.host = o.host;
    this.port = o.port;
    this.#client = new OnvifClient(o);
    this.#clock = o.clock;
    this.#log = o.log;
  }

  async identify(signal?: AbortSignal): Promise<Result<DeviceInfo>> {
    let services: Result<Services> = failure('device-error', 'It has no ONVIF service.');
    for (const path of this.#identity ? [this.#client.device.path] : ENTRIES) {
      this.#client.device.path = path;
      services = await readServices(this.#client, signal);
      if (services.ok || services.status !== 404) break;
    }
    if (!services.ok) return services;
    const identity = await readIdentity(this.#client, signal);
    if (!identity.ok) return identity;
    this.#services = services.value;
    this.#identity = identity.value;
    this.#forget();
    const { name, model, serial, mac, firmware } = identity.value;
    // Channels come counted from 1: nothing has to be taken off them, as with recorders of another kind.
    return { ok: true, value: { name, model, serial, mac, firmware, deviceType: 'ONVIF', recorder: false } };
  }

  async channels(signal?: AbortSignal): Promise<Result<DriverChannel[]>> {
    const media = await readMedia(this.#client, this.#services, signal);
    if (!media.ok) return media;
    this.#media = media.value;
    this.#forget();
    const value: DriverChannel[] = [];
    let last: Result<string> | null = null;
    for (const source of media.value.sources) {
      const { channel, streams } = source;
      const uri = await this.#streamOf(streams, signal);
      // The smallest of the others is what a grid of pictures wants.
      const others = streams.slice(1).filter((p) => /^H\.?26[45]$/.test(p.encoding));
      const sub = uri.ok && others.length > 0 ? await this.#streamOf(others.reverse(), signal) : null;
      const other = sub?.ok && uri.ok && sub.value !== uri.value ? sub.value : null;
      if (uri.ok) value.push({ channel, name: this.#nameOf(source), rtspUrl: uri.value, sub: other });
      else if (uri.code !== 'device-error') return uri;
      else last = uri;
    }
    return value.length === 0 && last && !last.ok ? last : { ok: true, value };
  }

  /** The first of these streams that has an address. */
  async #streamOf(streams: Profile[], signal?: AbortSignal): Promise<Result<string>> {
    let uri: Result<string> = failure('device-error', 'It has no stream.');
    for (const stream of streams) {
      uri = await readStreamUri(this.#client, this.#services, stream.token, signal);
      if (uri.ok || uri.code !== 'device-error') break;
    }
    return uri;
  }

  #nameOf({ name }: Source): string {
    return this.#media.sources.length === 1 && this.#identity?.name ? this.#identity.name : name;
  }

  clockDrift(signal?: AbortSignal): Promise<number | null> {
    return this.#client.clockAhead(signal);
  }

  async listen(o: Parameters<Driver['listen']>[0]): Promise<StreamEnd> {
    const { events } = this.#services;
    const device = this.device();
    if (!events || !device) return { how: 'failed', failure: failure('device-error', 'It offers no events.') };
    const tokens = await inputs(device, o.signal);
    let kept: Promise<void> | void;
    const states = new EventStates({
      clock: this.#clock,
      onAlert: (alert) => {
        kept = o.onAlert(alert);
      },
    });
    const pulling = new PullPoint({
      client: this.#client,
      events,
      clock: this.#clock,
      log: this.#log,
      onOpen: o.onOpen,
      onMessage: (element) => {
        kept = undefined;
        const notification = readNotification(element);
        if (!notification) {
          o.onUnreadable();
          return;
        }
        const meaning = meaningOf(notification);
        if (meaning) states.take(notification, meaning, this.#channelOf(notification, meaning.type, tokens));
        return kept;
      },
      onUnreadable: o.onUnreadable,
    });
    this.#pulling = pulling;
    try {
      return await pulling.run(o.signal);
    } finally {
      states.stop();
      this.#pulling = null;
    }
  }

  /** The channel or input that a message is about; of a device with one channel it is that, whatever token stands there. */
  #channelOf({ source }: Notification, type: string, inputTokens: string[]): number | null {
    const values = [...source.values()].map((v) => v.trim().toLowerCase()).filter(Boolean);
    if (type === 'alarmInput') {
      const at = inputTokens.findIndex((t) => values.includes(t.toLowerCase()));
      if (at >= 0) return at + 1;
      const digits = /(\d{1,3})\D*$/.exec(values[0] ?? '')?.[1];
      return inputTokens.length === 1 ? 1 : digits === undefined ? null : Number(digits) || null;
    }
    if (type === 'diskError' || type === 'diskFull' || type === 'illegalLogin') return null;
    const { sources } = this.#media;
    const named = sources.find((s) =>
      [s.token, ...s.profiles.flatMap((p) => [p.sourceConfiguration, p.analytics, p.token])].some(
        (t) => t !== '' && values.includes(t.toLowerCase()),
      ),
    );
    return named?.channel ?? (sources.length === 1 ? 1 : null);
  }

  check(): void {
    const pulling = this.#pulling;
    if (!pulling) return;
    const ping = () => tcpPing(this.host, this.port, PING_MS, this.#clock);
    void ping()
      .then((ms) => ms ?? ping())
      .then((ms) => {
        if (ms === null) pulling.lost('It does not answer any more.');
      });
  }

  async snapshot(channel: number): Promise<Result<Buffer>> {
    const source = this.#media.sources.find((s) => s.channel === channel);
    const [stream] = source?.streams ?? [];
    if (!stream) return failure('not-found', 'It has no such channel.');
    return readSnapshot(this.#client, this.#services, stream.token);
  }

  #forget(): void {
    this.#features = null;
    this.#device = null;
  }

  /** As it is connected now; null: it was not reached yet. */
  device(): OnvifDevice | null {
    if (!this.#identity) return null;
    this.#device ??= new OnvifDevice({
      client: this.#client,
      services: this.#services,
      identity: this.#identity,
      media: this.#media,
      log: this.#log,
    });
    return this.#device;
  }

  protected features(): FeatureSet<OnvifDevice> | null {
    const device = this.device();
    if (!device) return null;
    this.#features ??= new FeatureSet({
      features: ONVIF_FEATURES,
      device,
      category: categoryOf(this.#media.sources),
      missed: () => this.#client.missed,
      changes: this.#changes,
    });
    return this.#features;
  }

  /** What listens says its last words all the same: the device keeps few subscriptions. */
  close(): Promise<void> {
    return this.#client.close();
  }
}

const categoryOf = (sources: Source[]): DeviceCategory =>
  sources.length > 1 ? 'nvr' : sources.some((s) => s.profiles.some((p) => p.ptz !== '')) ? 'ptzCamera' : 'camera';
