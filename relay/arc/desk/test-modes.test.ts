import { Readable } from 'node:stream';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ManualClock } from '../../../protocol/clock.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import { createScope, type Scope } from '../../auth/scope.ts';
import { type Db, openDatabase } from '../../db/database.ts';
import { BoxClient, type BoxTunnel } from '../../devices/box-client.ts';
import { testDatabase } from '../../testing/database.ts';
import { TestRelay, until } from '../../testing/relay.ts';
import { Accounts } from './account-list.ts';
import { TestModes } from './test-modes.ts';
import { centreWith } from './testing/centre.ts';

const clock = new ManualClock(Date.now());
const relay = new TestRelay({ clock });
const asked: string[] = [];
/** How the box answers; null: out of reach. */
let answer: { status: number; body: object } | null = null;
let db: Db;
let scope: Scope;
let accountId: string;
let tests: TestModes;

beforeAll(async () => {
  await relay.start();
  const made = await centreWith(relay, await relay.company('Acme'), 'Centre');
  accountId = made.accountId;
  db = await openDatabase(await testDatabase(relay.dir));
  const { userId, companyId } = made.centre;
  const who = { userId, companyId, companyType: 'arc', admin: true, limited: false } as const;
  scope = createScope(db, clock, { ...who, permissions: new Set() });
  const tunnel: BoxTunnel = {
    isConnected: () => answer !== null,
    request: async (_, { path, body }) => {
      const { status, body: said } = answer ?? { status: 503, body: {} };
      asked.push(`${status} ${path.split('/').at(-1)} ${JSON.parse(String(body)).kind}`);
      const headers = { 'content-type': status === 200 ? 'application/json' : 'application/problem+json' };
      return { status, headers, body: Readable.from([Buffer.from(JSON.stringify(said))]) };
    },
  };
  const accounts = new Accounts({ db, clock, online: () => true, health: () => null });
  const box = new BoxClient({ tunnel });
  tests = new TestModes({ db, clock, log: pino({ level: 'silent' }), box, accounts, changed: () => {} });
  tests.start();
});
afterAll(async () => {
  await tests.stop();
  await db.destroy();
  await relay.stop();
});

const newest = async () => (await tests.list(scope, accountId))[0];

it('tells the receiver of its begin and end through the box, as soon as that can be reached (ARC-32)', async () => {
  await tests.begin(scope, accountId, { minutes: 30, note: '' });
  answer = { status: 503, body: { code: 'box-unreachable' } };
  await clock.advance(5_000);
  await until('a try', () => asked.length);
  expect(await newest()).toMatchObject({ beginTold: 'waiting' });
  answer = { status: 200, body: { id: uuidv7() } };
  await clock.advance(5_000);
  await until('the begin is told', async () => (await newest())?.beginTold === 'told');
  await clock.advance(30 * 60_000);
  await until('the end is told', async () => (await newest())?.endTold === 'told');
  // Each of them once, however often it failed before.
  const taken = asked.filter((one) => one.startsWith('200'));
  expect(taken).toEqual(['200 messages test-begin', '200 messages test-end']);
  expect(await newest()).toMatchObject({ endedBy: null });
});

it('sends a test on somebody’s word, and says under which id it is listed', async () => {
  const id = uuidv7();
  answer = { status: 200, body: { id } };
  expect(await tests.send(scope, accountId)).toMatchObject({ alarmId: id });
  expect(asked.at(-1)).toBe('200 messages manual-test');
  answer = null;
  await expect(tests.send(scope, accountId)).rejects.toMatchObject({ code: 'box-unreachable' });
});
