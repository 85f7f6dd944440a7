import type { DesiredArcAccount } from '../../protocol/wire/desired.ts';
import type { JournalRecord, NewRecord } from '../../protocol/wire/event.ts';

/** An account as it is applied: the key opened (16, 24 or 32 bytes; null = plain). */
export type ArcAccountConfig = Omit<DesiredArcAccount, 'key'> & { key: Buffer | null };

/** What alarm transmission needs of the journal. */
export interface ArcJournal {
  readonly lastSeq: number;
  append(records: NewRecord[]): Promise<JournalRecord[]>;
  read(afterSeq: number, limit: number): JournalRecord[];
  consumer(
    name: string,
    from: 'start' | 'end',
  ): { cursor(): number; next(limit: number): JournalRecord[]; commit(seq: number): void; close(): void };
  onAppend(fn: () => void): () => void;
}

/** Why each has its value: docs/adr/0008-alarm-paths.md. */
export interface ArcTimings {
  connectTimeoutMs: number;
  /** Instead of each account's own, for tests. Not under 500: the relay waits no shorter. */
  ackTimeoutMs: number | null;
  /** The direct path must have been good for this long before it is used again. */
  holdDownMs: number;
  /** … and have answered this many polls. */
  goodPolls: number;
  /** Between two polls of a direct path that is down. */
  probeIntervalMs: number;
  /** A direct path that was idle for this long is polled, that its loss is noticed before an alarm needs it. */
  idlePollMs: number;
  /** The same of another path, while the direct one works. */
  relayPollMs: number;
  /** How long a path must stay lost before the receiving centre is told: a short gap is no fault (90 s and 5 h are allowed). */
  directFaultAfterMs: number;
  relayFaultAfterMs: number;
  /** Between two tests over each of the other paths. */
  alternativeTestMs: number;
  /** Delays between tries when no path works, jittered. */
  retryFirstMs: number;
  retryCapMs: number;
  /** A TCP connection is not reused beyond this age: some receivers close it after 30 s whatever happens on it. */
  maxConnectionMs: number;
  /** A message unacknowledged for this long is reported as waiting … */
  waitingAfterMs: number;
  /** … and for this long is a fault at the box, whatever the reason (30 s are allowed). */
  faultAfterMs: number;
}

export function arcTimings(given: Partial<ArcTimings>): ArcTimings {
  const defined = Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined));
  const timings = {
    connectTimeoutMs: 3_000,
    ackTimeoutMs: null,
    holdDownMs: 60_000,
    goodPolls: 3,
    idlePollMs: 20_000,
    relayPollMs: 900_000,
    directFaultAfterMs: 45_000,
    relayFaultAfterMs: 900_000,
    alternativeTestMs: 86_400_000,
    retryFirstMs: 1_000,
    retryCapMs: 30_000,
    maxConnectionMs: 20_000,
    waitingAfterMs: 2_000,
    faultAfterMs: 25_000,
    ...defined,
  };
  return { probeIntervalMs: Math.min(20_000, timings.holdDownMs / 3), ...timings };
}

/** Why there is no reply. `sent`: the frame had left, the receiver may have it. */
export interface LinkFailure {
  result: 'failed';
  code: 'refused' | 'timeout' | 'reset' | 'unreachable' | 'not-allowed' | 'invalid' | 'busy';
  sent: boolean;
  text: string;
}
