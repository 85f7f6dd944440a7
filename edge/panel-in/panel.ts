import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import { formatDc09Time } from '../../protocol/codec/dc09.ts';
import type { Dc09Event } from '../../protocol/codec/dc09-content.ts';
import type { Dc09Answer, Dc09Received } from '../../protocol/dc09/listener.ts';
import type { Event, NewRecord } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { DeviceListItem } from '../../protocol/wire/operations.ts';
import type { DeviceHealth } from '../../protocol/wire/uplink.ts';
import { OfflineEvent } from '../devices/offline.ts';
import { endOf } from '../isapi/event-end.ts';
import { beyondOfRef, type PanelEvent, readPanelEvent, refOf } from './reading.ts';
import type { PanelConfig } from './types.ts';

/** The same number with the same content again within this time is a repetition of what lost its acknowledgement. */
const REPEATS_WITHIN_MS = 120_000;
/** How much later than its interval a panel may be before it counts as silent (the offline event waits 60 s more). */
const LATE_MS = 30_000;
/** What a panel says of the time of an event is believed so far back. */
const MAX_AGE_MS = 31 * 86_400_000;
const MAX_KNOWN = 500;
/** Messages that wait for the disk. */
const MAX_WAITING = 100;
const LAST_WORDS_MS = 2_000;

interface Open {
  eventId: string;
  type: Event['type'];
  cid: string | null;
  area: number | null;
  channel: number | null;
  beyond: string;
}
/** As panels over ISAPI call it. */
const ARMING: Partial<Record<Event['type'], string>> = {
  areaArmedAway: 'away',
  areaArmedStay: 'stay',
  areaDisarmed: 'disarm',
};

interface State {
  open: Open[];
  /** How each area was switched last; 0: one that said no area. */
  areas: Map<number, string>;
  /** Numbers with their content, and when they came (Unix ms). */
  known: Map<string, number>;
}

/**
 * One panel that sends to the box. Its messages are taken one by one: folded, committed to the journal, and only then
 * acknowledged. A repetition makes no second event. What is not committed leaves no trace, so that the panel's next try
 * is taken as new.
 */
export class Panel {
  #config: PanelConfig;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #append: (records: NewRecord[]) => Promise<unknown>;
  readonly #onChange: () => void;
  readonly #offline: OfflineEvent;
  #state: State = { open: [], areas: new Map(), known: new Map() };
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #shown: DeviceHealth['state'] = 'connecting';
  #since: number;
  #model: string | null = null;
  #cancel: () => void = () => {};

  constructor(o: {
    config: PanelConfig;
    clock: Clock;
    log: Logger;
    append: (records: NewRecord[]) => Promise<unknown>;
    onChange: () => void;
  }) {
    this.#config = o.config;
    this.#clock = o.clock;
    this.#log = o.log.child({ device: o.config.id });
    this.#append = o.append;
    this.#onChange = o.onChange;
    this.#since = o.clock.now();
    this.#offline = new OfflineEvent({ deviceId: o.config.id, clock: o.clock, emit: (r) => this.#emit(r) });
  }

  get config(): PanelConfig {
    return this.#config;
  }

  /** `past`: its events from before a restart, oldest first. */
  start(past: { event: Event; ended: boolean }[]): void {
    for (const { event, ended } of past) {
      if (event.type === 'deviceOffline') {
        if (!ended) this.#offline.restore(event.id);
        continue;
      }
      if (event.sourceRef) this.#state.known.set(event.sourceRef, Date.parse(event.seenAt));
      const { id: eventId, type, cid = null, area = null, channel } = event;
      const beyond = beyondOfRef(event.sourceRef ?? '');
      this.#switched(type, area, beyond);
      if (!ended && lasts(type, cid)) this.#state.open.push({ eventId, type, cid, area, channel, beyond });
    }
    this.#trim();
    this.#watch();
  }

  /** `end`: it is taken away, so what is under way ends now. */
  async stop(end: boolean): Promise<void> {
    this.#cancel();
    // A disk that takes nothing holds up no stop.
    const enough = new AbortController();
    await Promise.race([this.#turn, this.#clock.sleep(LAST_WORDS_MS, enough.signal)]);
    enough.abort();
    if (end && this.#state.open.length > 0) this.#emit(this.#state.open.map((open) => this.#ended(open)));
    this.#offline.stop(end);
  }

  /** Name, key and interval may change while it is looked after. */
  configure(config: PanelConfig): void {
    this.#config = config;
    this.#watch();
    this.#onChange();
  }

  health(): DeviceHealth {
    const { id } = this.#config;
    const since = iso(this.#since);
    return { id, state: this.#shown, since, model: this.#model, firmware: null, serial: null, channels: [] };
  }

  /** Its areas as far as it has said of them whether they are armed. */
  areas(): DeviceListItem[] {
    return [...this.#state.areas].map(([area, arming]) => {
      const number = area || null;
      return { id: String(area), name: number === null ? '' : String(area), values: { number, arming, enabled: true } };
    });
  }

  /** Resolves when what it says is on disk. */
  receive(received: Dc09Received): Promise<Dc09Answer> {
    if (this.#waiting >= MAX_WAITING) return Promise.resolve('none');
    this.#waiting++;
    const answer = this.#turn.then(() => this.#take(received));
    this.#turn = answer.catch(() => {}).then(() => this.#waiting--);
    return answer;
  }

  async #take({ message, content }: Dc09Received): Promise<Dc09Answer> {
    const model = `DC-09 ${message.id}`;
    if (content) {
      const { open, areas, known } = this.#state;
      const before: State = { open: [...open], areas: new Map(areas), known: new Map(known) };
      const number = String(message.sequence).padStart(4, '0');
      const records = content.flatMap((event) => this.#records(event, number));
      try {
        if (records.length > 0) await this.#append(records);
      } catch (error) {
        this.#state = before;
        this.#log.error({ err: error }, 'a message of the panel was not kept, and gets no acknowledgement');
        return 'none';
      }
      this.#model = model;
    }
    this.#heard();
    return 'ack';
  }

  /** What one event of a message adds to the journal; nothing for a repetition. */
  #records(event: Dc09Event, number: string): NewRecord[] {
    const { open, known } = this.#state;
    const now = this.#clock.now();
    const ref = refOf(number, event);
    const before = known.get(ref);
    known.delete(ref);
    known.set(ref, now);
    this.#trim();
    if (before !== undefined && now - before < REPEATS_WITHIN_MS) return [];
    const read = readPanelEvent(event);
    if (read.still && open.some((o) => isSame(o, read) && o.cid === read.cid)) return [];
    if (read.ends) {
      const over = ended(open, read);
      if (over.length > 0) {
        this.#state.open = open.filter((o) => !over.includes(o));
        return over.map((o) => this.#ended(o));
      }
    }
    const body: Event = {
      id: uuidv7(now),
      type: read.type,
      deviceId: this.#config.id,
      channel: read.channel,
      occurredAt: iso(believed(event.occurredAt, now)),
      seenAt: iso(now),
      deviceTime: event.occurredAt === null ? null : formatDc09Time(event.occurredAt),
      sourceRef: ref,
      text: read.text,
      ...(read.cid === null ? {} : { cid: read.cid }),
      ...(read.area === null ? {} : { area: read.area }),
    };
    this.#switched(read.type, read.area, read.beyond);
    if (!read.ends && lasts(read.type, read.cid)) {
      const { type, cid, area, channel, beyond } = read;
      this.#state.open.push({ eventId: body.id, type, cid, area, channel, beyond });
    }
    return [{ kind: 'event', body }];
  }

  #switched(type: Event['type'], area: number | null, beyond: string): void {
    const arming = ARMING[type];
    // Of an area that has no number here nothing can be shown.
    if (arming && beyond.startsWith(':')) this.#state.areas.set(area ?? 0, arming);
  }

  #ended({ eventId }: Open): NewRecord {
    return { kind: 'eventEnd', body: { eventId, endedAt: iso(this.#clock.now()) } };
  }

  #heard(): void {
    this.#offline.back();
    if (this.#shown !== 'online') {
      this.#shown = 'online';
      this.#since = this.#clock.now();
      this.#onChange();
    }
    this.#watch();
  }

  /** It is silent when nothing comes for its interval and some. */
  #watch(): void {
    this.#cancel();
    const { supervisionMs, name } = this.#config;
    if (supervisionMs === null) return;
    this.#cancel = this.#clock.after(supervisionMs + LATE_MS, () => {
      this.#offline.gone(name);
      this.#shown = 'offline';
      this.#since = this.#clock.now();
      this.#onChange();
    });
  }

  #emit(records: NewRecord[]): void {
    this.#append(records).catch((error) => this.#log.error({ err: error }, 'a record of a panel was not kept'));
  }

  #trim(): void {
    const { open, known } = this.#state;
    for (const ref of known.keys()) {
      if (known.size <= MAX_KNOWN) break;
      known.delete(ref);
    }
    if (open.length > MAX_KNOWN) open.splice(0, open.length - MAX_KNOWN);
  }
}

const lasts = (type: Event['type'], cid: string | null): boolean =>
  type !== 'other' && type !== 'panelTest' && endOf(type, cid ?? undefined) !== 'never';

type Place = Pick<Open, 'area' | 'channel' | 'beyond'>;
const isSame = (a: Place, b: Place): boolean => a.area === b.area && a.channel === b.channel && a.beyond === b.beyond;

/** What a restore is over with: the same number at the same place; where SIA's one code ends several, the same kind. */
function ended(open: Open[], read: PanelEvent): Open[] {
  const here = open.filter((o) => isSame(o, read));
  const exact = here.filter((o) => o.cid !== null && read.ends!.includes(o.cid.slice(1)));
  return exact.length > 0 || read.ends!.length === 1 ? exact : here.filter((o) => o.type === read.type);
}

/** A time in the future or long ago is a wrong clock. */
const believed = (saidMs: number | null, nowMs: number): number =>
  saidMs === null || saidMs > nowMs || nowMs - saidMs > MAX_AGE_MS ? nowMs : saidMs;
