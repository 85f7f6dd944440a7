import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import type { BoxRecorder, RecorderView } from '../../protocol/wire/initialise.ts';
import type { ProblemCode } from '../../protocol/wire/problem.ts';
import { isSame } from '../devices/address.ts';
import type { DeviceManager } from '../devices/manager.ts';
import type { RefusedLogins } from '../devices/refused-logins.ts';
import { type WayTo, wayTo } from '../https/way.ts';
import { failure, type Result } from '../isapi/answer.ts';
import { IsapiDriver } from '../isapi/driver.ts';
import { addChannel, deleteChannel, editChannel, sortChannels } from '../isapi/features/recorder-edit.ts';
import { isPoeRecorder, readCamerasSeen, readRecorderChannels } from '../isapi/features/recorder-list.ts';
import type { IsapiDevice } from '../isapi/isapi-device.ts';
import type { Finder } from './finder.ts';

type Devices = Pick<DeviceManager, 'idOf' | 'operate' | 'passwordOf' | 'loginOf' | 'rereadChannels'>;
type Added = NonNullable<RecorderView['added']>;
type Camera = Extract<BoxRecorder['ask'], { do: 'add' }>['cameras'][number];
type Answer = { ok: true; view: RecorderView } | { ok: false; code: ProblemCode; detail: string };

/** The channels of a recorder of the LAN, which need not be added yet (CHAN-09…11). One login a request, none where it is added. */
export class RecorderWork {
  readonly #finder: Finder;
  readonly #devices: Devices;
  readonly #refused: Pick<RefusedLogins, 'guard'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #way: WayTo;
  readonly #busy = new Set<string>();

  constructor(o: {
    finder: Finder;
    devices: Devices;
    refused: Pick<RefusedLogins, 'guard'>;
    way?: WayTo;
    clock: Clock;
    log: Logger;
  }) {
    this.#finder = o.finder;
    this.#devices = o.devices;
    this.#refused = o.refused;
    this.#clock = o.clock;
    this.#way = o.way ?? wayTo(o);
    this.#log = o.log.child({ module: 'recorder-channels' });
  }

  async ask({ mac, username, password, ask: wanted }: BoxRecorder, signal: AbortSignal): Promise<Answer> {
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
    try {
      const ask = await this.#withLogins(mac, wanted);
      const own = this.#devices.idOf(mac);
      const done = own === null ? null : await this.#connected(own, password, name, ask, signal);
      const result = done ?? (await this.#loggedIn(found, { username, password }, name, ask, signal));
      return result.ok ? { ok: true, view: result.value } : refuse(result.code, `${name}: ${result.text}`);
    } finally {
      this.#busy.delete(mac);
    }
  }

  /** Cameras that a person chose by their MAC are added with the login that this box has of them. */
  async #withLogins(recorder: string, ask: BoxRecorder['ask']): Promise<BoxRecorder['ask']> {
    if (ask.do !== 'add') return ask;
    const cameras: Camera[] = [];
    for (const { mac, ...camera } of ask.cameras)
      cameras.push({ ...camera, ...(mac && mac !== recorder && (await this.#loginAt(mac, camera.address))) });
    return { do: 'add', cameras };
  }

  /** Of an added device, while this box sees its MAC at that address and nothing else there: recorders may say anything. */
  async #loginAt(mac: string, address: string): Promise<{ username: string; password: string } | null> {
    const found = await this.#finder.find(mac);
    if (found?.address !== address || this.#finder.rivals(found).length > 0) return null;
    const id = this.#devices.idOf(mac);
    return id === null ? null : this.#devices.loginOf(id);
  }

  /** Over the connection that is there already; null: there is none now, or another password is to be tried. */
  async #connected(
    id: string,
    password: string,
    name: string,
    ask: BoxRecorder['ask'],
    signal: AbortSignal,
  ): Promise<Result<RecorderView> | null> {
    let result = null as Result<RecorderView> | null;
    const asked = await this.#devices.operate(id, async (driver) => {
      const device = driver instanceof IsapiDriver ? driver.device() : null;
      result = device ? await work(device, name, ask, signal) : failure('conflict', 'It is no recorder.');
      return result;
    });
    if (result !== null) {
      if (ask.do !== 'read') await this.#devices.rereadChannels(id);
      return result;
    }
    if (asked.ok || password !== this.#devices.passwordOf(id)) return null;
    return asked.code === 'device-refused-login' || asked.code === 'device-locked'
      ? failure(asked.code, 'It refused the login that is kept for it.')
      : null;
  }

  async #loggedIn(
    { mac, serial, address: host, httpPort }: DiscoveredDevice,
    { username, password }: Pick<BoxRecorder, 'username' | 'password'>,
    name: string,
    ask: BoxRecorder['ask'],
    signal: AbortSignal,
  ): Promise<Result<RecorderView>> {
    const guard = this.#refused.guard(mac, username, password);
    const { port, tls } = await this.#way({ mac, host, port: httpPort ?? 80 }, signal);
    const login = { host, port, tls, username, password, guard };
    const driver = new IsapiDriver({ ...login, clock: this.#clock, log: this.#log });
    try {
      const info = await driver.identify(signal);
      if (!info.ok) return info;
      if (!isSame(info.value, { mac, serial: serial || null }))
        return failure('conflict', 'Another device answers at its address.');
      const device = driver.device();
      return device ? await work(device, name, ask, signal) : failure('conflict', 'It is no recorder.');
    } finally {
      driver.close();
    }
  }
}

async function work(
  device: IsapiDevice,
  name: string,
  ask: BoxRecorder['ask'],
  signal: AbortSignal,
): Promise<Result<RecorderView>> {
  if (!device.info.recorder) return failure('conflict', 'It is no recorder.');
  let added: Added | null = null;
  if (ask.do === 'add') added = await add(device, ask.cameras, signal);
  if (ask.do === 'edit') {
    const edited = await correct(device, ask, signal);
    if (!edited.ok) return edited;
    added = [edited.value];
  }
  if (ask.do === 'remove') {
    const removed = await deleteChannel(device, ask.channel, signal);
    if (!removed.ok) return removed;
  }
  if (ask.do === 'sort') {
    const passwords = new Map((ask.passwords ?? []).map((one) => [one.channel, one.password]));
    const sorted = await sortChannels(device, ask.order, (channel) => passwords.get(channel), signal);
    if (!sorted.ok) return sorted;
  }
  const view = await look(device, name, signal);
  return view.ok ? { ok: true, value: { ...view.value, added } } : view;
}

async function add(device: IsapiDevice, cameras: readonly Camera[], signal: AbortSignal): Promise<Added> {
  const added: Added = [];
  for (const { password, ...camera } of cameras) {
    if (password === undefined) {
      const text = 'No password of this camera is kept: enter it.';
      added.push({ address: camera.address, ok: false, code: 'password-needed', text });
      continue;
    }
    const result = await addChannel(device, { ...camera, password }, signal);
    const { address } = camera;
    if (result.ok) added.push(taken(address, result.value.channel, result.value.fault));
    else added.push({ address, ok: false, code: result.code, text: result.text });
  }
  return added;
}

/** A channel is there; whether its camera took the login is another matter (`chanDetectResult`, isapi.md §8). */
function taken(address: string, channel: number, fault: string | null): Added[number] {
  const refused = /passw|username/i.test(fault ?? '');
  return refused
    ? { address, ok: false, code: 'camera-refused-login', text: null, channel }
    : { address, ok: true, code: null, text: fault, channel };
}

async function correct(
  device: IsapiDevice,
  { channel, password }: { channel: number; password: string },
  signal: AbortSignal,
): Promise<Result<Added[number]>> {
  const channels = await readRecorderChannels(device, signal);
  if (!channels.ok) return channels;
  const address = channels.value.find((one) => one.channel === channel)?.address;
  if (address === undefined) return failure('conflict', `It has no channel ${channel} any more.`);
  const edited = await editChannel(device, { channel, password }, signal);
  return edited.ok ? { ok: true, value: taken(address, channel, edited.value.fault) } : edited;
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
          address,
          port,
          protocol: protocol.slice(0, 32),
          model: model || null,
          serial: serial || null,
        })),
    },
  };
}
