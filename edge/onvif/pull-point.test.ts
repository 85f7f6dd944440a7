import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import type { StreamEnd } from '../isapi/alert-stream.ts';
import { OnvifClient } from './client.ts';
import { PullPoint, salvage } from './pull-point.ts';
import { message } from './testing/documents.ts';
import { type Script, SoapCamera } from './testing/soap-camera.ts';

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
});

/** A loop whose time passes only when the test says so; what the device does takes real milliseconds. */
async function world(script: Partial<Script> = {}) {
  const camera = new SoapCamera({ auth: 'open', holdMs: 0, ...script });
  const clock = new ManualClock(Date.UTC(2026, 10, 22));
  camera.now = () => clock.now();
  const port = await camera.start();
  const client = new OnvifClient({
    host: '127.0.0.1',
    port,
    username: 'admin',
    password: 'x',
    guard: new LoginGuard(),
    clock,
    log: pino({ enabled: false }),
  });
  let messages = 0;
  const pull = new PullPoint({
    client,
    clock,
    log: pino({ enabled: false }),
    events: client.address('/onvif/Events')!,
    onOpen: () => {},
    onMessage: () => void messages++,
    onUnreadable: () => {},
  });
  const stop = new AbortController();
  let end: StreamEnd | null = null;
  const running = pull.run(stop.signal).then((e) => {
    end = e;
  });
  cleanup.push(
    () => camera.stop(),
    () => client.close(),
    async () => {
      stop.abort();
      await running;
    },
  );
  /** Lets time pass in steps, each of them answered. */
  const pass = async (ms: number, step = 1_000) => {
    for (let gone = 0; gone < ms; gone += step) {
      await clock.advance(step);
      await new Promise((r) => setTimeout(r, 4));
    }
  };
  return { camera, clock, pass, stop, end: () => end, messages: () => messages };
}

describe('a subscription', () => {
  it('asks for ten minutes, renews at half life and is one for all the time', async () => {
    const { camera, pass } = await world();
    await pass(900_000, 3_000);
    expect(camera.count('CreatePullPointSubscription')).toBe(1);
    expect(camera.seen.find((s) => s.operation === 'CreatePullPointSubscription')!.body).toContain('PT600S');
    expect(camera.count('Renew')).toBeGreaterThanOrEqual(2);
    expect(camera.count('Renew')).toBeLessThanOrEqual(4);
    // Early empty answers are no reason to ask without a pause.
    expect(camera.count('PullMessages')).toBeLessThanOrEqual(910);
  });

  it('is renewed in the device’s own time when it cannot count', async () => {
    const { camera, pass } = await world({ lifetimeMs: -3_600_000, clockAheadMs: 0 });
    await pass(20_000);
    const renew = camera.seen.find((s) => s.operation === 'Renew')!.body;
    expect(renew).toContain('<wsnt:TerminationTime>2026-11-22T00:10:');
    expect(camera.count('CreatePullPointSubscription')).toBe(1);
  });

  it('is replaced in time where it cannot be renewed', async () => {
    const { camera, pass } = await world();
    camera.handlers.set('Renew', () => ({ status: 400, code: 'ter:ActionNotSupported', reason: 'no' }));
    await pass(1_500_000, 5_000);
    expect(camera.count('Renew')).toBe(1);
    expect(camera.count('CreatePullPointSubscription')).toBeGreaterThanOrEqual(2);
    expect(camera.count('CreatePullPointSubscription')).toBeLessThanOrEqual(4);
    expect(camera.subscriptions.size).toBe(1);
  });

  it('is not replaced where pulling prolongs it', async () => {
    const { camera, pass } = await world({ pullProlongs: true });
    camera.handlers.set('Renew', () => ({ status: 400, code: 'ter:ActionNotSupported', reason: 'no' }));
    await pass(1_500_000, 5_000);
    expect(camera.count('CreatePullPointSubscription')).toBe(1);
  });

  it('that ends again and again is made at growing intervals', async () => {
    const { camera, pass } = await world();
    camera.handlers.set('PullMessages', () => ({ status: 500, code: 'ter:Whatever', reason: 'no' }));
    await pass(600_000, 2_000);
    const made = camera.count('CreatePullPointSubscription');
    expect(made).toBeGreaterThanOrEqual(8);
    expect(made).toBeLessThanOrEqual(25);
    expect(camera.count('Unsubscribe')).toBeGreaterThanOrEqual(made - 1);
  });

  it('lives on when the connection closes without an answer', async () => {
    const { camera, pass, end, messages } = await world();
    const usual = camera.handlers.get('PullMessages')!;
    let asked = 0;
    camera.handlers.set('PullMessages', (a, c) => (asked++ % 2 === 0 ? null : usual(a, c)));
    await pass(20_000);
    camera.say(message('tns1:VideoSource/MotionAlarm', { data: { State: 'true' } }));
    await pass(4_000);
    expect(end()).toBeNull();
    expect(messages()).toBe(1);
    expect(camera.count('CreatePullPointSubscription')).toBe(1);
  });

  it('is lost when the device does not answer any more', async () => {
    const { camera, pass, end } = await world();
    await pass(3_000);
    camera.handlers.set('PullMessages', () => null);
    await pass(6_000);
    expect(end()).toMatchObject({ how: 'lost' });
  });

  it('needs its synchronization point for nothing', async () => {
    const { camera, pass, messages } = await world();
    camera.handlers.delete('SetSynchronizationPoint');
    await pass(2_000);
    camera.say(message('tns1:VideoSource/MotionAlarm', { data: { State: 'true' } }));
    await pass(2_000);
    expect(messages()).toBe(1);
  });
});

describe('a broken answer', () => {
  const whole = message('tns1:VideoSource/MotionAlarm', { data: { State: 'true' } });
  it.each([
    ['nothing', '', 0],
    ['an answer that is cut off', `<e:E><e:B>${whole}${whole.slice(0, 200)}`, 1],
    ['a message that never ends before one that does', `<wsnt:NotificationMessage><a>${whole}</e>`, 1],
    ['closing tags alone', '</wsnt:NotificationMessage>'.repeat(100), 0],
    ['opening tags alone', '<wsnt:NotificationMessage>'.repeat(10_000), 0],
    ['bytes', '\u0000\ufffd<<>>&&&;<!--', 0],
  ])('%s gives the messages that are whole', (_, body, found) => {
    expect(salvage(Buffer.from(body))).toHaveLength(found);
  });
});
