import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { ArcPathName } from '../../protocol/wire/event.ts';
import type { ArcPathChange, ArcPathHealth } from '../../protocol/wire/uplink.ts';
import { DirectState } from './direct-state.ts';
import type { ArcAccountConfig, ArcTimings, LinkFailure } from './types.ts';
import type { AccountWarnings } from './warnings.ts';

/** `recovering`: it answers again, but is not trusted yet. */
export type PathState = 'up' | 'down' | 'recovering' | 'unknown';

/** Of its changes so many are kept, for a relay that was out of reach meanwhile. */
const MAX_CHANGES = 64;

type PathWarnings = Pick<AccountWarnings, 'directDown' | 'directUp' | 'secondDown' | 'secondUp' | 'somePath'>;

/** How gladly a path is taken, best first: what works before what is lost, and one that answers again between the two. */
const RANKS: Record<ArcPathName, Record<PathState, number>> = {
  direct: { up: 0, unknown: 0, recovering: 3, down: 6 },
  relay: { up: 1, unknown: 1, recovering: 1, down: 4 },
  second: { up: 2, unknown: 2, recovering: 3, down: 5 },
};

/** Which of an account's paths may be used, and in which order (docs/adr/0008-alarm-paths.md). */
export class Paths {
  readonly names: readonly ArcPathName[];
  readonly #direct: DirectState;
  readonly #second: DirectState;
  readonly #relayConnected: () => boolean;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #warnings: PathWarnings;
  readonly #onChange: () => void;
  #relay: 'up' | 'down' | 'unknown' = 'unknown';
  #current: ArcPathHealth['path'] = 'none';
  #since: number;
  /** Whether each path carried what was last tried over it. */
  readonly #carried = new Map<ArcPathName, boolean>();
  readonly #changes: ArcPathChange[] = [];

  constructor(o: {
    config: Pick<ArcAccountConfig, 'mode'>;
    hasSecond: boolean;
    relayConnected: () => boolean;
    clock: Clock;
    timings: ArcTimings;
    log: Logger;
    warnings: PathWarnings;
    onChange: () => void;
  }) {
    if (o.config.mode === 'relay') this.names = ['relay'];
    else this.names = o.hasSecond ? ['direct', 'relay', 'second'] : ['direct', 'relay'];
    this.#direct = new DirectState(o.timings);
    this.#second = new DirectState(o.timings);
    this.#relayConnected = o.relayConnected;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#warnings = o.warnings;
    this.#onChange = o.onChange;
    this.#since = o.clock.now();
  }

  /** The one in use. */
  get current(): ArcPathHealth['path'] {
    return this.#current;
  }

  state(path: ArcPathName): PathState {
    if (path === 'relay') return this.#relayConnected() ? this.#relay : 'down';
    const trust = path === 'direct' ? this.#direct : this.#second;
    return trust.recovering ? 'recovering' : trust.state;
  }

  /** The paths to try, in order. One that is not trusted is still better than none. */
  plan(): ArcPathName[] {
    const rank = (path: ArcPathName): number => RANKS[path][this.state(path)];
    return this.names.toSorted((a, b) => rank(a) - rank(b));
  }

  failed(path: ArcPathName, failure: LinkFailure): void {
    this.#note(path, false);
    if (path === 'direct') {
      if (this.#direct.state !== 'down') this.#warnings.directDown(failure);
      this.#direct.bad();
    } else if (path === 'second') {
      if (this.#second.state !== 'down') this.#warnings.secondDown(failure);
      this.#second.bad();
    } else this.#relay = 'down';
    this.update();
  }

  worked(path: ArcPathName): void {
    this.#note(path, true);
    const now = this.#clock.mono();
    if (path === 'relay') this.#relay = 'up';
    else if (path === 'second') {
      if (this.#second.good(now)) this.#warnings.secondUp();
    } else if (this.#direct.good(now)) this.#warnings.directUp();
    this.#warnings.somePath();
    this.update();
  }

  /** A new connection to the relay: whether the receiver is reached over it is not known. */
  relayReturned(): void {
    this.#relay = 'unknown';
    this.#note('relay', true);
  }

  update(): void {
    if (!this.#relayConnected()) this.#note('relay', false);
    const before = this.#current;
    const best = this.plan()[0]!;
    this.#current = this.state(best) === 'down' ? 'none' : best;
    if (this.#current !== before) {
      this.#since = this.#clock.now();
      this.#log.info({ from: before, to: this.#current }, 'alarm path changed');
    }
    this.#onChange();
  }

  /** For reports: the first failure after it worked, and the first answer after that, whatever is thought of the path. */
  #note(path: ArcPathName, up: boolean): void {
    if (this.#carried.get(path) === up) return;
    this.#carried.set(path, up);
    this.#changes.push({ at: iso(this.#clock.now()), path, up });
    if (this.#changes.length > MAX_CHANGES) this.#changes.shift();
  }

  health(): Pick<ArcPathHealth, 'path' | 'since' | 'direct' | 'relay' | 'second' | 'changes'> {
    const plain = (path: ArcPathName) => {
      const state = this.state(path);
      return state === 'recovering' ? 'down' : state;
    };
    return {
      path: this.#current,
      since: iso(this.#since),
      changes: [...this.#changes],
      direct: plain('direct'),
      relay: plain('relay'),
      second: this.names.includes('second') ? plain('second') : 'absent',
    };
  }
}
