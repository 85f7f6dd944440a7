import type { Feature } from '../../drivers/feature.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { clean, list, text } from '../xml.ts';

const USERS = '/Security/users';

/** Users of a device. Its password is changed by the box as a whole, which has to go on with the new one. */
export const users: Feature<IsapiDevice> = {
  async offer(device, signal) {
    if (!(await device.has(USERS, signal))) return {};
    return { lists: [{ list: 'users', channels: null }] };
  },
  lists: {
    async users(device, _, signal) {
      const got = await device.get(USERS, signal);
      if (!got.ok) return got;
      const items = list(got.value.node, 'User').flatMap((user) => {
        const [id, name] = [clean(text(user, 'id'), 16), clean(text(user, 'userName'), 64)];
        const enabled = text(user, 'enabled');
        return id === '' || name === ''
          ? []
          : [
              {
                id,
                name,
                values: { userLevel: clean(text(user, 'userLevel'), 32), enabled: !/^false$/i.test(enabled) },
              },
            ];
      });
      return { ok: true, value: items };
    },
  },
};
