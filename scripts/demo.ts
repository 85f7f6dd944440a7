import { setTimeout as sleep } from 'node:timers/promises';

interface Address {
  host: string;
  port: number;
}

interface LabReady {
  devices: { name: string; kind: string; mac: string; username: string; password: string }[];
  arc: { direct: Address; relay: Address };
}

type Json = Record<string, unknown> & { items?: Json[] };

/** One signed-in client of a JSON API. */
function client(baseUrl: string, headers: Record<string, string> = {}) {
  return async (
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Json; cookie: string | null }> => {
    const response = await fetch(baseUrl + path, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : {}, cookie: response.headers.get('set-cookie') };
  };
}

function expectOk(what: string, { status, body }: { status: number; body: Json }): Json {
  if (status >= 300) throw new Error(`${what}: ${status} ${body.code ?? ''} ${body.detail ?? body.title ?? ''}`);
  return body;
}

async function until<T>(what: string, read: () => Promise<T | null | undefined | false>): Promise<T> {
  for (let i = 0; i < 300; i++) {
    const found = await read();
    if (found) return found;
    await sleep(200);
  }
  throw new Error(`waited a minute for ${what}`);
}

/**
 * What an installer does on the first day, through the same pages' APIs: claims the box, adds the cameras that it found,
 * registers the alarm receiving centre. Run again it changes nothing that is there.
 */
export async function installDemo(o: {
  portal: string;
  setup: string;
  lab: LabReady;
  login: { email: string; password: string };
  setupPassword: string;
}): Promise<void> {
  const anonymous = client(`${o.setup}/api/setup`);
  const { firstUse, serial } = expectOk('set-up page', await anonymous('GET', '/state'));
  const signedIn = await anonymous('POST', firstUse ? '/password' : '/login', { password: o.setupPassword });
  expectOk('sign-in at the set-up page', signedIn);
  const setup = client(`${o.setup}/api/setup`, { cookie: (signedIn.cookie as string).split(';')[0] as string });

  const { token } = expectOk(
    'sign-in at the portal',
    await client(`${o.portal}/api/v1`)('POST', '/auth/login', o.login),
  );
  const portal = client(`${o.portal}/api/v1`, { authorization: `Bearer ${token}` });
  const site = expectOk('sites', await portal('GET', '/sites')).items?.[0] as Json;

  const boxes = () => portal('GET', `/sites/${site.id}/boxes`).then((r) => expectOk('boxes', r).items as Json[]);
  if (!(await boxes()).some((b) => b.serial === serial)) {
    await until(
      'the box at the relay',
      async () => (expectOk('status', await setup('GET', '/status')).relay as Json).mqtt,
    );
    const claim = expectOk('status', await setup('GET', '/status')).claim as Json;
    expectOk('claim', await portal('POST', `/sites/${site.id}/boxes`, { serial, code: claim.code }));
  }
  await until('the box online', async () => (await boxes()).some((b) => b.serial === serial && b.online && b.tunnel));

  const devices = expectOk('devices', await portal('GET', `/sites/${site.id}/devices`)).items as Json[];
  for (const camera of o.lab.devices) {
    // One has no password yet: it is for the installer to activate; those of other kinds are for the installer to add.
    if (camera.kind !== 'camera' || !camera.password || devices.some((d) => d.mac === camera.mac)) continue;
    const found = await until(`${camera.name} on the LAN`, async () => {
      const list = expectOk('discovery', await portal('GET', `/sites/${site.id}/discovery`)).items as Json[];
      return list.find((d) => d.mac === camera.mac);
    });
    const added = await portal('POST', `/sites/${site.id}/devices`, {
      boxSerial: serial,
      name: camera.name,
      mac: found.mac,
      serial: found.serial,
      host: found.address,
      httpPort: found.httpPort,
      username: camera.username,
      password: camera.password,
    });
    devices.push(expectOk(`adding ${camera.name}`, added));
  }

  const receivers = expectOk('receivers', await portal('GET', '/receivers')).items as Json[];
  const receiver =
    receivers[0] ??
    expectOk(
      'receiver',
      await portal('POST', '/receivers', { name: 'Night Watch ARC', ...o.lab.arc, transport: 'tcp' }),
    );
  const accounts = expectOk('accounts', await portal('GET', `/sites/${site.id}/arc`)).items as Json[];
  if (accounts.length === 0) {
    const account = {
      boxSerial: serial,
      receiverId: receiver.id,
      account: '1234',
      protocol: 'SIA-DCS',
      mode: 'direct-or-relay',
      events: [
        'motion',
        'lineCrossing',
        'intrusion',
        'regionEntrance',
        'regionExiting',
        'tamper',
        'videoLoss',
        'alarmInput',
      ],
      zones: devices.map((d, i) => ({ deviceId: d.id, channel: null, zone: i + 1 })),
      supervision: { kind: 'test', intervalMs: 86_400_000 },
    };
    expectOk('account', await portal('POST', `/sites/${site.id}/arc`, account));
  }
  // Ready means ready: cameras answer and their pictures are in the pre-roll.
  await until('the cameras', async () => {
    const list = expectOk('devices', await portal('GET', `/sites/${site.id}/devices`)).items as Json[];
    // One that a person activated and added comes when it comes.
    const ours = list.filter((d) =>
      o.lab.devices.some((camera) => camera.kind === 'camera' && camera.password && camera.mac === d.mac),
    );
    const streaming = (d: Json) => {
      const health = d.health as { state: string; channels: { video: string }[] } | null;
      return health?.state === 'online' && health.channels.every((c) => c.video === 'streaming');
    };
    return ours.length > 0 && ours.every(streaming);
  });
}
