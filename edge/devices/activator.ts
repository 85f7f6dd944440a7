import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { ActivateRequest, ActivateResult, DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import type { ProblemCode } from '../../protocol/wire/problem.ts';
import type { Discovery } from '../discovery/discovery.ts';
import type { SadpCommander } from '../discovery/sadp-commander.ts';
import type { TemporaryAddresses } from '../discovery/temporary-address.ts';
import { findWay } from '../https/way.ts';
import { activate, PASSWORD_SENT } from '../isapi/activation.ts';
import type { Result } from '../isapi/answer.ts';
import { setVerificationCode } from '../isapi/verification-code.ts';
import type { RefusedLogins } from './refused-logins.ts';

const MAX_AT_ONCE = 8;

type Way = NonNullable<ActivateResult['way']>;
type Activated = Pick<ActivateResult, 'weak' | 'way' | 'code'>;

/**
 * Gives devices of the LAN their first password (INIT-02). Only what the search lists as not activated is talked to, at
 * the address where it was seen: whoever answers there gets the password. In a foreign subnet, or where several have one
 * address, the device is reached by its MAC: with a temporary address of the box beside it, else over SADP.
 */
export class Activator {
  readonly #discovery: Pick<Discovery, 'list' | 'scan'>;
  readonly #temporary: Pick<TemporaryAddresses, 'helps' | 'with'>;
  readonly #sadp: Pick<SadpCommander, 'activate'>;
  readonly #refused: Pick<RefusedLogins, 'forget'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #busy = new Set<string>();

  constructor(o: {
    discovery: Pick<Discovery, 'list' | 'scan'>;
    temporary: Pick<TemporaryAddresses, 'helps' | 'with'>;
    sadp: Pick<SadpCommander, 'activate'>;
    refused: Pick<RefusedLogins, 'forget'>;
    clock: Clock;
    log: Logger;
  }) {
    this.#discovery = o.discovery;
    this.#temporary = o.temporary;
    this.#sadp = o.sadp;
    this.#refused = o.refused;
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'activation' });
  }

  async activate(
    request: ActivateRequest,
    signal?: AbortSignal,
  ): Promise<{ ok: true; result: ActivateResult } | { ok: false; code: ProblemCode; detail: string }> {
    const refuse = (code: ProblemCode, detail: string) => ({ ok: false as const, code, detail });
    const { mac } = request;
    // From the whole list, because a batch has issues that one device alone does not show (INIT-06).
    const all = this.#discovery.list();
    const device = all.find((d) => d.mac !== '' && d.mac === mac.toLowerCase().replaceAll(':', '-'));
    if (!device) return refuse('not-found', `No device with the MAC ${mac} is seen on the LAN.`);
    const name = `${device.model} at ${device.address}`;
    if (device.activated === true) return refuse('conflict', `${name} is activated already.`);
    if (device.activated === null) return refuse('conflict', `${name} cannot be activated: it does not know of it.`);
    if (this.#busy.has(device.mac)) return refuse('conflict', `${name} is being activated.`);
    if (this.#busy.size >= MAX_AT_ONCE)
      return refuse('too-many-tries', 'Other devices are being activated: wait a moment.');
    this.#busy.add(device.mac);
    try {
      const others = all.filter((d) => d.address === device.address && d !== device);
      const done = await this.#reach(device, others, request, signal);
      const result = done.ok ? done.value.way : (done.subStatus ?? done.code);
      this.#log.info({ mac: device.mac, host: device.address, result }, 'activation');
      if (!done.ok) return refuse(done.subStatus === 'hasActivated' ? 'conflict' : done.code, `${name}: ${done.text}`);
      this.#refused.forget(device.mac);
      // So that the list says soon what it is now.
      void this.#discovery.scan();
      return { ok: true, result: { mac: device.mac, ...done.value, issues: device.issues ?? [] } };
    } finally {
      this.#busy.delete(device.mac);
    }
  }

  /** The ways one after the other, as long as the device surely has not got the password. */
  async #reach(
    device: DiscoveredDevice,
    others: DiscoveredDevice[],
    request: ActivateRequest,
    signal?: AbortSignal,
  ): Promise<Result<Activated>> {
    const shared = device.addressConflict || others.length > 0;
    const foreign = device.reachable === false;
    let tried: Result<Activated> | null = null;
    if (!shared && !foreign) tried = await this.#byIsapi(device, request, 'isapi', signal);
    // Who is at work at that address is not cut off from the box, not even for a moment.
    else if (others.every((d) => d.activated === false) && (await this.#temporary.helps(device))) {
      const use = () => this.#byIsapi(device, request, 'temporary-address', signal);
      tried = await this.#temporary.with(device, use, signal);
    }
    if (tried && (tried.ok || tried.subStatus === PASSWORD_SENT)) return tried;
    const otherWay = !tried || tried.code === 'device-unreachable' || tried.subStatus === 'notSupport';
    if (!otherWay || !device.protocols.includes('sadp')) return tried as Result<Activated>;
    const done = await this.#sadp.activate(device.mac, request.password, signal);
    if (!done.ok) return tried && done.code === 'device-unreachable' ? tried : done;
    // A code needs a login, and that a way to the device.
    const code = request.verificationCode ? ({ code: 'failed' } as const) : {};
    return { ok: true, value: { weak: done.value.weak, way: 'sadp', ...code } };
  }

  async #byIsapi(
    { address: host, httpPort }: DiscoveredDevice,
    { password, verificationCode }: ActivateRequest,
    way: Way,
    signal?: AbortSignal,
  ): Promise<Result<Activated>> {
    const clock = this.#clock;
    const { port, tls } = await findWay({ host, port: httpPort ?? 80, kind: 'isapi', clock, signal });
    const done = await activate({ host, port, tls, password, clock, signal });
    if (!done.ok) return done;
    const { weak } = done.value;
    if (!verificationCode) return { ok: true, value: { weak, way } };
    const login = { host, port, tls, username: 'admin', password, code: verificationCode };
    return {
      ok: true,
      value: { weak, way, code: await setVerificationCode({ ...login, clock, log: this.#log, signal }) },
    };
  }
}
