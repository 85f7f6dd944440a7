import type { StreamMessage } from '../../../protocol/wire/api.ts';
import { ApiError, errorOf } from '../../components/http.ts';

/**
 * Reads a text/event-stream (HTML standard §9.2.6) piece by piece: feed it text, it calls back with each message's name
 * and data. Comments and unknown fields are ignored.
 */
export function sseParser(onMessage: (event: string, data: string) => void): (text: string) => void {
  let rest = '';
  let event = '';
  let data: string[] = [];
  return (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop()!;
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) onMessage(event || 'message', data.join('\n'));
        event = '';
        data = [];
      } else if (line.startsWith('event:')) event = line.slice(6).trimStart();
      else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
    }
  };
}

export type LiveState = 'connecting' | 'live' | 'lost';

/** Longer than the relay's heartbeat: a connection that is silent for so long is dead. */
const SILENCE_MS = 45_000;
const MAX_WAIT_MS = 10_000;

interface Options<M> {
  url: string;
  onMessage: (message: M) => void;
  onState: (state: LiveState) => void;
  onSignedOut: () => void;
}

/**
 * The live connection of a page. Not an EventSource: that one cannot tell a dead connection from a quiet one, hides the
 * status of a refusal and gives up after some.
 */
export class LiveStream<M extends { event: string; data: unknown } = StreamMessage> {
  #options: Options<M>;
  #stop = new AbortController();
  #wake: () => void = () => {};

  constructor(options: Options<M>) {
    this.#options = options;
  }

  start(): void {
    const again = () => this.#wake();
    addEventListener('online', again, { signal: this.#stop.signal });
    document.addEventListener('visibilitychange', again, { signal: this.#stop.signal });
    this.#run();
  }

  stop(): void {
    this.#stop.abort();
    this.#wake();
  }

  async #run() {
    const { onState, onSignedOut } = this.#options;
    let wait = 500;
    onState('connecting');
    while (!this.#stop.signal.aborted) {
      const error = await this.#read(() => {
        wait = 500;
      }).catch((error) => error);
      if (this.#stop.signal.aborted) return;
      onState('lost');
      if (error instanceof ApiError && error.status === 401) return onSignedOut();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, wait);
      });
      wait = Math.min(wait * 2, MAX_WAIT_MS);
    }
  }

  async #read(connected: () => void): Promise<void> {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const signal = AbortSignal.any([this.#stop.signal, silence.signal]);
      const response = await fetch(this.#options.url, {
        headers: { accept: 'text/event-stream' },
        signal,
        cache: 'no-store',
      });
      if (!response.ok || !response.body) throw await errorOf(response);
      const parse = sseParser((event, data) => {
        if (event === 'hello') {
          connected();
          this.#options.onState('live');
        }
        this.#options.onMessage({ event, data: JSON.parse(data) } as M);
      });
      for await (const text of pieces(response.body)) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        parse(text);
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Text of a body as it arrives (not every browser can iterate a stream). */
async function* pieces(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield decoder.decode(value, { stream: true });
  }
}
