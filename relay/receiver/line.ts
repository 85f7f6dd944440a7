import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { printDc09 } from '../../protocol/codec/dc09.ts';
import { Dc09Listener, type Dc09Peer, type Dc09Problem, type Dc09Received } from '../../protocol/dc09/listener.ts';
import { OWN_PEER } from '../arc/hosted.ts';
import type { Directory, KnownAccount } from './directory.ts';
import type { Inbox } from './inbox.ts';
import type { Supervision } from './supervision.ts';

const MAX_CONNECTIONS = 20_000;
/** Problems of one kind are logged so often, the first few of a period each; addresses and accounts are the sender's to choose. */
const LOG_MS = 60_000;
const LOGGED_EACH = 5;

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
  readonly #listener: Dc09Listener<KnownAccount>;
  readonly #logged = new Map<Dc09Problem['code'], { since: number; count: number }>();
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
      host: o.host,
      port: o.port,
      transports: o.transports,
      clock: o.clock,
      log: this.#log,
      maxConnections: MAX_CONNECTIONS,
      known: (account) => this.#directory.find(this.#receiverId, account),
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

  async #received({ message, known, content, peer, raw }: Dc09Received<KnownAccount>): Promise<'ack'> {
    if (content) {
      const [first] = content;
      await this.#inbox.add({
        owner: known.owner,
        receiverId: known.receiverId,
        accountId: known.accountId,
        account: known.account,
        source: 'device',
        protocol: message.id,
        sequence: message.sequence,
        line: message.line,
        encrypted: message.encrypted,
        data: message.data,
        xdata: message.xdata,
        events: content.map(({ event, qualifier, area, zone, user, text }) => ({
          event,
          qualifier,
          area,
          text,
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
    const now = this.#clock.mono();
    let logged = this.#logged.get(code);
    if (!logged || now - logged.since >= LOG_MS) {
      const more = (logged?.count ?? 0) - LOGGED_EACH;
      if (more > 0) this.#log.warn({ code, messages: more }, 'more messages were not taken');
      logged = { since: now, count: 0 };
      this.#logged.set(code, logged);
    }
    if (++logged.count <= LOGGED_EACH) this.#log.warn({ peer: peer.address, account, code }, 'a message was not taken');
  }
}
