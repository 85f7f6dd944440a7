import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Lab, type LabOptions } from '../lab.ts';

/** A lab in this process, on addresses and ports that nobody else has; without video unless asked for. */
export async function startLab(options: Partial<LabOptions> = {}) {
  const data = options.data ?? (await mkdtemp(join(tmpdir(), 'gatepost-lab-')));
  const lab = new Lab({
    port: 0,
    httpPort: 0,
    rtspPort: 0,
    sadpPort: 0,
    wsdPort: 0,
    receiverPort: 0,
    arcDirectPort: 0,
    arcRelayPort: 0,
    boxRelayPort: 0,
    data,
    base: `127.${100 + Math.floor(Math.random() * 100)}.${Math.floor(Math.random() * 256)}.`,
    cameras: 2,
    unactivated: 0,
    devices: [],
    many: 0,
    interface: null,
    fps: 25,
    kbps: 2000,
    codec: 'h264',
    sound: 'none',
    video: false,
    python: '/usr/bin/python3',
    relay: null,
    accounts: [
      { account: '1234', key: null },
      { account: '5678', key: '000102030405060708090A0B0C0D0E0F' },
    ],
    log: pino({ level: 'silent' }),
    ...options,
  });
  await lab.start();
  const ready = lab.ready();
  const call = async (path: string, body?: unknown) => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(ready.control + path, init);
    // biome-ignore lint/suspicious/noExplicitAny: tests look at what they expect
    return { status: response.status, body: (await response.json()) as any };
  };
  return {
    ready,
    data,
    camera: (n: number) => ready.devices[n - 1]!,
    get: (path: string) => call(path),
    post: (path: string, body: unknown) => call(path, body),
    stop: async () => {
      await lab.stop();
      if (!options.data) await rm(data, { recursive: true, force: true });
    },
  };
}

export type TestLab = Awaited<ReturnType<typeof startLab>>;
