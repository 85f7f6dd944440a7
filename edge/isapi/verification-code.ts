import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import type { CodeOutcome } from '../../protocol/wire/verification-code.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import { document } from './answer.ts';
import { IsapiClient } from './client.ts';
import { writeDocument } from './edit-xml.ts';
import { list } from './xml.ts';

const PATH = '/System/Network/EZVIZ';

/**
 * Sets the verification code of the device's P2P service, and nothing else of it (isapi.md §6 EZVIZ; INIT-25). The device
 * reads it back empty, so its own answer is all there is.
 */
export async function setVerificationCode(o: {
  host: string;
  port: number;
  tls?: DeviceTls;
  username: string;
  password: string;
  code: string;
  clock: Clock;
  log: Logger;
  signal?: AbortSignal;
}): Promise<CodeOutcome> {
  const { host, port, tls, username, password, clock, log, signal } = o;
  const client = new IsapiClient({ host, port, tls, username, password, guard: new LoginGuard(), clock, log });
  try {
    const there = await client.get(PATH, { signal });
    if (!there.ok) return there.code === 'device-error' ? 'none' : 'failed';
    if (list(document(there.value.body, 'EZVIZ') ?? undefined, 'verificationCode').length === 0) return 'none';
    const written = await writeDocument({ client }, PATH, [{ path: ['verificationCode'], value: o.code }], signal);
    if (!written.ok) log.info({ host, code: written.code, text: written.text }, 'the verification code was not set');
    return written.ok ? 'set' : 'failed';
  } finally {
    client.close();
  }
}
