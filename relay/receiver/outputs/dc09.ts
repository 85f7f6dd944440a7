import type { Clock } from '../../../protocol/clock.ts';
import { answersDc09, type Dc09Message, decodeDc09, formatDc09Time, openDc09 } from '../../../protocol/codec/dc09.ts';
import { isLearnable, isReceipt, SentBlocks } from '../../../protocol/dc09/acknowledgement.ts';
import type { ReceivedMessage } from '../../../protocol/wire/receiver.ts';
import type { DialGuard } from '../../arc/dial-guard.ts';
import { sendOnce } from '../../arc/send-once.ts';
import type { Db } from '../../db/database.ts';
import type { Outgoing } from '../message.ts';
import { fittingFrame } from './dc09-fit.ts';
import type { DriverState, Outcome, OutputDriver } from './driver.ts';

const TIMEOUT_MS = 10_000;
/** After a NAK at once again with the receiver's time, so often. */
const MAX_NAKS = 3;
const CLOCK_FAR_OFF = 'the receiver refuses the time (NAK): set its clock, or the relay’s';
/** The clocks may differ by this much before it is learned: timestamps are whole seconds. */
const OFFSET_STEP_MS = 2_000;
/** An alarm this old must not look fresh: its own time goes along in `[H…]`. */
const DELAYED_AFTER_MS = 60_000;

export interface Dc09DriverOptions {
  outputId: string;
  host: string;
  port: number;
  transport: 'tcp' | 'udp';
  /** `R` and `L`. */
  receiver: string;
  line: string;
  accounts: { from: string; to: string }[];
  key: Buffer | null;
  db: Db;
  guard: DialGuard;
  clock: Clock;
  timeoutMs?: number;
}

/**
 * DC-09 to a receiver that the centre has. The data block goes on as it came; number, time, pad and key are this output's own.
 * A message keeps its number over all tries and restarts.
 */
export class Dc09Driver implements OutputDriver {
  readonly lanes = 4;
  readonly #o: Dc09DriverOptions;
  readonly #accounts: Map<string, string>;
  /** How far the receiver's clock is ahead of ours. */
  #offsetMs = 0;
  readonly #sent = new SentBlocks();

  constructor(options: Dc09DriverOptions) {
    this.#o = options;
    this.#accounts = new Map(options.accounts.map(({ from, to }) => [from, to]));
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  usable(): boolean {
    return true;
  }

  state(): DriverState {
    return { state: 'ready', reason: null, listeningPort: null, unmapped: [] };
  }

  async deliver(out: Outgoing): Promise<Outcome> {
    const { host, port, transport, guard, clock, key } = this.#o;
    const target = await guard.resolve(host);
    if (!target.ok) return { is: 'down', reason: target.text };
    const sequence = out.sequence ?? (await this.#number(out));
    for (let naks = 0; ; naks++) {
      const message = this.#message(out.message, sequence);
      const frame = fittingFrame(message, out.message.events, key);
      if (frame === null) return { is: 'unfit', reason: 'nothing of it fits into a DC-09 message' };
      this.#sent.add(frame);
      const isReply = (reply: Buffer) => {
        const opened = openDc09(reply);
        return opened.ok && answersDc09(opened.header, message);
      };
      const sent = await sendOnce(
        { address: target.address, port, transport },
        frame,
        isReply,
        this.#o.timeoutMs ?? TIMEOUT_MS,
        clock,
      );
      if ('code' in sent) return { is: 'down', reason: sent.text };
      const verdict = this.#judge(sent.reply, message);
      if (verdict !== 'nak') return verdict;
      if (naks === MAX_NAKS) return { is: 'refused', reason: 'the receiver refuses it (NAK)' };
    }
  }

  /** As ADR 8: an acknowledgement of an encrypted message must open with our key, and be nothing that we have sent. */
  #judge(reply: Buffer, sent: Dc09Message): Outcome | 'nak' {
    const decoded = decodeDc09(reply, this.#o.key);
    const opened = openDc09(reply);
    if (!opened.ok) return { is: 'down', reason: 'its answer cannot be read' };
    if (opened.header.id === 'DUH') return { is: 'refused', reason: 'the receiver does not know such a message (DUH)' };
    if (opened.header.id === 'NAK') {
      const timeMs = decoded.ok ? decoded.message.timestamp : null;
      if (timeMs !== null) {
        const offset = timeMs - this.#o.clock.now();
        // Nothing shows who says it: with any time that is believed messages for that time can be had from us.
        if (!isLearnable(offset)) return { is: 'down', reason: CLOCK_FAR_OFF };
        if (Math.abs(offset - this.#offsetMs) >= OFFSET_STEP_MS) this.#offsetMs = offset;
      }
      return 'nak';
    }
    if (!decoded.ok || opened.header.encrypted !== sent.encrypted)
      return { is: 'down', reason: 'the receiver’s acknowledgement does not open with our key' };
    if (isReceipt(decoded.message, sent) && !this.#sent.in(reply)) return { is: 'acknowledged' };
    return { is: 'down', reason: 'the acknowledgement is none of the receiver’s, or its clock is far off' };
  }

  #message(m: ReceivedMessage, sequence: number): Dc09Message {
    const account = this.#accounts.get(m.account) ?? m.account;
    const now = this.#o.clock.now();
    const occurred = Date.parse(m.occurredAt ?? m.receivedAt);
    const xdata = [...m.extended];
    if (now - occurred > DELAYED_AFTER_MS && !xdata.some((x) => x.startsWith('H'))) {
      // Receivers were seen to take one block with Contact ID; that an alarm is old comes first.
      if (m.protocol === 'ADM-CID') xdata.length = 0;
      xdata.unshift(`H${formatDc09Time(occurred + this.#offsetMs)}`);
    }
    return {
      id: m.protocol,
      encrypted: this.#o.key !== null,
      sequence,
      account,
      xdata,
      receiver: this.#o.receiver,
      line: this.#o.line,
      data: m.data.replace(/^#[0-9A-F]+(?=\|)/i, `#${account}`),
      timestamp: now + this.#offsetMs,
    };
  }

  /** 0001 to 9999 (§5.5.1.4), of this account at this output. */
  async #number(out: Outgoing): Promise<number> {
    const { db, outputId } = this.#o;
    const { account } = out.message;
    return db.transaction().execute(async (trx) => {
      const row = await trx
        .insertInto('receiver_sequences')
        .values({ outputId, account, last: 1 })
        .onConflict((c) =>
          c.columns(['outputId', 'account']).doUpdateSet((e) => ({
            last: e
              .case()
              .when('receiver_sequences.last', '>=', 9999)
              .then(1)
              .else(e('receiver_sequences.last', '+', 1))
              .end(),
          })),
        )
        .returning('last')
        .executeTakeFirstOrThrow();
      const sequence = Number(row.last);
      await trx
        .updateTable('receiver_deliveries')
        .set({ sequence })
        .where('outputId', '=', outputId)
        .where('messageRowId', '=', out.rowId)
        .execute();
      return sequence;
    });
  }
}
