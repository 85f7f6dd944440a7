import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { RefusedLogins } from '../devices/refused-logins.ts';
import type { SadpCommander } from '../discovery/sadp-commander.ts';
import { type WayTo, wayTo } from '../https/way.ts';
import type { IsapiFailure, Result } from '../isapi/answer.ts';
import { categoryOf } from '../isapi/category.ts';
import { IsapiDriver } from '../isapi/driver.ts';
import { reboot } from '../isapi/features/maintenance.ts';
import { enableMotionEverywhere } from '../isapi/features/motion.ts';
import { network, setAddressing } from '../isapi/features/network.ts';
import { enablePlatform } from '../isapi/features/platform.ts';
import { isPoeRecorder } from '../isapi/features/recorder-list.ts';
import { switchSmartCodec } from '../isapi/features/smart-codec.ts';
import { initialiseNewDisks } from '../isapi/features/storage.ts';
import { syncTime } from '../isapi/features/time.ts';
import type { IsapiDevice } from '../isapi/isapi-device.ts';
import type { Addresses, At, DeviceInHand, Hands } from './hands.ts';
import { SadpInHand } from './sadp-in-hand.ts';

const PLATFORM = '/System/Network/EZVIZ';
/** The device was not reached as one that speaks ISAPI; it refused nothing. */
const NO_ISAPI: ReadonlySet<IsapiFailure['code']> = new Set(['device-unreachable', 'device-error']);

/** Logs in by ISAPI; what does not speak it is set up as far as SADP reaches (switches). */
export class IsapiHands implements Hands {
  readonly #sadp: Pick<SadpCommander, 'inquire' | 'setAddressing'>;
  readonly #refused: Pick<RefusedLogins, 'guard'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #way: WayTo;

  constructor(o: {
    sadp: Pick<SadpCommander, 'inquire' | 'setAddressing'>;
    refused: Pick<RefusedLogins, 'guard'>;
    way?: WayTo;
    clock: Clock;
    log: Logger;
  }) {
    this.#sadp = o.sadp;
    this.#refused = o.refused;
    this.#clock = o.clock;
    this.#way = o.way ?? wayTo(o);
    this.#log = o.log.child({ module: 'initialise' });
  }

  async connect(at: At, signal: AbortSignal): Promise<Result<DeviceInHand>> {
    const { host, username, password } = at;
    const { port, tls } = await this.#way(at, signal);
    const login = { host, port, tls, username, password, guard: this.#refused.guard(at.mac, username, password) };
    const driver = new IsapiDriver({ ...login, clock: this.#clock, log: this.#log });
    const info = await driver.identify(signal);
    if (!info.ok) {
      driver.close();
      if (!at.sadp || !NO_ISAPI.has(info.code)) return info;
      const other = await this.#sadp.inquire(at.mac, signal);
      // A camera whose web server is down is not one without ISAPI.
      const category = categoryOf({ model: at.model, deviceType: '' });
      if (!other.ok || category !== 'switch') return info;
      return { ok: true, value: new SadpInHand({ sadp: this.#sadp, at, category, state: other.value }) };
    }
    const channels = await driver.channels(signal);
    const device = driver.device();
    if (!device) return { ok: false, code: 'device-error', text: 'It was lost at once.' };
    const numbers = channels.ok ? channels.value.map((c) => c.channel) : [];
    return { ok: true, value: inHand(device, numbers, () => driver.close()) };
  }
}

function inHand(device: IsapiDevice, channels: readonly number[], close: () => void): DeviceInHand {
  const { model, mac, serial, firmware } = device.info;
  return {
    model,
    mac,
    serial,
    firmware,
    channels,
    close,
    category: categoryOf(device.info),
    addresses: (signal) => readAddresses(device, signal),
    setAddressing: (to, signal) => setAddressing(device, to, signal),
    reboot: (signal) => reboot(device, signal),
    syncTime: (zone, signal) => syncTime(device, zone, signal),
    initialiseDisks: (onPercent, signal) => initialiseNewDisks(device, onPercent, signal),
    watchMotion: (channel, signal) => enableMotionEverywhere(device, channel, signal),
    encode: (channel, record, signal) =>
      switchSmartCodec(device, channel, record ? 'off-for-recording' : 'h265plus-where-h264plus', signal),
    enablePlatform: async (code, signal) =>
      (await device.has(PLATFORM, signal)) ? enablePlatform(device, code, signal) : { ok: true, value: null },
    isPoeRecorder: (signal) => isPoeRecorder(device, signal),
  };
}

async function readAddresses(device: IsapiDevice, signal: AbortSignal): Promise<Result<Addresses>> {
  const fields = await network.sections!.network!.read(device, {}, signal);
  if (!fields.ok) return fields;
  const value = (name: string) => {
    const field = fields.value.find((f) => f.name === name);
    return field && field.kind !== 'secret' ? field.value : null;
  };
  const word = (name: string) => String(value(name) ?? '');
  const [address, subnetMask, gateway] = [word('address'), word('subnetMask'), word('gateway')];
  return {
    ok: true,
    value: { dhcp: value('dhcp') === true, address, subnetMask, gateway, dns: [word('dns1'), word('dns2')] },
  };
}
