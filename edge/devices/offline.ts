import { type Clock, iso } from '../../protocol/clock.ts';
import type { NewRecord } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';

/** A device that flaps makes no alarm of every gap. */
const HOLD_OFF_MS = 60_000;

/** The one `deviceOffline` event of an absence: after 60 s, with the time at which it began; ended on return. */
export class OfflineEvent {
  readonly #deviceId: string;
  readonly #clock: Clock;
  readonly #emit: (records: NewRecord[]) => void;
  #since: number | null = null;
  #eventId: string | null = null;
  #cancel: () => void = () => {};

  constructor(o: { deviceId: string; clock: Clock; emit: (records: NewRecord[]) => void }) {
    this.#deviceId = o.deviceId;
    this.#clock = o.clock;
    this.#emit = o.emit;
  }

  /** Recorded before a restart and not ended: the same absence goes on. */
  restore(eventId: string): void {
    this.#eventId = eventId;
  }

  gone(name: string): void {
    if (this.#since !== null) return;
    const since = this.#clock.now();
    this.#since = since;
    if (this.#eventId) return;
    this.#cancel = this.#clock.after(HOLD_OFF_MS, () => {
      this.#eventId = uuidv7(this.#clock.now());
      const body = {
        id: this.#eventId,
        type: 'deviceOffline' as const,
        deviceId: this.#deviceId,
        channel: null,
        occurredAt: iso(since),
        seenAt: iso(this.#clock.now()),
        deviceTime: null,
        sourceRef: null,
        text: `${name} does not answer`,
      };
      this.#emit([{ kind: 'event', body }]);
    });
  }

  back(): void {
    this.#cancel();
    this.#since = null;
    if (!this.#eventId) return;
    this.#emit([{ kind: 'eventEnd', body: { eventId: this.#eventId, endedAt: iso(this.#clock.now()) } }]);
    this.#eventId = null;
  }

  stop(end: boolean): void {
    if (end) this.back();
    this.#cancel();
  }
}
