import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { BoxRecorder, RecorderView } from '../../protocol/wire/initialise.ts';
import type { ProblemCode } from '../../protocol/wire/problem.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import type { Result } from '../isapi/answer.ts';
import { IsapiDriver } from '../isapi/driver.ts';
import { addChannel, sortChannels } from '../isapi/features/recorder-edit.ts';
import { isPoeRecorder, readCamerasSeen, readRecorderChannels } from '../isapi/features/recorder-list.ts';
import type { IsapiDevice } from '../isapi/isapi-device.ts';
import type { Finder } from './finder.ts';

type Answer = { ok: true; view: RecorderView } | { ok: false; code: ProblemCode; detail: string };

/** The channels of a recorder of the LAN, which need not be added yet (CHAN-09…11). One login a request. */
export class RecorderWork {
  readonly #finder: Finder;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #busy = new Set<string>();

  constructor(o: { finder: Finder; clock: Clock; log: Logger }) {
    this.#finder = o.finder;
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'recorder-channels' });
  }

  async ask({ mac, username, password, ask }: BoxRecorder, signal: AbortSignal): Promise<Answer> {
    const refuse = (code: ProblemCode, detail: string): Answer => ({ ok: false, code, detail });
    const found = await this.#finder.find(mac);
    if (!found) return refuse('not-found', `No device with the MAC ${mac} is seen on the LAN.`);
    const name = `${found.model} at ${found.address}`;
    if (this.#finder.rivals(found).length > 0)
      return refuse('conflict', `Several devices use the address ${found.address}: change one of them first.`);
    if (!this.#finder.permits(found.address))
      return refuse('device-error', `${name} is outside of what this box may reach.`);
    if (this.#busy.has(mac)) return refuse('conflict', `${name} is being worked on.`);
    this.#busy.add(mac);
    const login = { host: found.address, port: found.httpPort ?? 80, username, password, guard: new LoginGuard() };
    const driver = new IsapiDriver({ ...login, clock: this.#clock, log: this.#log });
    try {
      const info = await driver.identify(signal);
      if (!info.ok) return refuse(info.code, `${name}: ${info.text}`);
      const device = driver.device();
      if (!device || !info.value.recorder) return refuse('conflict', `${name} is no recorder.`);
      let added: RecorderView['added'] = null;
      if (ask.do === 'add') added = await add(device, ask.cameras, signal);
      if (ask.do === 'sort') {
        const passwords = new Map((ask.passwords ?? []).map((one) => [one.channel, one.password]));
        const sorted = await sortChannels(device, ask.order, (channel) => passwords.get(channel), signal);
        if (!sorted.ok) return refuse(sorted.code, `${name}: ${sorted.text}`);
      }
      const view = await look(device, name, signal);
      return view.ok ? { ok: true, view: { ...view.value, added } } : refuse(view.code, `${name}: ${view.text}`);
    } finally {
      driver.close();
      this.#busy.delete(mac);
    }
  }
}

async function add(
  device: IsapiDevice,
  cameras: Extract<BoxRecorder['ask'], { do: 'add' }>['cameras'],
  signal: AbortSignal,
): Promise<NonNullable<RecorderView['added']>> {
  const added: NonNullable<RecorderView['added']> = [];
  for (const { password, ...camera } of cameras) {
    if (password === undefined) {
      const text = 'No password of this camera is kept: enter it.';
      added.push({ address: camera.address, ok: false, code: 'password-needed', text });
      continue;
    }
    const result = await addChannel(device, { ...camera, password }, signal);
    const { code, text } = result.ok ? { code: null, text: result.value.fault } : result;
    added.push({ address: camera.address, ok: result.ok, code, text });
  }
  return added;
}

async function look(
  device: IsapiDevice,
  name: string,
  signal: AbortSignal,
): Promise<Result<Omit<RecorderView, 'added'>>> {
  const poe = await isPoeRecorder(device, signal);
  if (!poe.ok) return poe;
  const channels = await readRecorderChannels(device, signal);
  if (!channels.ok) return channels;
  const seen = await readCamerasSeen(device, signal);
  const there = new Set(channels.value.map((c) => c.address));
  const own = channels.value.filter((c) => !c.plugAndPlay);
  return {
    ok: true,
    value: {
      name,
      poe: poe.value,
      sortable: !poe.value && own.length > 1 && own.length === channels.value.length,
      channels: channels.value.slice(0, 256).map((c) => ({
        channel: c.channel,
        name: c.name || `Channel ${c.channel}`,
        address: c.address || null,
        online: c.online,
      })),
      // A recorder that cannot search offers none; cameras are then added by their address.
      seen: (seen.ok ? seen.value : [])
        .filter((c) => !there.has(c.address))
        .slice(0, 256)
        .map(({ address, port, protocol, model, serial }) => ({
          ...{ address, port, protocol: protocol.slice(0, 32) },
          ...{ model: model || null, serial: serial || null },
        })),
    },
  };
}
