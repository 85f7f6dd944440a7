import { FaultProxy } from '../../edge/arc/testing/fault-proxy.ts';
import { ArcBox } from '../../edge/arc/testing/harness.ts';
import { StrictReceiver } from '../../edge/arc/testing/strict-receiver.ts';
import type { ArcAccountConfig, ArcTimings } from '../../edge/arc/types.ts';
import { open } from '../../protocol/codec/sealed.ts';
import { DesiredState } from '../../protocol/wire/desired.ts';
import { TestBox } from '../../relay/testing/box.ts';
import { type Company, TestRelay } from '../../relay/testing/relay.ts';
import { DelayProxy } from './delay-proxy.ts';

const ACCOUNT = '00A1';

/**
 * Alarm transmission with both real sides: the box's journal and sender, a whole relay with the account entered through
 * its API, and one receiver with a fault proxy on each path.
 */
export class ArcWorld {
  readonly key: Buffer;
  readonly receiver: StrictReceiver;
  readonly relay = new TestRelay();
  direct!: FaultProxy;
  toRelayed!: FaultProxy;
  company!: Company;
  identity!: TestBox;
  box!: ArcBox;
  readonly #timings: Partial<ArcTimings>;
  readonly #rttMs: number;
  readonly #far: DelayProxy[] = [];
  #relayUrl!: URL;

  constructor(o: { key?: Buffer; timings?: Partial<ArcTimings>; rttMs?: number } = {}) {
    const { key = Buffer.alloc(32, 'k'), timings = {}, rttMs = 0 } = o;
    this.key = key;
    this.#rttMs = rttMs;
    this.#timings = timings;
    this.receiver = new StrictReceiver({ accounts: { [ACCOUNT]: key } });
  }

  async start(mode: ArcAccountConfig['mode'] = 'direct-or-relay'): Promise<this> {
    const target = await this.#distant(await this.receiver.start());
    this.direct = new FaultProxy(target, 2_000);
    this.toRelayed = new FaultProxy(target, 2_000);
    const ends = { direct: await this.direct.start(), relay: await this.toRelayed.start() };
    await this.relay.start();
    const { host, port } = await this.#distant({ host: '127.0.0.1', port: this.relay.port });
    this.#relayUrl = new URL(`http://${host}:${port}`);
    this.company = await this.relay.company('Acme');
    this.identity = await new TestBox(this.relay).claimedBy(this.company);
    const receiver = await this.company.api('POST', '/receivers', { name: 'ARC', ...ends });
    const account = await this.company.api('POST', `/sites/${this.company.siteId}/arc`, {
      boxSerial: this.identity.serial,
      receiverId: receiver.body.id,
      account: ACCOUNT,
      protocol: 'SIA-DCS',
      key: this.key.toString('hex'),
      mode,
      events: ['motion', 'intrusion', 'tamper', 'videoLoss'],
      supervision: { kind: 'off', intervalMs: 60_000 },
    });
    if (account.status !== 201) throw new Error(JSON.stringify(account.body));
    await this.startBox();
    return this;
  }

  /** A box that opens what the relay wishes of it, as its configuration does. */
  async startBox(dir?: string): Promise<void> {
    const auth = {
      relayUrl: this.#relayUrl,
      header: (purpose: string) => this.identity.header(purpose),
    };
    this.box = new ArcBox({ auth, dir, timings: this.#timings });
    const row = await this.relay.withDb((db) =>
      db.selectFrom('desired_states').select('document').executeTakeFirstOrThrow(),
    );
    const { items } = DesiredState.parse(JSON.parse(row.document)).sections.arc;
    const opened = items.map((item) => ({
      ...item,
      key: item.key && Buffer.from(open(item.key, this.identity.sealKey, `arc:${item.id}`), 'hex'),
    }));
    this.box.start(opened);
  }

  get health() {
    return this.box.service.health()[0]!;
  }

  async stop(): Promise<void> {
    await this.box.stop();
    await this.relay.stop();
    await this.direct.stop();
    await this.toRelayed.stop();
    for (const proxy of this.#far) await proxy.stop();
    await this.receiver.stop();
  }

  /** Every leg of the way is as far. */
  async #distant(target: { host: string; port: number }): Promise<{ host: string; port: number }> {
    if (this.#rttMs === 0) return target;
    const proxy = new DelayProxy(target, this.#rttMs);
    this.#far.push(proxy);
    return proxy.start();
  }
}
