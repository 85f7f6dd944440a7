import { statfsSync } from 'node:fs';
import { type Clock, iso } from '../protocol/clock.ts';
import type { DeviceHealth, Health } from '../protocol/wire/uplink.ts';
import type { ArcService } from './arc/service.ts';
import type { DeviceManager } from './devices/manager.ts';
import type { PanelIn } from './panel-in/panel-in.ts';
import type { TunnelClient } from './tunnel/client.ts';
import type { Uplink } from './uplink/uplink.ts';
import type { UploadQueue } from './upload/queue.ts';
import type { Video } from './video/video.ts';
import type { Warnables } from './warnables.ts';

interface Parts {
  version: string;
  dataDir: string;
  clock: Clock;
  warnables: Warnables;
  devices: DeviceManager;
  panels: PanelIn;
  video: Video;
  arc: ArcService;
  uploads: UploadQueue;
  tunnel: TunnelClient;
}

/** Gathers what every part says of itself into the one picture that portal, set-up page and metrics show. */
export class HealthReport {
  readonly #o: Parts;
  #uplink: Uplink | null = null;
  readonly #startedAt: number;

  constructor(o: Parts) {
    this.#o = o;
    this.#startedAt = o.clock.mono();
  }

  /** The uplink tells health and is part of it. */
  watch(uplink: Uplink): void {
    this.#uplink = uplink;
  }

  read(): Health {
    const o = this.#o;
    const disk = statfsSync(o.dataDir);
    const uploads = o.uploads.stats();
    return {
      at: iso(o.clock.now()),
      version: o.version,
      uptimeMs: Math.round(o.clock.mono() - this.#startedAt),
      rssBytes: process.memoryUsage.rss(),
      diskFreeBytes: disk.bavail * disk.bsize,
      diskTotalBytes: disk.blocks * disk.bsize,
      tunnelRttMs: o.tunnel.rttMs(),
      queues: {
        uplink: this.#uplink?.waiting() ?? 0,
        upload: uploads.files,
        uploadBytes: uploads.bytes,
        arc: o.arc.waiting(),
      },
      devices: [
        ...o.devices.health().map(
          (device): DeviceHealth => ({
            ...device,
            channels: device.channels.map((c) => ({ ...c, ...o.video.state(device.id, c.channel) })),
          }),
        ),
        ...o.panels.health(),
      ],
      arc: o.arc.health(),
      warnables: o.warnables.list(),
    };
  }
}
