import type { Logger } from 'pino';
import type { z } from 'zod';
import type { Clock } from '../../protocol/clock.ts';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import type {
  Addressing,
  BoxRecovery,
  BoxReset,
  BoxSetAddress,
  BoxUnbind,
  LanDone,
  LanQuestions,
} from '../../protocol/wire/lan.ts';
import type { ProblemCode } from '../../protocol/wire/problem.ts';
import { isSame } from '../devices/address.ts';
import type { DeviceManager } from '../devices/manager.ts';
import type { RefusedLogins } from '../devices/refused-logins.ts';
import type { Discovery } from '../discovery/discovery.ts';
import type { SadpCommander } from '../discovery/sadp-commander.ts';
import { type WayTo, wayTo } from '../https/way.ts';
import { failure, type IsapiFailure, type Result } from '../isapi/answer.ts';
import { IsapiClient } from '../isapi/client.ts';
import { readDeviceInfo } from '../isapi/device.ts';
import { setAddressing } from '../isapi/features/network.ts';
import { writeQuestions } from '../isapi/features/password-recovery.ts';
import { IsapiDevice } from '../isapi/isapi-device.ts';

type Done<T = z.infer<typeof LanDone>> = { ok: true; value: T } | { ok: false; code: ProblemCode; detail: string };
type LanSearch = Pick<Discovery, 'byMac' | 'at' | 'scan' | 'permits'>;
type LanDevices = Pick<DeviceManager, 'operate'>;
type LanCommands = Pick<
  SadpCommander,
  'inquire' | 'setAddressing' | 'questions' | 'setQuestions' | 'setMailbox' | 'answerReset' | 'unbind'
>;
const MAX_AT_ONCE = 8;
const LOOK_MS = [2_000, 3_000, 5_000];

/**
 * Work on devices of the LAN by their MAC, added or not. Each password is tried in one way only: what ISAPI refused is not
 * tried again over SADP.
 */
export class LanWork {
  readonly #discovery: LanSearch;
  readonly #devices: LanDevices;
  readonly #sadp: LanCommands;
  readonly #refused: Pick<RefusedLogins, 'guard' | 'forget'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #way: WayTo;
  readonly #busy = new Set<string>();

  constructor(o: {
    discovery: LanSearch;
    devices: LanDevices;
    sadp: LanCommands;
    refused: Pick<RefusedLogins, 'guard' | 'forget'>;
    way?: WayTo;
    clock: Clock;
    log: Logger;
  }) {
    this.#discovery = o.discovery;
    this.#devices = o.devices;
    this.#sadp = o.sadp;
    this.#refused = o.refused;
    this.#clock = o.clock;
    this.#way = o.way ?? wayTo(o);
    this.#log = o.log.child({ module: 'lan' });
  }

  setAddress(o: z.infer<typeof BoxSetAddress>): Promise<Done> {
    return this.#alone(o.mac, 'address', async (device) => {
      const done = await this.#setAddress(device, o);
      if (!done.ok) return done;
      void this.#discovery.scan();
      return done;
    });
  }

  /** What of a reset the device offers, and its questions (PWD-07). */
  questions(mac: string): Promise<Done<LanQuestions>> {
    return this.#alone(mac, 'questions', async (device) => {
      const state = await this.#sadp.inquire(device.mac);
      if (!state.ok) return state;
      const asked = state.value.canAnswerQuestions ? await this.#sadp.questions(device.mac) : null;
      return { ok: true, value: { mail: state.value.canMail, questions: asked?.ok ? asked.value : [] } };
    });
  }

  setRecovery({ mac, password, recovery }: z.infer<typeof BoxRecovery>): Promise<Done> {
    return this.#alone(mac, 'recovery', async (device) => {
      if (recovery.answers) {
        const { answers } = recovery;
        const viaIsapi = await this.#withIsapi(device, password, (d) => writeQuestions(d, password, answers));
        // Not for what ISAPI refused: only where it has no such thing, or is not reached.
        const other = !viaIsapi.ok && (viaIsapi.code === 'device-unreachable' || viaIsapi.status === 404);
        const done = other ? await this.#sadp.setQuestions(device.mac, password, answers) : viaIsapi;
        if (!done.ok) return done;
      }
      if (recovery.email === null) return at(device);
      const mail = await this.#sadp.setMailbox(device.mac, password, recovery.email);
      return mail.ok ? at(device) : mail;
    });
  }

  reset({ mac, answers, newPassword }: z.infer<typeof BoxReset>): Promise<Done> {
    return this.#alone(mac, 'reset', async (device) => {
      const done = await this.#sadp.answerReset(device.mac, answers, newPassword);
      if (done.ok) this.#refused.forget(device.mac);
      return done.ok ? at(device) : done;
    });
  }

  unbind({ mac, password }: z.infer<typeof BoxUnbind>): Promise<Done> {
    return this.#alone(mac, 'unbind', async (device) => {
      const done = await this.#sadp.unbind(device.mac, password);
      return done.ok ? at(device) : done;
    });
  }

  async #alone<T>(mac: string, what: string, fn: (device: DiscoveredDevice) => Promise<Result<T>>): Promise<Done<T>> {
    const refuse = (code: ProblemCode, detail: string) => ({ ok: false as const, code, detail });
    const device = this.#discovery.byMac(mac);
    if (!device) return refuse('not-found', `No device with the MAC ${mac} is seen on the LAN.`);
    const name = `${device.model} at ${device.address}`;
    if (this.#busy.has(device.mac)) return refuse('conflict', `Something else is being done to ${name}.`);
    if (this.#busy.size >= MAX_AT_ONCE) return refuse('too-many-tries', 'Other devices are being worked on: wait.');
    this.#busy.add(device.mac);
    try {
      const done = await fn(device);
      this.#log.info({ mac: device.mac, what, result: done.ok ? 'done' : (done.subStatus ?? done.code) }, 'LAN work');
      return done.ok ? done : refuse(done.code, `${name}: ${done.text}`);
    } finally {
      this.#busy.delete(device.mac);
    }
  }

  async #setAddress(
    device: DiscoveredDevice,
    { deviceId, password, to }: z.infer<typeof BoxSetAddress>,
  ): Promise<Result<z.infer<typeof LanDone>>> {
    if (deviceId !== null) {
      const set = to.dhcp
        ? { dhcp: true }
        : {
            dhcp: false,
            address: to.address,
            subnetMask: to.subnetMask,
            gateway: to.gateway ?? '',
            ...(to.dns[0] && { dns1: to.dns[0] }),
            ...(to.dns[1] && { dns2: to.dns[1] }),
          };
      const done = await this.#devices.operate(deviceId, (driver) => driver.writeSettings('network', {}, set));
      if (done.ok) return this.#moved(device, to);
      // Its login is known to be refused, or it said no: only what was not reached may be reached otherwise.
      if (password === null || !['device-unreachable', 'not-found'].includes(done.code))
        return failure(done.code as IsapiFailure['code'], done.detail);
    }
    if (password === null) return failure('invalid-request', 'Enter its password.');
    if (this.#discovery.at(device.address).length === 1) {
      const done = await this.#withIsapi(device, password, (isapi) => setAddressing(isapi, to));
      if (done.ok) return this.#moved(device, to);
      if (done.code !== 'device-unreachable') return done;
    }
    const done = await this.#sadp.setAddressing(device.mac, password, to);
    if (!done.ok) return done;
    const noDns = !to.dhcp && to.dns.length > 0;
    return {
      ok: true,
      value: { address: done.value.address, text: noDns ? 'Name servers could not be set this way.' : null },
    };
  }

  /** Where it is now; a device that went by DHCP may take a while to say so. */
  async #moved(device: DiscoveredDevice, to: Addressing): Promise<Result<z.infer<typeof LanDone>>> {
    for (const ms of LOOK_MS) {
      await this.#clock.sleep(ms);
      const now = await this.#sadp.inquire(device.mac);
      if (now.ok && (to.dhcp ? now.value.dhcp === true : now.value.address === to.address))
        return { ok: true, value: { address: now.value.address, text: null } };
    }
    const address = to.dhcp ? null : to.address;
    return { ok: true, value: { address, text: 'It took the address and was not seen there yet.' } };
  }

  async #withIsapi<T>(
    { mac, serial, address: host, httpPort }: DiscoveredDevice,
    password: string,
    fn: (device: IsapiDevice) => Promise<Result<T>>,
  ): Promise<Result<T>> {
    if (!this.#discovery.permits(host))
      return failure('device-unreachable', 'It is outside of what this box may reach.');
    const [clock, log] = [this.#clock, this.#log];
    const login = { username: 'admin', password, guard: this.#refused.guard(mac, 'admin', password) };
    const { port, tls } = await this.#way({ mac, host, port: httpPort ?? 80 });
    const client = new IsapiClient({ host, port, tls, ...login, clock, log });
    try {
      const info = await readDeviceInfo(client);
      if (!info.ok) return info;
      if (!isSame(info.value, { mac, serial: serial || null }))
        return failure('device-error', 'Another device answers at its address.');
      return await fn(new IsapiDevice({ client, info: info.value, channels: [], clock, log }));
    } finally {
      client.close();
    }
  }
}

const at = (device: DiscoveredDevice) => ({ ok: true as const, value: { address: device.address, text: null } });
