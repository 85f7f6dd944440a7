import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import type { Logger } from 'pino';
import { AppendLog } from './append-log.ts';
import { ArcCentre } from './arc/centre.ts';
import type { ArcLabAccount } from './arc/receiver.ts';
import { Camera } from './camera/camera.ts';
import type { Emitted } from './camera/events.ts';
import { cameraProfile } from './camera/profile.ts';
import { SadpResponder } from './camera/sadp.ts';
import { Video } from './camera/video.ts';
import { WsdResponder } from './camera/ws-discovery.ts';
import { createControl, type DeviceItem, type FaultTarget } from './control.ts';
import { FaultProxy } from './faults/fault-proxy.ts';

export interface LabOptions {
  port: number;
  data: string;
  /** First three bytes of every address, e.g. `127.77.0.` */
  base: string;
  cameras: number;
  /** Further cameras, as they leave the factory. */
  unactivated: number;
  httpPort: number;
  rtspPort: number;
  sadpPort: number;
  wsdPort: number;
  fps: number;
  kbps: number;
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

const keptIn = (file: string) => ({
  read: () => (existsSync(file) ? readFileSync(file, 'utf8') : null),
  write: (password: string | null) =>
    password === null ? rmSync(file, { force: true }) : writeFileSync(file, password),
});

/** A customer's LAN on one machine. */
export class Lab {
  readonly #options: LabOptions;
  readonly #emittedLog: AppendLog<Emitted>;
  readonly #emitted: Emitted[] = [];
  readonly #cameras: Camera[];
  readonly #video: Video | null;
  readonly #centre: ArcCentre;
  readonly #proxies = new Map<FaultTarget, FaultProxy>();
  #sadp: SadpResponder | null = null;
  #wsd: WsdResponder | null = null;
  #control: Server | null = null;

  constructor(options: LabOptions) {
    this.#options = options;
    const { base, cameras, fps, kbps, httpPort, rtspPort, video, python, log } = options;
    const profiles = Array.from({ length: cameras + options.unactivated }, (_, i) => ({
      ...cameraProfile(i + 1, base, { fps, kbps }),
      ...(i < cameras ? {} : { password: null }),
    }));
    this.#emittedLog = new AppendLog(join(options.data, 'emitted.jsonl'));
    this.#centre = new ArcCentre({ base, port: options.receiverPort, data: options.data, accounts: options.accounts });
    this.#video = video ? new Video({ cameras: profiles, python, log }) : null;
    const record = (emitted: Emitted) => {
      this.#emittedLog.append(emitted);
      this.#emitted.push(emitted);
    };
    this.#cameras = profiles.map((profile) => {
      const kept = keptIn(join(options.data, `${profile.name}.password`));
      return new Camera({ profile, httpPort, rtspPort, video: this.#video, record, kept });
    });
  }

  async start(): Promise<void> {
    const { data, sadpPort, wsdPort, port } = this.#options;
    mkdirSync(data, { recursive: true });
    this.#emitted.push(...this.#emittedLog.open());
    await this.#video?.start();
    for (const camera of this.#cameras) await camera.start();
    const cameras = this.#cameras.map(({ profile, httpPort, factory }) => ({ profile, httpPort, factory }));
    this.#sadp = new SadpResponder({ cameras, port: sadpPort });
    await this.#sadp.start();
    this.#wsd = new WsdResponder({ cameras, port: wsdPort });
    await this.#wsd.start();
    await this.#startProxies();
    const app = createControl({
      cameras: this.#cameras,
      devices: () => this.#devices(),
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
        ...{ host, port, dc09: true },
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
    for (const camera of this.#cameras) await camera.stop();
    for (const proxy of this.#proxies.values()) await proxy.stop();
    await this.#centre.stop();
    await this.#video?.stop();
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
      devices: this.#devices(),
      sadpPort: this.#sadp!.port,
      wsdPort: this.#wsd!.port,
      arc: { direct: address('arc-direct')!, relay: address('arc-relay')!, accounts: this.#options.accounts },
      boxRelay: boxRelay && { ...boxRelay, url: `http://${boxRelay.host}:${boxRelay.port}` },
    };
  }

  #devices(): DeviceItem[] {
    return this.#cameras.map(({ profile, httpPort, rtspPort }) => {
      const { name, address, mac, serial, username } = profile;
      const password = profile.password ?? '';
      return { name, kind: 'camera', address, httpPort, rtspPort, mac, serial, username, password };
    });
  }
}
