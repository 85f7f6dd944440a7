import type { Addressing } from '../../protocol/wire/lan.ts';
import type { DeviceCategory } from '../../protocol/wire/operations.ts';
import type { SadpState } from '../discovery/sadp-command.ts';
import type { SadpCommander } from '../discovery/sadp-commander.ts';
import { failure, type Result } from '../isapi/answer.ts';
import type { Addresses, At, DeviceInHand } from './hands.ts';

const lacking = async () => failure('not-found', 'It answers to SADP only, which does not reach that.');

/**
 * A device that speaks no ISAPI: only its address can be set, over SADP. Its password is checked then, once. Not proven by a
 * captured device.
 */
export class SadpInHand implements DeviceInHand {
  readonly #sadp: Pick<SadpCommander, 'setAddressing'>;
  readonly #at: At;
  readonly #state: SadpState;
  readonly category: DeviceCategory;
  readonly channels = [];

  constructor(o: {
    sadp: Pick<SadpCommander, 'setAddressing'>;
    at: At;
    category: DeviceCategory;
    state: SadpState;
  }) {
    this.#sadp = o.sadp;
    this.#at = o.at;
    this.#state = o.state;
    this.category = o.category;
  }

  get model(): string {
    return this.#state.model || this.#at.model;
  }
  get mac(): string {
    return this.#state.mac;
  }
  get serial(): string {
    return this.#state.serial;
  }
  get firmware(): string | null {
    return this.#state.firmware;
  }

  async addresses(): Promise<Result<Addresses>> {
    const { dhcp, address, subnetMask, gateway } = this.#state;
    const value = { dhcp: dhcp === true, address, subnetMask: subnetMask ?? '', gateway: gateway ?? '', dns: [] };
    return { ok: true, value };
  }

  async setAddressing(
    to: Addressing,
    signal: AbortSignal,
  ): Promise<Result<{ moved: boolean; rebootRequired: boolean }>> {
    const { mac, password } = this.#at;
    const set = await this.#sadp.setAddressing(mac, password, to, signal);
    if (!set.ok) return set;
    return { ok: true, value: { moved: set.value.address !== this.#state.address, rebootRequired: false } };
  }

  readonly reboot = lacking;
  readonly syncTime = lacking;
  readonly initialiseDisks = lacking;
  readonly watchMotion = lacking;
  readonly encode = lacking;
  readonly enablePlatform = lacking;
  readonly isPoeRecorder = lacking;
  close(): void {}
}
