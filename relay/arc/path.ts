import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../../protocol/clock.ts';
import { answersDc09, type Dc09Header, openDc09 } from '../../protocol/codec/dc09.ts';
import { ArcAttempt, type ArcOutcome } from '../../protocol/wire/arc-path.ts';
import type { AuthenticatedBox } from '../boxes/authenticate.ts';
import type { Db } from '../db/database.ts';
import { SharedCommits } from '../db/shared-commits.ts';
import type { DialGuard } from './dial-guard.ts';
import type { AnswerHosted } from './hosted.ts';
import { type Sent, sendOnce } from './send-once.ts';

const MAX_MESSAGE_BYTES = 16 * 1024;
const MAX_IN_FLIGHT = 32;
/** Answers that a box asks for and does not read. */
const MAX_UNREAD_BYTES = 1024 * 1024;
/** Boxes ping every 5 s: one that was silent for this long is gone. */
const SILENT_MS = 15_000;
/** Whoever was revoked past this program, in the database, is cut off within this time. */
const STILL_WELCOME_MS = 20_000;
const KEEP_ATTEMPTS_MS = 30 * 86_400_000;
const SENDABLE = ['SIA-DCS', 'ADM-CID', 'NULL'];

type Box = Pick<AuthenticatedBox, 'serial' | 'siteId'>;
type Outcome = Extract<ArcOutcome, { result: 'reply' }> | Extract<ArcOutcome, { result: 'failed' }>;
/** Without the number by which the asker finds it. */
type Answer = Outcome extends infer O ? (O extends Outcome ? Omit<O, 'type' | 'id'> : never) : never;
type Refused = { code: Extract<ArcOutcome, { result: 'failed' }>['code']; text: string };

/**
 * The relay path of alarms (/arc-path): for a box that cannot reach its receiver. The attempt is recorded before the frame
 * leaves; the frame goes once, only to the receiver that is registered for this account of this box; a message that was
 * acknowledged gets its stored reply and nothing is sent. The relay never retries: the box keeps the responsibility.
 */
export class ArcPath {
  readonly #db: Db;
  readonly #commits: SharedCommits;
  readonly #guard: DialGuard;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  readonly #boxes = new Map<string, WebSocket>();
  /** By box, account and message: the same message asked for again meanwhile gets the same answer. */
  readonly #sending = new Map<string, Promise<Answer>>();
  readonly #hosted: AnswerHosted;
  readonly #gone: (serial: string, heardMono: number) => void;
  readonly #cut: (serial: string, reason: string) => void;
  #cancel: (() => void)[] = [];

  constructor(deps: {
    db: Db;
    guard: DialGuard;
    clock: Clock;
    log: Logger;
    /** For receivers that are the relay itself. */
    hosted: AnswerHosted;
    /** A box's connection ended; `heardMono`: when it was last heard on it. */
    gone: (serial: string, heardMono: number) => void;
    /** Ends every connection of a box. */
    cut: (serial: string, reason: string) => void;
  }) {
    this.#db = deps.db;
    this.#commits = new SharedCommits({ db: deps.db });
    this.#guard = deps.guard;
    this.#clock = deps.clock;
    this.#log = deps.log.child({ module: 'arc' });
    this.#hosted = deps.hosted;
    this.#gone = deps.gone;
    this.#cut = deps.cut;
  }

  start(): void {
    const every = (ms: number, what: string, fn: () => Promise<void>) =>
      this.#clock.every(ms, () => fn().catch((error) => this.#log.warn({ err: error }, what)));
    this.#cancel = [
      every(3_600_000, 'old attempts could not be swept', () => this.#sweep()),
      every(STILL_WELCOME_MS, 'whether boxes are still welcome is not known', () => this.#stillWelcome()),
    ];
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancel) cancel();
    for (const socket of this.#boxes.values()) socket.close(1001, 'the relay restarts');
    // What is on its way is recorded before the database closes.
    await Promise.allSettled(this.#sending.values());
    for (const socket of this.#boxes.values()) socket.terminate();
  }

  get connections(): number {
    return this.#boxes.size;
  }

  isConnected(serial: string): boolean {
    return this.#boxes.has(serial);
  }

  disconnect(serial: string, reason: string): void {
    this.#boxes.get(serial)?.close(4403, reason);
    this.#boxes.get(serial)?.terminate();
  }

  /** Already authenticated by the caller. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, box: AuthenticatedBox): void {
    this.#server.handleUpgrade(request, socket, head, (ws) => this.#connected(ws, box));
  }

  #connected(socket: WebSocket, box: Box): void {
    this.#boxes.get(box.serial)?.terminate();
    this.#boxes.set(box.serial, socket);
    this.#log.info({ serial: box.serial }, 'relay path open');
    let heardMs = this.#clock.mono();
    let inFlight = 0;
    const heard = () => {
      heardMs = this.#clock.mono();
    };
    const cancel = this.#clock.every(SILENT_MS / 3, () => {
      if (this.#clock.mono() - heardMs > SILENT_MS) socket.terminate();
    });
    socket.on('ping', heard);
    socket.on('error', (error) => this.#log.debug({ err: error, serial: box.serial }, 'relay path'));
    socket.on('close', () => {
      cancel();
      if (this.#boxes.get(box.serial) !== socket) return;
      this.#boxes.delete(box.serial);
      this.#gone(box.serial, heardMs);
    });
    socket.on('message', (data, isBinary) => {
      heard();
      const attempt = isBinary ? null : parseAttempt(String(data));
      if (!attempt) {
        this.#log.warn({ serial: box.serial }, 'a box sent what is no attempt');
        socket.close(1008, 'not an attempt');
        return;
      }
      const answer = (answer: Answer) => {
        if (socket.readyState !== WebSocket.OPEN) return;
        if (socket.bufferedAmount > MAX_UNREAD_BYTES) return socket.terminate();
        socket.send(JSON.stringify({ type: 'outcome', id: attempt.id, ...answer }));
      };
      if (inFlight >= MAX_IN_FLIGHT) {
        answer(failed({ code: 'busy', text: `${MAX_IN_FLIGHT} attempts are in flight already` }, false));
        return;
      }
      inFlight++;
      this.#once(box, attempt)
        .then(answer)
        .finally(() => {
          inFlight--;
        });
    });
  }

  #once(box: Box, attempt: ArcAttempt): Promise<Answer> {
    const key = `${box.serial} ${attempt.accountId} ${attempt.messageId}`;
    const running = this.#sending.get(key);
    if (running) return running;
    const sending = this.#attempt(box, attempt)
      .catch((error): Answer => {
        this.#log.error({ err: error, serial: box.serial, message: attempt.messageId }, 'an attempt broke');
        return failed({ code: 'busy', text: 'the relay cannot record the attempt' }, false);
      })
      .finally(() => this.#sending.delete(key));
    this.#sending.set(key, sending);
    return sending;
  }

  async #attempt(box: Box, attempt: ArcAttempt): Promise<Answer> {
    const frame = Buffer.from(attempt.frame, 'base64');
    const account = await this.#account(box, attempt.accountId);
    const header = checkFrame(frame, account);
    if ('code' in header) {
      this.#log.warn({ serial: box.serial, accountId: attempt.accountId, text: header.text }, 'attempt refused');
      return failed(header, false);
    }
    // Supervision: nothing to be lost or doubled.
    const recorded = header.id !== 'NULL';
    const stored = recorded ? await this.#storedReply(box, attempt) : null;
    if (stored) return { result: 'reply', frame: stored, stored: true };
    const target = account!.kind === 'hosted' ? null : await this.#guard.resolve(account!.relayHost);
    if (target?.ok === false) {
      return failed({ code: target.reason === 'internal' ? 'not-allowed' : 'unreachable', text: target.text }, false);
    }
    const rowId = recorded ? await this.#record(box, attempt) : null;
    const isReply = (reply: Buffer): boolean => {
      const opened = openDc09(reply);
      return opened.ok && answersDc09(opened.header, header);
    };
    const { relayPort: port, transport, receiverId } = account!;
    const sent = target
      ? await sendOnce({ address: target.address, port, transport }, frame, isReply, attempt.timeoutMs, this.#clock)
      : await this.#answer(receiverId, box, frame);
    if (rowId !== null) await this.#recordEnd(rowId, header, sent);
    if ('code' in sent) return failed(sent, sent.sent);
    return { result: 'reply', frame: sent.reply.toString('base64'), stored: false };
  }

  /** The receiver is the relay itself: it answers when it has the message on disk. */
  async #answer(receiverId: string, { serial }: Box, frame: Buffer): Promise<Sent> {
    try {
      const reply = await this.#hosted(receiverId, frame, { address: `box ${serial}`, port: 0, transport: 'tcp' });
      return reply ? { reply } : { code: 'busy', sent: true, text: 'the receiver gave no answer' };
    } catch (error) {
      this.#log.error({ err: error, receiverId }, 'the own receiver failed');
      return { code: 'busy', sent: true, text: 'the receiver failed' };
    }
  }

  #account(box: Box, accountId: string) {
    return this.#db
      .selectFrom('arc_accounts as a')
      .innerJoin('arc_receivers as r', 'r.id', 'a.receiverId')
      .innerJoin('boxes as b', 'b.serial', 'a.boxSerial')
      .select(['a.account', 'a.encrypted', 'r.id as receiverId', 'r.kind', 'r.relayHost', 'r.relayPort', 'r.transport'])
      .where('a.id', '=', accountId)
      .where('a.boxSerial', '=', box.serial)
      .where('a.siteId', '=', box.siteId)
      .where('b.siteId', '=', box.siteId)
      .where('b.state', '=', 'claimed')
      .where('a.deletedAt', 'is', null)
      .executeTakeFirst();
  }

  async #storedReply(box: Box, { messageId, accountId }: ArcAttempt): Promise<string | null> {
    const row = await this.#db
      .selectFrom('arc_attempts')
      .select('reply')
      .where('boxSerial', '=', box.serial)
      .where('messageId', '=', messageId)
      .where('accountId', '=', accountId)
      .where('state', '=', 'acknowledged')
      .executeTakeFirst();
    return row?.reply ?? null;
  }

  async #record(box: Box, { accountId, messageId, attempt }: ArcAttempt): Promise<number> {
    const values = { boxSerial: box.serial, accountId, messageId, attempt, startedMs: this.#clock.now() };
    const { rowId } = await this.#commits.run((trx) =>
      trx
        .insertInto('arc_attempts')
        .values({ ...values, state: 'sending' })
        .returning('rowId')
        .executeTakeFirstOrThrow(),
    );
    return rowId;
  }

  async #recordEnd(rowId: number, header: Dc09Header, sent: Awaited<ReturnType<typeof sendOnce>>): Promise<void> {
    const end = { endedMs: this.#clock.now() };
    try {
      const set =
        'code' in sent
          ? ({ ...end, state: 'failed', code: sent.code } as const)
          : ({
              ...end,
              state: isAcknowledgement(sent.reply, header) ? 'acknowledged' : 'answered',
              reply: sent.reply.toString('base64'),
            } as const);
      await this.#commits.run((trx) => trx.updateTable('arc_attempts').set(set).where('rowId', '=', rowId).execute());
    } catch (error) {
      // The receiver has answered: the box must hear it whatever became of our record.
      this.#log.error({ err: error, rowId }, 'the end of an attempt could not be recorded');
    }
  }

  async #stillWelcome(): Promise<void> {
    if (this.#boxes.size === 0) return;
    const rows = await this.#db
      .selectFrom('boxes')
      .select(['serial', 'state'])
      .where('state', '<>', 'claimed')
      .execute();
    for (const { serial, state } of rows) if (this.#boxes.has(serial)) this.#cut(serial, state);
  }

  async #sweep(): Promise<void> {
    const before = this.#clock.now() - KEEP_ATTEMPTS_MS;
    await this.#db.deleteFrom('arc_attempts').where('startedMs', '<', before).execute();
  }
}

function failed({ code, text }: Refused, sent: boolean): Answer {
  return { result: 'failed', code, sent, text: text.slice(0, 512) };
}

function parseAttempt(text: string): ArcAttempt | null {
  try {
    return ArcAttempt.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** A frame for another account, or in clear where a key is set, goes nowhere. */
function checkFrame(frame: Buffer, account: { account: string; encrypted: number } | undefined): Dc09Header | Refused {
  if (!account) return { code: 'not-allowed', text: 'this box has no such account' };
  const opened = openDc09(frame);
  if (!opened.ok) return { code: 'invalid', text: `not a DC-09 frame (${opened.code})` };
  const { header } = opened;
  if (!SENDABLE.includes(header.id)) return { code: 'invalid', text: 'not a message of a site' };
  if (header.account !== account.account) return { code: 'not-allowed', text: 'the frame is for another account' };
  if (header.encrypted !== (account.encrypted === 1)) {
    return { code: 'invalid', text: header.encrypted ? 'this account is not encrypted' : 'this account is encrypted' };
  }
  return header;
}

function isAcknowledgement(reply: Buffer, sent: Dc09Header): boolean {
  const opened = openDc09(reply);
  return opened.ok && ['ACK', 'RSP'].includes(opened.header.id) && opened.header.encrypted === sent.encrypted;
}
