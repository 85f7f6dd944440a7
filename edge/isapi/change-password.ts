import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import { document, failure, type IsapiFailure, type Result } from './answer.ts';
import { IsapiClient } from './client.ts';
import { type DeviceInfo, readDeviceInfo } from './device.ts';
import { putDocument } from './edit-xml.ts';
import { list, text } from './xml.ts';
import { encodeText } from './xml-scan.ts';

const NOT_UNDERSTOOD =
  /^(badXmlContent|badXmlFormat|badParameters|MessageParametersLack|needLoginPassword|invalidContent)$/i;
const XMLNS = 'version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"';

/** Of a change whose outcome is not known: either password may be the one. */
export const UNCERTAIN = 'uncertain';

/**
 * Gives a user of a device another password, with the old one (PWD-06). Each password is tried once: the old one before anything is sent, the
 * new one afterwards, so that what this says is known and not hoped. `accept` looks at who answered before the new password goes there.
 */
export async function changePassword(o: {
  host: string;
  port: number;
  tls?: DeviceTls;
  username: string;
  oldPassword: string;
  newPassword: string;
  accept: (info: DeviceInfo) => string | null;
  clock: Clock;
  log: Logger;
  signal?: AbortSignal;
}): Promise<Result<void>> {
  const clientFor = (password: string, prefix?: string) => {
    const { host, port, tls, username, clock, log } = o;
    const client = new IsapiClient({ host, port, tls, username, password, guard: new LoginGuard(), clock, log });
    if (prefix !== undefined) client.prefix = prefix;
    return client;
  };
  const old = clientFor(o.oldPassword);
  try {
    const info = await readDeviceInfo(old, o.signal);
    if (!info.ok) return info;
    const other = o.accept(info.value);
    if (other) return failure('device-error', other);
    const users = await old.get('/Security/users', { signal: o.signal });
    if (!users.ok) return users;
    const own = list(document(users.value.body, 'UserList') ?? '', 'User').find(
      (user) => text(user, 'userName') === o.username,
    );
    const id = text(own, 'id');
    if (!own || !/^\d{1,4}$/.test(id)) return failure('device-error', `It does not list the user ${o.username}.`);
    const put = await write(old, o, id, text(own, 'userLevel'));
    if (!put.ok && put.code !== 'device-unreachable') return told(put);
    return await settle(clientFor(o.newPassword, old.prefix), put, o.signal);
  } finally {
    old.close();
  }
}

/** The ways that firmware wants it, the plain one first: newer asks for the old password in the document too. */
async function write(
  client: IsapiClient,
  o: { username: string; oldPassword: string; newPassword: string; signal?: AbortSignal },
  id: string,
  level: string,
): Promise<Result<unknown>> {
  const user = (more: string) =>
    `<?xml version="1.0" encoding="UTF-8"?><User ${XMLNS}><id>${id}</id><userName>${encodeText(o.username)}</userName><password>${encodeText(o.newPassword)}</password>${more}</User>`;
  const login = `<loginPassword>${encodeText(o.oldPassword)}</loginPassword>`;
  const ways = ['', login, `${level && `<userLevel>${encodeText(level)}</userLevel>`}${login}`];
  let last: Result<unknown> = failure('device-error', 'It took no password.');
  for (const more of ways) {
    last = await putDocument({ client }, `/Security/users/${id}`, user(more), o.signal);
    if (last.ok || !NOT_UNDERSTOOD.test(last.subStatus ?? '')) break;
  }
  return last;
}

/** Whether the new password is the one, by one login with it. */
async function settle(client: IsapiClient, put: Result<unknown>, signal?: AbortSignal): Promise<Result<void>> {
  try {
    const check = await client.get('/Security/userCheck', { signal });
    if (check.ok || (check.code === 'device-error' && check.status === 404)) return { ok: true, value: undefined };
    if (check.code === 'device-refused-login') {
      return put.ok
        ? failure('device-error', 'It took the new password and still has the old one: nothing was changed.')
        : failure('device-error', 'It did not take the new password: nothing was changed.');
    }
    return failure('device-unreachable', 'It went away in between: the old or the new password is the one.', {
      subStatus: UNCERTAIN,
    });
  } finally {
    client.close();
  }
}

const REASONS: Record<string, string> = {
  riskPassword: 'It refuses the new password as too weak: mix three kinds of characters.',
  userPwdLenUnder8: 'It refuses the new password as too short.',
  passwordLenNoMoreThan16: 'It refuses the new password as too long.',
  userPwdNameSame: 'It refuses a password that holds the user name.',
  lowPrivilege: 'This user may not change passwords on it.',
};
function told(f: IsapiFailure): IsapiFailure {
  const reason = REASONS[f.subStatus ?? ''];
  return reason ? { ...f, text: reason } : f;
}
