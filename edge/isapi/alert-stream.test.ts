import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import type { Alert } from './alert.ts';
import { AlertStream } from './alert-stream.ts';
import { IsapiClient } from './client.ts';
import { alertPart as alert } from './testing/alerts.ts';
import { ScriptedDevice } from './testing/scripted-device.ts';

const log = pino({ level: 'silent' });
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const fn of cleanUp.splice(0).reverse()) await fn();
});
const until = (check: () => unknown) => vi.waitFor(() => expect(check()).toBeTruthy(), { timeout: 3000, interval: 5 });

async function listen(onAlert?: (a: Alert) => Promise<void> | void) {
  const device = new ScriptedDevice();
  const port = await device.start();
  const clock = new ManualClock();
  const client = new IsapiClient({
    host: '127.0.0.1',
    port,
    username: 'admin',
    password: 'Correct-1',
    guard: new LoginGuard(),
    clock,
    log,
  });
  const alerts: Alert[] = [];
  const stop = new AbortController();
  const stream = new AlertStream({
    client,
    clock,
    log,
    onOpen: () => {},
    onAlert: (a) => {
      alerts.push(a);
      return onAlert?.(a);
    },
  });
  const end = stream.run(stop.signal);
  cleanUp.push(
    () => device.stop(),
    () => client.close(),
    () => stop.abort(),
  );
  await until(() => device.streams.size === 1);
  return { device, clock, alerts, end, stop, stream };
}

describe('the event stream', () => {
  it('gives each alert as it comes, and a bad part only costs itself', async () => {
    const { device, alerts, stream } = await listen();
    device.say(alert('VMD'));
    await until(() => alerts.length === 1);
    device.say(Buffer.from([0, 0xff, 0xfe, 0x0a]));
    device.say('--boundary\r\nContent-Type: application/xml\r\nContent-Length: 9\r\n\r\n<A><B></A\r\n');
    device.say(alert('linedetection'));
    await until(() => alerts.length === 2);
    expect(alerts.map((a) => a.type)).toEqual(['motion', 'lineCrossing']);
    expect(stream.unreadable).toBeGreaterThan(0);
  });

  it('ends as closed when the device closes it, as lost when it is cut', async () => {
    const closed = await listen();
    for (const res of closed.device.streams) res.end();
    expect(await closed.end).toMatchObject({ how: 'closed' });
    const lost = await listen();
    lost.device.cut();
    expect(await lost.end).toMatchObject({ how: 'lost' });
    const stopped = await listen();
    stopped.stop.abort();
    expect(await stopped.end).toMatchObject({ how: 'stopped' });
  });

  it('is lost when no byte came for 75 s, although the device answers', async () => {
    const { device, clock, end } = await listen();
    await clock.advance(60_000);
    device.say(alert('videoloss', 'inactive'));
    const received = vi.fn();
    end.then(received);
    // The heartbeat must have arrived before the clock goes on.
    await new Promise((r) => setTimeout(r, 50));
    await clock.advance(70_000);
    expect(received).not.toHaveBeenCalled();
    await clock.advance(6_000);
    expect(await end).toMatchObject({ how: 'lost', text: expect.stringContaining('silent') });
  });

  it('is lost within 30 s when the device is gone without a word', async () => {
    const { clock, stream, end } = await listen();
    // Nothing answers any more, as with the cable pulled: every connect runs into its time-out.
    const silent = vi
      .spyOn(await import('node:net').then((m) => m.Socket.prototype), 'connect')
      .mockImplementation(function (this: unknown) {
        return this as never;
      });
    cleanUp.push(() => silent.mockRestore());
    await clock.advance(29_000);
    expect(await end).toMatchObject({ how: 'lost', text: expect.stringContaining('does not answer') });
    expect(stream.unreadable).toBe(0);
  });

  it('does not wait for ever for a part that says it is longer than it is', async () => {
    const { device, clock, alerts } = await listen();
    device.say('--boundary\r\nContent-Type: image/jpeg\r\nContent-Length: 900000\r\n\r\n\xff\xd8');
    device.say(alert('VMD'));
    await new Promise((r) => setTimeout(r, 50));
    expect(alerts).toEqual([]);
    await clock.advance(8_000);
    await until(() => alerts.length === 1);
  });

  it('reads only as fast as events are kept, and does not take its own pause for silence', async () => {
    let keep = () => {};
    const { device, clock, alerts, end } = await listen(() => new Promise<void>((resolve) => (keep = resolve)));
    device.say(alert('VMD') + alert('PIR'));
    await until(() => alerts.length === 1);
    const ended = vi.fn();
    end.then(ended);
    await clock.advance(300_000);
    expect(alerts.length).toBe(1);
    keep();
    await until(() => alerts.length === 2);
    keep();
    await clock.advance(10_000);
    expect(ended).not.toHaveBeenCalled();
  });
});
