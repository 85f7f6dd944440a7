import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { ProbeRequest, ProbeResult } from '../../protocol/wire/box-api.ts';
import type { SpokenKind } from '../../protocol/wire/desired.ts';
import { driverFor } from '../drivers/driver-for.ts';
import { findWay } from '../https/way.ts';
import type { IsapiFailure, Result } from '../isapi/answer.ts';
import { LoginGuard } from './login-guard.ts';

/**
 * Finds out what a device speaks and whether a person's login is right: one login in each protocol at the most. ONVIF follows
 * only where nothing speaks ISAPI; a login that ISAPI refused is not tried there as well, because devices count together.
 */
export async function probeDevice(
  { host, httpPort, tls: known, username, password, kind = 'auto' }: ProbeRequest,
  o: { clock: Clock; log: Logger; httpsPorts?: readonly number[] },
): Promise<Result<ProbeResult>> {
  const { clock, log, httpsPorts } = o;
  // A switch is asked by SNMP, and an added device as it was added.
  const asItIs = known !== undefined || kind === 'snmp';
  const { port, tls } = asItIs
    ? { port: httpPort, tls: known }
    : await findWay({ host, port: httpPort, kind, clock, httpsPorts });
  const ask = async (as: SpokenKind): Promise<Result<ProbeResult>> => {
    const driver = driverFor(as, {
      host,
      port,
      tls,
      username,
      password,
      guard: new LoginGuard(),
      reserveTries: 0,
      clock,
      log,
    });
    try {
      const info = await driver.identify();
      if (!info.ok) return info;
      const { model, serial, mac, firmware, deviceType } = info.value;
      const found = await driver.channels();
      // Who a device is can be open to all, while its channels want a login.
      if (!found.ok && (found.code === 'device-refused-login' || found.code === 'device-locked')) return found;
      const channels = found.ok ? found.value.map(({ channel, name }) => ({ channel, name })) : [];
      return {
        ok: true,
        value: { kind: as, model, serial, mac, firmware, deviceType, httpPort: port, ...(tls && { tls }), channels },
      };
    } finally {
      driver.close();
    }
  };
  if (kind !== 'auto') return ask(kind);
  const isapi = await ask('isapi');
  if (isapi.ok || !isOther(isapi)) return isapi;
  const onvif = await ask('onvif');
  // Where neither is spoken, the first answer tells more.
  return onvif.ok || onvif.code !== 'device-error' || onvif.subStatus ? onvif : isapi;
}

/** Something answers there, and it is no ISAPI: another page, or nothing at that address. */
const isOther = (f: IsapiFailure): boolean =>
  f.code === 'device-error' && !f.subStatus && f.status !== 403 && f.status !== 503;
