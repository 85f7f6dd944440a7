import pino from 'pino';
import { RelayPath } from '../../edge/arc/relay-path.ts';
import { systemClock as clock } from '../../protocol/clock.ts';
import { type Dc09Message, decodeDc09, encodeDc09 } from '../../protocol/codec/dc09.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { IdleBox } from '../boxes.ts';

const ACK_MS = 5_000;
const RETRY_MS = 500;
const log = pino({ level: 'silent' });

/** How one message went: from the moment it was there to the receiver's acknowledgement. */
export interface Delivered {
  tookMs: number;
  tries: number;
}

/** A box as the relay sees it (journal session, tunnel, relay path, each with the box's own code), and its alarms. */
export class FleetBox {
  readonly idle: IdleBox;
  readonly path: RelayPath;
  readonly account: string;
  readonly #key: Buffer;
  accountId = '';
  #sequence = 0;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(o: { dir: string; relayUrl: string; account: string; key: Buffer }) {
    this.idle = new IdleBox(o.dir, o.relayUrl);
    this.account = o.account;
    this.#key = o.key;
    this.path = new RelayPath({ auth: this.idle.auth, clock, log, onChange: () => {} });
  }

  get back(): boolean {
    return this.idle.uplink.state().connected && this.idle.tunnel.state().connected && this.path.connected;
  }

  /** One alarm in zone `n`, after those before it, again and again until it is acknowledged. */
  event(n: number): Promise<Delivered> {
    const began = performance.now();
    const message = { sequence: (this.#sequence++ % 9999) + 1, messageId: uuidv7() };
    const done = this.#tail.then(async () => {
      for (let tries = 1; ; tries++) {
        const data = `#${this.account}|Nri1/BA${String(n).padStart(3, '0')}`;
        if (await this.#send('SIA-DCS', message.sequence, data, message.messageId, tries))
          return { tookMs: performance.now() - began, tries };
        await clock.sleep(RETRY_MS);
      }
    });
    this.#tail = done.catch(() => {});
    return done;
  }

  /** Link supervision through the relay; null: not answered. */
  async poll(): Promise<number | null> {
    const began = performance.now();
    return (await this.#send('NULL', 0, '', uuidv7(), 1)) ? performance.now() - began : null;
  }

  async stop(): Promise<void> {
    await Promise.all([this.path.stop(), this.idle.uplink.stop(), this.idle.tunnel.stop()]);
  }

  async #send(id: string, sequence: number, data: string, messageId: string, attempt: number): Promise<boolean> {
    const message: Dc09Message = {
      id,
      encrypted: true,
      sequence,
      receiver: '0',
      line: '0',
      account: this.account,
      data,
      xdata: [],
      timestamp: Date.now(),
    };
    const frame = encodeDc09(message, { key: this.#key });
    const { accountId } = this;
    const reply = await this.path.send({ accountId, messageId, attempt, frame, timeoutMs: ACK_MS });
    if (reply.result !== 'reply') return false;
    const decoded = decodeDc09(reply.frame, this.#key);
    return decoded.ok && decoded.message.id === 'ACK' && decoded.message.sequence === sequence;
  }
}
