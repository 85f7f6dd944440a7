import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { MAX_MQTT_BYTES, topics } from '../../protocol/wire/uplink.ts';
import { WRITER_LOCK } from '../db/postgres.ts';
import { TestBox } from '../testing/box.ts';
import { backUpTestDatabase, onPostgres, testDatabase } from '../testing/database.ts';
import { type Company, TestRelay, until } from '../testing/relay.ts';

const clock = new ManualClock(Date.now());
let relay: TestRelay;
let acme: Company;
let box: TestBox;
const boxes: TestBox[] = [];
const claimedBox = async () => {
  const made = await new TestBox(relay).claimedBy(acme);
  boxes.push(made);
  return made;
};
const closed = (of: TestBox) => new Promise<void>((resolve) => of.mqtt?.once('close', () => resolve()));
const eventIds = async (of = box) => {
  const { items } = (await acme.api('GET', `/sites/${acme.siteId}/events?limit=200`)).body;
  return items.filter((e: { boxSerial: string }) => e.boxSerial === of.serial).map((e: { id: string }) => e.id);
};
const warnables = async () =>
  (await acme.api('GET', `/sites/${acme.siteId}`)).body.warnables as { code: string; subject: string }[];
const shown = async (of: TestBox) =>
  (await acme.api('GET', `/sites/${acme.siteId}/boxes`)).body.items.find(
    (b: { serial: string }) => b.serial === of.serial,
  );
const quarantined = (of = box) =>
  relay.withDb((db) =>
    db.selectFrom('quarantine').selectAll().where('serial', '=', of.serial).orderBy('rowId').execute(),
  );

beforeAll(async () => {
  relay = await new TestRelay({ clock }).start();
  acme = await relay.company('Acme');
});
beforeEach(async () => {
  box = await claimedBox();
});
afterEach(() => {
  for (const made of boxes.splice(0)) made.disconnect();
});
afterAll(() => relay.stop());

/** Keeps the relay from writing; resolves, once it does, with a promise of when that ended. */
async function holdWrites(ms: number): Promise<{ at: Promise<number> }> {
  // SQLite waits for the lock with the whole process: another one has to hold it.
  const db = join(relay.dir, 'relay.db');
  const program = onPostgres
    ? `import pg from 'pg';
       const db = new pg.Client(${JSON.stringify(await testDatabase(relay.dir))}.url);
       await db.connect(); await db.query('begin'); await db.query('select pg_advisory_xact_lock(${WRITER_LOCK})');
       console.log('held'); setTimeout(async () => { await db.query('commit'); console.log(Date.now()); await db.end() }, ${ms});`
    : `import Database from 'better-sqlite3';
       const db = new Database(${JSON.stringify(db)});
       db.exec('begin immediate'); console.log('held');
       setTimeout(() => { db.exec('commit'); console.log(Date.now()); }, ${ms});`;
  const args = ['--input-type=module', '-e', program];
  const holder = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  const at = new Promise<number>((resolve) => holder.on('exit', () => resolve(Number(said.split('\n')[1]))));
  await new Promise<void>((resolve) => {
    holder.stdout.on('data', (text) => {
      said += text;
      if (said.startsWith('held')) resolve();
    });
  });
  return { at };
}

describe('journal', () => {
  it('is idempotent: a batch sent again changes nothing', async () => {
    await box.connect();
    const records = [box.event(), box.event()];
    await box.journal(records);
    const first = await eventIds();
    await box.journal(records);
    box.restart();
    await box.connect();
    await box.journal(records);
    expect(await eventIds()).toEqual(first);
    expect(first).toEqual(records.map((r) => r.id).reverse());
  });

  it('tells on connecting what it holds; restored from a backup it asks for the rest again', async () => {
    await box.connect();
    const old = [box.event(), box.event()];
    await box.journal(old);
    box.disconnect();
    await relay.halt();
    const restore = await backUpTestDatabase(relay.dir);
    await relay.start();
    expect(await box.connect()).toEqual({ journalId: box.journalId, seq: 2, claimed: true });
    const lost = [box.event(), box.event()];
    await box.journal(lost);
    box.disconnect();
    await relay.halt();
    await restore();
    await relay.start();
    expect(await box.connect()).toEqual({ journalId: box.journalId, seq: 2, claimed: true });
    await box.journal(lost);
    expect(await eventIds()).toEqual([...old, ...lost].map((r) => r.id).reverse());
    box.disconnect();
    expect(await box.connect()).toMatchObject({ seq: 4 });
  });

  it('is acknowledged only after its commit', async () => {
    await box.connect();
    const letGo = await holdWrites(700);
    const record = box.event();
    await box.journal([record]);
    const acknowledgedAt = Date.now();
    expect(acknowledgedAt).toBeGreaterThanOrEqual(await letGo.at);
    expect(await eventIds()).toEqual([record.id]);
  });

  it('is not acknowledged when the database fails, and comes again', async () => {
    await box.connect();
    const lost = box.event();
    await relay.withDb(async (db) => {
      await db.transaction().execute(async (trx) => {
        // Held for longer than the relay waits for the lock.
        await trx.updateTable('companies').set({ slots: 0 }).execute();
        await expect(box.journal([lost])).rejects.toThrow('connection closed');
      });
    });
    expect(relay.logged.some((line) => line.msg === 'not stored, not acknowledged')).toBe(true);
    expect(await box.connect()).toMatchObject({ seq: 0 });
    await box.journal([lost]);
    expect(await eventIds()).toEqual([lost.id]);
  });

  it('quarantines a bad record alone, acknowledges, and shows it', async () => {
    await box.connect();
    const [good, bad, alsoGood] = [box.event(), box.event(), box.event()];
    await box.journal([good, { ...bad, body: { ...bad.body, type: 'earthquake' } }, alsoGood]);
    expect(await eventIds()).toEqual([alsoGood.id, good.id]);
    expect(await quarantined()).toMatchObject([{ topic: box.topics.journal, reason: expect.stringContaining('type') }]);
    expect(await warnables()).toContainEqual(
      expect.objectContaining({ code: 'message-not-understood', subject: `box:${box.serial}` }),
    );
    box.disconnect();
    expect(await box.connect()).toMatchObject({ seq: 3 });
  });

  it('quarantines what is no batch, no JSON, or no topic of a box, each once, and goes on', async () => {
    await box.connect();
    await box.publish(box.topics.journal, '{"journalId":');
    await box.publish(box.topics.journal, '{"journalId":');
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    await box.publish(box.topics.journal, `{"journalId":"${box.journalId}","records":[${deep}]}`);
    await box.publish(box.topics.health, { at: 'yesterday' });
    await box.publish(box.topics.reported, '[]');
    await box.publish(`box/${box.serial}/poem`, 'roses');
    expect((await quarantined()).map((row) => row.topic.split('/')[2])).toEqual([
      'journal',
      'journal',
      'health',
      'reported',
      'poem',
    ]);
    const record = box.event();
    await box.journal([record]);
    expect(await eventIds()).toEqual([record.id]);
  });

  it('after a gap within a connection it is stored, but asked for again from the gap', async () => {
    await box.connect();
    const records = [box.event(), box.event(), box.event()];
    await box.journal([records[0]]);
    await box.journal([records[2]]);
    box.disconnect();
    expect(await box.connect()).toMatchObject({ seq: 1 });
    expect(await eventIds()).toHaveLength(2);
  });

  it('begins anew with a new journal, as after the loss of the file', async () => {
    await box.connect();
    await box.journal([box.event(), box.event()]);
    box.disconnect();
    await box.connect();
    const journalId = uuidv7();
    await box.publish(box.topics.journal, { journalId, records: [{ ...box.event(), seq: 1 }] });
    box.disconnect();
    expect(await box.connect()).toEqual({ journalId, seq: 1, claimed: true });
    expect(await eventIds()).toHaveLength(3);
  });

  it('of an unclaimed box is nobody’s: acknowledged, not kept, and asked for after the claim', async () => {
    const unclaimed = new TestBox(relay);
    boxes.push(unclaimed);
    await unclaimed.enrol();
    await unclaimed.connect();
    const record = unclaimed.event();
    await unclaimed.journal([record]);
    await unclaimed.claimedBy(acme);
    await until('Hello', () => unclaimed.last(unclaimed.topics.hello)?.claimed);
    expect(unclaimed.last(unclaimed.topics.hello)).toEqual({ journalId: null, seq: 0, claimed: true });
    expect(await eventIds(unclaimed)).toEqual([]);
  });
});

describe('topics', () => {
  it('a box publishing in another’s topics is cut off and shown; the other is not disturbed', async () => {
    const other = await claimedBox();
    await other.connect();
    await box.connect();
    const forged = { journalId: other.journalId, records: [box.event()] };
    await expect(box.publish(other.topics.journal, forged)).rejects.toThrow('connection closed');
    expect(await eventIds(other)).toEqual([]);
    expect(other.mqtt?.connected).toBe(true);
    const record = other.event();
    await other.journal([record]);
    expect(await eventIds(other)).toEqual([record.id]);
    expect(await warnables()).toContainEqual(
      expect.objectContaining({ code: 'box-foreign-topic', subject: `box:${box.serial}`, severity: 'error' }),
    );
    expect(relay.logged.some((line) => line.msg === 'a box reached into a foreign topic')).toBe(true);
  });

  it('lets a box hear only its own', async () => {
    const other = await claimedBox();
    await box.connect();
    for (const topic of [topics(other.serial).desired, 'box/#', '#', '+/+/desired', '$SYS/#', box.topics.journal]) {
      const granted = await box.mqtt?.subscribeAsync(topic).catch(() => 'refused');
      expect([topic, granted]).toEqual([topic, 'refused']);
    }
  });

  it('takes no last will in a foreign topic', async () => {
    const other = await claimedBox();
    await expect(box.connect({ will: other.topics.status })).rejects.toThrow('closed before CONNACK');
  });

  it('keeps nothing for a box that publishes with QoS 2 and never releases it', async () => {
    await box.connect();
    const gone = closed(box);
    box.mqtt?.publish(box.topics.health, 'x', { qos: 2 });
    await gone;
    expect(await quarantined()).toEqual([]);
  });

  it('closes on a packet larger than allowed, and takes one of the largest size', async () => {
    await box.connect();
    const pad = (bytes: number) => ({ journalId: box.journalId, records: [{ pad: 'x'.repeat(bytes) }] });
    await box.publish(box.topics.journal, pad(MAX_MQTT_BYTES - 200));
    await expect(box.publish(box.topics.journal, pad(MAX_MQTT_BYTES + 2000))).rejects.toThrow('connection closed');
  });
});

describe('presence', () => {
  it('shows a silent box as gone within 30 s, its state as unknown, and back as soon as it connects', async () => {
    await box.connect();
    await box.publish(box.topics.health, box.health());
    expect(await shown(box)).toMatchObject({ online: true, health: { version: '0.1.0' }, version: '0.1.0' });
    expect((await warnables()).filter((w) => w.subject === `box:${box.serial}`)).toEqual([]);
    const gone = closed(box);
    await clock.advance(25_000);
    await gone;
    expect(await shown(box)).toMatchObject({ online: false, health: null });
    expect(await warnables()).toContainEqual(
      expect.objectContaining({ code: 'box-gone', subject: `box:${box.serial}`, severity: 'error' }),
    );
    await box.connect();
    expect(await shown(box)).toMatchObject({ online: true });
  });

  it('a second connection of a box takes over from the first', async () => {
    await box.connect();
    const former = closed(box);
    await box.connect();
    await former;
    expect(await shown(box)).toMatchObject({ online: true });
    await box.journal([box.event()]);
  });

  it('shows the problems that a box tells as problems of its site', async () => {
    await box.connect();
    const since = new Date().toISOString();
    const disk = { code: 'disk-full', subject: 'box', severity: 'error' as const, text: 'The disk is full.', since };
    await box.publish(box.topics.health, box.health({ warnables: [disk] }));
    expect(await warnables()).toContainEqual({ ...disk, subject: `box:${box.serial}` });
  });
});
