import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { ARC_MESSAGES, type ArcMessageKind } from '../../protocol/wire/arc-message.ts';
import type { AlarmReport, Event } from '../../protocol/wire/event.ts';
import { Host } from '../../protocol/wire/ids.ts';
import type { ArcPathHealth } from '../../protocol/wire/uplink.ts';
import type { RelayAuth } from '../uplink/relay-auth.ts';
import type { Warnables } from '../warnables.ts';
import { AccountSender } from './account.ts';
import { Intake } from './intake.ts';
import { ownMessage } from './own-messages.ts';
import { Pictures } from './pictures.ts';
import { ArcQueue } from './queue.ts';
import { RelayPath } from './relay-path.ts';
import { reportOf } from './report.ts';
import { type Taking, takingOf, withdrawn } from './taking.ts';
import type { ReceiverClock } from './transmit.ts';
import { type ArcAccountConfig, type ArcJournal, type ArcTimings, arcTimings } from './types.ts';
import { AccountWarnings } from './warnings.ts';

const SWEEP_MS = 60_000;
/** So many reports go into the journal at once. */
const REPORTS = 500;
const ACCOUNT_GONE = 'The account was removed before the message was acknowledged.';

/**
 * Alarm transmission: journal → queue on disk → receiver, for each account on its own (DC-09; ARC-15, 24, 25, 32). An
 * account gets what happens after it was first applied.
 */
export class ArcService {
  readonly #queue: ArcQueue;
  readonly #intake: Intake;
  readonly #journal: ArcJournal;
  readonly #relay: RelayPath;
  readonly #pictures: Pictures;
  readonly #second: (() => string | null) | null;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #warnables: Warnables;
  readonly #timings: ArcTimings;
  readonly #senders = new Map<string, { config: ArcAccountConfig; taking: Taking; sender: AccountSender }>();
  /** By account: senders that were told to stop and may still have a frame out. */
  readonly #stopping = new Map<string, Promise<unknown>>();
  /** Accounts that there are, those included whose key cannot be opened just now: their messages wait for it. */
  #kept: ReadonlySet<string> = new Set();
  #telling: Promise<void> | null = null;
  /** By receiver: how far its clock is ahead of ours. */
  readonly #offsets = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  #applied = false;
  #stopped = false;
  #cancel: (() => void)[] = [];

  constructor(
    o: {
      journal: ArcJournal;
      dir: string;
      auth: Pick<RelayAuth, 'header' | 'relayUrl'>;
      /** The address of the box's second interface now; absent: it has none. */
      second?: () => string | null;
      /** Whether cameras record what an event shows; absent: none do. */
      recorded?: (event: Event) => boolean;
      limits?: { account: number; all: number };
      clock: Clock;
      log: Logger;
      warnables: Warnables;
    } & Partial<ArcTimings>,
  ) {
    const { journal, dir, auth, second, recorded, limits, clock, log, warnables, ...timings } = o;
    this.#journal = journal;
    this.#queue = new ArcQueue({ dir });
    this.#second = second ?? null;
    this.#clock = clock;
    this.#log = log.child({ module: 'arc' });
    this.#warnables = warnables;
    this.#timings = arcTimings(timings);
    this.#intake = new Intake({
      journal,
      queue: this.#queue,
      clock,
      warnables,
      limits,
      takers: () => this.#senders,
      queued: (accountIds) => {
        for (const id of accountIds) this.#senders.get(id)?.sender.wake();
        this.#changed();
      },
      report: (report) => this.#report(report),
      pictureOf: (accountId, event) => (recorded?.(event) ? this.#pictures.take(accountId) : null),
    });
    this.#pictures = new Pictures({ auth, clock, log: this.#log });
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
    this.#intake.open(aside !== null);
    if (aside) this.#tellDamage(aside);
    this.#tell();
    this.#relay.start();
    this.#cancel = [this.#clock.every(SWEEP_MS, () => this.#sweep())];
    signal?.addEventListener('abort', () => void this.stop());
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#intake.stop();
    for (const cancel of this.#cancel) cancel();
    await Promise.all([...[...this.#senders.values()].map(({ sender }) => sender.stop()), ...this.#stopping.values()]);
    await Promise.all([this.#relay.stop(), this.#pictures.stop(), this.#telling]);
    // Reports on their way into the journal are noted in the queue as they arrive.
    await new Promise((resolve) => setImmediate(resolve));
    this.#queue.close();
  }

  /**
   * Takes over the accounts of the desired state. Unchanged ones go on undisturbed. What waits of an account, a device or a
   * type that is there no longer is not sent. `unreadable`: accounts that are there, but whose key cannot be opened.
   */
  apply(items: ArcAccountConfig[], unreadable: readonly string[] = []): { id: string; code: string; text: string }[] {
    const errors: { id: string; code: string; text: string }[] = [];
    const wanted = new Map<string, ArcAccountConfig>();
    for (const item of items) {
      if (item.key && ![16, 24, 32].includes(item.key.length)) {
        errors.push({ id: item.id, code: 'key-invalid', text: 'A key has 16, 24 or 32 bytes: enter it again.' });
      } else if (!Host.safeParse(item.direct.host).success) {
        errors.push({ id: item.id, code: 'address-invalid', text: 'The receiver’s address is none: enter it again.' });
      } else wanted.set(item.id, item);
    }
    this.#intake.settleUp();
    const removed = new Map<string, ArcAccountConfig>();
    for (const [id, { sender, config }] of this.#senders) {
      if (wanted.has(id)) continue;
      this.#senders.delete(id);
      removed.set(id, config);
      new AccountWarnings(this.#warnables, config).clearAll();
      this.#retire(id, sender);
    }
    this.#kept = new Set([...wanted.keys(), ...unreadable, ...errors.map(({ id }) => id)]);
    this.#durable(() => {
      this.#intake.keep(this.#kept);
      this.#queue.keep(this.#kept);
    });
    for (const config of wanted.values()) this.#applyOne(config);
    this.#applied = true;
    this.#durable(() => this.#withdraw(removed));
    this.#pictures.want([...wanted.values()].filter((a) => a.extended.picture).map((a) => a.id));
    this.#sweep();
    this.#intake.begin();
    return errors;
  }

  health(): ArcPathHealth[] {
    return [...this.#senders.values()].map(({ sender }) => sender.health());
  }

  /** Messages that no receiver has acknowledged yet. */
  waiting(): number {
    return this.#queue.waiting();
  }

  /** Queues a message that a person asked for; its report has the id that is returned. Throws when the disk is full. */
  say(accountId: string, kind: ArcMessageKind): { id: string } | null {
    const known = this.#senders.get(accountId);
    if (!known) return null;
    const message = ownMessage(known.config, ARC_MESSAGES[kind], this.#clock.now());
    const id = this.#queue.batch(() => this.#queue.add(message));
    known.sender.wake();
    return { id };
  }

  onChange(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  #applyOne(config: ArcAccountConfig): void {
    const current = this.#senders.get(config.id);
    const known = this.#queue.know(config.id, this.#intake.sinceSeq, this.#clock.now());
    const before: Taking | null = current?.taking ?? (known.takes === null ? null : JSON.parse(known.takes));
    const taking = takingOf(config, before, before ? this.#journal.lastSeq : known.sinceSeq);
    const takes = JSON.stringify(taking);
    if (takes !== known.takes) this.#durable(() => this.#queue.takes(config.id, takes));
    this.#durable(() => this.#queue.renumberAll(config));
    if (current && transmission(current.config) === transmission(config)) {
      Object.assign(current, { config, taking });
      return;
    }
    const warnings = new AccountWarnings(this.#warnables, config);
    warnings.clearAll();
    const sender = new AccountSender(config, known, {
      queue: this.#queue,
      relay: this.#relay,
      second: this.#second,
      receiverClock: this.#clockOf(config.receiverId),
      report: (report) => this.#report(report),
      clock: this.#clock,
      log: this.#log.child({ account: config.account }),
      warnings,
      timings: this.#timings,
      onChange: () => this.#changed(),
    });
    if (current) this.#retire(config.id, current.sender);
    this.#senders.set(config.id, { config, taking, sender });
    // Never two frames of one account outstanding, not even while it is being changed, or goes and comes back.
    void (this.#stopping.get(config.id) ?? Promise.resolve()).then(() => {
      if (!this.#stopped && this.#senders.get(config.id)?.sender === sender) sender.start();
    });
  }

  #retire(id: string, sender: AccountSender): void {
    const stopped: Promise<unknown> = Promise.all([this.#stopping.get(id), sender.stop()]).then(() => {
      if (this.#stopping.get(id) === stopped) this.#stopping.delete(id);
    });
    this.#stopping.set(id, stopped);
  }

  /**
   * What waits of an account, a device or a type that is served no longer is not sent; the end of an alarm that was sent is
   * not either: whoever has no service must not hear of the site any more, and closes what is open without us.
   */
  #withdraw(removed?: ReadonlyMap<string, ArcAccountConfig>): void {
    const now = this.#clock.now();
    this.#queue.withdraw((kind) => {
      const config = this.#senders.get(kind.accountId)?.config;
      const reason = this.#kept.has(kind.accountId) ? config && withdrawn(config, kind) : ACCOUNT_GONE;
      if (!reason) return null;
      const own = config ?? removed?.get(kind.accountId) ?? { protocol: 'SIA-DCS', codes: [] };
      return (m) => reportOf(m, own, { state: 'failed', path: null, acknowledgedAt: null, reason });
    }, now);
    this.#tell();
  }

  /** Writes to the queue's file; what fails now is done by the next sweep, or known anew after a restart. */
  #durable(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#log.warn({ err: error }, 'the alarm queue could not be written');
    }
  }

  /** Puts into the journal whatever reports it does not have yet. */
  #tell(): void {
    this.#telling ??= this.#tellAll()
      .catch((error) => this.#log.warn({ err: error }, 'reports wait: the journal cannot be written'))
      .finally(() => {
        this.#telling = null;
      });
  }

  async #tellAll(): Promise<void> {
    for (let reports = this.#queue.unreported(REPORTS); reports.length > 0 && !this.#stopped; ) {
      for (const { accountId } of reports) this.#intake.left(accountId);
      await this.#journal.append(reports.map((body) => ({ kind: 'alarm', body })));
      this.#queue.batch(() => {
        for (const { id } of reports) this.#queue.reported(id);
      });
      reports = reports.length < REPORTS ? [] : this.#queue.unreported(REPORTS);
    }
  }

  /** Learned once for all accounts at a receiver, and not again after a restart. */
  #clockOf(receiverId: string): ReceiverClock {
    const [queue, offsets, log] = [this.#queue, this.#offsets, this.#log];
    if (!offsets.has(receiverId)) offsets.set(receiverId, queue.offset(receiverId));
    return {
      get offsetMs() {
        return offsets.get(receiverId)!;
      },
      learn(offsetMs) {
        offsets.set(receiverId, offsetMs);
        try {
          queue.setOffset(receiverId, offsetMs);
        } catch (error) {
          // Learned again after a restart.
          log.debug({ err: error }, 'a receiver’s clock could not be noted');
        }
      },
    };
  }

  #report(report: AlarmReport): void {
    const ended = report.state !== 'waiting';
    if (ended) this.#intake.left(report.accountId);
    this.#journal.append([{ kind: 'alarm', body: report }]).then(
      () => {
        if (ended) this.#noteReported(report.id);
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
    this.#durable(() => {
      this.#withdraw();
      this.#queue.prune(this.#clock.now());
    });
  }

  #tellDamage(aside: string): void {
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

/** What the sender works with; the rest of an account can change without disturbing it. */
function transmission({ events: _events, devices: _devices, zones: _zones, key, ...rest }: ArcAccountConfig): string {
  return JSON.stringify([rest, key?.toString('hex')]);
}
