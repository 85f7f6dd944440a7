import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { SpokenKind } from '../../protocol/wire/desired.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import type { LoginGuard } from '../devices/login-guard.ts';
import { IsapiDriver } from '../isapi/driver.ts';
import { OnvifDriver } from '../onvif/driver.ts';
import { SwitchDriver } from '../switch/driver.ts';
import type { Driver } from './driver.ts';

/** What every driver is made with. */
export interface DriverOptions {
  host: string;
  port: number;
  /** HTTPS, with this certificate alone; without: HTTP. */
  tls?: DeviceTls;
  username: string;
  password: string;
  guard: LoginGuard;
  clock: Clock;
  log: Logger;
  /** An event stream without a byte for so long is dead. */
  watchdogMs?: number;
  /** Do not log in when the device says that so few tries (or fewer) are left. */
  reserveTries?: number;
}

const DRIVERS: Record<SpokenKind, new (o: DriverOptions) => Driver> = {
  isapi: IsapiDriver,
  onvif: OnvifDriver,
  snmp: SwitchDriver,
};

export function driverFor(kind: SpokenKind, o: DriverOptions): Driver {
  return new DRIVERS[kind](o);
}
