import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import type { DeviceCategory } from '../../protocol/wire/operations.ts';
import type { LoginGuard } from '../devices/login-guard.ts';
import type { Driver, DriverChannel } from '../drivers/driver.ts';
import { FeatureDriver } from '../drivers/feature-driver.ts';
import { FeatureSet, oneByOne } from '../drivers/feature-set.ts';
import { type Alert, videoChannel } from './alert.ts';
import { AlertStream, type StreamEnd } from './alert-stream.ts';
import { failure, type Result } from './answer.ts';
import { BesideStream } from './beside-stream.ts';
import { categoryOf } from './category.ts';
import { hostHeader, IsapiClient } from './client.ts';
import { type Channel, type DeviceInfo, readChannels, readDeviceInfo, readRtspPort, readSnapshot } from './device.ts';
import { readClockDrift } from './device-time.ts';
import { ISAPI_FEATURES } from './features/index.ts';
import { IsapiDevice } from './isapi-device.ts';

const CAMERAS: readonly DeviceCategory[] = ['camera', 'ptzCamera', 'thermalCamera', 'doorStation', 'doorbell'];

/** A device that works by ISAPI: cameras, recorders, intercom, access control, panels, radars, speakers. */
export class IsapiDriver extends FeatureDriver<IsapiDevice> implements Driver {
  readonly #client: IsapiClient;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #watchdogMs: number | undefined;
  readonly #changes = oneByOne();
  #info: DeviceInfo | null = null;
  #channels: Channel[] = [];
  #features: FeatureSet<IsapiDevice> | null = null;
  #stream: AlertStream | null = null;

  constructor(o: {
    host: string;
    port: number;
    tls?: DeviceTls;
    username: string;
    password: string;
    guard: LoginGuard;
    clock: Clock;
    log: Logger;
    /** A stream without a byte for so long is dead. */
    watchdogMs?: number;
    /** Do not log in when the device says that so few tries (or fewer) are left. */
    reserveTries?: number;
  }) {
    super();
    this.#client = new IsapiClient(o);
    this.#clock = o.clock;
    this.#log = o.log;
    this.#watchdogMs = o.watchdogMs;
  }

  get host(): string {
    return this.#client.host;
  }
  get port(): number {
    return this.#client.port;
  }

  async identify(signal?: AbortSignal): Promise<Result<DeviceInfo>> {
    const info = await readDeviceInfo(this.#client, signal);
    if (info.ok) {
      this.#info = info.value;
      this.#features = null;
    }
    return info;
  }

  async channels(signal?: AbortSignal): Promise<Result<DriverChannel[]>> {
    const camera = this.#info !== null && CAMERAS.includes(categoryOf(this.#info));
    const channels = await readChannels(this.#client, this.#info?.recorder ?? false, signal, { camera });
    if (!channels.ok) return channels;
    this.#channels = channels.value;
    this.#features = null;
    if (channels.value.length === 0) return { ok: true, value: [] };
    const at = `rtsp://${hostHeader(this.host, 80)}:${await readRtspPort(this.#client, signal)}`;
    const value = channels.value.map(({ channel, name, sub }) => ({
      channel,
      name,
      rtspUrl: `${at}/Streaming/Channels/${channel}01`,
      sub: sub ? `${at}/Streaming/Channels/${channel}02` : null,
    }));
    return { ok: true, value };
  }

  clockDrift(signal?: AbortSignal): Promise<number | null> {
    return readClockDrift(this.#client, () => this.#clock.now(), signal);
  }

  async listen(o: Parameters<Driver['listen']>[0]): Promise<StreamEnd> {
    const ended = new AbortController();
    const device = this.device();
    const beside = device
      ? new BesideStream({
          device,
          category: categoryOf(device.info),
          onAlert: o.onAlert,
          signal: AbortSignal.any([o.signal, ended.signal]),
        })
      : null;
    const stream = new AlertStream({
      client: this.#client,
      clock: this.#clock,
      log: this.#log,
      watchdogMs: this.#watchdogMs,
      onOpen: () => {
        o.onOpen();
        beside?.opened();
      },
      onAlert: async (alert) => o.onAlert(this.#counted(beside ? await beside.pass(alert) : alert)),
      onUnreadable: o.onUnreadable,
    });
    this.#stream = stream;
    try {
      return await stream.run(o.signal);
    } finally {
      ended.abort();
      this.#stream = null;
    }
  }

  /** With the channel as streams and people count it. */
  #counted(alert: Alert): Alert {
    if (alert.type === 'alarmInput') return alert;
    const known = this.#channels.map((c) => c.channel);
    return { ...alert, channel: videoChannel(alert.channel, this.#info?.recorder ?? false, known) };
  }

  check(): void {
    this.#stream?.check();
  }

  async snapshot(channel: number): Promise<Result<Buffer>> {
    if (!this.#channels.some((c) => c.channel === channel)) return failure('not-found', 'It has no such channel.');
    return readSnapshot(this.#client, channel, this.#info?.recorder ?? false);
  }

  /** The device as its features see it; for work that is more than one operation (initialisation, upgrade). */
  device(): IsapiDevice | null {
    if (!this.#info) return null;
    return new IsapiDevice({
      client: this.#client,
      info: this.#info,
      channels: this.#channels,
      clock: this.#clock,
      log: this.#log,
    });
  }

  protected features(): FeatureSet<IsapiDevice> | null {
    const device = this.#features ? null : this.device();
    if (device) {
      const category = categoryOf(device.info);
      const missed = () => this.#client.missed;
      this.#features = new FeatureSet({ features: ISAPI_FEATURES, device, category, missed, changes: this.#changes });
    }
    return this.#features;
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
