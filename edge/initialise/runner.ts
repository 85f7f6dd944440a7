import type { Clock } from '../../protocol/clock.ts';
import { INITIALISE_STEPS, InitialiseItem } from '../../protocol/wire/initialise.ts';
import type { Discovery } from '../discovery/discovery.ts';
import type { ItemProgress, JobRunner } from '../jobs/types.ts';
import { DeviceRun } from './device-run.ts';
import { Finder } from './finder.ts';
import type { Hands } from './hands.ts';

/** Devices under way at a time; most of that time is waiting for them. */
const AT_ONCE = 16;

/** Sets up devices of the LAN as a durable job (INIT-07…18). */
export class InitialiseRunner implements JobRunner<InitialiseItem> {
  readonly kind = 'initialise';
  readonly item = InitialiseItem;
  readonly atOnce: number;
  readonly #discovery: Pick<Discovery, 'byMac'>;
  readonly #finder: Finder;
  readonly #hands: Hands;
  readonly #clock: Clock;

  constructor(o: {
    discovery: Pick<Discovery, 'byMac' | 'at' | 'scan' | 'permits'>;
    hands: Hands;
    clock: Clock;
    finder?: Finder;
    atOnce?: number;
  }) {
    this.atOnce = o.atOnce ?? AT_ONCE;
    this.#discovery = o.discovery;
    this.#finder = o.finder ?? new Finder({ discovery: o.discovery, clock: o.clock });
    this.#hands = o.hands;
    this.#clock = o.clock;
  }

  describe({ mac }: InitialiseItem): { key: string; name: string; steps: string[] } {
    const seen = this.#discovery.byMac(mac);
    return { key: mac, name: seen ? `${seen.model} · ${seen.address}` : mac, steps: [...INITIALISE_STEPS] };
  }

  run(item: InitialiseItem, progress: ItemProgress, signal: AbortSignal): Promise<'done' | 'failed'> {
    const { ...shared } = { finder: this.#finder, hands: this.#hands, clock: this.#clock };
    return new DeviceRun({ item, progress, signal, ...shared }).run();
  }
}
