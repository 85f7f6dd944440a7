import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { isWeakFirmware } from '../../protocol/wire/batch-issues.ts';
import { Inventory, type Told, UNTOLD } from './inventory.ts';

const SERIAL = 'DS-2CD2385G1-I20200414AAWRE33842150';
const MAC = '44-19-b6-00-00-01';
const told = (o: Partial<Told>): Told => ({ ...UNTOLD, address: '10.7.0.2', ...o });
function inventory() {
  const clock = new ManualClock();
  const list = new Inventory({ clock, max: 100 });
  return { clock, list, macs: () => list.list().map((d) => [d.mac, d.protocols.join()]) };
}

describe('one inventory for all searches (DISC-01)', () => {
  it('merges who is told by its serial with who is told by its MAC, whichever comes first', () => {
    for (const order of [0, 1]) {
      const { list, macs } = inventory();
      const say = [
        () => list.seen('mdns', told({ serial: 'E33842150', model: 'DS-2CD' }), { id: 'name' }),
        () => list.seen('sadp', told({ mac: MAC, serial: SERIAL, activated: false, httpPort: 80 })),
      ];
      say[order]!();
      say[1 - order]!();
      expect(macs()).toEqual([[MAC, 'sadp,mdns']]);
      expect(list.list()[0]).toMatchObject({ serial: SERIAL, activated: false, model: 'DS-2CD', httpPort: 80 });
      // Now the short serial alone is enough, from any address.
      list.seen('mdns', told({ serial: 'E33842150', address: '10.7.0.9' }), { id: 'name' });
      expect(list.list()).toMatchObject([{ mac: MAC, address: '10.7.0.2' }]);
    }
  });

  it('lists a device by its serial as long as no MAC is known, and keeps the MAC once it is', async () => {
    const { list, macs, clock } = inventory();
    list.seen('ssdp', told({ serial: SERIAL }), { id: 'u' });
    expect(macs()).toEqual([['', 'ssdp']]);
    list.seen('ssdp', told({ serial: SERIAL, mac: MAC }), { id: 'u' });
    list.seen('ssdp', told({ serial: SERIAL }), { id: 'u' });
    expect(macs()).toEqual([[MAC, 'ssdp']]);
    expect(list.left('ssdp', 'u')).toBe(true);
    expect(macs()).toEqual([]);
    list.seen('ssdp', told({ serial: SERIAL }), { id: 'u' });
    expect(macs()).toEqual([['', 'ssdp']]);
    await clock.advance(45_000);
    expect(list.forgetSilent(45_000)).toBe(true);
  });

  it('never takes two MACs for one device because they claim one serial, and says so (INIT-06)', () => {
    const { list, macs } = inventory();
    list.seen('sadp', told({ mac: MAC, serial: SERIAL }));
    list.seen('sadp', told({ mac: '44-19-b6-00-00-02', serial: SERIAL, address: '10.7.0.3' }));
    expect(macs()).toHaveLength(2);
    expect(list.checked().map((d) => d.issues)).toEqual([['same-serial'], ['same-serial']]);
    list.seen('mdns', told({ serial: 'E33842150', address: '10.7.0.3' }), { id: 'n' });
    expect(macs()).toEqual([
      [MAC, 'sadp'],
      ['44-19-b6-00-00-02', 'sadp,mdns'],
    ]);
  });

  it('warns of firmware from before the repair of a known hole, and of no unknown date (INIT-06)', () => {
    const { list } = inventory();
    list.seen('sadp', told({ mac: MAC, serial: SERIAL, firmware: 'V5.6.2 build 190701', locked: true }));
    expect(list.checked()[0]?.issues).toEqual(['weak-firmware', 'locked']);
    expect(['V5.7.1 build 210628', 'V5.7', null].map(isWeakFirmware)).toEqual([false, false, false]);
  });

  it('sees by ARP that two share an address, and does not mistake a repeater for that', async () => {
    const { list, clock } = inventory();
    const conflict = () => list.list()[0]?.addressConflict;
    list.seen('sadp', told({ mac: MAC, serial: SERIAL }));
    const answers = (mac: string) => list.answering(new Map([['10.7.0.2', mac]]));
    expect(answers(MAC)).toBe(false);
    expect(answers('02-00-00-00-00-99')).toBe(true);
    expect(conflict()).toBe(true);
    await clock.advance(5 * 60_000);
    expect(answers('02-00-00-00-00-99')).toBe(true);
    expect(conflict()).toBe(false);
    // A listed one that answers for it is no repeater.
    list.seen('sadp', told({ mac: '02-00-00-00-00-99', serial: 'X12345678', address: '10.7.0.8' }));
    expect(conflict()).toBe(true);
  });

  it('stays bounded, however many are invented', () => {
    const { list } = inventory();
    for (let i = 0; i < 300; i++) list.seen('mdns', told({ serial: `S${100_000_000 + i}` }), { id: `${i}` });
    expect(list.list()).toHaveLength(100);
    expect(list.refused).toBe(200);
  });
});
