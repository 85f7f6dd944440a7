import type { Feature } from '../../drivers/feature.ts';
import { failure, type Result } from '../answer.ts';
import { putDocument, type Written, writeDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { clean, list, text, type XmlNode } from '../xml.ts';
import { encodeText } from '../xml-scan.ts';
import { bool, secret, words, yesNo } from './fields.ts';

const INTEGRATE = '/System/Network/Integrate';
const USERS = '/Security/ONVIF/users';

async function users(
  device: IsapiDevice,
  signal?: AbortSignal,
): Promise<{ id: string; name: string; node: XmlNode }[]> {
  const got = await device.get(USERS, signal);
  if (!got.ok) return [];
  return list(got.value.node, 'User')
    .map((node) => ({ id: text(node, 'id'), name: clean(text(node, 'userName'), 64), node }))
    .filter(({ id, name }) => /^\d{1,4}$/.test(id) && name !== '');
}

async function putUser(
  device: IsapiDevice,
  name: string,
  password: string,
  signal?: AbortSignal,
): Promise<Result<Written>> {
  const known = await users(device, signal);
  const same = known.find((user) => user.name === name);
  const free = Array.from({ length: 32 }, (_, i) => String(i + 1)).find((id) => !known.some((user) => user.id === id));
  const id = same?.id ?? free ?? '1';
  const body = `<?xml version="1.0" encoding="UTF-8"?><User version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><id>${id}</id><userName>${encodeText(name)}</userName><password>${encodeText(password)}</password><userType>administrator</userType></User>`;
  return same
    ? putDocument(device, `${USERS}/${id}?security=0`, body, signal)
    : putDocument(device, `${USERS}?security=0`, body, signal, { method: 'POST' });
}

/** ONVIF on or off, and the user that it needs: ONVIF has a list of users of its own (isapi.md §6). */
export const onvifSwitch: Feature<IsapiDevice> = {
  async offer(device, signal) {
    const got = await device.get(INTEGRATE, signal);
    const there = got.ok && list(got.value.node, 'ONVIF').length > 0;
    return there ? { sections: [{ section: 'onvif', channels: null }], unverified: ['onvif'] } : {};
  },
  sections: {
    onvif: {
      async read(device, _, signal) {
        const got = await device.get(INTEGRATE, signal);
        if (!got.ok) return got;
        const enabled = yesNo(text(got.value.node, 'ONVIF', 'enable') || text(got.value.node, 'ONVIF', 'enabled'));
        const known = await users(device, signal);
        return {
          ok: true,
          value: [
            bool('onvifEnabled', enabled),
            words('onvifUser', known[0]?.name ?? '', 64),
            secret('onvifPassword', known.length > 0, 64),
          ],
        };
      },
      async write(device, _, { onvifEnabled, onvifUser, onvifPassword }, fields, signal) {
        const before = fields.find((f) => f.name === 'onvifUser');
        const name = typeof onvifUser === 'string' ? onvifUser : before?.kind === 'text' ? (before.value ?? '') : '';
        let rebootRequired = false;
        if (onvifPassword !== undefined) {
          if (name === '') return failure('invalid-request', 'onvifUser: a name for the user.');
          const put = await putUser(device, name, String(onvifPassword), signal);
          if (!put.ok) return put;
          rebootRequired = put.value.rebootRequired;
        } else if (onvifUser !== undefined && onvifUser !== (before?.kind === 'text' ? before.value : null)) {
          return failure('invalid-request', 'onvifPassword: a new user needs a password.');
        } else if (onvifEnabled === true && name === '')
          return failure('invalid-request', 'onvifUser: without a user ONVIF lets nobody in. Enter name and password.');
        if (onvifEnabled === undefined) return { ok: true, value: { rebootRequired } };
        const written = await writeDocument(
          device,
          INTEGRATE,
          (doc) => {
            const leaf = list(doc, 'ONVIF', 'enable').length > 0 ? 'enable' : 'enabled';
            return [{ path: ['ONVIF', leaf], value: String(onvifEnabled) }];
          },
          signal,
        );
        if (!written.ok) return written;
        return { ok: true, value: { rebootRequired: rebootRequired || written.value.rebootRequired } };
      },
    },
  },
};
