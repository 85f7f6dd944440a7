import type { Clock } from '../../protocol/clock.ts';
import type { EventType } from '../../protocol/wire/event.ts';
import type { Alert } from '../isapi/alert.ts';
import type { Meaning, Notification } from './topics.ts';

/** A property that was never seen to fall back holds so long after each `true`: many send pulses and no end. */
const HOLD_MS = 30_000;
const PULSE_MS = 10_000;
/** One that does fall back may have done so unheard. */
const FORGOTTEN_MS = 600_000;
const REPEAT_MS = 2_000;
const MAX_STATES = 1_000;

interface Held {
  until: number;
}
interface Group {
  type: EventType;
  word: string;
  channel: number | null;
  deviceTime: string | null;
  /** What says that it lasts, by topic and source. */
  held: Map<string, Held>;
}

/**
 * Makes alerts of properties. The same physical event comes under several topics (MotionAlarm, CellMotion, the maker's own):
 * by type and channel it is one, from the first that says so until the last has taken it back. While it lasts, its alert is
 * repeated, as ISAPI devices do by themselves and `EventFolder` expects.
 */
export class EventStates {
  readonly #clock: Clock;
  readonly #onAlert: (alert: Alert) => void;
  readonly #groups = new Map<string, Group>();
  /** Properties that were seen to fall back. */
  readonly #falls = new Set<string>();
  #cancel: (() => void) | null = null;

  constructor(o: { clock: Clock; onAlert: (alert: Alert) => void }) {
    this.#clock = o.clock;
    this.#onAlert = o.onAlert;
  }

  take(notification: Notification, meaning: Meaning, channel: number | null): void {
    const { topic, source, operation, deviceTime } = notification;
    const property = `${topic.join('/')} ${[...source].map(([k, v]) => `${k}=${v}`).join(' ')}`.toLowerCase();
    const word = meaning.type === 'other' ? meaning.word.toLowerCase() : '';
    const key = `${meaning.type} ${channel} ${word}`;
    if (meaning.state === true || meaning.state === 'pulse') {
      // What was so before we listened is no event.
      if (operation === 'initialized') return;
      this.#rise(key, property, meaning, channel, deviceTime);
      return;
    }
    if (operation === 'changed' && meaning.state === false && this.#falls.size < MAX_STATES) this.#falls.add(property);
    const group = this.#groups.get(key);
    if (!group?.held.delete(property) || group.held.size > 0) return;
    this.#end(key, { ...group, deviceTime });
  }

  /** Nobody listens any more: what lasted is left to run out. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#groups.clear();
  }

  #rise(key: string, property: string, meaning: Meaning, channel: number | null, deviceTime: string | null): void {
    let group = this.#groups.get(key);
    if (!group) {
      if (this.#groups.size >= MAX_STATES) return;
      group = { type: meaning.type, word: meaning.word, channel, deviceTime, held: new Map() };
      this.#groups.set(key, group);
    }
    const holdMs = meaning.state === 'pulse' ? PULSE_MS : this.#falls.has(property) ? FORGOTTEN_MS : HOLD_MS;
    if (group.held.has(property) || group.held.size < MAX_STATES) {
      group.held.set(property, { until: this.#clock.mono() + holdMs });
    }
    group.deviceTime = deviceTime;
    this.#alert(group, true);
    this.#cancel ??= this.#clock.every(REPEAT_MS, () => this.#tick());
  }

  #tick(): void {
    const now = this.#clock.mono();
    for (const [key, group] of this.#groups) {
      for (const [property, held] of group.held) if (held.until <= now) group.held.delete(property);
      if (group.held.size > 0) this.#alert(group, true);
      else this.#end(key, group);
    }
  }

  #end(key: string, group: Group): void {
    this.#groups.delete(key);
    this.#alert(group, false);
    if (this.#groups.size > 0) return;
    this.#cancel?.();
    this.#cancel = null;
  }

  #alert({ type, word, channel, deviceTime }: Group, active: boolean): void {
    this.#onAlert({ type, word, active, channel, count: null, deviceTime, ref: null });
  }
}
