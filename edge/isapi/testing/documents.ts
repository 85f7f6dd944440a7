import pino from 'pino';
import { type Clock, systemClock } from '../../../protocol/clock.ts';
import { LoginGuard } from '../../devices/login-guard.ts';
import type { Feature } from '../../drivers/feature.ts';
import { FeatureSet } from '../../drivers/feature-set.ts';
import { IsapiClient } from '../client.ts';
import { type Channel, readDeviceInfo } from '../device.ts';
import { IsapiDevice } from '../isapi-device.ts';
import type { ScriptedDevice } from './scripted-device.ts';

/** Documents of a scripted device by path after /ISAPI: read with GET, replaced with PUT. `put` may see to it itself. */
export class Documents {
  readonly written: { path: string; body: string }[] = [];
  readonly #device: ScriptedDevice;
  readonly #texts = new Map<string, string>();

  constructor(device: ScriptedDevice) {
    this.#device = device;
  }

  /**
   * `put` returns the new document, null to keep the old one (and say yes), an error's subStatusCode, or the new document of
   * which the device says that it wants a restart.
   */
  set(
    path: string,
    text: string,
    put: (body: string) => string | null | { refuse: string } | { reboot: string } = (body) => body,
  ): void {
    this.#texts.set(path, text);
    this.#device.routes.set(`/ISAPI${path}`, (req, res) => {
      if (req.method === 'GET') {
        res.writeHead(200, { 'Content-Type': 'application/xml' }).end(this.#texts.get(path));
        return;
      }
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        this.written.push({ path, body });
        const next = put(body);
        if (next !== null && typeof next === 'object') {
          if ('refuse' in next) return this.#device.status(res, 400, 6, next.refuse);
          this.#texts.set(path, next.reboot);
          return this.#device.status(res, 200, 7, 'rebootRequired');
        }
        if (next !== null) this.#texts.set(path, next);
        this.#device.status(res, 200, 1, 'ok');
      });
    });
  }

  get(path: string): string {
    return this.#texts.get(path) ?? '';
  }
}

/** A clock whose waits take no time; what is read of it is real. */
export const eagerClock = (now?: () => number): Clock => ({
  now: now ?? (() => systemClock.now()),
  mono: () => systemClock.mono(),
  after: (ms, fn) => systemClock.after(ms, fn),
  every: (ms, fn) => systemClock.every(ms, fn),
  sleep: () => new Promise((resolve) => setImmediate(resolve)),
});

/** A connected scripted device as its features see it. */
export async function connected(
  scripted: ScriptedDevice,
  port: number,
  features: Feature<IsapiDevice>[],
  clock: Clock = eagerClock(),
  channels: Channel[] = [{ channel: 1, name: 'Door' }],
): Promise<{ device: IsapiDevice; features: FeatureSet<IsapiDevice>; close: () => void }> {
  const log = pino({ level: 'silent' });
  const { username, password } = scripted.script;
  const client = new IsapiClient({ host: '127.0.0.1', port, username, password, guard: new LoginGuard(), clock, log });
  const info = await readDeviceInfo(client);
  if (!info.ok) throw new Error(info.text);
  const device = new IsapiDevice({ client, info: info.value, channels, clock, log });
  const set = new FeatureSet({ features, device, category: 'camera', missed: () => client.missed });
  return { device, features: set, close: () => client.close() };
}
