import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ArcBox, account, removeTempDirs, until } from './testing/harness.ts';
import { StrictReceiver } from './testing/strict-receiver.ts';

const stops: (() => Promise<void>)[] = [];
afterAll(removeTempDirs);
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function world(numbers: string[]) {
  const accounts = Object.fromEntries(numbers.map((number) => [number, null]));
  const arc = new StrictReceiver({ accounts, mute: true });
  const config = account({ direct: await arc.start() });
  const box = new ArcBox().start([config]);
  stops.push(
    () => arc.stop(),
    () => box.stop(),
  );
  const taken = () => arc.alarms.filter((a) => a.reply === 'ACK').map((a) => `${a.account} ${a.data.split('/')[1]}`);
  /** What was taken, and what the reports say of it, are the same. */
  const told = () => box.acknowledged().map((r) => `${r.account} ${r.code}${r.zone} ${r.sequence}`);
  const really = () =>
    arc.alarms
      .filter((a) => a.reply === 'ACK')
      .map((a) => `${a.account} ${a.data.split('/')[1]} ${Number(a.sequence)}`);
  return { arc, config, box, taken, told, really };
}

describe('an account that gets another number while messages wait', () => {
  it('sends what may have arrived, and the end of it, under the old one and all else under the new (ARC-21)', async () => {
    const { arc, config, box, taken, told, really } = await world(['00A1', '00B2']);
    const alarm = await box.event('intrusion', 1);
    await until(() => arc.received.some((r) => r.token === 'SIA-DCS'));
    await box.event('motion', 2);
    await until(() => box.service.waiting() === 2);
    arc.options.mute = false;
    box.service.apply([{ ...config, account: '00B2' }]);
    await until(() => box.acknowledged().length === 2);
    const later = await box.event('motion', 3);
    await box.end(alarm);
    await box.end(later);
    await until(() => box.acknowledged().length === 5);
    expect(taken().sort()).toEqual(['00A1 BA001', '00A1 BH001', '00B2 BA002', '00B2 BA003', '00B2 BH003']);
    expect(told().sort()).toEqual(really().sort());
    const sequences = arc.alarms
      .filter((a) => a.reply === 'ACK' && a.account === '00B2')
      .map((a) => Number(a.sequence));
    for (const [i, sequence] of sequences.slice(1).entries()) expect(sequence).toBe((sequences[i]! % 9999) + 1);
  });

  it('sends it under the new one after all where nobody takes the old one any more', async () => {
    for (const silent of [true, false]) {
      const { arc, config, box, taken, told, really } = await world(silent ? ['00A1'] : []);
      arc.options.mute = silent;
      await box.event('motion', 1);
      await until(() => arc.received.some((r) => r.token === 'SIA-DCS'));
      box.service.apply([{ ...config, account: '00B2' }]);
      arc.options.accounts = { '00B2': null };
      const sent = () => arc.received.filter((r) => r.token === 'SIA-DCS').map((r) => r.sequence);
      await until(() => new Set(sent()).size === 2);
      arc.options.mute = false;
      await until(() => box.acknowledged().length === 1);
      expect(taken()).toEqual(['00B2 BA001']);
      expect(told()).toEqual(really());
      expect(box.reports().map((r) => r.state)).not.toContain('failed');
    }
  });
});
