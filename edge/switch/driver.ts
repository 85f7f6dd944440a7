import { networkInterfaces } from 'node:os';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { LoginGuard } from '../devices/login-guard.ts';
import type { DeviceInfo, Driver, DriverChannel } from '../drivers/driver.ts';
import { FeatureDriver } from '../drivers/feature-driver.ts';
import { FeatureSet } from '../drivers/feature-set.ts';
import type { StreamEnd } from '../isapi/alert-stream.ts';
import { failure, type Result } from '../isapi/answer.ts';
import { type SwitchDevice, switchFeature } from './feature.ts';
import { CHASSIS, ENTITY, SYSTEM } from './oids.ts';
import { macOf, numberOf, Snmp, textOf } from './snmp.ts';

const SNMP_PORT = 161;
const HTTP_PORT = 80;
const LOOK_MS = 15_000;
const MISSES = 2;

/**
 * A switch by SNMP v2c or v3 (NET-33 as far as standard MIBs go): it is identified, shown, and a port restarted. No switch
 * of the makers in the field was captured, so all of it follows the standards only.
 */
export class SwitchDriver extends FeatureDriver<SwitchDevice> implements Driver {
  readonly host: string;
  readonly port: number;
  readonly #snmp: Snmp;
  readonly #guard: LoginGuard;
  readonly #clock: Clock;
  readonly #device: SwitchDevice;
  /** Of this connection. */
  #features: FeatureSet<SwitchDevice> | null = null;
  #look: () => void = () => {};

  constructor(o: {
    host: string;
    port: number;
    username: string;
    password: string;
    guard: LoginGuard;
    clock: Clock;
    log: Logger;
    /** The box's own hardware addresses. */
    macs?: () => string[];
    /** For one try of one question. */
    timeoutMs?: number;
  }) {
    super();
    this.host = o.host;
    this.port = o.port;
    this.#guard = o.guard;
    this.#clock = o.clock;
    // Devices are added with the port of their web page.
    const port = o.port === HTTP_PORT ? SNMP_PORT : o.port;
    this.#snmp = new Snmp({ ...o, port });
    this.#device = { snmp: this.#snmp, clock: o.clock, macs: o.macs ?? ownMacs, last: null };
  }

  async identify(): Promise<Result<DeviceInfo>> {
    const refused = this.#guard.refused;
    if (refused) return failure(refused.locked ? 'device-locked' : 'device-refused-login', refused.text);
    const system = await this.#snmp.get(Object.values(SYSTEM));
    if (!system.ok) {
      if (system.code === 'device-refused-login') this.#guard.refuse('snmp', system.text);
      return system;
    }
    const entity = await this.#snmp.columns(ENTITY);
    const said = (oid: string) => textOf(system.value.get(oid), 64);
    const rows = entity.ok ? entity.value : null;
    const chassis = rows
      ? ([...rows.class].find(([, value]) => numberOf(value) === CHASSIS)?.[0] ?? [...rows.serial.keys()][0])
      : undefined;
    const part = (name: keyof typeof ENTITY) => (rows && chassis ? textOf(rows[name].get(chassis), 64) : '');
    this.#features = new FeatureSet({
      features: [switchFeature],
      device: this.#device,
      category: 'switch',
      missed: () => this.#snmp.missed,
    });
    return {
      ok: true,
      value: {
        name: said(SYSTEM.name),
        model: part('model') || said(SYSTEM.descr) || said(SYSTEM.objectId) || 'Switch',
        serial: part('serial'),
        mac: macOf(system.value.get(SYSTEM.bridgeAddress)) ?? macOf(system.value.get(SYSTEM.lldpChassis)),
        firmware: part('software') || part('firmware') || null,
        deviceType: 'switch',
        recorder: false,
      },
    };
  }

  async channels(): Promise<Result<DriverChannel[]>> {
    return { ok: true, value: [] };
  }

  async clockDrift(): Promise<number | null> {
    return null;
  }

  /** It sends no events here (traps need a fixed port and its own settings); it is looked after by asking. */
  async listen(o: Parameters<Driver['listen']>[0]): Promise<StreamEnd> {
    o.onOpen();
    for (let missed = 0; ; ) {
      const stopped = await this.#pause(o.signal);
      if (stopped) return { how: 'stopped', text: 'It is no longer looked after.' };
      const answer = await this.#snmp.get([SYSTEM.upTime]);
      missed = answer.ok ? 0 : missed + 1;
      if (missed >= MISSES) return { how: 'lost', text: 'It does not answer any more.' };
    }
  }

  #pause(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve(signal.aborted);
      };
      const cancel = this.#clock.after(LOOK_MS, end);
      this.#look = end;
      signal.addEventListener('abort', end);
      if (signal.aborted) end();
    });
  }

  check(): void {
    this.#look();
  }

  async snapshot(): Promise<Result<Buffer>> {
    return failure('not-found', 'It has no such channel.');
  }

  protected features(): FeatureSet<SwitchDevice> | null {
    return this.#features;
  }

  async close(): Promise<void> {
    this.#snmp.close();
    this.#look();
  }
}

const ownMacs = (): string[] =>
  Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).filter((a) => !a.internal).map((a) => a.mac.toLowerCase()),
  );
