import { type Clock, iso } from '../../protocol/clock.ts';
import type { Event, EventType, NewRecord } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Alert } from './alert.ts';
import { endOf } from './event-end.ts';

/** An event is over after so long without a repeat, because many firmwares never say `inactive`. */
const QUIET_MS: Partial<Record<EventType, number>> = {
  tamper: 10_000,
  videoLoss: 30_000,
  alarmInput: 10_000,
  diskError: 300_000,
  diskFull: 300_000,
  // The stations' own ringing time; a second press meanwhile is the same visitor.
  call: 30_000,
  // How often radars repeat is not captured: a restoral too early is worse than one too late.
  fallDetected: 60_000,
  outOfBed: 60_000,
  heartRateHigh: 60_000,
  heartRateLow: 60_000,
  respirationHigh: 60_000,
  respirationLow: 60_000,
};
const DEFAULT_QUIET_MS = 5_000;
/** Video loss is over when a heartbeat (`videoloss inactive`) comes and no repeat follows within this time. */
const LOSS_REPEATS_WITHIN_MS = 2_500;
/** The same id again within this time is a late copy (panels send them in bursts, 27 s apart). */
const COPIES_WITHIN_MS = 60_000;
/** After so many new ids in a row on a rising count, ids are taken to name posts and not events. */
const IDS_PER_POST = 3;
const MAX_IDS = 1_000;
const MAX_ACTIVE = 500;

interface Active {
  type: EventType;
  channel: number | null;
  cid: string | undefined;
  /** It began by asking; the panel's own word for it may still come. */
  assumed?: readonly EventType[];
  eventId: string;
  ref: string | null;
  count: number | null;
  deviceTime: string | null;
  lastWall: number;
  cancel: () => void;
}
interface Known {
  deviceTime: string | null;
  lastMono: number;
  endedBySaying: boolean;
}

/**
 * Makes events of alerts. While something lasts, the device posts the same alert about once a second with a rising
 * `activePostCount`: that is one event. A new one begins after `inactive`, after the quiet time, when the device gives
 * another id, or when the count falls back to 1 at a later time on a device that counts up. `inactive` or quiet ends it.
 *
 * Records are handed over at once and in order; ids already seen make no second event, also across a restart (`restore`).
 */
export class EventFolder {
  readonly #deviceId: string;
  readonly #clock: Clock;
  readonly #emit: (records: NewRecord[]) => void;
  readonly #active = new Map<string, Active>();
  readonly #known = new Map<string, Known>();
  #countsUp = false;
  #idsPerPost = 0;

  constructor(o: { deviceId: string; clock: Clock; emit: (records: NewRecord[]) => void }) {
    this.#deviceId = o.deviceId;
    this.#clock = o.clock;
    this.#emit = o.emit;
  }

  /** Events that were recorded before a restart, oldest first: open ones go on or end, closed ones keep their id taken. */
  restore(events: { event: Event; ended: boolean }[]): void {
    for (const { event, ended } of events) {
      if (event.sourceRef) this.#know(event.sourceRef, event.deviceTime, ended);
      if (ended || endOf(event.type, event.cid) === 'never') continue;
      this.#open(keyOf(event.type, event.channel, event.cid, event.text), {
        type: event.type,
        channel: event.channel,
        cid: event.cid,
        assumed: event.sourceRef === null && endOf(event.type, event.cid) === 'said' ? [event.type] : undefined,
        eventId: event.id,
        ref: event.sourceRef,
        // What it had counted to is not known; anything but 1 goes on from there.
        count: Number.POSITIVE_INFINITY,
        deviceTime: event.deviceTime,
        lastWall: Date.parse(event.seenAt),
        cancel: () => {},
      });
    }
  }

  /** `channel`: as streams count it. */
  alert(alert: Alert, channel: number | null): void {
    const text = alert.text ?? (alert.type === 'other' ? alert.word : null);
    const key = keyOf(alert.type, channel, alert.cid, text);
    if (alert.active && alert.assumed && this.#isOpen(alert.assumed, channel)) return;
    const active = this.#active.get(key) ?? (alert.cid ? this.#adopt(key, alert, channel) : undefined);
    if (!alert.active) {
      if (alert.sweep) {
        this.#sweep(alert.sweep, channel);
        return;
      }
      // A panel repeats its restorals, too: a late copy must not end what began since.
      if (alert.cid && alert.ref) {
        if (this.#isCopy(alert.ref, alert)) return;
        this.#know(alert.ref, alert.deviceTime, false);
      }
      if (!active) return;
      if (alert.type === 'videoLoss') this.#endAfter(key, active, LOSS_REPEATS_WITHIN_MS);
      else this.#end(key, active, this.#clock.now(), true);
      return;
    }
    if (active && this.#repeats(alert, active)) {
      this.#repeat(key, alert, active);
      return;
    }
    if (alert.ref && this.#isCopy(alert.ref, alert)) return;
    if (active) this.#end(key, active, this.#clock.now(), false);
    this.#begin(key, alert, channel, text);
  }

  /** Whether the event of that id is under way. */
  lasts(eventId: string): boolean {
    return [...this.#active.values()].some((active) => active.eventId === eventId);
  }

  /** `end`: ends what is under way; else it is only put down, for the next start to take up again. */
  stop(end: boolean): void {
    for (const [key, active] of [...this.#active]) {
      if (end) this.#end(key, active, active.lastWall, false);
      active.cancel();
    }
    this.#active.clear();
  }

  #repeats(alert: Alert, active: Active): boolean {
    if (alert.ref && active.ref) {
      if (alert.ref === active.ref) {
        this.#idsPerPost = 0;
        return true;
      }
      // Another id is another event, unless this device is seen to number every post while it counts on.
      const countsOn = alert.count !== null && active.count !== null && alert.count === active.count + 1;
      if (countsOn) this.#idsPerPost++;
      if (!countsOn || this.#idsPerPost <= IDS_PER_POST) return false;
    }
    const startsOver = alert.count === 1 && active.count !== null && active.count > 1;
    const counts = this.#countsUp || active.count === Number.POSITIVE_INFINITY;
    return !(startsOver && counts && isLater(alert.deviceTime, active.deviceTime));
  }

  #repeat(key: string, alert: Alert, active: Active): void {
    if (alert.count !== null && active.count !== null && active.count !== Number.POSITIVE_INFINITY) {
      if (alert.count > active.count) this.#countsUp = true;
    }
    active.count = alert.count;
    active.ref = alert.ref ?? active.ref;
    active.deviceTime = alert.deviceTime;
    active.lastWall = this.#clock.now();
    if (alert.ref) this.#know(alert.ref, alert.deviceTime, false);
    this.#awaitEnd(key, active);
  }

  #isOpen(types: readonly EventType[], channel: number | null): boolean {
    return [...this.#active.values()].some((active) => types.includes(active.type) && active.channel === channel);
  }

  /** What was found out by asking is what the panel now tells (or restores) in its own words. */
  #adopt(key: string, alert: Alert, channel: number | null): Active | undefined {
    for (const [old, active] of this.#active) {
      if (active.channel !== channel || !active.assumed?.includes(alert.type)) continue;
      const { assumed: _, ...rest } = active;
      const adopted: Active = { ...rest, cid: alert.cid, ref: alert.active ? alert.ref : active.ref };
      this.#active.delete(old);
      this.#active.set(key, adopted);
      if (alert.active && alert.ref) this.#know(alert.ref, alert.deviceTime, false);
      return adopted;
    }
    return undefined;
  }

  /** The device tells the state of something and not what has changed: whatever was open there is over. */
  #sweep(types: readonly EventType[], channel: number | null): void {
    for (const [key, active] of [...this.#active]) {
      if (types.includes(active.type) && active.channel === channel) this.#end(key, active, this.#clock.now(), true);
    }
  }

  /**
   * A late copy of an event that is over. Not one: the same id with another time after the device itself had said
   * `inactive`; then its id does not name the event.
   */
  #isCopy(ref: string, alert: Alert): boolean {
    const known = this.#known.get(ref);
    if (!known) return false;
    const sameTime = known.deviceTime !== null && known.deviceTime === alert.deviceTime;
    const recent = this.#clock.mono() - known.lastMono < COPIES_WITHIN_MS;
    if (!sameTime && (known.endedBySaying || !recent)) return false;
    this.#know(ref, alert.deviceTime, known.endedBySaying);
    return true;
  }

  #begin(key: string, alert: Alert, channel: number | null, text: string | null): void {
    const now = this.#clock.now();
    const id = uuidv7(now);
    const body: Event = {
      id,
      type: alert.type,
      deviceId: this.#deviceId,
      channel,
      // The box's clock: devices' clocks are wrong, or right and mislabelled. The way here takes milliseconds.
      occurredAt: iso(now),
      seenAt: iso(now),
      deviceTime: alert.deviceTime,
      sourceRef: alert.ref,
      text,
      ...(alert.cid === undefined ? {} : { cid: alert.cid }),
      ...(alert.area === undefined ? {} : { area: alert.area }),
    };
    if (alert.ref) this.#know(alert.ref, alert.deviceTime, false);
    const { type, cid, ref, count, deviceTime } = alert;
    if (endOf(type, cid) !== 'never') {
      this.#open(key, {
        type,
        channel,
        cid,
        assumed: alert.assumed,
        eventId: id,
        ref,
        count,
        deviceTime,
        lastWall: now,
        cancel: () => {},
      });
    }
    this.#emit([{ kind: 'event', body }]);
  }

  #open(key: string, active: Active): void {
    const same = this.#active.get(key);
    if (same) this.#end(key, same, same.lastWall, false);
    if (this.#active.size >= MAX_ACTIVE) {
      const [oldest] = this.#active;
      if (oldest) this.#end(oldest[0], oldest[1], oldest[1].lastWall, false);
    }
    this.#active.set(key, active);
    this.#awaitEnd(key, active);
  }

  #awaitEnd(key: string, active: Active): void {
    if (endOf(active.type, active.cid) === 'quiet')
      this.#endAfter(key, active, QUIET_MS[active.type] ?? DEFAULT_QUIET_MS);
  }

  #endAfter(key: string, active: Active, ms: number): void {
    active.cancel();
    active.cancel = this.#clock.after(ms, () => this.#end(key, active, active.lastWall, false));
  }

  #end(key: string, active: Active, atMs: number, said: boolean): void {
    active.cancel();
    this.#active.delete(key);
    if (active.ref) this.#know(active.ref, active.deviceTime, said);
    this.#emit([{ kind: 'eventEnd', body: { eventId: active.eventId, endedAt: iso(atMs) } }]);
  }

  #know(ref: string, deviceTime: string | null, endedBySaying: boolean): void {
    this.#known.delete(ref);
    this.#known.set(ref, { deviceTime, lastMono: this.#clock.mono(), endedBySaying });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_IDS) this.#known.delete(oldest!);
  }
}

/** A panel's classes are told apart by their number, what has no class of ours by the device's own word. */
const keyOf = (type: EventType, channel: number | null, cid: string | undefined, text: string | null): string =>
  `${type} ${channel} ${cid?.slice(1) ?? (type === 'other' ? (text?.toLowerCase() ?? '') : '')}`;

/** Devices write times with and without zones; what cannot be compared counts as later when it differs. */
function isLater(time: string | null, than: string | null): boolean {
  if (time === null || than === null) return true;
  const [a, b] = [Date.parse(time), Date.parse(than)];
  return Number.isNaN(a) || Number.isNaN(b) ? time !== than : a > b;
}
