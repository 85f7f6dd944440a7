import { randomUUID } from 'node:crypto';
import type { AlertStreams } from './alert-stream.ts';
import type { CameraProfile } from './profile.ts';

export const LAB_EVENT_TYPES = ['motion', 'lineCrossing', 'intrusion', 'tamper', 'videoLoss'] as const;
export type LabEventType = (typeof LAB_EVENT_TYPES)[number];

/** One line of the lab's own record of what its devices said. `id` is what the camera sends as `<UUID>`. */
export interface Emitted {
  id: string;
  device: string;
  type: LabEventType;
  emittedAt: string;
  /** How many alertStreams were open to hear it. */
  listeners: number;
}

const words = (profile: CameraProfile): Record<LabEventType, string> => ({
  motion: 'VMD',
  lineCrossing: 'linedetection',
  intrusion: 'fielddetection',
  tamper: profile.odd.tamperWord,
  videoLoss: 'videoloss',
});

interface Active {
  id: string;
  count: number;
  timer: NodeJS.Timeout;
}

/** Events of one camera: repeated about once a second with a rising count, for ten seconds or until ended. */
export class CameraEvents {
  static readonly repeatMs = 1000;
  static readonly repeats = 10;
  readonly #profile: CameraProfile;
  readonly #streams: AlertStreams;
  readonly #record: (emitted: Emitted) => void;
  readonly #onLabel: (text: string) => void;
  readonly #active = new Map<LabEventType, Active>();

  constructor(options: {
    profile: CameraProfile;
    streams: AlertStreams;
    /** Must be durable when it returns: only then is the event said. */
    record: (emitted: Emitted) => void;
    /** What stands in the picture while events are active. */
    onLabel: (text: string) => void;
  }) {
    this.#profile = options.profile;
    this.#streams = options.streams;
    this.#record = options.record;
    this.#onLabel = options.onLabel;
  }

  begin(type: LabEventType): Emitted {
    this.end(type);
    const emitted: Emitted = {
      id: randomUUID(),
      device: this.#profile.name,
      type,
      emittedAt: new Date().toISOString(),
      listeners: this.#streams.count,
    };
    this.#record(emitted);
    const timer = setInterval(() => this.#repeat(type), CameraEvents.repeatMs);
    this.#active.set(type, { id: emitted.id, count: 1, timer });
    this.#send(type, 'active');
    this.#label();
    return emitted;
  }

  /** Ends what is active of this type; gives its id, or null when nothing was. */
  end(type: LabEventType): string | null {
    const active = this.#active.get(type);
    if (!active) return null;
    clearInterval(active.timer);
    if (this.#profile.odd.sendsInactive) this.#send(type, 'inactive');
    this.#active.delete(type);
    this.#label();
    return active.id;
  }

  stop(): void {
    for (const active of this.#active.values()) clearInterval(active.timer);
    this.#active.clear();
  }

  #repeat(type: LabEventType): void {
    const active = this.#active.get(type)!;
    active.count++;
    if (active.count > CameraEvents.repeats) this.end(type);
    else this.#send(type, 'active');
  }

  #send(type: LabEventType, state: 'active' | 'inactive'): void {
    const active = this.#active.get(type)!;
    const count = state === 'active' ? active.count : 0;
    this.#streams.send({ type: words(this.#profile)[type], state, count, uuid: active.id });
  }

  #label(): void {
    this.#onLabel([...this.#active.keys()].join(' '));
  }
}
