import { TalkLine } from '../../../protocol/wire/talk.ts';
import { decodeG711, toMu } from '../../video/g711.ts';
import type { Talks } from '../talks.ts';

/** µ-law of a tone, `ms` of it from `fromMs` on. */
export function tone(hz: number, ms: number, fromMs = 0): Buffer {
  const at = (n: number) => toMu(12_000 * Math.sin((2 * Math.PI * hz * (n + fromMs * 8)) / 8_000));
  return Buffer.from(Array.from({ length: ms * 8 }, (_, n) => at(n)));
}

/** Of the loudest stretch of half a second, by how often it crosses zero; null: nothing is heard. */
export function pitch(samples: ArrayLike<number>, rate = 8_000): number | null {
  const size = rate / 2;
  let best: { level: number; hz: number } | null = null;
  for (let from = 0; from + size <= samples.length; from += size / 2) {
    let [level, crossings] = [0, 0];
    for (let n = from; n < from + size; n++) {
      level += Math.abs(samples[n]!);
      if (n > from && samples[n - 1]! < 0 !== samples[n]! < 0) crossings++;
    }
    if (!best || level > best.level) best = { level, hz: crossings };
  }
  return best && best.level > size * 500 ? best.hz : null;
}

export const heardBy = (law: 'pcmu' | 'pcma', base64: string): Int16Array =>
  decodeG711(law, Buffer.from(base64, 'base64'));

/** Somebody who speaks through the box's route: what is said goes in, what the box says comes out. */
export class Voice {
  readonly lines: TalkLine[] = [];
  status = 0;
  problem: { code: string; detail: string } | null = null;
  over = false;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  readonly #abort = new AbortController();
  readonly answered: Promise<void>;
  #ended: Promise<void> = Promise.resolve();

  constructor(talks: Talks, deviceId: string, channel = 1) {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
    });
    const init = { method: 'POST', body, duplex: 'half', signal: this.#abort.signal };
    this.answered = this.#begin(talks, `http://box/?deviceId=${deviceId}&channel=${channel}`, init as RequestInit);
  }

  async #begin(talks: Talks, url: string, init: RequestInit): Promise<void> {
    const answer = await talks.routes().request(new Request(url, init));
    this.status = answer.status;
    if (answer.status !== 200) {
      this.problem = (await answer.json()) as { code: string; detail: string };
      this.over = true;
      return;
    }
    this.#ended = this.#read(answer.body!);
    await until(() => this.lines.length > 0 || this.over, 'the box’s first word');
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let rest = '';
    try {
      for await (const chunk of body) {
        const lines = (rest + Buffer.from(chunk).toString()).split('\n');
        rest = lines.pop()!;
        for (const line of lines) this.lines.push(TalkLine.parse(JSON.parse(line)));
      }
    } catch {
      // It was let go.
    }
    this.over = true;
  }

  get heardMs(): number {
    const heard = this.lines.findLast((line) => line.type === 'heard');
    return heard?.type === 'heard' ? heard.heardMs : 0;
  }
  get ended(): { code: string; text: string } | null {
    const last = this.lines.at(-1);
    return last?.type === 'ended' ? last : null;
  }

  say(mu: Buffer): void {
    if (!this.over) this.#controller.enqueue(mu);
  }

  /** A tone at the pace of speech, in frames of 20 ms; longer on a machine so busy that some of it was left out. */
  async hum(hz: number, ms: number): Promise<void> {
    const start = performance.now();
    const unheard = (at: number) => this.heardMs < ms - 200 && at < 4 * ms;
    for (let at = 0; !this.over && (at < ms || unheard(at)); at += 20) {
      const wait = start + at - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      try {
        this.say(tone(hz, 20, at));
      } catch {
        // The box has ended it.
        return;
      }
    }
  }

  /** As when whoever spoke says that it is over. */
  async stop(): Promise<void> {
    try {
      this.#controller.close();
    } catch {
      // The box has ended it.
    }
    await this.#ended;
  }

  /** As when the tunnel breaks. */
  async vanish(): Promise<void> {
    this.#abort.abort();
    await this.#ended;
  }
}

/** Waits until something asked for again and again is so; throws with `what` after ten seconds. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
