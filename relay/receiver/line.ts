import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { printDc09 } from '../../protocol/codec/dc09.ts';
import { Dc09Listener, type Dc09Peer, type Dc09Problem, type Dc09Received } from '../../protocol/dc09/listener.ts';
import { OWN_PEER } from '../arc/hosted.ts';
import type { Directory, KnownAccount } from './directory.ts';
import type { Inbox } from './inbox.ts';
import type { Supervision } from './supervision.ts';

const MAX_CONNECTIONS = 20_000;
/** A problem of one kind of one address is logged so often. */
const LOG_MS = 60_000;
const MAX_LOGGED = 1_000;

/**
 * One receiver: a DC-09 port, TCP and UDP. What comes is committed in the inbox, then acknowledged; link supervision (NULL) is
 * acknowledged at once.
 */
export class ReceiverLine {
  readonly #receiverId: string;
  readonly #directory: Directory;
  readonly #inbox: Inbox;
  readonly #supervision: Supervision;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #listener: Dc09Listener;
  /** As just looked up by the listener. */
  readonly #known = new Map<string, KnownAccount>();
  readonly #logged = new Map<string, number>();
  refused = 0;

  constructor(o: {
    receiverId: string;
    host: string;
    port: number;
    transports: ('tcp' | 'udp')[];
    directory: Directory;
    inbox: Inbox;
    supervision: Supervision;
    clock: Clock;
    log: Logger;
  }) {
    this.#receiverId = o.receiverId;
    this.#directory = o.directory;
    this.#inbox = o.inbox;
    this.#supervision = o.supervision;
    this.#clock = o.clock;
    this.#log = o.log.child({ receiverId: o.receiverId });
    this.#listener = new Dc09Listener({
      ...{ host: o.host, port: o.port, transports: o.transports, clock: o.clock, log: this.#log },
      maxConnections: MAX_CONNECTIONS,
      known: (account) => this.#lookUp(account),
      received: (received) => this.#received(received),
      problem: (problem) => this.#problem(problem),
    });
  }

  start(): Promise<{ tcp: number | null; udp: number | null }> {
    return this.#listener.start();
  }

  stop(): Promise<void> {
    return this.#listener.stop();
  }

  /** A frame that came another way than through the port: the relay's own path of a box. */
  answer(frame: Buffer, peer: Dc09Peer): Promise<Buffer | null> {
    return this.#listener.answer(frame, peer);
  }

  async #lookUp(account: string): Promise<KnownAccount | null> {
    const known = await this.#directory.find(this.#receiverId, account);
    if (known) this.#known.set(account, known);
    else this.#known.delete(account);
    return known;
  }

  async #received({ message, content, peer, raw }: Dc09Received): Promise<'ack' | 'none'> {
    const known = this.#known.get(message.account ?? '');
    if (!known) return 'none';
    if (content) {
      const [first] = content;
      await this.#inbox.add({
        ...{ owner: known.owner, receiverId: known.receiverId, accountId: known.accountId, account: known.account },
        ...{ source: 'device', protocol: message.id, sequence: message.sequence, line: message.line },
        ...{ encrypted: message.encrypted, data: message.data, xdata: message.xdata },
        events: content.map(({ event, qualifier, area, zone, user, text }) => ({
          ...{ event, qualifier, area, text },
          zone: zone ?? user,
        })),
        pictures: [...new Set(content.flatMap((event) => event.pictures))],
        occurredMs: first?.occurredAt ?? null,
        receivedMs: this.#clock.now(),
        peer: `${peer.transport} ${peer.address}:${peer.port}`,
        frame: printDc09(raw),
      });
    }
    if (peer === OWN_PEER) return 'ack';
    // Committed already: that its restore could not be told yet must not make the sender send again.
    await this.#supervision
      .heard(known, content ? message.id : null)
      .catch((error) => this.#log.error({ err: error }, 'a restore could not be told; tried again'));
    return 'ack';
  }

  #problem({ peer, account, code }: Dc09Problem): void {
    this.refused++;
    const key = `${peer.address} ${account} ${code}`;
    const last = this.#logged.get(key);
    if (last !== undefined && this.#clock.mono() - last < LOG_MS) return;
    if (this.#logged.size >= MAX_LOGGED) this.#logged.clear();
    this.#logged.set(key, this.#clock.mono());
    this.#log.warn({ peer: peer.address, account, code }, 'a message was not taken');
  }
}
