import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import { siteKeyFromText } from '../../protocol/codec/object-cipher.ts';
import { open } from '../../protocol/codec/sealed.ts';
import { DesiredRecording } from '../../protocol/wire/desired.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { Vault } from '../auth/vault.ts';
import { DesiredStates } from '../desired/desired.ts';
import { TestBox } from '../testing/box.ts';
import { TestRelay, until } from '../testing/relay.ts';
import { SiteKeys } from './site-keys.ts';

const relay = new TestRelay();
beforeAll(() => relay.start());
afterAll(() => relay.stop());

it('a box gets the key of its own site with every recording, one that an earlier version wished for too', async () => {
  const [acme, other] = [await relay.company('Acme'), await relay.company('Other')];
  const boxes = [await new TestBox(relay).claimedBy(acme), await new TestBox(relay).claimedBy(other)];
  const item = DesiredRecording.parse({ deviceId: uuidv7(), channel: 1, triggers: ['motion'] });
  await relay.withDb(async (db) => {
    for (const { serial } of boxes) await new DesiredStates({ db }).change(serial, 'recording', () => [item]);
  });
  await relay.halt();
  await relay.start();
  await relay.withDb(async (db) => {
    const vault = new Vault({ dir: relay.dir });
    vault.start();
    const keys = new SiteKeys({ db, clock: systemClock, vault });
    const desired = new DesiredStates({ db, recordingKey: (trx, serial) => keys.forBox(trx, serial) });
    const keyOf = async (serial: string) => (await desired.get(serial)).sections.recording.items[0]?.key;
    for (const [i, box] of boxes.entries()) {
      const key = await until('the key', async () => (await keyOf(box.serial)) ?? undefined);
      const site = await keys.ofSite(db, [acme, other][i]!.siteId);
      expect(key.id).toBe(site.id);
      expect(siteKeyFromText(open(key.secret, box.sealKey, `recording:${key.id}`))).toEqual(site.key);
      // A further change seals nothing anew.
      await desired.change(box.serial, 'recording', (items) => [...items, { ...item, channel: 2 }]);
      const items = (await desired.get(box.serial)).sections.recording.items;
      expect(items.map((one) => one.key?.id)).toEqual([site.id, site.id]);
      expect(items[0]?.key).toEqual(key);
    }
    expect(await keys.forBox(db, 'AAAAAAAA9')).toBeNull();
  });
});
