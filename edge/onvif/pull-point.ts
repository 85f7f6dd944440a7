import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { Backoff } from '../../protocol/backoff.ts';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { StreamEnd } from '../isapi/alert-stream.ts';
import type { IsapiFailure, Result } from '../isapi/answer.ts';
import type { Address, OnvifClient } from './client.ts';
import { messagesOf } from './topics.ts';
import { type Element, first, parseTree, serialize, textAt, xmlText } from './tree.ts';

const WSN = 'http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager';
const TEV = 'http://www.onvif.org/ver10/events/wsdl';
const LIFETIME_S = 600;
const PULL_S = 10;
const SLACK_MS = 20_000;
const RENEW_AT_LEAST_MS = 60_000;
/** Some mis-read the time that they are given; what is out of this range is nonsense. */
const SHORTEST_MS = 10_000;
const LONGEST_MS = 24 * 3_600_000;
/** An answer so early is no wait; without a pause the device would be asked for ever. */
const EARLY_MS = 750;
const PAUSE_MS = 1_000;
const LIVED_MS = 60_000;
/** Cheap cameras freeze when subscriptions are made every few seconds. */
const RETRY_FIRST_MS = 1_000;
const RETRY_CAP_MS = 60_000;
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;

interface Subscription {
  at: Address;
  /** Its reference parameters, to be sent back word for word. */
  parameters: string;
  /** By our monotonic clock. */
  expiresAt: number;
  renewAt: number;
  renewable: boolean;
}

/**
 * The event loop (onvif.md §4.1): one subscription after the other, each pulled from until it fails or nears its end. A device
 * keeps few subscriptions and tells nobody which, so each is given back, and new ones come at growing intervals.
 */
export class PullPoint {
  readonly #client: OnvifClient;
  readonly #events: Address;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #onOpen: () => void;
  readonly #onMessage: (message: Element) => Promise<void> | void;
  readonly #onUnreadable: () => void;
  readonly #abort = new AbortController();
  /** Whether it takes renewals. */
  #renewals = true;
  /** Asks for less at a time, after a fault. */
  #gentle = false;
  #lost: string | null = null;

  constructor(o: {
    client: OnvifClient;
    events: Address;
    clock: Clock;
    log: Logger;
    onOpen: () => void;
    /** One NotificationMessage. */
    onMessage: (message: Element) => Promise<void> | void;
    onUnreadable: () => void;
  }) {
    this.#client = o.client;
    this.#events = o.events;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#onOpen = o.onOpen;
    this.#onMessage = o.onMessage;
    this.#onUnreadable = o.onUnreadable;
  }

  /** The device is known to be gone. */
  lost(text: string): void {
    this.#lost = text;
    this.#abort.abort();
  }

  /** Until the signal aborts, the device does not answer any more, or it gives no subscription. */
  async run(outer: AbortSignal): Promise<StreamEnd> {
    const signal = AbortSignal.any([outer, this.#abort.signal]);
    const backoff = new Backoff(RETRY_FIRST_MS, RETRY_CAP_MS);
    let opened = false;
    for (;;) {
      const begun = this.#clock.mono();
      const subscription = await this.#subscribe(signal);
      if (this.#lost !== null) return { how: 'lost', text: this.#lost };
      if (signal.aborted) {
        if (subscription.ok) await this.#unsubscribe(subscription.value);
        return { how: 'stopped', text: 'It is no longer looked after.' };
      }
      if (!subscription.ok) return { how: 'failed', failure: subscription };
      if (!opened) this.#onOpen();
      opened = true;
      const why = await this.#live(subscription.value, signal);
      if (why?.code !== 'device-unreachable') await this.#unsubscribe(subscription.value);
      if (this.#lost !== null) return { how: 'lost', text: this.#lost };
      if (signal.aborted) return { how: 'stopped', text: 'It is no longer looked after.' };
      if (why) {
        this.#log.info({ host: this.#client.host, code: why.code, sub: why.subStatus }, `events: ${why.text}`);
        if (why.code === 'device-unreachable') return { how: 'lost', text: why.text };
        if (why.code !== 'device-error') return { how: 'failed', failure: why };
        this.#gentle = true;
      }
      const lived = this.#clock.mono() - begun >= LIVED_MS;
      if (lived) backoff.reset();
      if (why || !lived) await this.#clock.sleep(backoff.next(), signal);
    }
  }

  async #subscribe(signal: AbortSignal): Promise<Result<Subscription>> {
    const answer = await this.#client.call(
      this.#events,
      `<tev:CreatePullPointSubscription><tev:InitialTerminationTime>PT${LIFETIME_S}S</tev:InitialTerminationTime></tev:CreatePullPointSubscription>`,
      { headers: this.#addressing(`${TEV}/EventPortType/CreatePullPointSubscriptionRequest`, this.#events), signal },
    );
    if (!answer.ok) return answer;
    const reference = first(answer.value, 'SubscriptionReference');
    const at = this.#client.address(textAt(reference, 'Address')) ?? this.#events;
    const parameters = (first(reference, 'ReferenceParameters')?.children ?? []).map(serialize).join('');
    const subscription = { at, parameters, expiresAt: 0, renewAt: 0, renewable: this.#renewals };
    const believable = this.#expiry(subscription, answer.value);
    if (!believable && subscription.renewable) {
      // It cannot count from now, so it is told the moment, in its own time.
      const until = iso(this.#clock.now() + this.#client.offsetMs + LIFETIME_S * 1000);
      await this.#renew(subscription, until, signal);
    }
    // So that it says how things are; what it says then is no event.
    await this.#client.call(at, '<tev:SetSynchronizationPoint/>', {
      headers: this.#addressing(`${TEV}/PullPointSubscription/SetSynchronizationPointRequest`, at) + parameters,
      signal,
    });
    return { ok: true, value: subscription };
  }

  /** Pulls until something ends it; null: it was time for a new one. */
  async #live(subscription: Subscription, signal: AbortSignal): Promise<IsapiFailure | null> {
    let silent = 0;
    while (!signal.aborted) {
      const now = this.#clock.mono();
      if (now >= subscription.renewAt) {
        if (!subscription.renewable) return null;
        if (!(await this.#renew(subscription, `PT${LIFETIME_S}S`, signal))) {
          // Where it cannot be renewed, the next one is made in time.
          this.#renewals = false;
          subscription.renewable = false;
          const leftMs = subscription.expiresAt - now;
          subscription.renewAt = subscription.expiresAt - Math.min(2 * PULL_S * 1000, leftMs / 2);
        }
        continue;
      }
      const answer = await this.#pull(subscription, signal);
      if (signal.aborted) break;
      const tookMs = this.#clock.mono() - now;
      if (!answer.ok) {
        if (answer.code !== 'device-unreachable') return answer;
        // Some close the connection instead of an empty answer.
        if (++silent >= 3) return answer;
        await this.#clock.sleep(PAUSE_MS, signal);
        continue;
      }
      silent = 0;
      const messages = messagesOf(answer.value);
      for (const message of messages) {
        if (signal.aborted) break;
        await this.#onMessage(message);
      }
      this.#seen(subscription, answer.value);
      if (tookMs < EARLY_MS) await this.#clock.sleep(messages.length > 0 ? PAUSE_MS / 5 : PAUSE_MS, signal);
    }
    return null;
  }

  async #pull({ at, parameters }: Subscription, signal: AbortSignal): Promise<Result<Element>> {
    const seconds = this.#gentle ? PULL_S / 2 : PULL_S;
    return this.#client.call(
      at,
      `<tev:PullMessages><tev:Timeout>PT${seconds}S</tev:Timeout><tev:MessageLimit>${this.#gentle ? 10 : 100}</tev:MessageLimit></tev:PullMessages>`,
      {
        headers: this.#addressing(`${TEV}/PullPointSubscription/PullMessagesRequest`, at) + parameters,
        timeoutMs: seconds * 1000 + SLACK_MS,
        maxBytes: MAX_ANSWER_BYTES,
        alone: 'long',
        signal,
        recover: (body) => {
          this.#onUnreadable();
          return { name: 'PullMessagesResponse', ns: '', attributes: [], text: '', children: salvage(body) };
        },
      },
    );
  }

  async #renew(subscription: Subscription, until: string, signal: AbortSignal): Promise<boolean> {
    const { at, parameters } = subscription;
    const answer = await this.#client.call(
      at,
      `<wsnt:Renew><wsnt:TerminationTime>${until}</wsnt:TerminationTime></wsnt:Renew>`,
      { headers: this.#addressing(`${WSN}/RenewRequest`, at) + parameters, signal },
    );
    if (!answer.ok) return false;
    this.#expiry(subscription, answer.value);
    return true;
  }

  /** Whether anybody hears it matters little: it is for the next one to find a place. */
  async #unsubscribe({ at, parameters }: Subscription): Promise<void> {
    await this.#client.call(at, '<wsnt:Unsubscribe/>', {
      headers: this.#addressing(`${WSN}/UnsubscribeRequest`, at) + parameters,
      timeoutMs: 2_000,
      alone: 'last',
    });
  }

  /** When it ends and when to renew it. False: the device tells no time that makes sense, and what was asked for is assumed. */
  #expiry(subscription: Subscription, response: Element): boolean {
    const told = this.#lifetime(response);
    const ms = told ?? LIFETIME_S * 1000;
    const now = this.#clock.mono();
    subscription.expiresAt = now + ms;
    subscription.renewAt = now + Math.max(ms / 2, ms >= 2 * RENEW_AT_LEAST_MS ? RENEW_AT_LEAST_MS : SHORTEST_MS / 2);
    return told !== null;
  }

  /** What the answer to a pull says of the end: on some devices pulling prolongs it, which is good to know without renewal. */
  #seen(subscription: Subscription, response: Element): void {
    const told = this.#lifetime(response);
    if (told === null) return;
    const now = this.#clock.mono();
    subscription.expiresAt = now + told;
    if (!subscription.renewable) subscription.renewAt = now + told - Math.min(2 * PULL_S * 1000, told / 2);
    else subscription.renewAt = Math.min(subscription.renewAt, now + Math.max(SHORTEST_MS / 2, told / 2));
  }

  /** From the times that the device gives in its own clock; null when they make no sense. */
  #lifetime(response: Element): number | null {
    const ends = Date.parse(textAt(response, 'TerminationTime'));
    const said = textAt(response, 'CurrentTime');
    const current = said === '' ? this.#clock.now() + this.#client.offsetMs : Date.parse(said);
    const ms = ends - current;
    return ms >= SHORTEST_MS && ms <= LONGEST_MS ? ms : null;
  }

  #addressing(action: string, to: Address): string {
    const written =
      to.written ?? `${this.#client.tls ? 'https' : 'http'}://${this.#client.host}:${to.ports[0]}${to.path}`;
    return `<a:Action>${action}</a:Action><a:MessageID>urn:uuid:${randomUUID()}</a:MessageID><a:ReplyTo><a:Address>http://www.w3.org/2005/08/addressing/anonymous</a:Address></a:ReplyTo><a:To>${xmlText(written)}</a:To>`;
  }
}

const MESSAGE = /<((?:[\w.-]+:)?NotificationMessage)(?:\s[^<>]*)?>/g;

/** The messages that are whole in an answer that is not: one bad element is no reason to lose the others. */
export function salvage(body: Buffer): Element[] {
  const source = body.toString('utf8');
  const found: Element[] = [];
  // A start tag whose name is damaged has no end; the others have.
  const endless = new Set<string>();
  // By name: many starts before one end do not look for it one by one.
  const ends = new Map<string, number>();
  for (const match of source.matchAll(MESSAGE)) {
    const known = endless.has(match[1]!) ? -1 : ends.get(match[1]!);
    const end =
      known !== undefined && (known < 0 || known > match.index) ? known : source.indexOf(`</${match[1]}>`, match.index);
    if (end >= 0) ends.set(match[1]!, end);
    else {
      if (endless.add(match[1]!).size > 16) break;
      continue;
    }
    const inside = source.slice(match.index, end + match[1]!.length + 3);
    if (inside.slice(match[0].length).includes(match[0].slice(0, match[1]!.length + 1))) continue;
    const element = parseTree(inside);
    if (element) found.push(element);
  }
  return found;
}
