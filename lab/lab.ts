import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import type { Logger } from 'pino';
import { AppendLog } from './append-log.ts';
import { ArcCentre } from './arc/centre.ts';
import type { ArcLabAccount } from './arc/receiver.ts';
import { type Coding, Video } from './camera/video.ts';
import { createControl, type DeviceItem, type FaultTarget } from './control.ts';
import { Addresses } from './devices/addresses.ts';
import type { Device } from './devices/device.ts';
import { makeDevice } from './devices/make.ts';
import { profilesOf } from './devices/profiles.ts';
import type { DeviceSpec } from './devices/spec.ts';
import { SadpResponder } from './discovery/sadp.ts';
import { WsdResponder } from './discovery/ws-discovery.ts';
import { FaultProxy } from './faults/fault-proxy.ts';
import type { Emitted } from './isapi/events.ts';

export interface LabOptions {
  port: number;
  data: string;
  /** First three bytes of every address, e.g. `127.77.0.` */
  base: string;
  /** Null: loopback. Otherwise one that the lab has to itself: it gives it the devices' addresses. */
  interface: string | null;
  cameras: number;
  /** Further cameras, as they leave the factory. */
  unactivated: number;
  devices: DeviceSpec[];
  /** That many more of mixed kinds, as they leave the factory and without video. */
  many: number;
  httpPort: number;
  rtspPort: number;
  sadpPort: number;
  wsdPort: number;
  fps: number;
  kbps: number;
  /** Of every camera's main stream, and what its microphone sends. */
  codec: Coding['codec'];
  sound: Coding['sound'];
  video: boolean;
  python: string;
  accounts: ArcLabAccount[];
  /** The receiver's own, behind the two proxies. */
  receiverPort: number;
  arcDirectPort: number;
  arcRelayPort: number;
  /** Where the box-relay proxy forwards; null: there is none. */
  relay: { host: string; port: number } | null;
  boxRelayPort: number;
  log: Logger;
}

/** A customer's LAN on one machine. */
export class Lab {
  readonly #options: LabOptions;
  readonly #emittedLog: AppendLog<Emitted>;
  readonly #emitted: Emitted[] = [];
  readonly #devices: Device[];
  readonly #addresses: Addresses;
  readonly #video: Video | null;
  readonly #centre: ArcCentre;
  readonly #proxies = new Map<FaultTarget, FaultProxy>();
  #sadp: SadpResponder | null = null;
  #wsd: WsdResponder | null = null;
  #control: Server | null = null;

  constructor(options: LabOptions) {
    this.#options = options;
    const { base, httpPort, rtspPort, python, log, data } = options;
    const profiles = profilesOf(options);
    this.#emittedLog = new AppendLog(join(data, 'emitted.jsonl'));
    this.#centre = new ArcCentre({ base, port: options.receiverPort, data, accounts: options.accounts });
    const filmed = profiles
      .filter(({ name }) => name.startsWith('camera-'))
      .slice(0, options.cameras + options.unactivated);
    this.#video = options.video && filmed.length > 0 ? new Video({ cameras: filmed, python, log }) : null;
    this.#addresses = new Addresses(options.interface);
    const record = (emitted: Emitted) => {
      this.#emittedLog.append(emitted);
      this.#emitted.push(emitted);
    };
    this.#devices = profiles.map((profile) =>
      makeDevice({
        profile,
        httpPort,
        rtspPort,
        data,
        record,
        addresses: this.#addresses,
        video: this.#video,
        // Devices other than cameras show what the first camera sees.
        films: filmed.includes(profile) ? profile : (filmed[0] ?? profile),
        neighbours: () => this.#devices,
      }),
    );
  }

  async start(): Promise<void> {
    const { data, sadpPort, wsdPort, port, base } = this.#options;
    mkdirSync(data, { recursive: true });
    this.#emitted.push(...this.#emittedLog.open());
    await this.#video?.start();
    for (const device of this.#devices) await device.start();
    const local = this.#options.interface === null ? '127.0.0.1' : `${base}21`;
    for (const n of [21, 22, 31, 32, 41]) await this.#addresses.take(`${base}${n}`);
    const devices = this.#devices;
    this.#sadp = new SadpResponder({ devices, port: sadpPort, local });
    await this.#sadp.start();
    this.#wsd = new WsdResponder({ devices, port: wsdPort, local });
    await this.#wsd.start();
    for (const device of devices)
      device.onAppear = () => {
        void this.#sadp?.appear(device);
        void this.#wsd?.appear(device);
      };
    await this.#startProxies();
    const app = createControl({
      devices,
      items: () => this.#items(),
      emitted: () => this.#emitted,
      centre: this.#centre,
      proxies: this.#proxies,
    });
    this.#control = createAdaptorServer({ fetch: app.fetch, hostname: '127.0.0.1' }) as Server;
    this.#control.listen(port, '127.0.0.1');
    await once(this.#control, 'listening');
  }

  async #startProxies(): Promise<void> {
    const { base, arcDirectPort, arcRelayPort, relay, boxRelayPort } = this.#options;
    await this.#centre.start();
    const arc = (via: 'direct' | 'relay', host: string, port: number) =>
      new FaultProxy({
        host,
        port,
        dc09: true,
        upstream: { host: `${base}${via === 'direct' ? 31 : 32}`, port: this.#centre.receivers[via].port },
        onSwallowed: (answer) => this.#centre.swallowed(via, answer),
      });
    this.#proxies.set('arc-direct', arc('direct', `${base}21`, arcDirectPort));
    this.#proxies.set('arc-relay', arc('relay', `${base}22`, arcRelayPort));
    if (relay)
      this.#proxies.set(
        'box-relay',
        new FaultProxy({ host: `${base}41`, port: boxRelayPort, upstream: relay, dc09: false }),
      );
    for (const proxy of this.#proxies.values()) await proxy.start();
  }

  async stop(): Promise<void> {
    this.#control?.close();
    this.#control?.closeAllConnections();
    this.#sadp?.stop();
    await this.#wsd?.stop();
    for (const device of this.#devices) await device.stop();
    for (const proxy of this.#proxies.values()) await proxy.stop();
    await this.#centre.stop();
    await this.#video?.stop();
    await this.#addresses.stop();
    this.#emittedLog.close();
  }

  /** What the `ready` line says. */
  ready() {
    const port = (this.#control?.address() as AddressInfo).port;
    const address = (target: FaultTarget) => {
      const proxy = this.#proxies.get(target);
      return proxy ? { host: proxy.host, port: proxy.port } : null;
    };
    const boxRelay = address('box-relay');
    return {
      control: `http://127.0.0.1:${port}`,
      devices: this.#items(),
      sadpPort: this.#sadp!.port,
      wsdPort: this.#wsd!.port,
      arc: { direct: address('arc-direct')!, relay: address('arc-relay')!, accounts: this.#options.accounts },
      boxRelay: boxRelay && { ...boxRelay, url: `http://${boxRelay.host}:${boxRelay.port}` },
    };
  }

  #items(): DeviceItem[] {
    return this.#devices.map(({ profile, httpPort, rtspPort }) => {
      const { name, kind, address, mac, serial, username } = profile;
      const password = profile.password ?? '';
      return { name, kind, address, httpPort, rtspPort, mac, serial, username, password };
    });
  }
}
