import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { type Company, TestRelay } from '../testing/relay.ts';
import { Buckets } from './rate-limit.ts';

const clock = new ManualClock();
const relay = new TestRelay({
  clock,
  rateLimits: { company: { perSecond: 2, burst: 10 }, address: { perSecond: 1, burst: 5 } },
});
let acme: Company;
let rival: Company;

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  rival = await relay.company('Rival');
});
afterAll(() => relay.stop());

describe('the rate of a company', () => {
  it('is told with every answer, also a refused one', async () => {
    const first = await acme.api('GET', '/receivers');
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'ratelimit-policy': '10;w=5',
      'ratelimit-limit': '10',
      'ratelimit-remaining': '9',
      'ratelimit-reset': '1',
    });
    expect((await acme.api('GET', '/events/nothing')).headers.get('ratelimit-remaining')).toBe('8');
  });

  it('refuses what goes beyond it, with the time to wait, until that has passed', async () => {
    for (let i = 0; i < 8; i++) expect((await acme.api('GET', '/receivers')).status).toBe(200);
    const refused = await acme.api('GET', '/receivers');
    expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-requests' } });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.headers.get('ratelimit-remaining')).toBe('0');
    expect((await rival.api('GET', '/receivers')).status).toBe(200);
    await clock.advance(500);
    expect((await acme.api('GET', '/receivers')).status).toBe(200);
    expect((await acme.api('GET', '/receivers')).status).toBe(429);
  });

  it('holds for nobody by address, wrong tokens too', async () => {
    await clock.advance(60_000);
    const answers = [];
    for (let i = 0; i < 6; i++)
      answers.push(await relay.call('GET', '/api/v1/sites', undefined, { authorization: `Bearer ${'x'.repeat(43)}` }));
    expect(answers.map((answer) => answer.status)).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await acme.api('GET', '/receivers')).status).toBe(200);
  });
});

describe('buckets', () => {
  it('fill again to their size and no further', async () => {
    const own = new ManualClock();
    const buckets = new Buckets({ clock: own, rate: { perSecond: 10, burst: 3 } });
    const waits = () => [1, 2, 3, 4].map(() => buckets.take('a').waitS);
    expect(waits()).toEqual([0, 0, 0, 1]);
    await own.advance(3_600_000);
    expect(waits()).toEqual([0, 0, 0, 1]);
  });

  it('are bounded: the one used longest ago goes first', () => {
    const buckets = new Buckets({ clock: new ManualClock(), rate: { perSecond: 1, burst: 1 }, max: 100 });
    for (let i = 0; i < 1_000; i++) buckets.take(`address ${i}`);
    expect(buckets.size).toBe(100);
    expect(buckets.take('address 999').waitS).toBe(1);
    expect(buckets.take('address 0').waitS).toBe(0);
  });
});
