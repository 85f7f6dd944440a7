import { randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import {
  MAX_TEST_BYTES,
  TEST_LINES,
  type UplinkTestDone,
  type UplinkTestRequest,
} from '../../protocol/wire/bandwidth.ts';
import { reason } from '../uplink/relay-auth.ts';
import type { Pacer } from '../upload/pacer.ts';

/** Behind everything else that waits for the uplink. */
const RANK = Number.MAX_SAFE_INTEGER;
/** Nothing is accepted for so long: the line is dead. */
const IDLE_MS = 4_000;
const SUPPLY_BYTES = 1024 * 1024;

/**
 * Sends to the relay for a while, as fast as the pacer lets uploads go (protocol/wire/bandwidth.ts). It is the pacer that
 * keeps the line open for clicks and alarms meanwhile; an alarm that waits ends the test at once besides.
 */
export class UplinkTest {
  readonly #relayUrl: URL;
  readonly #pacer: Pick<Pacer, 'begin' | 'take' | 'chunkBytes' | 'sentBytes'>;
  readonly #alarmsWaiting: () => number;
  readonly #clock: Clock;
  readonly #log: Logger;
  #running = false;

  constructor(o: {
    relayUrl: URL;
    pacer: Pick<Pacer, 'begin' | 'take' | 'chunkBytes' | 'sentBytes'>;
    /** Alarms that no receiver has acknowledged yet. */
    alarmsWaiting: () => number;
    clock: Clock;
    log: Logger;
  }) {
    this.#relayUrl = o.relayUrl;
    this.#pacer = o.pacer;
    this.#alarmsWaiting = o.alarmsWaiting;
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'bandwidth' });
  }

  /** Null: one is running already. Ends with `signal` too. */
  async run(request: UplinkTestRequest, signal?: AbortSignal): Promise<UplinkTestDone | null> {
    if (this.#running) return null;
    this.#running = true;
    const release = this.#pacer.begin();
    const end = new AbortController();
    const stop = () => end.abort();
    signal?.addEventListener('abort', stop, { once: true });
    const cancel = this.#clock.after(request.ms, stop);
    const started = this.#clock.mono();
    const before = this.#pacer.sentBytes;
    // Alarms that a dead receiver leaves waiting are not those that the test is in the way of.
    const state = { bytes: 0, alarms: this.#alarmsWaiting(), yielded: false };
    try {
      const lines = Array.from({ length: TEST_LINES }, () => this.#line(request.path, state, end));
      const errors = (await Promise.all(lines)).filter((error) => error !== null);
      const done = {
        bytes: state.bytes,
        otherBytes: Math.max(0, this.#pacer.sentBytes - before - state.bytes),
        ms: Math.round(this.#clock.mono() - started),
        yielded: state.yielded,
        error: errors.length === TEST_LINES ? (errors[0] as string).slice(0, 256) : null,
      };
      this.#log.info(done, 'the uplink was tested');
      return done;
    } finally {
      cancel();
      signal?.removeEventListener('abort', stop);
      release();
      this.#running = false;
    }
  }

  /** One connection; returns why it could not be used, or null. */
  async #line(
    path: string,
    state: { bytes: number; alarms: number; yielded: boolean },
    end: AbortController,
  ): Promise<string | null> {
    const url = new URL(path, this.#relayUrl);
    const request = (url.protocol === 'https:' ? https : http).request(url, {
      method: 'PUT',
      agent: false,
      headers: { 'content-type': 'application/octet-stream', 'transfer-encoding': 'chunked' },
    });
    request.setNoDelay(true);
    request.setTimeout(IDLE_MS, () => request.destroy(new Error('the line stands still')));
    const over = new AbortController();
    const overOrEnd = AbortSignal.any([over.signal, end.signal]);
    let failed: string | null = null;
    request.on('error', (error) => {
      failed = reason(error);
      over.abort();
    });
    request.on('response', (response) => {
      if (response.statusCode !== 200 && response.statusCode !== 410)
        failed = `the relay answered ${response.statusCode}`;
      response.resume();
      over.abort();
    });
    const supply = randomBytes(SUPPLY_BYTES);
    try {
      for (let at = 0; !overOrEnd.aborted && state.bytes < MAX_TEST_BYTES; ) {
        const waiting = this.#alarmsWaiting();
        if (waiting > state.alarms) {
          state.yielded = true;
          end.abort();
          break;
        }
        state.alarms = Math.min(state.alarms, waiting);
        const size = this.#pacer.chunkBytes;
        if (at + size > supply.length) at = 0;
        await this.#pacer.take(size, RANK, overOrEnd);
        if (overOrEnd.aborted) break;
        const room = request.write(supply.subarray(at, at + size));
        at += size;
        state.bytes += size;
        if (!room) await drained(request, overOrEnd);
      }
    } finally {
      // What is still in the kernel's buffer is of no use to anybody: it would only keep the line busy.
      request.destroy();
    }
    return failed;
  }
}

function drained(request: http.ClientRequest, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      request.off('drain', done);
      ended.removeEventListener('abort', done);
      resolve();
    };
    request.on('drain', done);
    ended.addEventListener('abort', done);
    if (ended.aborted) done();
  });
}
