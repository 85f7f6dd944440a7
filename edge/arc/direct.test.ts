import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { ArcBox, account, removeTempDirs, until } from './testing/harness.ts';
import { StrictReceiver } from './testing/strict-receiver.ts';
import type { ArcAccountConfig } from './types.ts';

const stops: (() => Promise<void>)[] = [];
afterAll(removeTempDirs);
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function receiver(options: ConstructorParameters<typeof StrictReceiver>[0]) {
  const it = new StrictReceiver(options);
  const direct = await it.start();
  stops.push(() => it.stop());
  return { receiver: it, direct };
}

function box(accounts: ArcAccountConfig[], options: ConstructorParameters<typeof ArcBox>[0] = {}): ArcBox {
  const it = new ArcBox(options).start(accounts);
  stops.push(() => it.stop());
  return it;
}

const key = Buffer.from('000102030405060708090A0B0C0D0E0F', 'hex');

describe('alarm transmission on the direct path', () => {
  for (const transport of ['tcp', 'udp'] as const) {
    for (const protocol of ['SIA-DCS', 'ADM-CID'] as const) {
      for (const used of [null, key, Buffer.alloc(24, 'k'), Buffer.alloc(32, 'k')]) {
        it(`sends alarm and restore: ${protocol}, ${transport}, ${used ? `AES-${used.length * 8}` : 'plain'} (ARC-15)`, async () => {
          const { receiver: arc, direct } = await receiver({ accounts: { '00A1': used } });
          const b = box([account({ direct, transport, protocol, key: used })]);
          const id = await b.event('motion', 3);
          await b.end(id);
          await until(() => b.acknowledged().length === 2);
          const [alarm, restore] = arc.alarms;
          expect(alarm).toMatchObject({
            transport,
            account: '00A1',
            data: protocol === 'SIA-DCS' ? '#00A1|Nri1/BA003' : '#00A1|1130 01 003',
            extended: [],
          });
          expect(restore!.data).toBe(protocol === 'SIA-DCS' ? '#00A1|Nri1/BH003' : '#00A1|3130 01 003');
          expect(Number(restore!.sequence)).toBe((Number(alarm!.sequence) % 9999) + 1);
          expect(b.acknowledged()[0]).toMatchObject({
            eventId: id,
            kind: 'alarm',
            code: protocol === 'SIA-DCS' ? 'BA' : '1130',
            zone: '003',
            path: 'direct',
            tries: 1,
            possibleRepeat: false,
            sequence: Number(alarm!.sequence),
          });
        });
      }
    }
  }

  it('keeps the order and one frame outstanding, also when the receiver closes after each reply', async () => {
    for (const closes of [false, true]) {
      const { receiver: arc, direct } = await receiver({ accounts: { '00A1': null }, closes });
      const b = box([account({ direct })]);
      await Promise.all(Array.from({ length: 50 }, (_, i) => b.event('motion', i)));
      await until(() => b.acknowledged().length === 50);
      expect(arc.alarms.map((a) => Number(a.data.slice(-3)))).toEqual(Array.from({ length: 50 }, (_, i) => i));
      expect(arc.pipelined).toBe(0);
    }
  });

  it('lets an alarm overtake faults, and a restore never its alarm', async () => {
    const { receiver: arc, direct } = await receiver({ accounts: { '00A1': null } });
    arc.options.accounts = {};
    const config = account({ direct });
    const b = box([config]);
    await b.event('videoLoss', 1);
    const alarm = await b.event('intrusion', 2);
    await b.event('videoLoss', 3);
    await b.end(alarm);
    await b.event('motion', 4);
    await until(() => b.service.waiting() === 5);
    const again = new StrictReceiver({ accounts: { '00A1': null } });
    stops.push(() => again.stop());
    b.service.apply([{ ...config, direct: await again.start() }]);
    await until(() => b.acknowledged().length === 5);
    expect(again.alarms.map((a) => a.data.slice(-5))).toEqual(['BA002', 'BH002', 'BA004', 'UT001', 'UT003']);
  });

  it('gives the zone of the channel, else of the device, else the channel number', async () => {
    const { receiver: arc, direct } = await receiver({ accounts: { '00A1': null } });
    const b = box([]);
    const zones = [
      { deviceId: b.deviceId, channel: null, zone: 70 },
      { deviceId: b.deviceId, channel: 2, zone: 22 },
    ];
    b.service.apply([account({ direct, zones })]);
    await b.event('motion', 1);
    await b.event('motion', 2);
    await until(() => b.acknowledged().length === 2);
    expect(arc.alarms.map((a) => a.data.slice(-3))).toEqual(['070', '022']);
  });

  it('says in H when a late alarm happened, and sends text of unknown events clean', async () => {
    const { receiver: arc, direct } = await receiver({ accounts: { '00A1': null, '00B2': null } });
    const sia = account({ direct });
    const b = box([sia, account({ direct, account: '00B2', protocol: 'ADM-CID' })]);
    await b.event('motion', 1, { occurredAt: new Date(Date.UTC(2026, 0, 2, 3, 4, 5)).toISOString() });
    await until(() => b.acknowledged().length === 2);
    expect(arc.alarms.map((a) => a.extended)).toEqual([['H03:04:05,01-02-2026'], ['H03:04:05,01-02-2026']]);
    await b.event('other', 1, { text: `Tür ]offen[ | ${'ü'.repeat(300)}` });
    await until(() => b.acknowledged().length === 4);
    const [one, two] = arc.alarms.slice(2).sort((a, c) => a.account.localeCompare(c.account));
    expect(one!.data).toMatch(/^#00A1\|Nri1\/UA001\|ATuer offen ueue/);
    expect(two).toMatchObject({ data: '#00B2|1150 01 001', extended: [expect.stringMatching(/^ITuer offen ueue/)] });
  });

  it('learns the clock of a receiver from its refusal and sends again at once', async () => {
    for (const clockMs of [600_000, -600_000]) {
      const { receiver: arc, direct } = await receiver({ accounts: { '00A1': key }, clockMs });
      const config = account({ direct, key });
      const b = new ArcBox().start([config]);
      await b.event('motion', 1);
      await b.event('motion', 2);
      await until(() => b.acknowledged().length === 3);
      expect(b.warnings()).toContain('arc-clock');
      // The text keeps its number, and what is not old does not look so.
      expect(new Set(arc.received.filter((r) => r.token !== 'NULL').map((r) => r.sequence)).size).toBe(3);
      expect(arc.alarms.every((a) => a.extended.length === 0)).toBe(true);
      expect(b.service.health()[0]!.direct).toBe('up');
      // The centre is told once, and what was learned is known after a restart: nothing is refused again.
      expect(arc.alarms.filter((a) => a.data.endsWith('/JT000'))).toHaveLength(1);
      await b.stop();
      const refused = arc.received.filter((r) => r.reply === 'NAK').length;
      const again = new ArcBox({ dir: b.dir }).start([config]);
      stops.push(() => again.stop());
      await again.event('motion', 3);
      await until(() => again.acknowledged().length === 4);
      expect(arc.received.filter((r) => r.reply === 'NAK')).toHaveLength(refused);
      expect(arc.alarms.filter((a) => a.data.endsWith('/JT000'))).toHaveLength(1);
    }
  });

  it('waits and says so when the receiver has another key, whatever it answers', async () => {
    for (const falseKey of [undefined, Buffer.alloc(16, 'x')]) {
      const { receiver: arc, direct } = await receiver({ accounts: { '00A1': Buffer.alloc(16, 'x') }, falseKey });
      const b = box([account({ direct, key })]);
      await b.event('motion', 1);
      await b.event('motion', 2);
      await until(() => b.warnings().includes('arc-refused') && arc.received.length > 20);
      expect(b.acknowledged()).toEqual([]);
      expect(b.reports().map((r) => r.state)).not.toContain('failed');
      expect(b.service.waiting()).toBe(2);
      // A refusal is no reason to change the path.
      expect(b.service.health()[0]).toMatchObject({ path: 'direct', direct: 'up' });
      arc.options.accounts['00A1'] = key;
      await until(() => b.acknowledged().length === 2);
      expect(b.warnings()).not.toContain('arc-refused');
    }
  });

  it('falls back to the other protocol on DUH, and gives up a message that neither takes', async () => {
    const { receiver: arc, direct } = await receiver({ accounts: { '00A1': null }, refuseTokens: ['SIA-DCS'] });
    const b = box([account({ direct })]);
    await b.event('motion', 1);
    await until(() => b.acknowledged().length === 1);
    expect(arc.alarms[0]).toMatchObject({ token: 'ADM-CID', data: '#00A1|1130 01 001' });
    expect(b.acknowledged()[0]).toMatchObject({ protocol: 'ADM-CID', code: '1130' });
    arc.options.refuseTokens = ['SIA-DCS', 'ADM-CID'];
    await b.event('motion', 2);
    await until(() => b.reports().some((r) => r.state === 'failed'));
    expect(b.warnings()).toContain('arc-message-refused');
    arc.options.refuseTokens = [];
    await b.event('motion', 3);
    await until(() => b.acknowledged().length === 2);
    expect(b.service.waiting()).toBe(0);
  });

  it('gives up one message that is refused again and again only when another one gets through', async () => {
    const { receiver: arc, direct } = await receiver({ accounts: { '00A1': null } });
    const b = box([account({ direct, account: '00A1', partition: 1 })]);
    arc.options.poison = /UA005/;
    await b.event('other', 5);
    await until(() => b.warnings().includes('arc-refused'));
    expect(b.service.waiting()).toBe(1);
    await b.event('motion', 6);
    await until(() => b.acknowledged().length === 1);
    await until(() => b.service.waiting() === 0);
    expect(b.reports().filter((r) => r.state === 'failed')).toMatchObject([{ zone: '005', code: 'UA' }]);
  });

  it('does not let one account hold up another', async () => {
    const { direct } = await receiver({ accounts: { '00A1': null } });
    const dead = account({ account: '00B2', direct: { host: '127.0.0.1', port: 9 } });
    const b = box([dead, account({ direct })]);
    for (let i = 0; i < 5; i++) await b.event('motion', i);
    await until(() => b.acknowledged().length === 5);
    expect(b.service.waiting()).toBe(5);
    expect(b.warnings()).toContain('arc-no-path');
    expect(b.warnables.list().find((w) => w.code === 'arc-no-path')!.subject).toBe(`arc:${dead.id}`);
  });

  it('supervises by NULL, or by a periodic test where NULL is refused (ARC-32)', async () => {
    const { receiver: arc, direct } = await receiver({ accounts: { '00A1': null, '00B2': key } });
    const each = { direct, supervision: { kind: 'null', intervalMs: 200 } as const };
    const b = box([account(each), account({ ...each, account: '00B2', key })]);
    const nulls = (of: string) =>
      arc.received.filter((r) => r.account === of && r.token === 'NULL' && r.reply === 'ACK');
    await until(() => nulls('00A1').length > 4 && nulls('00B2').length > 4);
    const { receiver: noNull, direct: there } = await receiver({ accounts: { '00A1': null }, takesNull: false });
    const t = box([account({ direct: there, supervision: { kind: 'test', intervalMs: 200 } })]);
    await until(() => noNull.alarms.length > 3);
    expect(noNull.alarms[0]!.data).toBe('#00A1|Nri1/RP000');
    await until(() => t.acknowledged().length > 3);
    expect(t.acknowledged()[0]).toMatchObject({ kind: 'test', code: 'RP' });
    expect(b.warnings()).toEqual([]);
    expect(t.warnings()).toEqual([]);
  });

  it('refuses an address that no socket takes, and lives on', async () => {
    const b = box([]);
    for (const transport of ['tcp', 'udp'] as const) {
      const bad = account({ direct: { host: 'a\0b', port: 9 }, transport });
      expect(b.service.apply([bad])).toMatchObject([{ id: bad.id, code: 'address-invalid' }]);
    }
  });

  it('refuses a key of a wrong length and goes on with the others', async () => {
    const { direct } = await receiver({ accounts: { '00A1': null } });
    const b = box([]);
    const bad = account({ key: Buffer.alloc(5) });
    expect(b.service.apply([bad, account({ direct })])).toMatchObject([{ id: bad.id, code: 'key-invalid' }]);
    await b.event('motion');
    await until(() => b.acknowledged().length === 1);
  });

  it('sends nothing of what happened before an account was there', async () => {
    const { receiver: arc, direct } = await receiver({ accounts: { '00A1': null } });
    const b = box([]);
    await b.event('motion', 1);
    b.service.apply([account({ direct, id: uuidv7() })]);
    await b.event('motion', 2);
    await until(() => b.acknowledged().length === 1);
    expect(arc.alarms.map((a) => a.data.slice(-3))).toEqual(['002']);
  });
});
