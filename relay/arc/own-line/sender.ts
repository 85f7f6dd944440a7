import type { Logger } from 'pino';
import { backoffMs } from '../../../protocol/backoff.ts';
import { type Clock, iso } from '../../../protocol/clock.ts';
import { type Dc09Message, encodeDc09, printDc09 } from '../../../protocol/codec/dc09.ts';
import { isLearnable, SentBlocks } from '../../../protocol/dc09/acknowledgement.ts';
import type { ReceiverProfile } from '../../../protocol/wire/arc-receiver.ts';
import type { ArcTry } from '../../../protocol/wire/event.ts';
import type { DialGuard } from '../dial-guard.ts';
import { type AnswerHosted, OWN_PEER } from '../hosted.ts';
import { sendOnce } from '../send-once.ts';
import { answers, codeOf, judge, lineMessage } from './frame.ts';
import type { LineQueue, LineRow } from './queue.ts';

const RETRY = { firstMs: 1_000, capMs: 30_000 };
/** A receiver that refuses is asked again less often: only a person can change its mind. */
const REFUSED_MS = 60_000;
const MAX_NAKS = 3;
/** Receivers dialled at the same time. */
const MAX_AT_ONCE = 32;

export interface LinePeer {
  profile: Pick<
    ReceiverProfile,
    'kind' | 'relay' | 'transport' | 'partition' | 'ackTimeoutMs' | 'attempts' | 'ownLine' | 'encrypted'
  >;
  key: Buffer | null;
}
/** `poll`: first see whether the receiver answers at all; `hold`: not now. */
export type Gate = 'go' | 'poll' | 'hold';

type Outcome = { outcome: ArcTry['outcome']; sent: boolean; timeMs: number | null; reply: string | null };

/**
 * Carries the relay's own messages to their receivers: one outstanding frame an account, the oldest first, each try
 * written down before it leaves. Tries again at once, then from 1 to 30 s apart, until the receiver acknowledges.
 */
export class LineSender {
  readonly #queue: LineQueue;
  readonly #guard: DialGuard;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #peer: (receiverId: string) => Promise<LinePeer | null>;
  readonly #hosted: AnswerHosted;
  readonly #gate: (row: LineRow) => Gate;
  readonly #heard: (receiverId: string, answered: boolean) => void;
  readonly #running = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();
  /** By receiver: how far its clock is ahead of ours, learnt from its NAKs. */
  readonly #offsets = new Map<string, number>();
  readonly #sent = new SentBlocks();
  readonly #slots: (() => void)[] = [];
  #free = MAX_AT_ONCE;
  #stopped = new AbortController();
  #wake = new AbortController();

  constructor(deps: {
    queue: LineQueue;
    guard: DialGuard;
    clock: Clock;
    log: Logger;
    /** Where and how to send; null: there is no own line at this receiver any more. */
    peer: (receiverId: string) => Promise<LinePeer | null>;
    hosted: AnswerHosted;
    /** May this loss leave now? Asked only for one that has not left yet. */
    gate: (row: LineRow) => Gate;
    /** A try ended: did the receiver answer? */
    heard: (receiverId: string, answered: boolean) => void;
  }) {
    this.#queue = deps.queue;
    this.#guard = deps.guard;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#peer = deps.peer;
    this.#hosted = deps.hosted;
    this.#gate = deps.gate;
    this.#heard = deps.heard;
  }

  async start(): Promise<void> {
    for (const { accountId } of await this.#queue.waiting()) this.kick(accountId);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake.abort();
    for (const slot of this.#slots.splice(0)) slot();
    await Promise.all(this.#running.values());
  }

  /** There is something new to send for the account. */
  kick(accountId: string): void {
    this.#again.add(accountId);
    if (this.#running.has(accountId) || this.#stopped.signal.aborted) return;
    const run = this.#run(accountId)
      .catch((error) => this.#log.error({ err: error, accountId }, 'the relay’s own message could not be handled'))
      .finally(() => {
        this.#running.delete(accountId);
        if (this.#again.has(accountId)) this.kick(accountId);
      });
    this.#running.set(accountId, run);
  }

  /** Everything that waits for its next try is tried now: the relay, or a receiver, can be reached again. */
  wake(): void {
    this.#wake.abort();
    this.#wake = new AbortController();
  }

  async #run(accountId: string): Promise<void> {
    let failures = 0;
    let naks = 0;
    while (!this.#stopped.signal.aborted) {
      this.#again.delete(accountId);
      const row = await this.#queue.head(accountId);
      if (!row) return;
      const peer = await this.#peer(row.receiverId);
      if (!peer) return this.#queue.drop([accountId]);
      const fresh = row.possibleRepeat === 0 && row.kind === 'alarm';
      const gate = fresh ? this.#gate(row) : 'go';
      if (gate === 'hold') {
        await this.#pause(RETRY.firstMs);
        continue;
      }
      await this.#slot();
      let done: Outcome | null;
      try {
        if (this.#stopped.signal.aborted) return;
        // While it waited for its turn the box may have come back, and its loss been given up.
        const head = await this.#queue.head(accountId);
        if (head?.id !== row.id || (fresh && this.#gate(row) !== gate)) continue;
        done = gate === 'poll' ? await this.#poll(row, peer) : await this.#try(row, peer);
      } finally {
        this.#release();
      }
      if (!done) continue;
      this.#heard(row.receiverId, done.reply !== null);
      if (gate === 'poll' && done.reply !== null) continue;
      if (done.outcome === 'acknowledged') {
        [failures, naks] = [0, 0];
      } else if (done.outcome === 'nak' && ++naks < MAX_NAKS) {
        // With the clock it has just told.
      } else if (done.outcome === 'nak' || done.outcome === 'other-key' || done.outcome === 'not-allowed') {
        naks = 0;
        await this.#pause(REFUSED_MS);
      } else if (done.outcome !== 'duh') {
        failures++;
        if (failures % peer.profile.attempts === 0) {
          await this.#pause(backoffMs(failures / peer.profile.attempts - 1, RETRY.firstMs, RETRY.capMs));
        }
      }
    }
  }

  /** null: it was given up meanwhile, nothing has left. */
  async #try(row: LineRow, peer: LinePeer): Promise<Outcome | null> {
    const at = this.#clock.now();
    const before = row.possibleRepeat;
    const { profile, key } = peer;
    const message = lineMessage(
      { line: profile.ownLine.line, partition: profile.partition, key },
      row,
      at,
      this.#offsets.get(row.receiverId) ?? 0,
    );
    const frame = encodeDc09(message, { key });
    if (!(await this.#queue.trying(row))) return null;
    const started = this.#clock.mono();
    const done = await this.#exchange(row.receiverId, peer, message, frame);
    const tookMs = Math.round(this.#clock.mono() - started);
    if (done.outcome === 'nak' && done.timeMs !== null) {
      const offsetMs = done.timeMs - this.#clock.now();
      // Nothing shows who says it: with any time that is believed messages for that time can be had from us.
      if (isLearnable(offsetMs)) this.#offsets.set(row.receiverId, offsetMs);
      else
        this.#log.warn(
          { receiverId: row.receiverId, offsetMs },
          'the receiver refuses the time: its clock or the relay’s is to be set',
        );
    }
    const receiver = `${profile.relay.host}:${profile.relay.port}`.slice(0, 300);
    const entry: ArcTry = {
      at: iso(at),
      path: 'relay',
      receiver,
      outcome: done.outcome,
      tookMs,
      reply: done.reply,
      frame: printDc09(frame).slice(0, 1024),
    };
    const unknown = done.sent && done.reply === null;
    const possibleRepeat = before === 1 || unknown ? 1 : 0;
    const now = iso(this.#clock.now());
    if (done.outcome === 'acknowledged') {
      await this.#queue.tried(row, entry, {
        state: 'acknowledged',
        path: 'relay',
        acknowledgedAt: now,
        possibleRepeat,
      });
    } else if (done.outcome === 'duh' && JSON.parse(row.log).some((tried: ArcTry) => tried.outcome === 'duh')) {
      const reason = 'the receiver knows neither SIA-DCS nor ADM-CID';
      await this.#queue.tried(row, entry, { state: 'failed', reason, possibleRepeat });
    } else if (done.outcome === 'duh') {
      await this.#queue.tried(row, entry, { ...otherProtocol(row), possibleRepeat });
    } else {
      await this.#queue.tried(row, entry, { possibleRepeat });
    }
    const { accountId, boxSerial: serial, code } = row;
    this.#log.info({ accountId, serial, code, outcome: done.outcome, tookMs }, 'own message to a receiver');
    return done;
  }

  /** Supervision (NULL): any answer, a NAK too, says that the receiver can be reached. Nothing is recorded. */
  #poll(row: LineRow, peer: LinePeer): Promise<Outcome> {
    const message: Dc09Message = {
      id: 'NULL',
      encrypted: peer.key !== null,
      sequence: 0,
      receiver: '0',
      line: peer.profile.ownLine.line,
      account: row.account,
      data: '',
      xdata: [],
      timestamp: this.#clock.now() + (this.#offsets.get(row.receiverId) ?? 0),
    };
    return this.#exchange(row.receiverId, peer, message, encodeDc09(message, { key: peer.key }));
  }

  async #exchange(
    receiverId: string,
    { profile, key }: LinePeer,
    message: Dc09Message,
    frame: Buffer,
  ): Promise<Outcome> {
    const failed = (outcome: ArcTry['outcome'], sent = false): Outcome => ({
      outcome,
      sent,
      timeMs: null,
      reply: null,
    });
    if (profile.encrypted !== (key !== null)) return failed('invalid');
    this.#sent.add(frame);
    let reply: Buffer;
    if (profile.kind === 'hosted') {
      const own = await this.#hosted(receiverId, frame, OWN_PEER).catch(() => null);
      if (!own) return failed('busy', true);
      reply = own;
    } else {
      const target = await this.#guard.resolve(profile.relay.host);
      if (!target.ok) return failed(target.reason === 'internal' ? 'not-allowed' : 'unreachable');
      const { transport, ackTimeoutMs } = profile;
      const to = { address: target.address, port: profile.relay.port, transport };
      const sent = await sendOnce(to, frame, (got) => answers(got, message), ackTimeoutMs, this.#clock);
      if ('code' in sent) return failed(sent.code, sent.sent);
      reply = sent.reply;
    }
    const verdict = judge(reply, message, key, this.#sent);
    return { outcome: verdict.is, sent: true, timeMs: verdict.timeMs, reply: printDc09(reply).slice(0, 512) };
  }

  async #pause(ms: number): Promise<void> {
    await this.#clock.sleep(ms, AbortSignal.any([this.#stopped.signal, this.#wake.signal]));
  }

  async #slot(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#slots.push(resolve));
  }

  #release(): void {
    const next = this.#slots.shift();
    if (next) next();
    else this.#free++;
  }
}

function otherProtocol(row: LineRow): { protocol: LineRow['protocol']; code: string } {
  const protocol = row.protocol === 'ADM-CID' ? 'SIA-DCS' : 'ADM-CID';
  return { protocol, code: codeOf(row.kind === 'restore' ? 'restore' : 'alarm', protocol) };
}
