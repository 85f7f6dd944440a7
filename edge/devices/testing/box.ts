import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished, vi } from 'vitest';
import { ManualClock } from '../../../protocol/clock.ts';
import type { DiscoveredDevice } from '../../../protocol/wire/box-api.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import { type Script, ScriptedDevice } from '../../isapi/testing/scripted-device.ts';
import { Journal } from '../../journal/journal.ts';
import { Warnables } from '../../warnables.ts';
import { DeviceManager } from '../manager.ts';
import type { DeviceConfig } from '../types.ts';

const log = pino({ level: 'silent' });
export const until = (check: () => unknown) =>
  vi.waitFor(() => expect(check()).toBeTruthy(), { timeout: 5000, interval: 5 });

/** Lets time pass in steps, each with real time for the sockets, until something happened. */
export async function pass(clock: ManualClock, seconds: number, done: () => unknown) {
  for (let i = 0; i < seconds && !done(); i++) {
    await clock.advance(1_000);
    await new Promise((r) => setTimeout(r, 5));
  }
  await until(done);
}

/** A search that finds what the test says. */
class Lan {
  found: Partial<DiscoveredDevice>[] = [];
  readonly #listeners = new Set<() => void>();
  byMac = (mac: string) => this.found.find((d) => d.mac === mac) as DiscoveredDevice | undefined;
  bySerial = (serial: string) => this.found.find((d) => d.serial === serial) as DiscoveredDevice | undefined;
  at = (address: string) => this.found.filter((d) => d.address === address) as DiscoveredDevice[];
  permits = (host: string) => host.startsWith('127.');
  onChange = (fn: () => void) => {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  };
  set(found: Partial<DiscoveredDevice>[]): void {
    this.found = found;
    for (const fn of this.#listeners) fn();
  }
}

export async function camera(script: Partial<Script> = {}, port = 0, host = '127.0.0.1') {
  const device = new ScriptedDevice(script);
  const listening = await device.start(port, host);
  onTestFinished(() => device.stop());
  return { device, port: listening };
}

/** A box with its journal; `start` makes another one over the same files, as after a restart. */
export function box() {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-devices-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const clock = new ManualClock(Date.UTC(2026, 5, 1));
  const lan = new Lan();
  const start = () => {
    const warnables = new Warnables({ clock, log });
    const journal = new Journal({ path: join(dir, 'journal.db'), clock, log, warnables });
    journal.start();
    const manager = new DeviceManager({
      journal,
      discovery: lan,
      clock,
      log,
      warnables,
      stateFile: join(dir, 'refusals.json'),
    });
    manager.start();
    const stop = async () => {
      await manager.stop();
      await journal.stop();
    };
    onTestFinished(stop);
    const records = () => journal.read(0, 1000);
    return {
      warnables,
      manager,
      stop,
      records,
      kinds: () => records().map((r) => (r.kind === 'event' ? r.body.type : r.kind)),
      codes: () => warnables.list().map((w) => w.code),
      state: () => manager.health()[0]?.state,
    };
  };
  return { clock, lan, start };
}

export const config = (port: number, o: Partial<DeviceConfig> = {}): DeviceConfig => ({
  id: uuidv7(),
  kind: 'isapi',
  name: 'Entrance',
  mac: '44-19-b6-01-02-03',
  serial: null,
  host: '127.0.0.1',
  httpPort: port,
  username: 'admin',
  password: 'Correct-1',
  credentialVersion: 1,
  ...o,
});
