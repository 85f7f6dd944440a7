import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { failure, type IsapiFailure, type Result } from './answer.ts';
import type { IsapiClient, RequestOptions } from './client.ts';
import type { Channel, DeviceInfo } from './device.ts';
import { parseXml, type XmlNode } from './xml.ts';

/** A document as the device wrote it, and as a tree by local names. */
export interface XmlDocument {
  root: string;
  node: XmlNode;
  /** For writing back: devices want their own document again, with what is to change. */
  source: string;
}

const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
/** What a device says of something it does not have. */
const ABSENT = new Set(['notSupport', 'methodNotAllowed', 'badURLFormat', 'invalidOperation', 'invalidID']);

/** One connected device, for its features: what it is, and its documents. What it lacks is asked once a connection. */
export class IsapiDevice {
  readonly client: IsapiClient;
  readonly info: DeviceInfo;
  readonly channels: readonly Channel[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly #absent = new Map<string, IsapiFailure>();

  constructor(o: { client: IsapiClient; info: DeviceInfo; channels: readonly Channel[]; clock: Clock; log: Logger }) {
    this.client = o.client;
    this.info = o.info;
    this.channels = o.channels;
    this.clock = o.clock;
    this.log = o.log;
  }

  /** An XML document of the device; `path` comes after `/ISAPI`. */
  async get(path: string, signal?: AbortSignal): Promise<Result<XmlDocument>> {
    const result = await this.ask(path, { signal });
    if (!result.ok) return result;
    const source = result.value.body.toString('utf8');
    const parsed = parseXml(source);
    return parsed
      ? { ok: true, value: { ...parsed, source } }
      : failure('device-error', `It answered something unreadable (${path.split('?')[0]}).`);
  }

  /** Any answer that is a success; what the device lacks is remembered for the connection. */
  async ask(path: string, o: RequestOptions = {}): ReturnType<IsapiClient['get']> {
    const known = this.#absent.get(path);
    if (known) return known;
    const result = await this.client.get(path, { maxBytes: MAX_DOCUMENT_BYTES, ...o });
    if (!result.ok && isAbsent(result)) this.#absent.set(path, result);
    return result;
  }

  /** Whether the device has it. */
  async has(path: string, signal?: AbortSignal): Promise<boolean> {
    return (await this.ask(path, { signal })).ok;
  }
}

/** Whether a failure means "there is no such thing here", rather than "not now". */
export function isAbsent(f: IsapiFailure): boolean {
  // A recorder's channel whose camera is away answers 403 as well.
  if (f.code !== 'device-error' || /offline|busy/i.test(f.subStatus ?? '')) return false;
  return f.status === 404 || f.status === 403 || f.status === 405 || f.status === 501 || ABSENT.has(f.subStatus ?? '');
}
