import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UpgradeItem } from '../../protocol/wire/firmware.ts';
import type { JobStep } from '../../protocol/wire/jobs.ts';
import { failure } from '../isapi/answer.ts';
import { readDeviceInfo } from '../isapi/device.ts';
import type { IsapiDevice } from '../isapi/isapi-device.ts';
import { connected, eagerClock } from '../isapi/testing/documents.ts';
import { ScriptedDevice } from '../isapi/testing/scripted-device.ts';
import type { ItemProgress } from '../jobs/types.ts';
import { PackageStore } from './package-store.ts';
import { UpgradeRunner } from './runner.ts';

const log = pino({ level: 'silent' });
const clock = eagerClock();
const FILE = randomBytes(900_000);
const OLD = 'V5.7.15 build 240201';
const NEW = 'V5.8.0 build 250301';
const item: UpgradeItem = {
  deviceId: '0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d',
  name: 'Door',
  version: NEW,
  size: FILE.length,
  firmwareId: '0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1e',
  models: ['DS-2CD2386G2*'],
  password: null,
  sha256: createHash('sha256').update(FILE).digest('hex'),
};

let dir: string;
let relay: Server;
/** How the relay serves the next requests; then it serves well. */
let odd: ((res: ServerResponse, start: number) => void)[];
let asked: string[];
let scripted: ScriptedDevice;
let device: IsapiDevice;
let close: () => void;
let runner: UpgradeRunner;
let store: PackageStore;
/** What the device got, by method. */
let got: { method: string; type: string; body: Buffer }[];
let firmware: string;
/** Polls until it is through; how it then behaves. */
let take: (o: { method: string; body: Buffer }, res: ServerResponse) => void;
let installing: { percent: number; left: number } | null;
let away: number;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-upgrade-'));
  [odd, asked, got, firmware, installing, away] = [[], [], [], OLD, null, 0];
  relay = createServer((req, res) => {
    asked.push(`${req.url} ${req.headers.range} ${req.headers.authorization}`);
    const start = Number(/bytes=(\d+)-/.exec(req.headers.range ?? '')?.[1] ?? 0);
    const serve = odd.shift();
    if (serve) return serve(res, start);
    res.writeHead(206).end(FILE.subarray(start));
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const relayUrl = new URL(`http://127.0.0.1:${(relay.address() as AddressInfo).port}`);
  store = new PackageStore({ dir, auth: { relayUrl, header: async () => 'proof', forget: () => {} }, log });

  scripted = new ScriptedDevice();
  const info = scripted.routes.get('/ISAPI/System/deviceInfo')!;
  scripted.routes.set('/ISAPI/System/deviceInfo', (req, res) => {
    if (away > 0) {
      away--;
      return void res.destroy();
    }
    const end = res.end.bind(res);
    res.end = ((body: string) => {
      const [version, , build] = firmware.split(' ');
      return end(body.replace('V5.7.15', version!).replace('build 240201', `build ${build}`));
    }) as typeof res.end;
    info(req, res);
  });
  take = ({ body }, res) => {
    if (!body.equals(FILE)) return scripted.status(res, 400, 4, 'fileError');
    installing = { percent: 0, left: 3 };
    scripted.status(res, 200, 1, 'ok');
  };
  scripted.routes.set('/ISAPI/System/updateFirmware', (req: IncomingMessage, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      const one = { method: req.method!, type: req.headers['content-type'] ?? '', body: Buffer.concat(parts) };
      got.push(one);
      take(one, res);
    });
  });
  scripted.routes.set('/ISAPI/System/upgradeStatus', (_req, res) => {
    if (installing && --installing.left <= 0) installing.percent = 100;
    else if (installing) installing.percent += 30;
    const upgrading = installing !== null && installing.percent < 100;
    res.end(
      `<upgradeStatus><upgrading>${upgrading}</upgrading><percent>${installing?.percent ?? 0}</percent></upgradeStatus>`,
    );
  });
  scripted.routes.set('/ISAPI/System/reboot', (_req, res) => {
    if (installing) firmware = NEW;
    [away, installing] = [3, null];
    scripted.forgetNonces();
    scripted.status(res, 200, 1, 'ok');
  });
  const port = await scripted.start();
  ({ device, close } = await connected(scripted, port, [], clock));
  runner = new UpgradeRunner({
    packages: store,
    clock,
    log,
    devices: {
      use: (_, fn) => fn(device),
      identify: () => readDeviceInfo(device.client),
      passwordOf: () => 'Correct-1',
    },
  });
});
afterEach(async () => {
  close();
  await scripted.stop();
  relay.closeAllConnections();
  await new Promise((resolve) => relay.close(resolve));
  rmSync(dir, { recursive: true });
});

class Progress implements ItemProgress {
  readonly list: JobStep[] = [];
  readonly percents: Record<string, number[]> = {};
  #note: unknown;
  step: ItemProgress['step'] = (name, state, { percent = null, code = null, text = null } = {}) => {
    if (percent !== null) this.percents[name] = [...(this.percents[name] ?? []), percent];
    const step = this.list.find((s) => s.step === name) ?? this.list[this.list.push({ step: name } as JobStep) - 1]!;
    Object.assign(step, { state, percent, code, text, at: null });
  };
  steps = () => this.list;
  rename = () => {};
  note = <T>() => this.#note as T | undefined;
  remember = (note: unknown) => {
    this.#note = note;
  };
  get states() {
    return Object.fromEntries(this.list.map((s) => [s.step, s.state]));
  }
  failed = () => this.list.find((s) => s.state === 'failed');
}
const run = async (progress = new Progress(), wanted = item, signal = new AbortController().signal) => ({
  progress,
  result: await runner.run(wanted, progress, signal),
});

describe('an upgrade', () => {
  it('fetches the firmware, sends it once, waits for the device and looks at its version (UPG-01)', async () => {
    const { result, progress } = await run();
    expect([result, progress.failed()]).toEqual(['done', undefined]);
    expect(Object.values(progress.states)).toEqual(Array.from({ length: 6 }, () => 'done'));
    expect(got.map((g) => [g.method, g.body.equals(FILE)])).toEqual([['POST', true]]);
    expect(progress.percents.send!.at(-1)).toBe(100);
    expect(progress.percents.install).toEqual([30, 60, 100]);
    expect([scripted.wrongLogins, readdirSync(dir)]).toEqual([0, []]);
  });

  it('a file that breaks off is fetched from there on, a damaged one anew, and none goes to a device unproven', async () => {
    odd = [
      (res) => {
        res.writeHead(206, { 'content-length': FILE.length }).write(FILE.subarray(0, 500_000));
        setTimeout(() => res.destroy(), 30);
      },
      (res, start) => res.writeHead(206).end(Buffer.alloc(FILE.length - start)),
    ];
    const { result } = await run();
    expect(result).toBe('done');
    expect(asked.map((line) => line.split(' ')[1])).toEqual([
      'bytes=0-',
      expect.stringMatching(/^bytes=[1-9]\d*-$/),
      'bytes=0-',
    ]);
    expect(asked[0]).toBe(`/box/v1/firmware/${item.firmwareId} bytes=0- proof`);
    odd = Array.from(
      { length: 4 },
      () => (res: ServerResponse, start: number) => void res.writeHead(206).end(Buffer.alloc(FILE.length - start)),
    );
    firmware = OLD;
    const bad = await run();
    expect([bad.result, bad.progress.failed()?.step, got.length]).toEqual(['failed', 'package', 1]);
  });

  it.each([
    ['another model', { models: ['DS-7608NI*'] }, 'conflict'],
    ['what it has', { version: OLD }, 'conflict'],
    ['older than what it has', { version: 'V5.7.14 build 991231' }, 'conflict'],
    ['a wrong password where one is asked for (UPG-05)', { password: 'Wrong-1' }, 'device-refused-login'],
  ])('is not begun: %s (UPG-11)', async (_, more, code) => {
    const { result, progress } = await run(new Progress(), { ...item, ...more });
    expect([result, progress.failed()?.code, got.length]).toEqual(['failed', code, 0]);
  });

  it('older firmware wants PUT, intercoms a form', async () => {
    take = ({ method, body }, res) => {
      if (method === 'PUT') return scripted.status(res, 200, 4, 'badXmlContent');
      if (!body.includes('name="updateFile"')) return scripted.status(res, 403, 4, 'methodNotAllowed');
      installing = { percent: 0, left: 1 };
      scripted.status(res, 200, 1, 'ok');
    };
    const { result } = await run();
    expect([result, got.map((g) => g.method)]).toEqual(['done', ['POST', 'PUT', 'POST']]);
    expect(got[2]!.body.includes(FILE)).toBe(true);
  });

  it.each([
    ['badDevType', 'other models'],
    ['fileError', 'no firmware'],
  ])('is refused by the device in words: %s (UPG-07)', async (sub, words) => {
    take = (_, res) => scripted.status(res, 400, 4, sub);
    const { result, progress } = await run();
    expect([result, progress.failed()?.step, progress.failed()?.code]).toEqual(['failed', 'send', sub]);
    expect(progress.failed()?.text).toContain(words);
    expect(got).toHaveLength(1);
  });

  it('a device that restarts without an answer is waited for', async () => {
    take = (_, res) => {
      [firmware, away] = [NEW, 5];
      scripted.routes.delete('/ISAPI/System/upgradeStatus');
      res.destroy();
    };
    expect((await run()).result).toBe('done');
  });

  it('one that comes back as it was says so (UPG-07)', async () => {
    scripted.routes.set('/ISAPI/System/reboot', (_req, res) => {
      [away, installing] = [3, null];
      scripted.status(res, 200, 1, 'ok');
    });
    const { result, progress } = await run();
    expect([result, progress.failed()?.step, progress.failed()?.code]).toEqual(['failed', 'verify', 'not-kept']);
  });
});

describe('after a power cut of the box (UPG-06)', () => {
  const cut = (...done: string[]) => {
    const progress = new Progress();
    for (const name of done) progress.step(name, name === done.at(-1) ? 'running' : 'done');
    return progress;
  };

  it('what was sent half is not sent again: the device is as it was, and that is said', async () => {
    const { result, progress } = await run(cut('package', 'check', 'send'));
    expect([result, progress.failed()?.code, got.length]).toEqual(['failed', 'interrupted', 0]);
    expect(progress.failed()?.text).toContain(OLD);
  });

  it('what arrived whole is seen by its version, or is waited for', async () => {
    firmware = NEW;
    const { result, progress } = await run(cut('package', 'check', 'send'));
    expect([result, Object.values(progress.states), got.length]).toEqual([
      'done',
      Array.from({ length: 4 }, () => 'done'),
      0,
    ]);
    firmware = OLD;
    installing = { percent: 10, left: 5 };
    expect((await run(cut('package', 'check', 'send'))).result).toBe('done');
    expect((await run(cut('package', 'check', 'send', 'install'))).result).toBe('done');
    expect(got).toEqual([]);
  });

  it('the file stays on disk for the next start', async () => {
    const stop = new AbortController();
    take = () => stop.abort();
    await run(new Progress(), item, stop.signal);
    expect(existsSync(join(dir, item.sha256))).toBe(true);
    await new PackageStore({ dir, auth: null as never, log }).sweep();
    expect(readdirSync(dir)).toEqual([]);
  });
});

it('what a device is not reached for is a failure with its reason', async () => {
  const absent = new UpgradeRunner({
    packages: store,
    clock,
    log,
    devices: {
      use: async () => failure('device-unreachable', 'gone'),
      identify: async () => failure('device-unreachable', 'It does not answer.'),
      passwordOf: () => null,
    },
  });
  const progress = new Progress();
  expect(await absent.run(item, progress, new AbortController().signal)).toBe('failed');
  expect(progress.failed()).toMatchObject({ step: 'check', code: 'device-unreachable' });
});
