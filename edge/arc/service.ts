import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { AlarmReport, EventType, JournalRecord } from '../../protocol/wire/event.ts';
import { Host } from '../../protocol/wire/ids.ts';
import type { ArcPathHealth } from '../../protocol/wire/uplink.ts';
import type { RelayAuth } from '../uplink/relay-auth.ts';
import type { Warnables } from '../warnables.ts';
import { AccountSender } from './account.ts';
import { CODES } from './codes.ts';
import { ArcQueue } from './queue.ts';
import { Recovery } from './recovery.ts';
import { RelayPath } from './relay-path.ts';
import { reportOf } from './report.ts';
import { type ArcAccountConfig, type ArcJournal, type ArcTimings, arcTimings } from './types.ts';
import { AccountWarnings } from './warnings.ts';

const BATCH = 256;
/** Over this many waiting messages the journal is left to hold the rest: nothing is dropped, nothing grows. */
const MAX_WAITING = 20_000;
const SWEEP_MS = 60_000;
/** Messages of an account that was removed are given up after this; one whose key cannot be opened may come back. */
const GONE_AFTER_MS = 3_600_000;
const ACCOUNT_GONE = 'The account was removed before the message was acknowledged.';

/**
 * Alarm transmission: journal → queue on disk → receiver, for each account on its own (DC-09; ARC-15, 24, 25, 32).
 *
 * Nothing is taken from the journal before the first {@link apply}: events that happen while the box starts would be
 * passed over for want of accounts. An account gets what happens after it was first applied.
 */
export class ArcService {
  readonly #journal: ArcJournal;
  readonly #queue: ArcQueue;
  readonly #relay: RelayPath;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #warnables: Warnables;
  readonly #timings: ArcTimings;
  readonly #senders = new Map<string, { config: ArcAccountConfig; sinceSeq: number; sender: AccountSender }>();
  readonly #listeners = new Set<() => void>();
  #recovery: Recovery | null = null;
  #consumer!: ReturnType<ArcJournal['consumer']>;
  /** Read up to here; the consumer's cursor may lag behind by records that are nothing to us. */
  #at = 0;
  #applied = false;
  #stopped = false;
  #scheduled = false;
  #cancel: (() => void)[] = [];

  constructor(
    o: {
      journal: ArcJournal;
      dir: string;
      auth: Pick<RelayAuth, 'header' | 'relayUrl'>;
      clock: Clock;
      log: Logger;
      warnables: Warnables;
    } & Partial<ArcTimings>,
  ) {
    const { journal, dir, auth, clock, log, warnables, ...timings } = o;
    this.#journal = journal;
    this.#queue = new ArcQueue({ dir });
    this.#clock = clock;
    this.#log = log.child({ module: 'arc' });
    this.#warnables = warnables;
    this.#timings = arcTimings(timings);
    this.#relay = new RelayPath({
      auth,
      clock,
      log: this.#log,
      onChange: () => {
        for (const { sender } of this.#senders.values()) sender.relayChanged();
      },
    });
  }

  start(signal?: AbortSignal): void {
    const aside = this.#queue.open();
    this.#consumer = this.#journal.consumer('arc', 'end');
    this.#at = this.#consumer.cursor();
    if (aside) this.#recover(aside);
    for (const report of this.#queue.unreported()) this.#report(report);
    this.#relay.start();
    this.#cancel = [this.#journal.onAppend(() => this.#schedule()), this.#clock.every(SWEEP_MS, () => this.#sweep())];
    signal?.addEventListener('abort', () => void this.stop());
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const cancel of this.#cancel) cancel();
    await Promise.all([...this.#senders.values()].map(({ sender }) => sender.stop()));
    await this.#relay.stop();
    // Reports on their way into the journal are noted in the queue as they arrive.
    await new Promise((resolve) => setImmediate(resolve));
    this.#queue.close();
  }

  /** Takes over the accounts of the desired state. Unchanged ones go on undisturbed. */
  apply(items: ArcAccountConfig[]): { id: string; code: string; text: string }[] {
    const errors: { id: string; code: string; text: string }[] = [];
    const wanted = new Map<string, ArcAccountConfig>();
    for (const item of items) {
      if (item.key && ![16, 24, 32].includes(item.key.length)) {
        errors.push({ id: item.id, code: 'key-invalid', text: 'A key has 16, 24 or 32 bytes: enter it again.' });
      } else if (!Host.safeParse(item.direct.host).success) {
        errors.push({ id: item.id, code: 'address-invalid', text: 'The receiver’s address is none: enter it again.' });
      } else wanted.set(item.id, item);
    }
    for (const [id, { sender, config }] of this.#senders) {
      if (wanted.has(id)) continue;
      this.#senders.delete(id);
      new AccountWarnings(this.#warnables, config).clearAll();
      void sender.stop();
    }
    for (const config of wanted.values()) this.#applyOne(config);
    this.#applied = true;
    this.#sweep();
    this.#schedule();
    return errors;
  }

  health(): ArcPathHealth[] {
    return [...this.#senders.values()].map(({ sender }) => sender.health());
  }

  /** Messages that no receiver has acknowledged yet. */
  waiting(): number {
    return this.#queue.waiting();
  }

  onChange(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  #applyOne(config: ArcAccountConfig): void {
    const current = this.#senders.get(config.id);
    if (current && transmission(current.config) === transmission(config)) {
      current.config = config;
      return;
    }
    const since = this.#recovery?.sinceSeq ?? this.#journal.lastSeq;
    const { sinceSeq, testMs } = this.#queue.know(config.id, since, this.#clock.now());
    const warnings = new AccountWarnings(this.#warnables, config);
    warnings.clearAll();
    const sender = new AccountSender(config, testMs, {
      queue: this.#queue,
      relay: this.#relay,
      report: (report) => this.#report(report),
      clock: this.#clock,
      log: this.#log.child({ account: config.account }),
      warnings,
      timings: this.#timings,
      onChange: () => this.#changed(),
    });
    this.#senders.set(config.id, { config, sinceSeq, sender });
    // Never two frames of one account outstanding, not even while it is being changed.
    void (current?.sender.stop() ?? Promise.resolve()).then(() => {
      if (!this.#stopped && this.#senders.get(config.id)?.sender === sender) sender.start();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#stopped || !this.#applied) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#stopped) this.#consume();
    });
  }

  /** Journal → queue. The queue has them on disk before the cursor moves. */
  #consume(): void {
    try {
      for (;;) {
        if (this.#queue.waiting() >= MAX_WAITING) {
          this.#warnables.raise(
            'arc-queue-full',
            'box',
            'error',
            `${MAX_WAITING} messages wait for alarm receivers. Later ones stay in the box's journal until these are out. Check the accounts.`,
          );
          return;
        }
        const records = this.#journal.read(this.#at, BATCH);
        const last = records.at(-1);
        if (!last) break;
        const accounts = this.#queue.batch(() => new Set(records.flatMap((r) => this.#enqueue(r))));
        this.#at = last.seq;
        if (accounts.size > 0 || this.#at - this.#consumer.cursor() >= BATCH) this.#consumer.commit(this.#at);
        for (const id of accounts) this.#senders.get(id)?.sender.wake();
        if (accounts.size > 0) this.#changed();
      }
      this.#warnables.clear('arc-queue-full', 'box');
      this.#warnables.clear('arc-queue-unwritable', 'box');
    } catch (error) {
      this.#warnables.raise(
        'arc-queue-unwritable',
        'box',
        'error',
        `The queue of alarms cannot be written (${(error as Error).message}). Free room on the box's storage or replace it.`,
      );
      this.#cancel.push(this.#clock.after(1_000, () => this.#schedule()));
    }
  }

  /** Queues what a record means to each account; returns the accounts. */
  #enqueue(record: JournalRecord): string[] {
    const queuedAt = iso(this.#clock.now());
    if (record.kind === 'event') {
      const { body } = record;
      const takers = [...this.#senders.values()].filter(
        ({ config, sinceSeq }) => record.seq > sinceSeq && config.events.includes(body.type),
      );
      return takers.map(({ config }) => {
        const { account, receiverId, id: accountId } = config;
        const { priority } = CODES[body.type];
        const { occurredAt, text, type } = body;
        const zone = OF_AREAS.has(type) ? '000' : zoneOf(config, body.deviceId, body.channel);
        const [cid, area] = [body.cid ?? null, body.area ?? null];
        const what = { eventId: body.id, accountId, account, receiverId, zone, cid, area };
        this.#add({ ...what, kind: 'alarm', priority, type, text, occurredAt, queuedAt });
        return accountId;
      });
    }
    if (record.kind !== 'eventEnd') return [];
    return this.#queue
      .alarmsOf(record.body.eventId)
      .filter((alarm) => CODES[alarm.type].siaEnd !== null && this.#senders.has(alarm.accountId))
      .map((alarm) => {
        this.#add({ ...alarm, kind: 'restore', occurredAt: record.body.endedAt, queuedAt });
        return alarm.accountId;
      });
  }

  #add(message: Parameters<ArcQueue['add']>[0]): void {
    const id = this.#queue.add(message);
    if (this.#recovery?.settled.has(id)) this.#queue.settleSilently(id, this.#clock.now());
  }

  #report(report: AlarmReport): void {
    this.#journal.append([{ kind: 'alarm', body: report }]).then(
      () => {
        if (report.state !== 'waiting') this.#noteReported(report.id);
      },
      (error) => this.#log.warn({ err: error, message: report.id }, 'the report waits: the journal cannot be written'),
    );
  }

  #noteReported(id: string): void {
    try {
      this.#queue.reported(id);
    } catch (error) {
      // It is reported again then, which replaces the same report.
      this.#log.debug({ err: error }, 'could not note a report');
    }
  }

  #sweep(): void {
    if (!this.#applied) return;
    const now = this.#clock.now();
    try {
      for (const m of this.#queue.sweep([...this.#senders.keys()], now, GONE_AFTER_MS)) {
        const end = { state: 'failed', path: null, acknowledgedAt: null, reason: ACCOUNT_GONE } as const;
        this.#queue.settle(m, reportOf(m, 'SIA-DCS', end), now);
      }
      for (const report of this.#queue.unreported()) this.#report(report);
    } catch (error) {
      this.#log.warn({ err: error }, 'the alarm queue could not be swept');
    }
  }

  #recover(aside: string): void {
    this.#recovery = new Recovery(this.#journal, this.#clock.now());
    this.#at = Math.min(this.#at, this.#recovery.sinceSeq);
    this.#warnables.raise(
      'arc-queue-broken',
      'box',
      'error',
      `The queue of alarms was damaged and has been made anew from the journal. Replace the box's storage if this happens again. The old file is kept as ${aside.split('/').pop()}.`,
    );
  }

  #changed(): void {
    for (const fn of this.#listeners) fn();
  }
}

/** Their number is the user, whom panels give by name only; the area stands in its own place. */
const OF_AREAS: ReadonlySet<EventType> = new Set<EventType>([
  'areaArmedAway',
  'areaArmedStay',
  'areaDisarmed',
  'armFailed',
]);

/** What the sender works with; the rest of an account can change without disturbing it. */
function transmission({ events: _events, zones: _zones, key, ...rest }: ArcAccountConfig): string {
  return JSON.stringify([rest, key?.toString('hex')]);
}

/** The line for this channel, else the one for the whole device, else the channel's own number. */
function zoneOf(config: ArcAccountConfig, deviceId: string | null, channel: number | null): string {
  const lines = config.zones.filter((z) => z.deviceId === deviceId);
  const line = lines.find((z) => z.channel === channel) ?? lines.find((z) => z.channel === null);
  return String(Math.min(999, line?.zone ?? channel ?? 0)).padStart(3, '0');
}
