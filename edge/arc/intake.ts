import { type Clock, iso } from '../../protocol/clock.ts';
import type { AlarmReport, Event, EventType, JournalRecord } from '../../protocol/wire/event.ts';
import type { Warnables } from '../warnables.ts';
import { CODES, codesOf } from './codes.ts';
import { ownMessage } from './own-messages.ts';
import type { Picture } from './pictures.ts';
import { type ArcQueue, messageId, type NewMessage } from './queue.ts';
import { Recovery } from './recovery.ts';
import { reportOf } from './report.ts';
import { sinceOf, type Taking, UNKNOWN_DEVICE } from './taking.ts';
import type { ArcAccountConfig, ArcJournal } from './types.ts';

const BATCH = 256;
const RETRY_MS = 1_000;
const MADE_ROOM = 'The queue was full: status messages were given up to make room for alarms.';

export interface Taker {
  config: ArcAccountConfig;
  taking: Taking;
}

/**
 * Journal → queue on disk. The queue has the messages before the journal's cursor moves.
 *
 * An account takes part in the queue up to a limit. Beyond it the oldest status message (fault, test) makes room for the new
 * one, and the centre is told once (E624, JO). Alarms are never given up: an account with nothing but alarms is held, its
 * further events stay in the journal and are read again when there is room. The other accounts notice nothing.
 */
export class Intake {
  readonly #journal: ArcJournal;
  readonly #queue: ArcQueue;
  readonly #clock: Clock;
  readonly #warnables: Warnables;
  readonly #takers: () => ReadonlyMap<string, Taker>;
  readonly #queued: (accountIds: Set<string>) => void;
  readonly #report: (report: AlarmReport) => void;
  readonly #pictureOf: (accountId: string, event: Event) => Picture | null;
  readonly #limits: { account: number; all: number };
  readonly #full = new Set<string>();
  /** Whose centre knows that status messages were given up. */
  readonly #toldLost = new Set<string>();
  #held = new Map<string, number>();
  #recovery: Recovery | null = null;
  #consumer!: ReturnType<ArcJournal['consumer']>;
  /** Keeps in the journal what held accounts have not got yet. */
  #heldConsumer: ReturnType<ArcJournal['consumer']> | null = null;
  /** Read up to here; the consumer's cursor may lag behind by records that are nothing to us. */
  #at = 0;
  #running = false;
  #scheduled = false;
  #cancel: (() => void)[] = [];

  constructor(o: {
    journal: ArcJournal;
    queue: ArcQueue;
    clock: Clock;
    warnables: Warnables;
    takers: () => ReadonlyMap<string, Taker>;
    /** Messages of these accounts are in the queue. */
    queued: (accountIds: Set<string>) => void;
    report: (report: AlarmReport) => void;
    /** An address of what cameras saw of the event, for an account that takes one; null: there is none. */
    pictureOf?: (accountId: string, event: Event) => Picture | null;
    /** Messages that may wait for one account, and for all of them together. */
    limits?: { account: number; all: number };
  }) {
    this.#journal = o.journal;
    this.#queue = o.queue;
    this.#clock = o.clock;
    this.#warnables = o.warnables;
    this.#takers = o.takers;
    this.#queued = o.queued;
    this.#report = o.report;
    this.#pictureOf = o.pictureOf ?? (() => null);
    this.#limits = o.limits ?? { account: 20_000, all: 60_000 };
  }

  /** `lostQueue`: the queue was made anew, what the journal shows as unsettled is queued again. */
  open(lostQueue: boolean): void {
    this.#consumer = this.#journal.consumer('arc', 'end');
    this.#at = this.#consumer.cursor();
    this.#held = this.#queue.held();
    if (lostQueue) {
      this.#recovery = new Recovery(this.#journal, this.#clock.now());
      this.#at = Math.min(this.#at, this.#recovery.sinceSeq);
      for (const { line, last } of this.#recovery.sequences()) this.#queue.continueFrom(line, last);
    }
    // Of an account that is gone nothing pins the journal.
    if (this.#held.size === 0) this.#journal.consumer('arc-held', 'end').close();
    this.#pinHeld();
  }

  /** The accounts are about to change: what happened until now is taken by the rules of now, and not again. */
  settleUp(): void {
    if (!this.#running) return;
    this.#consume();
    this.#consumer.commit(this.#at);
  }

  /** Nothing is taken from the journal before this: events would be passed over for want of accounts. */
  begin(): void {
    if (!this.#running) this.#cancel.push(this.#journal.onAppend(() => this.schedule()));
    this.#running = true;
    this.schedule();
  }

  stop(): void {
    this.#running = false;
    for (const cancel of this.#cancel) cancel();
  }

  /** From where an account that is new takes part. */
  get sinceSeq(): number {
    return this.#running ? this.#journal.lastSeq : (this.#recovery?.sinceSeq ?? this.#journal.lastSeq);
  }

  schedule(): void {
    if (this.#scheduled || !this.#running) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#running) this.#consume();
    });
  }

  /** A message of the account has left the queue. */
  left(accountId: string): void {
    if (this.#full.size === 0 && this.#held.size === 0) return;
    if (this.#queue.waiting(accountId) > this.#limit() / 2) return;
    if (this.#held.has(accountId)) {
      this.schedule();
      return;
    }
    this.#toldLost.delete(accountId);
    if (this.#full.delete(accountId)) this.#warnables.clear('arc-queue-full', `arc:${accountId}`);
  }

  /** All other accounts were removed: what they have not got is nobody's, and does not keep the journal. */
  keep(accountIds: ReadonlySet<string>): void {
    for (const accountId of new Set([...this.#full, ...this.#toldLost, ...this.#held.keys()])) {
      if (accountIds.has(accountId)) continue;
      this.#full.delete(accountId);
      this.#toldLost.delete(accountId);
      this.#held.delete(accountId);
      this.#warnables.clear('arc-queue-full', `arc:${accountId}`);
    }
    this.#pinHeld();
  }

  #consume(): void {
    try {
      for (const accountId of [...this.#held.keys()]) this.#catchUp(accountId);
      for (;;) {
        const records = this.#journal.read(this.#at, BATCH);
        const last = records.at(-1);
        if (!last) break;
        const accounts = this.#take(records, null);
        this.#at = last.seq;
        if (accounts.size > 0 || this.#at - this.#consumer.cursor() >= BATCH) this.#consumer.commit(this.#at);
      }
      this.#warnables.clear('arc-queue-unwritable', 'box');
    } catch (error) {
      this.#warnables.raise(
        'arc-queue-unwritable',
        'box',
        'error',
        `The queue of alarms cannot be written (${(error as Error).message}). Free room on the box's storage or replace it.`,
      );
      this.#cancel.push(this.#clock.after(RETRY_MS, () => this.schedule()));
    }
  }

  /** What a held account has missed, while there is room. */
  #catchUp(accountId: string): void {
    if (!this.#takers().has(accountId) || this.#queue.waiting(accountId) > this.#limit() / 2) return;
    let from = this.#held.get(accountId)!;
    this.#held.delete(accountId);
    try {
      while (from < this.#at && !this.#held.has(accountId)) {
        const records = this.#journal.read(from, BATCH).filter((record) => record.seq <= this.#at);
        if (records.length === 0) break;
        const upTo = records.at(-1)!.seq;
        this.#take(records, accountId, () => {
          if (!this.#held.has(accountId)) this.#queue.hold(accountId, upTo < this.#at ? upTo : null);
        });
        from = upTo;
      }
    } catch (error) {
      this.#held.set(accountId, from);
      throw error;
    }
    if (!this.#held.has(accountId)) this.#queue.hold(accountId, null);
    this.#pinHeld();
    this.left(accountId);
  }

  /** Queues what records mean to each account, or to one; all of it or nothing. Returns the accounts. */
  #take(records: JournalRecord[], only: string | null, also: () => void = () => {}): Set<string> {
    const held = new Map(this.#held);
    const dropped: AlarmReport[] = [];
    let accounts: Set<string>;
    try {
      accounts = this.#queue.batch(() => {
        const queued = new Set(records.flatMap((r) => this.#enqueue(r, only, dropped)));
        also();
        return queued;
      });
    } catch (error) {
      this.#held = held;
      throw error;
    }
    for (const report of dropped) this.#report(report);
    if (this.#held.size !== held.size) this.#pinHeld();
    if (accounts.size > 0) this.#queued(accounts);
    return accounts;
  }

  #enqueue(record: JournalRecord, only: string | null, dropped: AlarmReport[]): string[] {
    if (record.kind !== 'event' && record.kind !== 'eventEnd') return [];
    const queuedAt = iso(this.#clock.now());
    const takers = [...this.#takers().values()].filter(({ config }) => only === null || config.id === only);
    const messages =
      record.kind === 'event' ? alarms(record, takers, queuedAt) : this.#restores(record, takers, queuedAt);
    const event = record.kind === 'event' ? record.body : null;
    return messages
      .filter((message) => this.#add(message, record.seq, event, dropped))
      .map(({ accountId }) => accountId);
  }

  #restores(record: Extract<JournalRecord, { kind: 'eventEnd' }>, takers: Taker[], queuedAt: string): NewMessage[] {
    const { eventId, endedAt } = record.body;
    return this.#queue.alarmsOf(eventId).flatMap((alarm) => {
      const taker = takers.find(({ config }) => config.id === alarm.accountId);
      // The end of what is served no longer is not told either, though its alarm was: nothing more is to go there.
      const { deviceId } = alarm;
      const served = deviceId === UNKNOWN_DEVICE || (taker && record.seq > sinceOf(taker.taking, alarm.type, deviceId));
      if (!taker || !served || codesOf(alarm.type, alarm.cid, taker.config.codes).siaEnd === null) return [];
      // Over before it was due: it was never told, and neither is its end.
      if (alarm.dueMs !== null && alarm.tries === 0) {
        if (alarm.settledMs === null && alarm.dueMs > this.#clock.now())
          this.#queue.settleSilently(alarm, this.#clock.now());
        if (alarm.settledMs !== null || alarm.dueMs > this.#clock.now()) return [];
      }
      const { accountId, priority, type, zone, text, cid, area } = alarm;
      const { account, receiverId } = taker.config;
      const same = { eventId, accountId, deviceId, priority, type, zone, text, cid, area, account, receiverId };
      return [{ ...same, kind: 'restore' as const, occurredAt: endedAt, queuedAt }];
    });
  }

  /** False when there is no room, and the account is held. */
  #add(message: NewMessage, seq: number, event: Event | null, dropped: AlarmReport[]): boolean {
    const { accountId } = message;
    if (this.#held.has(accountId)) return false;
    // The journal may be read twice.
    if (this.#queue.has(message)) return true;
    while (this.#queue.waiting(accountId) >= this.#limit()) {
      if (this.#makeRoom(accountId, dropped)) continue;
      this.#held.set(accountId, seq - 1);
      this.#queue.hold(accountId, seq - 1);
      return false;
    }
    const told = this.#recovery?.settled.has(messageId(message)) === true;
    if (told) {
      const id = this.#queue.add({ ...message, dueMs: null });
      this.#queue.settleSilently({ id, accountId }, this.#clock.now());
      return true;
    }
    const picture = event && this.#pictureOf(accountId, event);
    this.#queue.add(picture ? { ...message, link: picture.url, linkId: picture.id } : message);
    return true;
  }

  #makeRoom(accountId: string, dropped: AlarmReport[]): boolean {
    const { config } = this.#takers().get(accountId)!;
    const now = this.#clock.now();
    this.#full.add(accountId);
    this.#warnables.raise(
      'arc-queue-full',
      `arc:${accountId}`,
      'error',
      `Account ${config.account}: ${this.#limit()} messages wait for its receiver. The oldest status messages are given up for new ones; alarms are kept, further ones in the box's journal. Check the account and the internet connection.`,
    );
    const status = this.#queue.oldestStatus(accountId);
    if (!status) return false;
    const end = { state: 'failed', path: null, acknowledgedAt: null, reason: MADE_ROOM } as const;
    const report = reportOf(status, config, end);
    this.#queue.settle(status, report, now);
    dropped.push(report);
    if (!this.#toldLost.has(accountId) && !this.#queue.hasWaiting(accountId, 'eventsLost'))
      this.#queue.add(ownMessage(config, 'eventsLost', now));
    this.#toldLost.add(accountId);
    return true;
  }

  #limit(): number {
    const { account, all } = this.#limits;
    return Math.min(account, Math.max(1_000, Math.floor(all / Math.max(1, this.#takers().size))));
  }

  #pinHeld(): void {
    if (this.#held.size === 0) {
      this.#heldConsumer?.close();
      this.#heldConsumer = null;
      return;
    }
    this.#heldConsumer ??= this.#journal.consumer('arc-held', 'end');
    this.#heldConsumer.commit(Math.min(...this.#held.values()));
  }
}

/** An event as each account takes it. */
function alarms(
  { seq, body: event }: Extract<JournalRecord, { kind: 'event' }>,
  takers: Taker[],
  queuedAt: string,
): NewMessage[] {
  const { id: eventId, type, deviceId, channel, occurredAt, text } = event;
  const [cid, area] = [event.cid ?? null, event.area ?? null];
  return takers
    .filter(({ taking }) => seq > sinceOf(taking, type, deviceId))
    .map(({ config }) => {
      const { account, receiverId, id: accountId } = config;
      const zone = OF_AREAS.has(type) ? '000' : zoneOf(config, deviceId, channel);
      const what = {
        eventId,
        accountId,
        deviceId,
        account,
        receiverId,
        zone,
        cid,
        area,
        type,
        text,
        occurredAt,
        queuedAt,
      };
      return { ...what, kind: 'alarm' as const, priority: CODES[type].priority, dueMs: dueMs(config, event) };
    });
}

/** EXC-16: a device that comes back soon enough was never offline. null: told at once. */
function dueMs({ devices }: ArcAccountConfig, { type, deviceId, occurredAt }: Event): number | null {
  if (type !== 'deviceOffline') return null;
  const delayMs = devices?.find((device) => device.deviceId === deviceId)?.offlineDelayMs ?? 0;
  return delayMs > 0 ? Date.parse(occurredAt) + delayMs : null;
}

/** Their number is the user, whom panels give by name only; the area stands in its own place. */
const OF_AREAS: ReadonlySet<EventType> = new Set<EventType>([
  'areaArmedAway',
  'areaArmedStay',
  'areaDisarmed',
  'armFailed',
]);

/** The line for this channel, else the one for the whole device, else the channel's own number. */
function zoneOf(config: ArcAccountConfig, deviceId: string | null, channel: number | null): string {
  const lines = config.zones.filter((z) => z.deviceId === deviceId);
  const line = lines.find((z) => z.channel === channel) ?? lines.find((z) => z.channel === null);
  return String(Math.min(999, line?.zone ?? channel ?? 0)).padStart(3, '0');
}
