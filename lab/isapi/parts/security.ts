import type { MakePart } from '../../devices/device.ts';
import { badPassword } from '../../devices/factory.ts';
import { OK, refusal, statusXml } from '../answer.ts';
import { escapeXml, parseXml, textOf, XML_HEAD } from '../xml.ts';

export const userCheck = () => `${XML_HEAD}<userCheck version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
<statusValue>200</statusValue>
<statusString>OK</statusString>
<isDefaultPassword>false</isDefaultPassword>
<isRiskPassword>false</isRiskPassword>
<isActivated>true</isActivated>
</userCheck>
`;

export function userCheckRefused(state: { locked: boolean; unlockSeconds: number; triesLeft: number }): string {
  return `${XML_HEAD}<userCheck>
<statusValue>401</statusValue>
<statusString>Unauthorized</statusString>
<isIllegalLogin>true</isIllegalLogin>
<lockStatus>${state.locked ? 'lock' : 'unlock'}</lockStatus>
<unlockTime>${state.unlockSeconds}</unlockTime>
<retryLoginTime>${state.triesLeft}</retryLoginTime>
</userCheck>
`;
}

/** Port of the vendor's binary protocol: announced, and nobody listens. Not HTTP, which is easily confused. */
export const SDK_PORT = 8200;

/** userCheck, users, ports, lockout (isapi §1, §4). */
export const security: MakePart = (device) => {
  const { documents, profile } = device;
  const ns = profile.odd.namespace;
  const ports = [
    ['HTTP', () => (profile.scheme === 'https' ? 80 : device.httpPort)],
    ['RTSP', () => device.rtspPort],
    ['HTTPS', () => (profile.scheme === 'http' ? 443 : Number(new URL(device.origin).port || 443))],
    ['DEV_MANAGE', () => SDK_PORT],
  ] as const;
  ports.forEach(([protocol, port], i) => {
    const path = `/Security/adminAccesses/${i + 1}`;
    documents.add(
      path,
      `<AdminAccessProtocol><id>${i + 1}</id><enabled>${protocol !== (profile.scheme === 'http' ? 'HTTPS' : 'HTTP')}</enabled><protocol>${protocol}</protocol><portNo>0</portNo></AdminAccessProtocol>`,
      {
        fixed: ['id', 'protocol'],
        values: { portNo: [1, 65535], enabled: ['true', 'false'] },
        // The lab's own ports are those that it was started with: what is written is told, and not moved to.
        written: (is) => moved.set(protocol, textOf(is, 'portNo')!),
        live: { portNo: () => moved.get(protocol) ?? `${port()}` },
      },
    );
  });
  const moved = new Map<string, string>();
  documents.list('/Security/adminAccesses', `<AdminAccessProtocolList version="2.0" xmlns="${ns}"/>`, () =>
    ports.map((_, i) => `/Security/adminAccesses/${i + 1}`),
  );
  documents.add(
    '/Security/illegalLoginLock',
    `<IllegalLoginLock version="2.0" xmlns="${ns}"><enabled>true</enabled><maxIllegalLoginTimes>6</maxIllegalLoginTimes><maxIllegalLoginLockTime>1800</maxIllegalLoginLockTime></IllegalLoginLock>`,
    { values: { maxIllegalLoginTimes: [3, 20] } },
  );
  documents.add(
    '/Security/capabilities',
    `<SecurityCap version="2.0" xmlns="${ns}"><supportUserNums>32</supportUserNums><securityVersion opt=""/><isSupportONVIFUserManagement>true</isSupportONVIFUserManagement><isSupportSecurityQuestionConfig>true</isSupportSecurityQuestionConfig></SecurityCap>`,
    { readOnly: true },
  );

  const users = [{ id: 1, name: profile.username, level: 'Administrator' }];
  const userXml = (u: { id: number; name: string; level: string }) =>
    `<User version="2.0" xmlns="${ns}"><id>${u.id}</id><userName>${escapeXml(u.name)}</userName><userLevel>${u.level}</userLevel></User>`;
  const write = (id: number | null, body: string, mayLack: boolean) => {
    const wanted = parseXml(body);
    if (!wanted) return 'badXmlFormat';
    const name = textOf(wanted, 'userName');
    if (wanted.name !== 'User' || !name) return 'badXmlContent';
    const password = textOf(wanted, 'password');
    if (password === null && !mayLack) return 'badXmlContent';
    if (password !== null) {
      const bad = badPassword(password);
      if (bad) return bad;
    }
    const own = users.find((u) => u.id === id);
    if (id !== null && !own) return 'invalidID';
    if (own?.id === 1) {
      // A new password of the administrator needs the old one, where the firmware asks for it.
      const old = textOf(wanted, 'loginPassword');
      if (old !== null && old !== device.factory.password) return 'loginPasswordError';
      if (name !== profile.username) return 'badXmlContent';
      if (password !== null) device.factory.set(password);
      return null;
    }
    const level = textOf(wanted, 'userLevel') ?? 'Viewer';
    if (own) {
      device.users.delete(own.name);
      Object.assign(own, { name, level });
    } else users.push({ id: Math.max(...users.map((u) => u.id)) + 1, name, level });
    if (password !== null) device.users.set(name, password);
    return null;
  };

  const onvifUsers: { id: number; name: string; password: string; type: string }[] = [];
  const onvifXml = (u: (typeof onvifUsers)[number]) =>
    `<User><id>${u.id}</id><userName>${escapeXml(u.name)}</userName><userType>${u.type}</userType></User>`;

  return {
    control: {
      /** It makes another certificate. */
      certificate: async () => {
        await device.renewCertificate();
        return { certificate: device.certificate };
      },
    },
    state: () => ({ users: users.map((u) => u.name), onvifUsers: onvifUsers.map((u) => u.name) }),
    reset: (mode) => {
      if (mode === 'full') {
        users.splice(1);
        onvifUsers.splice(0);
        device.onvifUsers.clear();
      }
    },
    answer: ({ method, path, body, url }) => {
      if (path === '/Security/userCheck' && method === 'GET') return { status: 200, body: userCheck() };
      const done = (sub: string | null, more = '') => {
        const said = sub ? refusal(sub) : OK;
        return { status: said.http, body: statusXml(url, said, more, profile.odd.errorCodes) };
      };
      const text = body.toString('utf8');
      const one = /^\/Security\/users\/(\d+)$/.exec(path);
      if (path === '/Security/users') {
        if (method === 'GET') {
          const list = users.map(userXml).join('\n');
          return { status: 200, body: `${XML_HEAD}<UserList version="2.0" xmlns="${ns}">\n${list}\n</UserList>\n` };
        }
        if (method === 'POST') return done(write(null, text, false), `<id>${users.at(-1)!.id}</id>\n`);
      }
      if (one) {
        const id = Number(one[1]);
        const found = users.find((u) => u.id === id);
        if (method === 'PUT') return done(write(id, text, true));
        if (!found) return done('invalidID');
        if (method === 'GET') return { status: 200, body: `${XML_HEAD}${userXml(found)}\n` };
        if (method === 'DELETE') {
          if (id === 1) return done('lowPrivilege');
          users.splice(users.indexOf(found), 1);
          device.users.delete(found.name);
          return done(null);
        }
      }
      if (path !== '/Security/ONVIF/users' && !path.startsWith('/Security/ONVIF/users/')) return null;
      const wanted = method === 'POST' || method === 'PUT' ? parseXml(text) : null;
      if ((method === 'POST' || method === 'PUT') && !wanted) return done('badXmlFormat');
      const id = Number(path.split('/')[4] ?? 0);
      const user = onvifUsers.find((u) => u.id === id);
      if (method === 'GET') {
        const list = onvifUsers.map(onvifXml).join('\n');
        return { status: 200, body: `${XML_HEAD}<UserList version="2.0" xmlns="${ns}">\n${list}\n</UserList>\n` };
      }
      const single = wanted?.name === 'UserList' ? wanted.children[0] : wanted;
      const name = single && textOf(single, 'userName');
      const password = single && textOf(single, 'password');
      if (method === 'POST') {
        if (!name || !password) return done('badXmlContent');
        const bad = badPassword(password);
        if (bad) return done(bad);
        const type = textOf(single!, 'userType') ?? 'mediaUser';
        onvifUsers.push({ id: Math.max(0, ...onvifUsers.map((u) => u.id)) + 1, name, password, type });
        device.onvifUsers.set(name, password);
        return done(null, `<id>${onvifUsers.at(-1)!.id}</id>\n`);
      }
      if (!user) return done('invalidID');
      device.onvifUsers.delete(user.name);
      if (method === 'DELETE') onvifUsers.splice(onvifUsers.indexOf(user), 1);
      if (method === 'PUT') {
        Object.assign(user, { name: name ?? user.name, password: password ?? user.password });
        device.onvifUsers.set(user.name, user.password);
      }
      return done(null);
    },
  };
};
