import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { ActivateRequest, ActivateResult } from '../../protocol/wire/box-api.ts';
import type { ProblemCode } from '../../protocol/wire/problem.ts';
import type { Discovery } from '../discovery/discovery.ts';
import { activate } from '../isapi/activation.ts';

const MAX_AT_ONCE = 8;

/**
 * Gives devices of the LAN their first password (INIT-02). Only what the search lists as not activated is talked to, at
 * the address where it was seen: whoever answers there gets the password.
 */
export class Activator {
  readonly #discovery: Pick<Discovery, 'byMac' | 'at' | 'scan'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #busy = new Set<string>();

  constructor(o: { discovery: Pick<Discovery, 'byMac' | 'at' | 'scan'>; clock: Clock; log: Logger }) {
    this.#discovery = o.discovery;
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'activation' });
  }

  async activate({
    mac,
    password,
  }: ActivateRequest): Promise<
    { ok: true; result: ActivateResult } | { ok: false; code: ProblemCode; detail: string }
  > {
    const refuse = (code: ProblemCode, detail: string) => ({ ok: false as const, code, detail });
    const device = this.#discovery.byMac(mac);
    if (!device) return refuse('not-found', `No device with the MAC ${mac} is seen on the LAN.`);
    const name = `${device.model} at ${device.address}`;
    if (device.activated === true) return refuse('conflict', `${name} is activated already.`);
    if (device.activated === null) return refuse('conflict', `${name} cannot be activated: it does not know of it.`);
    if (this.#discovery.at(device.address).length > 1) {
      return refuse(
        'conflict',
        `Several devices use the address ${device.address}: the password could go to another one. Connect one after the other, or change their addresses.`,
      );
    }
    if (this.#busy.has(device.mac)) return refuse('conflict', `${name} is being activated.`);
    if (this.#busy.size >= MAX_AT_ONCE)
      return refuse('too-many-tries', 'Other devices are being activated: wait a moment.');
    this.#busy.add(device.mac);
    try {
      const { address: host, httpPort } = device;
      const done = await activate({ host, port: httpPort ?? 80, password, clock: this.#clock });
      this.#log.info(
        { mac: device.mac, host, result: done.ok ? 'activated' : (done.subStatus ?? done.code) },
        'activation',
      );
      if (!done.ok) return refuse(done.subStatus === 'hasActivated' ? 'conflict' : done.code, `${name}: ${done.text}`);
      // So that the list says soon what it is now.
      void this.#discovery.scan();
      return { ok: true, result: { mac: device.mac, weak: done.value.weak } };
    } finally {
      this.#busy.delete(device.mac);
    }
  }
}
