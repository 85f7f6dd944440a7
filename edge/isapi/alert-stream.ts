import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { tcpPing } from '../discovery/ping.ts';
import { type Alert, readAlert } from './alert.ts';
import type { IsapiFailure } from './answer.ts';
import type { IsapiClient } from './client.ts';
import { AlertStreamParser, type Part } from './multipart.ts';

const TICK_MS = 1_000;
const PART_MS = 5_000;
const SILENCE_MS = 20_000;
const PROBE_MS = 3_000;
const PROBES = 2;
const PROBE_EVERY_MS = 10_000;

/** How a stream ended: `closed` by the device in good order, `lost` without a word, or it could not be opened. */
export type StreamEnd = { how: 'closed' | 'lost' | 'stopped'; text: string } | { how: 'failed'; failure: IsapiFailure };

/**
 * One alertStream from opening to end. Dead streams are the field's commonest complaint, so silence is never trusted: after
 * 20 s without a byte the device is probed by a TCP connect (twice without an answer: lost), after `watchdogMs` the stream is
 * lost in any case.
 */
export class AlertStream {
  readonly #client: IsapiClient;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #watchdogMs: number;
  readonly #onOpen: () => void;
  readonly #onAlert: (alert: Alert) => Promise<void> | void;
  readonly #onUnreadable: () => void;
  readonly #parser = new AlertStreamParser();
  #lastByte = 0;
  #pending = { part: 0, since: 0 };
  #probing = false;
  #probedAt = Number.NEGATIVE_INFINITY;
  #unanswered = 0;
  #keeping = false;
  #unreadable = 0;
  #end: (how: 'closed' | 'lost' | 'stopped', text: string) => void = () => {};

  constructor(o: {
    client: IsapiClient;
    clock: Clock;
    log: Logger;
    watchdogMs?: number;
    onOpen: () => void;
    /** What it returns is waited for: a device that floods is read only as fast as its events are kept. */
    onAlert: (alert: Alert) => Promise<void> | void;
    /** A part could not be read and was skipped. */
    onUnreadable?: () => void;
  }) {
    this.#client = o.client;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#watchdogMs = o.watchdogMs ?? 75_000;
    this.#onOpen = o.onOpen;
    this.#onAlert = o.onAlert;
    this.#onUnreadable = o.onUnreadable ?? (() => {});
  }

  /** Parts that could not be read. */
  get unreadable(): number {
    return this.#unreadable;
  }

  async run(signal: AbortSignal): Promise<StreamEnd> {
    const opened = await this.#client.open('/Event/notification/alertStream', { signal, timeoutMs: 15_000 });
    if (!opened.ok) return { how: 'failed', failure: opened };
    const res = opened.value;
    res.socket?.setNoDelay(true);
    return new Promise((resolve) => {
      const stop = () => this.#end('stopped', 'It is no longer looked after.');
      const cancel = this.#clock.every(TICK_MS, () => this.#tick());
      this.#lastByte = this.#clock.mono();
      this.#end = (how, text) => {
        this.#end = () => {};
        cancel();
        signal.removeEventListener('abort', stop);
        res.destroy();
        resolve({ how, text });
      };
      signal.addEventListener('abort', stop);
      if (signal.aborted) return stop();
      this.#onOpen();
      this.#read(res).then(
        () => this.#end('closed', 'It closed the event stream.'),
        (error) =>
          this.#end('lost', `The event stream broke off (${(error as NodeJS.ErrnoException).code ?? error.message}).`),
      );
    });
  }

  /** Looks at once whether the device is still there. */
  check(): void {
    if (this.#probing) return;
    this.#probing = true;
    this.#probedAt = this.#clock.mono();
    tcpPing(this.#client.host, this.#client.port, PROBE_MS, this.#clock).then((ms) => {
      this.#probing = false;
      this.#unanswered = ms === null ? this.#unanswered + 1 : 0;
      if (this.#unanswered >= PROBES) this.#end('lost', 'It does not answer any more.');
      else if (ms === null) this.check();
    });
  }

  async #read(res: IncomingMessage): Promise<void> {
    for await (const chunk of res as AsyncIterable<Buffer>) {
      this.#lastByte = this.#clock.mono();
      this.#unanswered = 0;
      for (const part of this.#parser.push(chunk)) await this.#part(part);
      // While its events could not be kept, nobody listened: that was no silence of the device.
      this.#lastByte = this.#clock.mono();
    }
    for (const part of this.#parser.resync()) await this.#part(part);
  }

  async #part(part: Part): Promise<void> {
    const alert = readAlert(part);
    if (alert === 'ignore') return;
    if (alert === 'unreadable') {
      // A bad part is skipped and counted; the first of a stream is worth a line.
      if (this.#unreadable++ === 0)
        this.#log.warn({ bytes: part.body.length, type: part.contentType }, 'unreadable part in the event stream');
      this.#onUnreadable();
      return;
    }
    this.#keeping = true;
    await this.#onAlert(alert);
    this.#keeping = false;
  }

  #tick(): void {
    if (this.#keeping) return;
    const now = this.#clock.mono();
    const idle = now - this.#lastByte;
    if (idle >= this.#watchdogMs) {
      this.#end('lost', `The event stream was silent for ${Math.round(idle / 1000)} s.`);
      return;
    }
    if (idle >= SILENCE_MS && now - this.#probedAt >= PROBE_EVERY_MS) this.check();
    if (this.#parser.pending !== this.#pending.part) this.#pending = { part: this.#parser.pending, since: now };
    else if (this.#pending.part !== 0 && now - this.#pending.since >= PART_MS) {
      this.#pending.since = now;
      this.#parser.resync().reduce((before, part) => before.then(() => this.#part(part)), Promise.resolve());
    }
  }
}
