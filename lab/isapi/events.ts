import { randomUUID } from 'node:crypto';
import { type DeviceProfile, isPanel } from '../devices/profile.ts';
import type { AlertStreams } from './alert-stream.ts';
import {
  ACCESS_EVENTS,
  accessAlert,
  CALL_EVENTS,
  callAlert,
  type EventAt,
  type LabEventType,
  PANEL_EVENTS,
  PICTURE_EVENTS,
  panelAlert,
  pictureAlert,
  RADAR_EVENTS,
  radarAlert,
} from './event-words.ts';

/** One line of the lab's own record of what its devices said. `id` is what a camera sends as `<UUID>`. */
export interface Emitted {
  id: string;
  device: string;
  type: LabEventType;
  emittedAt: string;
  /** How many alertStreams were open to hear it. */
  listeners: number;
}

interface Active {
  id: string;
  count: number;
  timer: NodeJS.Timeout;
  at: EventAt;
  happenedAt: number;
}

const NOWHERE: EventAt = { channel: 1, zone: 0, area: 1, person: null };
const has = <T extends object>(table: T, type: string): type is keyof T & string => type in table;

/**
 * Events of one device. Those of pictures and radars are repeated about once a second with a rising count, for ten seconds or
 * until ended; a terminal says each once and numbers it; a panel says each seven times, and again after half a minute.
 */
export class DeviceEvents {
  static readonly repeatMs = 1000;
  static readonly repeats = 10;
  static readonly burst = 7;
  readonly #profile: DeviceProfile;
  readonly #streams: AlertStreams;
  readonly #httpPort: () => number;
  readonly #record: (emitted: Emitted) => void;
  readonly #onLabel: (text: string) => void;
  readonly #tells: (type: string, channel: number) => boolean;
  readonly #active = new Map<string, Active>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #history: { type: keyof typeof ACCESS_EVENTS; at: EventAt; serialNo: number; happenedAt: number }[] = [];
  #serialNo = 100;
  /** Other ways out: ONVIF. */
  readonly listeners = new Set<(type: LabEventType, active: boolean, at: EventAt) => void>();

  constructor(options: {
    profile: DeviceProfile;
    streams: AlertStreams;
    httpPort: () => number;
    /** Must be durable when it returns: only then is the event said. */
    record: (emitted: Emitted) => void;
    /** What stands in the picture while events are active. */
    onLabel: (text: string) => void;
    /** Whether its trigger of this event, as the device calls it, has it told at all. */
    tells: (type: string, channel: number) => boolean;
  }) {
    this.#profile = options.profile;
    this.#streams = options.streams;
    this.#httpPort = options.httpPort;
    this.#record = options.record;
    this.#onLabel = options.onLabel;
    this.#tells = options.tells;
    const { kind } = options.profile;
    if (kind === 'access' || kind.startsWith('door'))
      this.#streams.backlog = () =>
        this.#history.map((e) => accessAlert(this.#profile, this.#httpPort(), { ...e, isNew: false }));
  }

  begin(type: LabEventType, where: Partial<EventAt> = {}, user: string | null = null): Emitted {
    const at = { ...NOWHERE, ...where };
    const key = `${type} ${at.channel} ${at.zone}`;
    this.#end(key, type);
    const happenedAt = Date.now();
    const emitted: Emitted = {
      id: randomUUID(),
      device: this.#profile.name,
      type,
      emittedAt: new Date(happenedAt).toISOString(),
      listeners: this.#heard(type, at) ? this.#streams.count : 0,
    };
    this.#record(emitted);
    for (const listener of this.listeners) listener(type, true, at);
    if (has(ACCESS_EVENTS, type)) this.#once(type, at, happenedAt);
    else if (has(CALL_EVENTS, type))
      this.#streams.send(callAlert(this.#profile, this.#httpPort(), happenedAt, CALL_EVENTS[type]));
    else if (isPanel(this.#profile.kind) && has(PANEL_EVENTS, type)) this.#burst(type, at, happenedAt, true, user);
    else {
      const timer = setInterval(() => this.#repeat(key, type), DeviceEvents.repeatMs);
      this.#active.set(key, { id: emitted.id, count: 1, timer, at, happenedAt });
      this.#send(key, type, 'active');
      this.#label();
    }
    return emitted;
  }

  /** Ends what is active of this type; gives its id, or null when nothing was. */
  end(type: LabEventType, where: Partial<EventAt> = {}): string | null {
    const at = { ...NOWHERE, ...where };
    if (isPanel(this.#profile.kind) && has(PANEL_EVENTS, type)) this.#burst(type, at, Date.now(), false, null);
    return this.#end(`${type} ${at.channel} ${at.zone}`, type);
  }

  stop(): void {
    for (const active of this.#active.values()) clearInterval(active.timer);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#active.clear();
  }

  #end(key: string, type: LabEventType): string | null {
    const active = this.#active.get(key);
    if (!active) return null;
    clearInterval(active.timer);
    if (this.#profile.odd.sendsInactive) this.#send(key, type, 'inactive');
    for (const listener of this.listeners) listener(type, false, active.at);
    this.#active.delete(key);
    this.#label();
    return active.id;
  }

  #repeat(key: string, type: LabEventType): void {
    const active = this.#active.get(key)!;
    active.count++;
    if (active.count > DeviceEvents.repeats) this.#end(key, type);
    else this.#send(key, type, 'active');
  }

  #send(key: string, type: LabEventType, state: 'active' | 'inactive'): void {
    const active = this.#active.get(key)!;
    const count = state === 'active' ? active.count : 0;
    const now = Date.now();
    if (has(RADAR_EVENTS, type)) {
      this.#streams.send(radarAlert(this.#profile, this.#httpPort(), now, { type, state, count, uuid: active.id }));
      return;
    }
    if (!has(PICTURE_EVENTS, type)) return;
    if (!this.#heard(type, active.at)) return;
    const word = this.#word(type);
    const alert = { type: word, state, count, uuid: active.id, channel: active.at.channel };
    this.#streams.send(pictureAlert(this.#profile, this.#httpPort(), now, alert));
  }

  #word(type: keyof typeof PICTURE_EVENTS): string {
    return type === 'tamper' ? this.#profile.odd.tamperWord : PICTURE_EVENTS[type];
  }

  #heard(type: LabEventType, at: EventAt): boolean {
    return !has(PICTURE_EVENTS, type) || this.#tells(this.#word(type), at.channel);
  }

  #once(type: keyof typeof ACCESS_EVENTS, at: EventAt, happenedAt: number): void {
    const event = { type, at, serialNo: ++this.#serialNo, happenedAt };
    this.#streams.send(accessAlert(this.#profile, this.#httpPort(), { ...event, isNew: true }));
    this.#history.push(event);
    if (this.#history.length > 20) this.#history.shift();
  }

  #burst(type: keyof typeof PANEL_EVENTS, at: EventAt, happenedAt: number, isNew: boolean, user: string | null): void {
    const body = panelAlert(this.#profile, this.#httpPort(), { type, at, isNew, happenedAt, user });
    const again = (ms: number) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#streams.send(body);
      }, ms);
      this.#timers.add(timer);
    };
    this.#streams.send(body);
    for (let i = 1; i < DeviceEvents.burst; i++) again(i * 120);
    for (let i = 0; i < DeviceEvents.burst; i++) again(27_000 + i * 120);
  }

  #label(): void {
    this.#onLabel([...new Set([...this.#active.keys()].map((key) => key.split(' ')[0]!))].join(' '));
  }
}
