import { createHash, randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { AlarmReport, ArcPathName } from '../../protocol/wire/event.ts';
import { openOrReplace } from '../sqlite.ts';
import { codesOf, type MessageType, PRIORITY } from './codes.ts';
import { addColumns, type KnownAccount, prepare, SCHEMA, type WaitingKind } from './queue-schema.ts';

/** Settled messages are kept this long: by them a journal read twice does not alarm twice, and restores find their alarm. */
const KEEP_MS = 7 * 86_400_000;
const KEEP_ROWS = 50_000;
/** … and for as long as they last, so many alarms that have no end yet: a device may be away for months. */
const KEEP_OPEN = 10_000;

export interface QueuedMessage {
  n: number;
  id: string;
  eventId: string;
  accountId: string;
  /** null: about none. */
  deviceId: string | null;
  kind: AlarmReport['kind'];
  priority: number;
  type: MessageType;
  /** Three digits. */
  zone: string;
  text: string | null;
  /** A panel's own Contact ID and area. */
  cid: string | null;
  area: number | null;
  occurredAt: string;
  queuedAt: string;
  account: string;
  receiverId: string;
  sequence: number;
  /** A test of this path alone; null: over whichever works. */
  via: ArcPathName | null;
  /** Not sent before, and not at all if it is over by then; null: at once. */
  dueMs: number | null;
  /** Address of the pictures that go with it, and the id under which the relay knows it. */
  link: string | null;
  linkId: string | null;
  /** Set when the receiver did not take the account's own protocol. */
  protocol: AlarmReport['protocol'] | null;
  /** 1: the receiver does not know its code, so it goes as an untyped alarm with text. */
  generic: number;
  tries: number;
  /** 1: a try has begun whose end is not known, so the receiver may have the message. */
  unanswered: number;
  possibleRepeat: number;
  /** The last tries, JSON: see tries.ts. */
  log: string;
  /** When it ended; null: it waits. */
  settledMs: number | null;
}
export type NewMessage = Pick<
  QueuedMessage,
  | 'eventId'
  | 'accountId'
  | 'kind'
  | 'priority'
  | 'type'
  | 'zone'
  | 'text'
  | 'occurredAt'
  | 'queuedAt'
  | 'account'
  | 'receiverId'
> &
  Partial<Pick<QueuedMessage, keyof typeof ABSENT>>;

const ABSENT = { deviceId: null, cid: null, area: null, via: null, dueMs: null, link: null, linkId: null };

/** The same message has the same id, however often the journal is read and even by a queue made anew. */
export function messageId(m: Pick<NewMessage, 'eventId' | 'accountId' | 'kind'>, salt = ''): string {
  const h = createHash('sha256').update(`${m.eventId} ${m.accountId} ${m.kind}${salt}`).digest('hex');
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-8${h.slice(13, 16)}-a${h.slice(17, 20)}-${h.slice(20, 32)}`;
}

/**
 * Messages to alarm receiving centres, waiting on disk until one of them has acknowledged. A SQLite file of its own with
 * synchronous=FULL: what is in it survives a power cut. Sequence numbers belong to an account at a receiver and never
 * start again, so that a restart or an account entered anew does not reuse one.
 */
export class ArcQueue {
  readonly #dir: string;
  /** By account: counting tens of thousands of rows for each event would hold up the next. */
  readonly #waiting = new Map<string, number>();
  #db!: Database;
  #statements!: ReturnType<typeof prepare>;

  constructor({ dir }: { dir: string }) {
    this.#dir = dir;
  }

  /** Opens the file; one that is damaged is set aside and its name returned. */
  open(): string | null {
    const { db, aside } = openOrReplace(join(this.#dir, 'queue.db'), SCHEMA);
    addColumns(db);
    this.#db = db;
    this.#statements = prepare(db);
    this.#count();
    return aside;
  }

  close(): void {
    this.#db.close();
  }

  /** What `fn` adds is on disk when this returns, all of it or nothing. */
  batch<T>(fn: () => T): T {
    try {
      return this.#db.transaction(fn)();
    } catch (error) {
      this.#count();
      throw error;
    }
  }

  /** Does nothing if the message is there already. Returns its id. */
  add(m: NewMessage): string {
    const id = messageId(m);
    if (this.#statements.byId.get(id)) return id;
    const account = m.kind === 'restore' ? this.#accountOfAlarm(m) : m.account;
    const sequence = this.#nextSequence({ ...m, account });
    if (m.kind === 'restore') this.#statements.ended.run(m.eventId, m.accountId);
    const open = m.kind === 'alarm' && codesOf(m.type, m.cid ?? null).siaEnd !== null ? 1 : 0;
    this.#statements.insert.run({ ...ABSENT, ...m, account, id, sequence, open });
    this.#waiting.set(m.accountId, this.waiting(m.accountId) + 1);
    return id;
  }

  /** The end of an alarm goes under the number that the alarm went under, else the centre cannot tell what has ended. */
  #accountOfAlarm(m: Pick<NewMessage, 'eventId' | 'accountId' | 'receiverId' | 'account'>): string {
    const alarm = this.alarmsOf(m.eventId).find(({ accountId }) => accountId === m.accountId);
    return alarm?.receiverId === m.receiverId ? alarm.account : m.account;
  }

  #nextSequence(of: Pick<NewMessage, 'receiverId' | 'account'>): number {
    const line = lineOf(of);
    // A counter made anew starts anywhere: the one before it is not known.
    const last = this.#statements.lastSequence.get(line)?.last ?? randomInt(9999);
    const sequence = (last % 9999) + 1;
    this.#statements.setSequence.run(line, sequence);
    return sequence;
  }

  /** Gives a message that waits another number, and a sequence of that line. */
  renumber(m: QueuedMessage, { account, receiverId }: Pick<NewMessage, 'account' | 'receiverId'>): void {
    this.batch(() => {
      const sequence = this.#nextSequence({ account, receiverId });
      this.#statements.renumber.run(account, receiverId, sequence, m.id);
      Object.assign(m, { account, receiverId, sequence });
    });
  }

  /**
   * The account has another number, or is at another receiver. What the receiver may have already keeps its number, so that
   * it is recognised when it comes again, and so does the end of what was told under it.
   */
  renumberAll({ id, account, receiverId }: { id: string; account: string; receiverId: string }): void {
    this.batch(() => {
      for (const m of this.#statements.otherLine.all(id, account, receiverId)) {
        const same = m.receiverId === receiverId;
        if (same && (m.unanswered === 1 || m.possibleRepeat === 1)) continue;
        const now = { ...m, account, receiverId };
        const number = m.kind === 'restore' ? this.#accountOfAlarm(now) : account;
        if (!same || number !== m.account) this.renumber(m, { account: number, receiverId });
      }
    });
  }

  has(m: Pick<NewMessage, 'eventId' | 'accountId' | 'kind'>): boolean {
    return this.#statements.byId.get(messageId(m)) !== undefined;
  }

  /** Queues a test and remembers its time in one step. */
  addTest(message: NewMessage, time: keyof ReturnType<typeof prepare>['tested'], nowMs: number): void {
    this.batch(() => {
      this.add(message);
      this.#statements.tested[time].run(nowMs, message.accountId);
    });
  }

  /** The last number of a line that a queue made anew does not know. */
  continueFrom(line: Pick<NewMessage, 'receiverId' | 'account'>, sequence: number): void {
    if (!this.#statements.lastSequence.get(lineOf(line))) this.#statements.setSequence.run(lineOf(line), sequence);
  }

  /** How far a receiver's clock is ahead of ours, as learned last. */
  offset(receiverId: string): number {
    return this.#statements.offset.get(receiverId)?.offsetMs ?? 0;
  }

  setOffset(receiverId: string, offsetMs: number): void {
    this.#statements.setOffset.run(receiverId, Math.round(offsetMs));
  }

  /** Queues the word that the clocks disagree, once until {@link clockAgrees}. */
  addClockFault(message: NewMessage): void {
    this.batch(() => {
      this.add(message);
      this.#statements.clockTold.run(1, message.accountId);
    });
  }

  clockAgrees(accountId: string): void {
    this.#statements.clockTold.run(0, accountId);
  }

  /** The event id of a path's loss that was queued and whose return was not; null: none. */
  openFault(accountId: string, path: string): string | null {
    return this.#statements.openFault.get(accountId, path)?.eventId ?? null;
  }

  /** Queues the loss of a path, and remembers it until {@link endFault}. */
  addFault(message: NewMessage, path: string): void {
    this.batch(() => {
      this.add(message);
      this.#statements.addFault.run(message.accountId, path, message.eventId);
    });
  }

  /** Queues its return. */
  endFault(message: NewMessage, path: string): void {
    this.batch(() => {
      this.add(message);
      this.#statements.endFault.run(message.accountId, path);
    });
  }

  /** Oldest of the most urgent class that is due. */
  head(accountId: string, nowMs: number): QueuedMessage | null {
    return this.#statements.head.get(accountId, nowMs) ?? null;
  }

  /** When the first message with a time of its own is due, which may be past; null: there is none. */
  nextDue(accountId: string): number | null {
    return this.#statements.nextDue.get(accountId)?.dueMs ?? null;
  }

  /** The next message about another event: see {@link AccountSender}. */
  headBut(accountId: string, eventId: string, nowMs: number): QueuedMessage | null {
    return this.#statements.headBut.get(accountId, nowMs, eventId) ?? null;
  }

  /** What is to be given up first when the queue is full: the oldest of the least urgent class, but no alarm. */
  oldestStatus(accountId: string): QueuedMessage | null {
    const oldest = (priority: number) => this.#statements.oldestStatus.get(accountId, priority);
    return oldest(PRIORITY.test) ?? oldest(PRIORITY.fault) ?? null;
  }

  /** It has not ended yet. */
  waits(id: string): boolean {
    return this.#statements.byId.get(id)?.settledMs === null;
  }

  hasWaiting(accountId: string, type: MessageType): boolean {
    return this.#statements.waitingOfType.get(accountId, type) !== undefined;
  }

  alarmsOf(eventId: string): QueuedMessage[] {
    return this.#statements.alarmsOf.all(eventId);
  }

  waiting(accountId?: string): number {
    if (accountId !== undefined) return this.#waiting.get(accountId) ?? 0;
    return [...this.#waiting.values()].reduce((sum, count) => sum + count, 0);
  }

  /** On disk before a try leaves, and after one that was not the last. */
  save(m: QueuedMessage): void {
    this.#statements.save.run(m.tries, m.unanswered, m.possibleRepeat, m.protocol, m.generic, m.log, m.id);
  }

  /** The end of a message; its report is kept until {@link reported}. False when it had ended otherwise already. */
  settle(m: QueuedMessage, report: AlarmReport, nowMs: number): boolean {
    const text = JSON.stringify(report);
    const { changes } = this.#statements.settle.run(m.tries, m.possibleRepeat, nowMs, text, m.id);
    if (changes > 0) this.#left(m.accountId);
    // Given up while it was out, and then acknowledged: the better news stands.
    else if (report.state === 'acknowledged') this.#statements.settleAgain.run(text, m.id);
    else return false;
    return true;
  }

  /** A message known to be settled from elsewhere: nothing is sent and nothing reported. */
  settleSilently({ id, accountId }: Pick<QueuedMessage, 'id' | 'accountId'>, nowMs: number): void {
    if (this.#statements.settleSilently.run(nowMs, id).changes > 0) this.#left(accountId);
  }

  unreported(limit: number): AlarmReport[] {
    return this.#statements.unreported.all(limit).map((row) => JSON.parse(row.report));
  }

  reported(id: string): void {
    this.#statements.reported.run(id);
  }

  /** Makes an account known; what happened before journal position `sinceSeq` is not its business. */
  know(id: string, sinceSeq: number, nowMs: number): KnownAccount {
    this.#statements.know.run(id, sinceSeq, nowMs);
    return this.#statements.known.get(id)!;
  }

  known(id: string): KnownAccount | null {
    return this.#statements.known.get(id) ?? null;
  }

  /** Accounts whose further events wait in the journal, each with the last record that it has. */
  held(): Map<string, number> {
    return new Map(this.#statements.held.all().map(({ id, heldSeq }) => [id, heldSeq]));
  }

  hold(accountId: string, seq: number | null): void {
    this.#statements.hold.run(seq, accountId);
  }

  /** Notes what an account takes: see {@link KnownAccount}. */
  takes(accountId: string, takes: string): void {
    this.#statements.takes.run(takes, accountId);
  }

  /** All other accounts take nothing any more. */
  keep(accountIds: Iterable<string>): void {
    this.#statements.gone.run(JSON.stringify([...accountIds]));
  }

  /** Settles what waits and is not to be sent any more: all of it, or nothing. `end` says how; null: it waits on. */
  withdraw(end: (kind: WaitingKind) => ((m: QueuedMessage) => AlarmReport) | null, nowMs: number): void {
    this.batch(() => {
      for (const kind of this.#statements.waitingKinds.all()) {
        const report = end(kind);
        if (!report) continue;
        for (const m of this.#statements.waitingOfKind.all(kind)) this.settle(m, report(m), nowMs);
      }
    });
  }

  /** Forgets what has ended long ago. */
  prune(nowMs: number): void {
    this.#statements.closeOldest.run(KEEP_OPEN);
    this.#statements.prune.run(nowMs - KEEP_MS, KEEP_ROWS);
  }

  #left(accountId: string): void {
    this.#waiting.set(accountId, this.waiting(accountId) - 1);
  }

  #count(): void {
    this.#waiting.clear();
    for (const { accountId, count } of this.#statements.counts.all()) this.#waiting.set(accountId, count);
  }
}

const lineOf = (m: Pick<NewMessage, 'receiverId' | 'account'>): string => `${m.receiverId} ${m.account}`;
