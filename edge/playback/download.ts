import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { DeviceManager } from '../devices/manager.ts';
import { failure, type IsapiFailure, judge, type Result } from '../isapi/answer.ts';
import type { IsapiClient } from '../isapi/client.ts';
import { IsapiDriver } from '../isapi/driver.ts';
import type { Found } from './search.ts';
import { SpanDownload, type SpanWays } from './span-download.ts';
import type { Span } from './span-pull.ts';

type Verb = 'GET' | 'POST';
interface Known {
  /** null: it gives no files. */
  verb: Verb | null;
  untilMs: number;
}

/** Each takes as much of the device's disk and line as it gives. */
const MAX_AT_ONCE = 4;
const MAX_KNOWN = 1_000;
const KNOWN_MS = 24 * 3_600_000;
const NONE_MS = 10 * 60_000;
/** A recorder looks for the file first. */
const ANSWER_MS = 20_000;
/** What a file comes with in bytes a second until it was seen: an old recorder on a full line. */
const SLOWEST = 100_000;
const USUAL = 2_000_000;
const FASTEST = 100_000_000;
const NAMESPACE = 'http://www.isapi.org/ver20/XMLSchema';
const MAX_SAID_BYTES = 16 * 1024;

/** Whole files of devices, as fast as they give them (ISAPI ContentMgmt/download). */
export class Downloads {
  readonly #devices: Pick<DeviceManager, 'operate'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #known = new Map<string, Known>();
  readonly #speed = new Map<string, number>();
  readonly #running = new Set<string>();

  constructor(o: { devices: Pick<DeviceManager, 'operate'>; clock: Clock; log: Logger }) {
    this.#devices = o.devices;
    this.#clock = o.clock;
    this.#log = o.log;
  }

  /**
   * How spans of these files are taken: by download where that is quicker than to play them. null: this device gives none,
   * or gives one to somebody already. To be released when all is over.
   */
  async begin(
    deviceId: string,
    files: readonly Found[],
  ): Promise<{ pull: (ways: SpanWays) => SpanDownload | null; release: () => void } | null> {
    const known = this.#known.get(deviceId);
    if (known?.verb === null && known.untilMs > this.#clock.mono()) return null;
    if (this.#running.has(deviceId) || this.#running.size >= MAX_AT_ONCE) return null;
    const usable = files.filter(({ uri, sizeBytes }) => sizeBytes !== null && /[?&]name=/.test(uri));
    if (usable.length === 0) return null;
    this.#running.add(deviceId);
    const found = await this.#devices.operate(deviceId, async (driver) => {
      const device = driver instanceof IsapiDriver ? driver.device() : null;
      return device ? { ok: true, value: device.client } : failure('not-found', 'It gives no files.');
    });
    if (!found.ok) {
      this.#running.delete(deviceId);
      return null;
    }
    const client = found.value;
    const pull = (ways: SpanWays) => {
      const { span } = ways;
      const parts = usable.filter((file) => file.fromMs < span.toMs && file.toMs > span.fromMs);
      if (parts.length === 0 || !this.#isWorth(deviceId, span, parts)) return null;
      return new SpanDownload({
        files: parts,
        ways,
        clock: this.#clock,
        log: this.#log,
        open: (uri, signal) => this.#open(deviceId, client, uri, signal),
        measured: (bytes, ms) => this.#measured(deviceId, bytes, ms),
      });
    };
    return { pull, release: () => this.#running.delete(deviceId) };
  }

  /** A file comes from its beginning on, whatever is wanted of it: the end of a long one may come sooner by being played. */
  #isWorth(deviceId: string, span: Span, files: readonly Found[]): boolean {
    const bytes = files.reduce((sum, { fromMs, toMs, sizeBytes }) => {
      return sum + (sizeBytes! * (Math.min(toMs, span.toMs) - fromMs)) / (toMs - fromMs);
    }, 0);
    const seconds = bytes / (this.#speed.get(deviceId) ?? USUAL);
    return seconds < (span.toMs - span.fromMs) / 1000;
  }

  #measured(deviceId: string, bytes: number, ms: number): void {
    const speed = Math.min(FASTEST, Math.max(SLOWEST, (bytes * 1000) / Math.max(1, ms)));
    if (this.#speed.size >= MAX_KNOWN) this.#speed.clear();
    this.#speed.set(deviceId, speed);
  }

  /** Firmware wants GET with a body, or POST; or gives nothing, to nobody or not to this login. */
  async #open(
    deviceId: string,
    client: IsapiClient,
    uri: string,
    signal: AbortSignal,
  ): Promise<Result<IncomingMessage>> {
    const known = this.#known.get(deviceId);
    const verbs: Verb[] = known?.verb && known.untilMs > this.#clock.mono() ? [known.verb] : ['GET', 'POST'];
    const body = Buffer.from(
      `<?xml version="1.0" encoding="UTF-8"?>\n<downloadRequest version="1.0" xmlns="${NAMESPACE}"><playbackURI>${escaped(uri)}</playbackURI></downloadRequest>`,
    );
    let refusal: IsapiFailure | null = null;
    for (const verb of verbs) {
      const answer = await client.open('/ContentMgmt/download', { method: verb, body, signal, timeoutMs: ANSWER_MS });
      if (!answer.ok) refusal ??= answer;
      // Who is away now may give it later.
      if (!answer.ok && answer.code !== 'device-error') return answer;
      if (!answer.ok) continue;
      const said = await refusalIn(answer.value, this.#clock);
      if (said) refusal ??= said;
      else {
        this.#remember(deviceId, verb);
        return answer;
      }
    }
    if (!/busy/i.test(refusal!.subStatus ?? '')) this.#remember(deviceId, null);
    this.#log.info({ deviceId, reason: refusal!.text }, 'the device gives no files: they are played');
    return refusal!;
  }

  #remember(deviceId: string, verb: Verb | null): void {
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(deviceId, { verb, untilMs: this.#clock.mono() + (verb ? KNOWN_MS : NONE_MS) });
  }
}

/** Old firmware refuses with 200. What was read of the stream is put back. */
export async function refusalIn(res: IncomingMessage, clock: Clock): Promise<IsapiFailure | null> {
  const cancel = clock.after(ANSWER_MS, () => res.destroy());
  const first = await new Promise<Buffer | null>((resolve) => {
    const read = () => {
      const chunk = res.read() as Buffer | null;
      if (chunk === null && !res.readableEnded && !res.destroyed) return;
      for (const name of ['readable', 'end', 'close'] as const) res.off(name, read);
      resolve(chunk);
    };
    for (const name of ['readable', 'end', 'close'] as const) res.on(name, read);
    read();
  });
  cancel();
  if (!first) return failure('device-error', 'It sent nothing.');
  if (!/^\s*[<{]/.test(first.toString('latin1', 0, 16))) {
    res.unshift(first);
    return null;
  }
  res.destroy();
  const body = first.subarray(0, MAX_SAID_BYTES);
  return (
    judge({ status: 200, headers: res.headers, body }) ??
    failure('device-error', 'It answered something else than a file.')
  );
}

const escaped = (text: string) => text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;' })[c] ?? '&gt;');
