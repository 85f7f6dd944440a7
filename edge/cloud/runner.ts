import { CLOUD_STEPS, CloudItem, type CloudStep } from '../../protocol/wire/cloud.ts';
import type { ItemProgress, JobRunner } from '../jobs/types.ts';
import { ChannelRun, type CloudTools } from './channel-run.ts';

/** Channels under way at a time; most of that is waiting for devices. */
const AT_ONCE = 4;

/**
 * Sets up channels for cloud storage (BOX-06, CLOUD-18): each goes through its steps by itself, and the relay activates its
 * service at the end. One that fails takes no other along.
 */
export class CloudRunner implements JobRunner<CloudItem> {
  readonly kind = 'cloud';
  readonly item = CloudItem;
  readonly atOnce = AT_ONCE;
  readonly #o: CloudTools;

  constructor(o: CloudTools) {
    this.#o = o;
  }

  describe({ deviceId, channel, deviceName, variant }: CloudItem) {
    const steps: CloudStep[] = [...CLOUD_STEPS[variant]];
    return { key: `${deviceId}/${channel}`, name: `${deviceName} · ${channel}`, steps };
  }

  run(item: CloudItem, progress: ItemProgress, signal: AbortSignal): Promise<'done' | 'failed'> {
    return new ChannelRun({ ...this.#o, item, progress, signal }).run();
  }
}
