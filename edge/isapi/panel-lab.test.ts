import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import type { Event, NewRecord } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { DeviceAction } from '../../protocol/wire/operations.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import type { Driver } from '../drivers/driver.ts';
import { driverFor } from '../drivers/driver-for.ts';
import { EventFolder } from './fold.ts';

/* Panels, doors, radars, speakers and a switch of the lab, which shares no code with what is tested here. */

interface LabDevice {
  name: string;
  kind: string;
  address: string;
  httpPort: number;
  username: string;
  password: string;
}
let dir: string;
let child: ChildProcess;
let lab: { control: string; devices: LabDevice[] };
const cleanUp: (() => void)[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-panels-'));
  const ports = ['--port', '0', '--http-port', '0', '--sadp-port', '0', '--wsd-port', '0'];
  const base = `127.${100 + (process.pid % 30)}.${(process.pid >> 5) % 256}.`;
  const devices = ['--cameras', '0', '--devices', 'ax-pro,hybrid-pro,access,doorbell,fall-radar,speaker,switch'];
  child = spawn(process.execPath, ['lab/main.ts', '--data', dir, '--no-video', '--base', base, ...ports, ...devices], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, GATEPOST_LOG_LEVEL: 'silent' },
  });
  for await (const line of createInterface({ input: child.stdout! })) {
    if (!line.startsWith('ready ')) continue;
    lab = JSON.parse(line.slice(6));
    break;
  }
}, 30_000);
afterEach(() => {
  for (const fn of cleanUp.splice(0).reverse()) fn();
});
afterAll(() => {
  child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

async function connect(name: string) {
  const { kind, address, httpPort, username, password } = lab.devices.find((d) => d.name === name)!;
  const driver: Driver = driverFor(kind === 'switch' ? 'snmp' : 'isapi', {
    host: address,
    port: httpPort,
    password,
    username: kind === 'switch' ? 'community' : username,
    guard: new LoginGuard(),
    clock: systemClock,
    log: pino({ level: 'silent' }),
  });
  cleanUp.push(() => driver.close());
  expect(await driver.identify()).toMatchObject({ ok: true });
  await driver.channels();
  return driver;
}

/** What the device's events become, in order. */
async function listen(driver: Driver) {
  const records: NewRecord[] = [];
  let told = 0;
  const fold = new EventFolder({ deviceId: uuidv7(), clock: systemClock, emit: (r) => records.push(...r) });
  const stop = new AbortController();
  cleanUp.push(
    () => fold.stop(false),
    () => stop.abort(),
  );
  await new Promise<void>((onOpen) => {
    void driver.listen({
      onOpen,
      onAlert: (alert) => {
        told++;
        fold.alert(alert, alert.channel);
      },
      onUnreadable: () => records.push({ kind: 'eventEnd', body: { eventId: 'unreadable', endedAt: '' } }),
      signal: stop.signal,
    });
  });
  return {
    /** Messages so far, repetitions included. */
    told: () => told,
    events: () => records.flatMap((r) => (r.kind === 'event' ? [r.body as Event] : [])),
    ends: () => records.flatMap((r) => (r.kind === 'eventEnd' ? [r.body.eventId] : [])),
  };
}

async function say(name: string, type: string, more: object = {}): Promise<void> {
  const answer = await fetch(`${lab.control}/devices/${name}/events`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ type, ...more }),
  });
  expect(answer.status).toBe(200);
}

async function until(is: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !is(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(is()).toBe(true);
}
const done = { ok: true, value: { pending: false } };

describe('in the lab', () => {
  it('a panel logs in by session, is operated, and its bursts are one event each', async () => {
    const panel = await connect('ax-pro');
    const { told, events, ends } = await listen(panel);
    await say('ax-pro', 'zoneAlarm', { zone: 2 });
    await until(() => events().length === 1);
    // It repeats the alarm several times a second.
    await until(() => told() >= 4);
    expect(events()).toMatchObject([{ type: 'zoneAlarm', channel: 3, cid: '1130', area: 1 }]);
    await say('ax-pro', 'zoneAlarm', { zone: 2, active: false });
    await until(() => ends().length === 1);
    const act = (action: DeviceAction) => panel.act(action);
    expect(await act({ action: 'areaArmAway', area: 1 })).toMatchObject(done);
    await until(() => events().some((e) => e.type === 'areaArmedAway'));
    const state = async () => {
      const areas = await panel.readList('areas', {});
      return areas.ok && areas.value[0]?.values.arming;
    };
    expect(await state()).toBe('away');
    expect(await act({ action: 'areaDisarm', area: 1 })).toMatchObject(done);
    expect(await state()).toBe('disarm');
    expect(await act({ action: 'zoneBypass', zone: 1 })).toMatchObject(done);
    expect(await act({ action: 'zoneUnbypass', zone: 1 })).toMatchObject(done);
    expect(await act({ action: 'walkTestStart' })).toMatchObject(done);
    expect(await act({ action: 'walkTestStop' })).toMatchObject(done);
    // Another zone's comes behind whatever was still under way.
    await say('ax-pro', 'zoneAlarm', { zone: 3 });
    await until(() => events().some((e) => e.channel === 4));
    expect(events().filter((e) => e.type === 'zoneAlarm')).toHaveLength(2);
    expect(ends()).not.toContain('unreadable');
  }, 20_000);

  it('a hybrid panel takes digest, and cannot be silenced by area', async () => {
    const panel = await connect('hybrid-pro');
    const offered = await panel.capabilities();
    expect(offered.ok && offered.value.actions.map((a) => a.action)).not.toContain('areaSilence');
    expect(await panel.act({ action: 'areaArmStay', area: 0 })).toMatchObject(done);
    expect(await panel.act({ action: 'areaDisarm', area: 0 })).toMatchObject(done);
  });

  it('a door opens, a bell rings, a radar sees a fall, a speaker plays', async () => {
    const door = await connect('access');
    expect(await door.act({ action: 'doorOpen', door: 1 })).toMatchObject(done);
    const bell = await listen(await connect('doorbell'));
    await say('doorbell', 'call');
    await until(() => bell.events().some((e) => e.type === 'call'));
    const fall = await listen(await connect('fall-radar'));
    await say('fall-radar', 'fallDetected');
    await until(() => fall.events().some((e) => e.type === 'fallDetected'));
    const speaker = await connect('speaker');
    expect(await speaker.readList('audioFiles', {})).toMatchObject({ value: [{ name: 'Siren' }, { id: '2' }] });
    expect(await speaker.act({ action: 'play', file: '2', volume: 70 })).toMatchObject(done);
  }, 20_000);

  it('a switch tells its ports and what is behind them, and restarts one', async () => {
    const device = await connect('switch');
    const ports = await device.readList('switchPorts', {});
    expect(ports.ok && ports.value[0]).toMatchObject({ id: '1', values: { up: true, poe: 'delivering' } });
    expect(await device.readList('neighbours', {})).toMatchObject({ ok: true });
    expect(await device.act({ action: 'portRestart', port: 1 })).toMatchObject({ ok: true });
  }, 20_000);
});
