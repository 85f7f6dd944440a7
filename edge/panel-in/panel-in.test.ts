import { createServer } from 'node:net';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type Clock, ManualClock, systemClock } from '../../protocol/clock.ts';
import type { NewRecord } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { removeTempDirs, tempDir, until } from '../arc/testing/harness.ts';
import { Journal } from '../journal/journal.ts';
import { Warnables } from '../warnables.ts';
import { PanelIn } from './panel-in.ts';
import { ForeignPanel, type Target } from './testing/foreign-panel.ts';
import type { PanelConfig } from './types.ts';

const log = pino({ level: 'silent' });
const stops: (() => unknown)[] = [];
afterAll(removeTempDirs);
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const KEYS = { none: null, aes128: Buffer.alloc(16, 'a'), aes256: Buffer.alloc(32, 'b') };
const panel = (given: Partial<PanelConfig> = {}): PanelConfig => ({
  id: uuidv7(),
  name: 'House',
  account: '00A1',
  key: null,
  localTime: false,
  supervisionMs: null,
  ...given,
});

/** The receiving part of a box, with a real journal. */
class Box {
  readonly warnables: Warnables;
  readonly journal: Journal;
  readonly panels: PanelIn;
  /** Set: the journal refuses. */
  full: Error | null = null;
  readonly #clock: Clock;

  constructor(
    dir = tempDir(),
    { clock = systemClock, port = 0 as number | null }: { clock?: Clock; port?: number | null } = {},
  ) {
    this.#clock = clock;
    this.warnables = new Warnables({ clock, log });
    this.journal = new Journal({ path: join(dir, 'journal.db'), clock: systemClock, log, warnables: this.warnables });
    const { journal } = this;

    this.panels = new PanelIn({
      host: '127.0.0.1',
      port,
      clock,
      log,
      warnables: this.warnables,
      journal: {
        append: (records: NewRecord[]) => (this.full ? Promise.reject(this.full) : journal.append(records)),
        read: (seq, limit) => journal.read(seq, limit),
        get lastSeq() {
          return journal.lastSeq;
        },
      },
    });
  }

  async start(panels: PanelConfig[]): Promise<Target> {
    this.journal.start();
    this.panels.start();
    expect(this.panels.apply(panels)).toEqual([]);
    stops.push(() => this.stop());
    await until(() => this.panels.port() !== null);
    return { host: '127.0.0.1', port: this.panels.port()! };
  }

  async stop(): Promise<void> {
    await this.panels.stop();
    await this.journal.stop();
  }

  get clock(): Clock {
    return this.#clock;
  }

  records() {
    return this.journal.read(0, 100_000);
  }
  events() {
    return this.records().flatMap((r) => (r.kind === 'event' ? [r.body] : []));
  }
  ends() {
    return this.records().flatMap((r) => (r.kind === 'eventEnd' ? [r.body.eventId] : []));
  }
  warnings() {
    return this.warnables.list().map((w) => w.code);
  }
}

describe('a foreign panel that sends DC-09 to the box', () => {
  for (const transport of ['tcp', 'udp'] as const) {
    for (const [name, key] of Object.entries(KEYS)) {
      it(`is received whole while its main receiver is down: ${transport}, key ${name} (ARC-24)`, async () => {
        const box = new Box();
        const target = await box.start([panel({ key })]);
        const dead = { host: '127.0.0.1', port: await closedPort() };
        const sender = new ForeignPanel({
          account: '00A1',
          key: key ?? undefined,
          transport,
          timeoutMs: transport === 'udp' ? 25 : 1_000,
          targets: [dead, target],
        });
        const count = transport === 'udp' ? 20 : 60;
        for (let i = 0; i < count; i++) {
          const zone = String(i + 1).padStart(3, '0');
          sender.push(i % 2 ? `1130 01 ${zone}` : `Nri1/BA${zone}`);
        }
        await sender.drain();
        expect([sender.waiting, sender.sent, sender.bad, sender.naks]).toEqual([0, count, 0, 0]);
        const events = box.events();
        expect(events.map((e) => e.channel)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
        expect(events.every((e) => e.type === 'zoneAlarm' && e.cid === '1130' && e.area === 1)).toBe(true);
        expect(box.panels.health()[0]).toMatchObject({ state: 'online', model: expect.stringContaining('DC-09') });
      });
    }
  }

  it('may keep its connection, cut its frames anywhere and put NULs behind', async () => {
    const box = new Box();
    const target = await box.start([panel({ key: KEYS.aes128 })]);
    for (const pieces of [1, 7]) {
      const sender = new ForeignPanel({
        account: '00A1',
        key: KEYS.aes128,
        transport: 'tcp',
        targets: [target],
        keepsOpen: true,
        pieces,
        trailing: Buffer.alloc(2),
      });
      for (let i = 1; i <= 20; i++) sender.push(`1131 02 ${String(i + pieces * 50).padStart(3, '0')}`);
      await sender.drain();
      expect([sender.waiting, sender.bad]).toEqual([0, 0]);
    }
    expect(box.events()).toHaveLength(40);
  });

  it('is told the time by NAK and gets through; with a local clock it is understood as it is', async () => {
    const box = new Box();
    const target = await box.start([panel(), panel({ account: 'BBBB', localTime: true })]);
    const wrong = new ForeignPanel({ account: '00A1', transport: 'tcp', targets: [target], clockMs: 600_000 });
    wrong.push('Nri1/FA001');
    await wrong.drain();
    expect([wrong.naks, wrong.waiting, box.events().length]).toEqual([1, 0, 1]);
    const local = new ForeignPanel({ account: 'BBBB', transport: 'udp', targets: [target], clockMs: 7_200_000 });
    local.push('Nri1/FA001');
    await local.drain();
    expect([local.naks, local.waiting, box.events().length]).toEqual([0, 0, 2]);
  });

  it('gets no acknowledgement while nothing can be kept, and is recorded once when it can', async () => {
    const box = new Box();
    const target = await box.start([panel()]);
    box.full = new Error('the disk is full');
    const sender = new ForeignPanel({ account: '00A1', transport: 'tcp', targets: [target], timeoutMs: 50 });
    sender.push('1110 01 004');
    await sender.drain(3);
    expect([sender.waiting, box.events().length]).toEqual([1, 0]);
    box.full = null;
    await sender.drain();
    expect([sender.waiting, box.events().length]).toEqual([0, 1]);
  });

  it('is refused, and a person told why, when key or account differ', async () => {
    const box = new Box();
    const config = panel({ key: KEYS.aes128 });
    const target = await box.start([config]);
    const tries = async (account: string, key?: Buffer) => {
      const sender = new ForeignPanel({ account, key, transport: 'tcp', targets: [target] });
      sender.push('1110 01 004');
      await sender.drain(2);
      return sender.waiting;
    };
    expect(await tries('00A1', KEYS.aes256)).toBe(1);
    expect(box.warnables.list()).toMatchObject([{ code: 'panel-refused', subject: `device:${config.id}` }]);
    expect(await tries('00A1')).toBe(1);
    expect(box.warnables.list()[0]!.text).toContain('in clear');
    expect(await tries('A1', KEYS.aes128)).toBe(1);
    expect(box.warnings()).toContain('panel-unknown');
    expect(await tries('00A1', KEYS.aes128)).toBe(0);
    expect(box.warnings()).toEqual(['panel-unknown']);
    expect(box.events()).toHaveLength(1);
  });

  it('has its alarms, restores, arming and troubles in our words, with its own numbers', async () => {
    const box = new Box();
    const target = await box.start([panel()]);
    const sender = new ForeignPanel({ account: '00A1', transport: 'tcp', targets: [target] });
    const said = ['1130 01 003', '3130 01 003', '1401 02 012', '3401 02 012', '3441 01 000', '1301 00 000'];
    const sia = ['Nri2/FA005', 'Nri2/FH005', 'Nri1/CL012', 'Nri1/TA007', 'Nri1/TR007', 'Nri1/YX009', 'NRP'];
    for (const data of [...said, ...sia, '3137 01 002']) sender.push(data);
    await sender.drain();
    expect(box.events().map((e) => [e.type, e.cid, e.area, e.channel])).toEqual([
      ['zoneAlarm', '1130', 1, 3],
      ['areaDisarmed', '1401', 2, 2],
      ['areaArmedAway', '3401', 2, 2],
      ['areaArmedStay', '3441', 1, 1],
      ['mainsFail', '1301', undefined, null],
      ['fire', '1110', 2, 5],
      ['areaArmedAway', '3401', 1, 1],
      ['deviceTamper', '1144', 1, 7],
      ['other', undefined, 1, 9],
      ['panelTest', '1602', undefined, null],
      // A restore of what began before anybody listened is kept as what it is.
      ['panelTamper', '3137', 1, 2],
    ]);
    expect(box.events()[8]!.text).toBe('YX 009');
    const { id } = box.panels.health()[0]!;
    const areas = box.panels.areas(id)!.map(({ values }) => [values.number, values.arming]);
    expect(areas).toEqual([
      [2, 'away'],
      [1, 'away'],
    ]);
    expect(box.panels.areas(uuidv7())).toBeNull();
    const over = box.ends().map((id) => box.events().find((e) => e.id === id)!.cid);
    expect(over).toEqual(['1130', '1110', '1144']);
  });
});

describe('repetitions of a panel', () => {
  it('make one event, also over a restart of the box', async () => {
    const dir = tempDir();
    const config = panel();
    for (let round = 0; round < 3; round++) {
      const box = new Box(dir);
      const target = await box.start([config]);
      for (let again = 0; again < 2; again++) {
        // The same number each time: its acknowledgement was lost.
        const sender = new ForeignPanel({ account: '00A1', transport: 'tcp', targets: [target] });
        sender.push('1130 01 003');
        await sender.drain();
        expect(sender.waiting).toBe(0);
      }
      expect(box.events()).toHaveLength(1);
      await box.stop();
    }
  });

  it('of another number are new, and one restore ends all of them', async () => {
    const box = new Box();
    const target = await box.start([panel()]);
    const sender = new ForeignPanel({ account: '00A1', transport: 'tcp', targets: [target] });
    for (const data of ['1130 01 003', '1130 01 003', '6130 01 003', '1130 01 004', '3130 01 003']) sender.push(data);
    await sender.drain();
    expect(box.events()).toHaveLength(3);
    expect(box.ends()).toEqual(
      box
        .events()
        .slice(0, 2)
        .map((e) => e.id),
    );
  });
});

describe('supervision of a panel', () => {
  it('raises its absence after the interval and a minute and a half, once, and ends it when it is heard', async () => {
    const clock = new ManualClock(Date.now());
    const box = new Box(undefined, { clock });
    const target = await box.start([panel({ supervisionMs: 60_000, localTime: true })]);
    // The panel's clock is the real one; the box's runs ahead, by whole quarters of an hour where it matters.
    const sender = new ForeignPanel({ account: '00A1', transport: 'tcp', targets: [target] });
    expect(await sender.poll()).toBe(true);
    expect(box.panels.health()[0]!.state).toBe('online');
    await clock.advance(80_000);
    expect(box.panels.health()[0]!.state).toBe('online');
    await clock.advance(20_000);
    expect(box.panels.health()[0]!.state).toBe('offline');
    await clock.advance(60_000);
    await until(() => box.events().length === 1);
    expect(box.events()[0]).toMatchObject({ type: 'deviceOffline', text: 'House does not answer' });
    await clock.advance(15 * 60_000 - 160_000);
    expect(await sender.poll()).toBe(true);
    await until(() => box.ends().length === 1);
    expect(box.panels.health()[0]!.state).toBe('online');
  });
});

describe('the port for panels', () => {
  it('is open while there is a panel, and only then', async () => {
    const box = new Box();
    const config = panel();
    await box.start([config]);
    box.panels.apply([]);
    await until(() => box.panels.port() === null);
    box.panels.apply([{ ...config, name: 'Again' }]);
    await until(() => box.panels.port() !== null);
  });

  it('is told to be in use, or off, and two panels cannot share an account number', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    stops.push(() => taken.close());
    await until(() => taken.listening);
    const { port } = taken.address() as { port: number };
    const busy = new Box(undefined, { port });
    busy.journal.start();
    busy.panels.start();
    stops.push(() => busy.stop());
    busy.panels.apply([panel()]);
    await until(() => busy.warnings().includes('panel-port-in-use'));
    const off = new Box(undefined, { port: null });
    expect(off.panels.apply([panel()])).toMatchObject([{ code: 'off' }]);
    const two = new Box();
    expect(two.panels.apply([panel(), panel({ name: 'Shed' })])).toMatchObject([{ code: 'duplicate' }]);
  });
});

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await until(() => server.listening);
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
