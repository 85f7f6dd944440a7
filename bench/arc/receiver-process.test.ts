import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Mlr2Software } from '../../lab/arc/automation.ts';
import { decodeDc09, encodeDc09 } from '../../protocol/codec/dc09.ts';
import { Dc09Stream } from '../../protocol/codec/dc09-stream.ts';

/*
 * The receiver alone, as an alarm receiving centre runs it: a program with a file, killed while alarms come. Every message that
 * it acknowledged reaches the automation software, in its account's order.
 */

const KILLS = Number(process.env.GATEPOST_RECEIVER_KILLS ?? 3);
const MESSAGES = 40 * KILLS;
const KEY = '000102030405060708090A0B0C0D0E0F';
const TOKEN = 'a token of the pull API';
let dir: string;
let child: ChildProcess | null = null;
let ports: { dc09: { tcp: number }; http: number };

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-receiver-'));
});
afterEach(async () => {
  await kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const main = join(import.meta.dirname, '../../relay/receiver-main.ts');
  const args = [main, '--config', join(dir, 'receiver.json'), '--data', join(dir, 'data')];
  const running = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  child = running;
  for await (const line of createInterface({ input: running.stdout! })) {
    const entry = JSON.parse(line);
    if (entry.msg !== 'listening') continue;
    ports = entry;
    running.stdout!.resume();
    return;
  }
  throw new Error('the receiver ended at its start');
}

async function kill(signal: NodeJS.Signals): Promise<number | null> {
  const running = child;
  child = null;
  if (!running || running.exitCode !== null) return running?.exitCode ?? null;
  const ended = new Promise<number | null>((resolve) => running.once('exit', resolve));
  running.kill(signal);
  return ended;
}

function config(outputs: unknown[], more: object = {}): void {
  const file = {
    listen: { host: '127.0.0.1', port: 0 },
    http: { port: 0, token: 'env:PULL' },
    accounts: [{ account: '1001' }, { account: '1002', key: KEY }],
    outputs,
    ...more,
  };
  writeFileSync(join(dir, 'receiver.json'), JSON.stringify(file).replace('env:PULL', TOKEN));
}

/** A device: sends until it is acknowledged, on a new connection after each failure. */
class Device {
  readonly #account: string;
  readonly #key: Buffer | null;
  #socket: Socket | null = null;
  constructor(account: string, key: string | null) {
    this.#account = account;
    this.#key = key === null ? null : Buffer.from(key, 'hex');
  }

  async send(n: number): Promise<void> {
    const zone = String(n % 1000).padStart(3, '0');
    while (!(await this.#once(n, `1130 ${String(Math.floor(n / 1000)).padStart(2, '0')} ${zone}`)))
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  #once(n: number, data: string): Promise<boolean> {
    const account = this.#account;
    const frame = encodeDc09(
      {
        id: 'ADM-CID',
        encrypted: this.#key !== null,
        sequence: n + 1,
        receiver: '0',
        line: '0',
        account,
        data: `#${account}|${data}`,
        xdata: [],
        timestamp: Date.now(),
      },
      { key: this.#key },
    );
    return new Promise((resolve) => {
      const socket = this.#socket ?? connect(ports.dc09.tcp, '127.0.0.1');
      this.#socket = socket;
      const stream = new Dc09Stream();
      const done = (acknowledged: boolean) => {
        socket.removeAllListeners();
        socket.on('error', () => {});
        if (!acknowledged) {
          socket.destroy();
          this.#socket = null;
        }
        resolve(acknowledged);
      };
      socket.on('error', () => done(false));
      socket.on('close', () => done(false));
      socket.on('data', (chunk) => {
        for (const reply of stream.push(chunk)) {
          const decoded = decodeDc09(reply, this.#key);
          done(decoded.ok && decoded.message.id === 'ACK' && decoded.message.sequence === n + 1);
        }
      });
      socket.write(frame);
    });
  }

  close(): void {
    this.#socket?.destroy();
  }
}

describe('the receiver alone', () => {
  it(
    'killed while alarms come: all that it acknowledged reaches the software, in order (F3, ARC-22)',
    async () => {
      const software = new Mlr2Software();
      const port = await software.listen();
      config([{ name: 'automation', config: { kind: 'mlr2', mode: 'client', host: '127.0.0.1', port } }]);
      await start();
      const devices = [new Device('1001', null), new Device('1002', KEY)];
      const acknowledged = [0, 0];
      const sending = devices.map(async (device, i) => {
        for (let n = 0; n < MESSAGES; n++) {
          await device.send(n);
          acknowledged[i] = n + 1;
        }
      });
      for (let i = 0; i < KILLS; i++) {
        // Somewhere between two messages, or in one.
        while (acknowledged[0]! < (MESSAGES * (i + 0.5)) / KILLS)
          await new Promise((resolve) => setTimeout(resolve, 1));
        await kill('SIGKILL');
        await start();
      }
      await Promise.all(sending);
      const numbers = (account: string) =>
        software.kept
          .filter((line) => line.account === account)
          .map(({ area, zone }) => Number(area) * 1000 + Number(zone));
      const complete = () => ['1001', '1002'].every((account) => new Set(numbers(account)).size === MESSAGES);
      const end = Date.now() + 120_000;
      while (!complete() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
      for (const account of ['1001', '1002']) {
        const got = numbers(account);
        const first = [...new Set(got)];
        expect(first).toEqual(Array.from({ length: MESSAGES }, (_, n) => n));
        // A kill can take the acknowledgement of one message along on each side.
        expect(got.length - first.length).toBeLessThanOrEqual(2 * KILLS);
      }
      for (const device of devices) device.close();
      await software.stop();
      expect(await kill('SIGTERM')).toBe(0);
    },
    120_000 + 10_000 * KILLS,
  );

  it('has health, metrics and the pull API, and says what is wrong with its file', async () => {
    config([{ name: 'pull', config: { kind: 'pull' } }], {
      otherAccounts: { key: KEY },
    });
    await start();
    const other = new Device('ABCDEF12', KEY);
    await other.send(5);
    other.close();
    const get = (path: string, token = TOKEN) =>
      fetch(`http://127.0.0.1:${ports.http}${path}`, { headers: { authorization: `Bearer ${token}` } });
    expect(await (await get('/healthz')).json()).toEqual({ status: 'ok' });
    expect((await get('/v1/outputs', 'wrong')).status).toBe(401);
    const first = await (await get('/v1/outputs/pull/messages?wait=5')).json();
    expect(first.items).toMatchObject([
      { account: 'ABCDEF12', encrypted: true, events: [{ event: '130', zone: '005' }] },
    ]);
    const commit = await fetch(`http://127.0.0.1:${ports.http}/v1/outputs/pull/commit`, {
      method: 'POST',
      body: JSON.stringify({ cursor: first.cursor }),
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    });
    expect(commit.status).toBe(204);
    expect(await (await get('/metrics')).text()).toMatch(/gatepost_receiver_taken 1/);
    expect(await kill('SIGTERM')).toBe(0);

    config([{ name: 'hook', config: { kind: 'webhook', url: 'https://arc.example/' } }]);
    const main = join(import.meta.dirname, '../../relay/receiver-main.ts');
    const check = spawn(process.execPath, [main, 'check', '--config', join(dir, 'receiver.json')]);
    let said = '';
    check.stderr.on('data', (text) => {
      said += text;
    });
    expect(await new Promise((resolve) => check.once('close', resolve))).toBe(1);
    expect(said).toContain('outputs.0.secret: a webhook needs one');
    expect(said).not.toContain(KEY);
  }, 60_000);
});
