import { createDecipheriv } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encrypted, exchange, frame, plain, stamp } from '../testing/dc09.ts';
import { startLab, type TestLab } from '../testing/start-lab.ts';

const KEY = '000102030405060708090A0B0C0D0E0F';
let lab: TestLab;
beforeEach(async () => {
  lab = await startLab();
});
afterEach(() => lab.stop());
/** A message under another key. This receiver takes what it decrypts for a message when there happens to be a `]` in it. */
function unreadable(): Buffer {
  for (let first = 1; ; first++) {
    const key = KEY.replace('00', first.toString(16).padStart(2, '0'));
    const bytes = encrypted(1, '1130 01 007', '5678', key);
    const [, hex] = /\[([0-9A-F]+)/.exec(bytes.toString('latin1'))!;
    const decipher = createDecipheriv('aes-128-cbc', Buffer.from(KEY, 'hex'), Buffer.alloc(16)).setAutoPadding(false);
    if (!decipher.update(hex!, 'hex', 'latin1').includes(']')) return bytes;
  }
}
const alarms = async () => (await lab.get('/arc/alarms')).body.items;

describe('alarm receiving centre', () => {
  it('acknowledges and keeps plain SIA-DCS and encrypted ADM-CID, each by its path', async () => {
    expect(await exchange(lab.ready.arc.direct, plain(17, 'Nri1/BA003'))).toMatch(/"ACK"0017R0L0#1234\[\]$/);
    const cid = encrypted(9, '1130 01 007', '5678', KEY);
    expect(await exchange(lab.ready.arc.relay, cid)).toMatch(/"\*ACK"0009R0L0#5678\[[0-9a-f]+$/);
    expect(await alarms()).toMatchObject([
      { via: 'direct', account: '1234', protocol: 'SIA-DCS', encrypted: false, code: 'BA', zone: '003', sequence: 17 },
      { via: 'relay', account: '5678', protocol: 'ADM-CID', encrypted: true, code: '1130', zone: '007', sequence: 9 },
    ]);
    const [first] = await alarms();
    expect(Math.abs(Date.parse(first.acknowledgedAt) - Date.now())).toBeLessThan(5000);
    expect(first.raw).toContain('[#1234|Nri1/BA003]_');
  });

  it('takes the time of occurrence from the message where it is given', async () => {
    const body = `"SIA-DCS"0001R0L0#1234[#1234|NBA1][H03:04:05,01-02-2026]_${stamp()}`;
    await exchange(lab.ready.arc.direct, frame(body));
    expect((await alarms())[0]).toMatchObject({ code: 'BA', zone: '1', occurredAt: '2026-01-02T03:04:05.000Z' });
  });

  it('refuses what it must: checksum, account, key, old time stamp; keeps none of it', async () => {
    const broken = plain(1, 'NBA1');
    broken[1] = broken[1] === 48 ? 49 : 48;
    const old = frame(`"SIA-DCS"0001R0L0#1234[#1234|NBA1]_${stamp(Date.now() - 90_000)}`);
    const otherKey = unreadable();
    for (const bytes of [broken, plain(1, 'NBA1', '9999'), otherKey, old])
      expect(await exchange(lab.ready.arc.direct, bytes)).toContain('"NAK"');
    expect(await alarms()).toEqual([]);
    expect((await lab.get('/faults')).body.refusedMessages).toEqual({ direct: 4, relay: 0 });
  });

  it('still has its alarms after a restart', async () => {
    await exchange(lab.ready.arc.direct, plain(1, 'NBA1'));
    await lab.post('/faults', { target: 'arc-direct', mode: 'swallowAck' });
    await exchange(lab.ready.arc.direct, plain(2, 'NBA2'), 300);
    const before = await alarms();
    expect(before.map((a: { ackSwallowed: boolean }) => a.ackSwallowed)).toEqual([false, true]);
    const again = await startLab({ data: lab.data });
    expect((await again.get('/arc/alarms')).body.items).toEqual(before);
    await again.stop();
  });
});
