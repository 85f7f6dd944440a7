import pino from 'pino';
import type { Clock } from '../../../protocol/clock.ts';
import { ManualClock } from '../../../protocol/clock.ts';
import { type Dc09Answer, Dc09Listener, type Dc09Received } from '../../../protocol/dc09/listener.ts';
import type { ReceiverSettings } from '../../../protocol/wire/arc-receiver.ts';
import { Vault } from '../../auth/vault.ts';
import { TestBox } from '../../testing/box.ts';
import { type Company, TestRelay } from '../../testing/relay.ts';

export const ACCOUNT = '00A1';
const KEY = '000102030405060708090A0B0C0D0E0F';

/** A receiver that keeps what it got; its clock may be wrong, and it answers as a test wants. */
export class LineReceiver {
  readonly got: Dc09Received[] = [];
  readonly #listener: Dc09Listener;
  offsetMs = 0;
  answer: (received: Dc09Received) => Dc09Answer = () => 'ack';
  port = 0;

  constructor(clock: Clock) {
    const own: Clock = {
      now: () => clock.now() + this.offsetMs,
      mono: () => clock.mono(),
      after: (...args) => clock.after(...args),
      every: (...args) => clock.every(...args),
      sleep: (...args) => clock.sleep(...args),
    };
    this.#listener = new Dc09Listener({
      host: '127.0.0.1',
      port: 0,
      transports: ['tcp', 'udp'],
      clock: own,
      log: pino({ level: 'silent' }),
      known: (account) => (account.startsWith('00A') ? { key: Buffer.from(KEY, 'hex') } : { key: null }),
      received: async (received) => {
        if (received.content) this.got.push(received);
        return this.answer(received);
      },
    });
  }

  async start(): Promise<this> {
    this.port = (await this.#listener.start()).tcp!;
    return this;
  }

  stop(): Promise<void> {
    return this.#listener.stop();
  }

  /** `YC000`, `1350 01 000`: what was acknowledged or not, without the account. */
  get told(): string[] {
    return this.got.map(({ message }) => message.data.replace(/^#\w+\|(Nri1\/)?/, ''));
  }
}

/** A relay under a clock of the test, and a box of its own with an account at a receiver where the relay has a line. */
export class LineWorld {
  readonly clock = new ManualClock(Date.UTC(2026, 5, 1));
  readonly relay = new TestRelay({ clock: this.clock });
  readonly receiver = new LineReceiver(this.clock);
  company!: Company;
  box!: TestBox;
  accountId!: string;
  receiverId!: string;

  async start(change: Partial<ReceiverSettings> & { port?: number; account?: string } = {}): Promise<this> {
    await this.receiver.start();
    await this.relay.start();
    this.company = await this.relay.company('Acme');
    this.box = await new TestBox(this.relay).claimedBy(this.company);
    ({ receiverId: this.receiverId, accountId: this.accountId } = await this.accountFor(this.box, change));
    return this;
  }

  async stop(): Promise<void> {
    await this.relay.stop();
    await this.receiver.stop();
  }

  /** A receiver and an account there; as a centre on the platform would have entered them. */
  async accountFor(
    box: TestBox,
    { port = this.receiver.port, account = ACCOUNT, ...change }: Parameters<LineWorld['start']>[0] = {},
  ): Promise<{ receiverId: string; accountId: string }> {
    const end = { host: '127.0.0.1', port };
    const made = await this.company.api('POST', '/receivers', { name: `ARC ${box.serial}`, direct: end, relay: end });
    const wanted = {
      boxSerial: box.serial,
      receiverId: made.body.id,
      account,
      protocol: 'SIA-DCS',
      events: ['motion'],
    };
    const added = await this.company.api('POST', `/sites/${this.company.siteId}/arc`, wanted);
    const vault = new Vault({ dir: this.relay.dir });
    vault.start();
    const { id: receiverId } = made.body as { id: string };
    const settings = JSON.stringify({ ownLine: { enabled: true, line: '7' }, ...change });
    const key = account === ACCOUNT ? vault.seal(`arc-receiver:${receiverId}`, KEY) : null;
    await this.relay.withDb((db) =>
      db.updateTable('arc_receivers').set({ settings, key, keyFormat: 'hex' }).where('id', '=', receiverId).execute(),
    );
    return { receiverId, accountId: added.body.id };
  }

  /** Lets time pass in small steps; the boxes named go on being heard meanwhile. */
  async pass(ms: number, ...alive: TestBox[]): Promise<void> {
    for (let left = ms; left > 0; left -= 2_500) {
      for (const box of alive) await box.publish(box.topics.health, box.health());
      await this.clock.advance(Math.min(2_500, left));
      // Sockets and the database work in real time.
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
  }

  /** The relay's own messages as the portal lists them, oldest first. */
  async listed() {
    const { items } = (await this.company.api('GET', `/sites/${this.company.siteId}/alarms`)).body;
    return items.reverse() as (Record<string, unknown> & { log: { outcome: string; frame: string }[] })[];
  }
}
