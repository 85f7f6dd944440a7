import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connected, Documents } from '../testing/documents.ts';
import { ScriptedDevice } from '../testing/scripted-device.ts';
import { channel } from './channel.ts';
import { recorderChannels } from './recorder-channels.ts';
import { addChannel, sortChannels } from './recorder-edit.ts';
import { isPoeRecorder, readCamerasSeen } from './recorder-list.ts';

const PROXY = '/ContentMgmt/InputProxy/channels';
interface Kept {
  id: number;
  name: string;
  address: string;
  port: string;
  user: string;
  password: string;
  mode?: string;
}
let scripted: ScriptedDevice;
let documents: Documents;
let port: number;
let kept: Kept[];
let close = () => {};
/** What the recorder says to a new list of channels; null: yes, and takes it. */
let refuseList: string | null;

const one = (c: Kept) =>
  `<InputProxyChannel version="2.0" xmlns="urn:psialliance-org"><id>${c.id}</id><name>${c.name}</name><sourceInputPortDescriptor><proxyProtocol>HIKVISION</proxyProtocol><addressingFormatType>ipaddress</addressingFormatType><ipAddress>${c.address}</ipAddress><managePortNo>${c.port}</managePortNo><srcInputPort>1</srcInputPort><userName>${c.user}</userName><connMode>${c.mode ?? 'manual'}</connMode><streamType>auto</streamType></sourceInputPortDescriptor><enableAnr>false</enableAnr></InputProxyChannel>`;
const leaf = (xml: string, name: string) => new RegExp(`<${name}>([^<]*)<`).exec(xml)?.[1] ?? '';
/** A recorder forgets a password that it is not told again. */
const read = (xml: string, id: number): Kept => ({
  id,
  name: leaf(xml, 'name'),
  address: leaf(xml, 'ipAddress'),
  port: leaf(xml, 'managePortNo'),
  user: leaf(xml, 'userName'),
  password: leaf(xml, 'password'),
});

function show() {
  documents.set(
    PROXY,
    `<InputProxyChannelList size="0">${kept.map(one).join('\n')}</InputProxyChannelList>`,
    (body) => {
      if (refuseList) return { refuse: refuseList };
      kept = body
        .split('<InputProxyChannel ')
        .slice(1)
        .map((part) => read(part, Number(leaf(part, 'id'))));
      show();
      return null;
    },
  );
  const status = kept.map(
    (c) =>
      `<InputProxyChannelStatus><id>${c.id}</id><online>${c.password === 'Cam-pass1'}</online><chanDetectResult>${c.password === 'Cam-pass1' ? 'connect' : 'errorUserNameOrPasswd'}</chanDetectResult></InputProxyChannelStatus>`,
  );
  documents.set(`${PROXY}/status`, `<InputProxyChannelStatusList>${status.join('')}</InputProxyChannelStatusList>`);
  for (const c of kept) {
    documents.set(`${PROXY}/${c.id}`, one(c), (body) => {
      Object.assign(c, read(body, c.id));
      show();
      return null;
    });
    const put = scripted.routes.get(`/ISAPI${PROXY}/${c.id}`)!;
    scripted.routes.set(`/ISAPI${PROXY}/${c.id}`, (req, res) => {
      if (req.method !== 'DELETE') return put(req, res);
      kept = kept.filter((k) => k.id !== c.id);
      show();
      scripted.status(res, 200, 1, 'ok');
    });
  }
  const list = scripted.routes.get(`/ISAPI${PROXY}`)!;
  scripted.routes.set(`/ISAPI${PROXY}`, (req, res) => {
    if (req.method !== 'POST') return list(req, res);
    const chunks: Buffer[] = [];
    req.on('data', (part: Buffer) => chunks.push(part));
    req.on('end', () => {
      const camera = read(Buffer.concat(chunks).toString(), Math.max(0, ...kept.map((k) => k.id)) + 1);
      if (camera.address.endsWith('.99')) return scripted.status(res, 403, 4, 'ipcNumReachesLimit');
      kept.push(camera);
      show();
      scripted.status(res, 200, 1, 'ok');
    });
  });
}

beforeEach(async () => {
  scripted = new ScriptedDevice({ deviceType: 'NVR', model: 'DS-7616NI-Q2' });
  port = await scripted.start();
  documents = new Documents(scripted);
  const camera = (id: number, name: string): Kept => ({
    id,
    name,
    address: `192.0.2.${id}`,
    port: '8000',
    user: 'admin',
    password: 'Cam-pass1',
  });
  kept = [camera(1, 'Door'), camera(2, 'Yard'), camera(3, 'Gate')];
  refuseList = null;
  show();
});
afterEach(async () => {
  close();
  await scripted.stop();
});
const at = async () => {
  const channels = kept.map((k) => ({ channel: k.id, name: k.name }));
  const all = await connected(scripted, port, [channel, recorderChannels], undefined, channels);
  close = all.close;
  return all;
};

describe('the cameras of a recorder', () => {
  it('are listed with how they are connected', async () => {
    kept[1]!.password = '';
    show();
    const { features } = await at();
    expect(await features.list('recorderChannels', {})).toMatchObject({
      value: [
        { id: '1', name: 'Door', values: { address: '192.0.2.1', port: 8000, online: true, fault: null } },
        { id: '2', values: { online: false, fault: 'errorUserNameOrPasswd' } },
        { id: '3' },
      ],
    });
  });

  it('are changed with their password, which is not lost (CHAN-03)', async () => {
    const { features } = await at();
    const edit = { action: 'channelEdit', channel: 2, name: 'Côté & cour', password: 'Cam-pass1' } as const;
    expect(await features.act(edit)).toEqual({ ok: true, value: { pending: false, text: null } });
    expect(kept[1]).toMatchObject({ name: 'Côté &amp; cour', address: '192.0.2.2', password: 'Cam-pass1' });
    expect(documents.written[0]!.body).toContain('<userName>admin</userName><password>Cam-pass1</password><connMode>');
    expect(documents.written[0]!.body).toContain('<enableAnr>false</enableAnr>');
    expect(await features.act({ ...edit, password: 'other' })).toMatchObject({
      value: { text: 'errorUserNameOrPasswd' },
    });
  });

  it('are changed as settings only with the password as well (CHAN-03)', async () => {
    const { features } = await at();
    const here = { channel: 3 };
    expect(await features.write('channel', here, { name: 'Ramp' })).toMatchObject({
      ok: false,
      code: 'invalid-request',
    });
    expect(documents.written).toEqual([]);
    const set = { name: 'Ramp', address: '192.0.2.33', port: 8001, password: 'Cam-pass1' };
    expect(await features.write('channel', here, set)).toMatchObject({ value: { notKept: [] } });
    expect(kept[2]).toMatchObject({ name: 'Ramp', address: '192.0.2.33', port: '8001', password: 'Cam-pass1' });
  });

  it('are added and removed, read back (CHAN-04)', async () => {
    const { features } = await at();
    const add = {
      ...({ action: 'channelAdd', address: '192.0.2.7', port: 8000, protocol: 'HIKVISION' } as const),
      username: 'admin',
      password: 'Cam-pass1',
    };
    expect(await features.act(add)).toMatchObject({ value: { text: 'Channel 4' } });
    expect(kept[3]).toMatchObject({ address: '192.0.2.7', password: 'Cam-pass1' });
    expect(await features.act(add)).toMatchObject({ ok: false, code: 'conflict' });
    expect(await features.act({ ...add, address: '192.0.2.99' })).toMatchObject({
      ok: false,
      text: 'The recorder has as many cameras as it takes.',
    });
    expect(await features.act({ action: 'channelDelete', channel: 2 })).toMatchObject({ ok: true });
    expect(kept.map((k) => k.id)).toEqual([1, 3, 4]);
  });

  it('that it finds by itself are added, all that are new (CHAN-09)', async () => {
    const seen = (address: string, activated: boolean) =>
      `<VideoSource><activated>${activated}</activated><sourceInputPortDescriptor><proxyProtocol>HIKVISION</proxyProtocol><ipAddress>${address}</ipAddress><managePortNo>8000</managePortNo><serialNumber>S-${address}</serialNumber></sourceInputPortDescriptor></VideoSource>`;
    documents.set(
      `${PROXY}/search`,
      `<VideoSourceList size="0">${seen('192.0.2.1', true)}${seen('192.0.2.20', true)}${seen('192.0.2.21', false)}</VideoSourceList>`,
    );
    const { features, device } = await at();
    expect(await features.list('camerasSeen', {})).toMatchObject({
      value: [
        { values: { address: '192.0.2.1', activated: true } },
        { id: '192.0.2.20:8000' },
        { values: { activated: false } },
      ],
    });
    const cameras = await readCamerasSeen(device);
    if (!cameras.ok) throw new Error(cameras.text);
    const [, free] = cameras.value;
    const added = await addChannel(device, { ...free!, username: 'admin', password: 'Cam-pass1' });
    expect(added).toMatchObject({ ok: true, value: { channel: 4 } });
  });

  it('are sorted in one write, passwords included, and read back (CHAN-10)', async () => {
    const { features } = await at();
    const sorted = await features.act({ action: 'channelsSort', order: [3, 1, 2], password: 'Cam-pass1' });
    expect(sorted).toMatchObject({ ok: true });
    expect(kept.map((k) => [k.id, k.name, k.address, k.password])).toEqual([
      [1, 'Gate', '192.0.2.3', 'Cam-pass1'],
      [2, 'Door', '192.0.2.1', 'Cam-pass1'],
      [3, 'Yard', '192.0.2.2', 'Cam-pass1'],
    ]);
    expect(documents.written).toHaveLength(1);
  });

  it('are not sorted by halves: no password, no such channel, a socket, a recorder that does not', async () => {
    const { device } = await at();
    expect(await sortChannels(device, [2, 1, 3], undefined)).toMatchObject({ code: 'invalid-request' });
    expect(await sortChannels(device, [2, 1], 'x')).toMatchObject({ code: 'invalid-request' });
    refuseList = 'methodNotAllowed';
    const refused = await sortChannels(device, [2, 1, 3], 'Cam-pass1');
    expect(refused.ok ? '' : refused.text).toContain('does not let its channels be sorted');
    kept[0]!.mode = 'plugplay';
    show();
    expect(await sortChannels(device, [2, 1, 3], 'Cam-pass1')).toMatchObject({ code: 'conflict' });
    documents.set(PROXY, documents.get(PROXY).replace('plugplay', 'manual'), () => null);
    expect(await sortChannels(device, [2, 1, 3], 'Cam-pass1')).toMatchObject({
      text: 'It said yes and kept its old order.',
    });
    expect(kept.map((k) => k.password)).toEqual(['Cam-pass1', 'Cam-pass1', 'Cam-pass1']);
  });

  it('at sockets of its own are left to it', async () => {
    documents.set(
      '/System/capabilities',
      '<DeviceCap><NetworkCap><isSupportPOEConfiguration>true</isSupportPOEConfiguration></NetworkCap></DeviceCap>',
    );
    for (const k of kept) k.mode = 'plugplay';
    show();
    const { device, features } = await at();
    expect(await isPoeRecorder(device)).toEqual({ ok: true, value: true });
    const { actions } = await features.capabilities();
    expect(actions.map((a) => a.action)).toEqual(['channelAdd']);
    expect(await features.write('channel', { channel: 1 }, { name: 'x' })).toMatchObject({ code: 'invalid-request' });
  });
});
