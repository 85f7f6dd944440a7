import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { failure, type IsapiFailure, type Result } from '../isapi/answer.ts';
import { Slots } from '../isapi/slots.ts';
import type { CallOptions, OnvifClient } from './client.ts';
import type { Identity } from './identity.ts';
import type { Media, Source } from './media.ts';
import type { ServiceName, Services } from './services.ts';
import type { Element } from './tree.ts';

/** One connected device, for its features: what it is, its channels, and calls to its services. */
export class OnvifDevice {
  readonly client: OnvifClient;
  readonly services: Services;
  readonly identity: Identity;
  readonly media: Media;
  readonly clock: Clock;
  readonly log: Logger;
  /** Cancels the stop of a move that is under way, by channel. */
  readonly stops = new Map<number, () => void>();
  /** Of its recordings; recorders keep few at once, and four windows and their time line ask together. */
  readonly searches = new Slots(2, 32);

  constructor(o: { client: OnvifClient; services: Services; identity: Identity; media: Media; log: Logger }) {
    this.client = o.client;
    this.services = o.services;
    this.identity = o.identity;
    this.media = o.media;
    this.clock = o.client.clock;
    this.log = o.log;
  }

  source(channel: number | undefined): Source | undefined {
    return this.media.sources.find((s) => s.channel === channel);
  }

  has(service: ServiceName): boolean {
    return this.services[service] !== undefined;
  }

  call(service: ServiceName | 'device', body: string, o: CallOptions = {}): Promise<Result<Element>> {
    const at = service === 'device' ? this.client.device : this.services[service];
    if (!at) return Promise.resolve(failure('not-found', `It has no such service (${service}).`));
    return this.client.call(at, body, o);
  }
}

/** What every action ends with. */
export const done = (text: string | null = null, pending = false) =>
  ({ ok: true, value: { pending, text } }) as const satisfies Result<unknown>;

/** Whether a failure means that this device has no such thing, or not in this form. */
export const isFault = (f: IsapiFailure): boolean => f.code === 'device-error' || f.code === 'not-found';
