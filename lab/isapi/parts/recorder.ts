import type { Device, MakePart } from '../../devices/device.ts';
import { isCamera } from '../../devices/profile.ts';
import { get } from '../../testing/digest-client.ts';
import { OK, type Reply, refusal, statusXml } from '../answer.ts';
import { escapeXml, find, parseXml, textOf, XML_HEAD, type XmlNode } from '../xml.ts';
import { addMotion } from './detection.ts';
import { addStreams } from './streaming.ts';

export interface IpChannel {
  id: number;
  name: string;
  protocol: string;
  address: string;
  port: string;
  user: string;
  /** Written, and never told. */
  password: string;
  plugged: boolean;
  detect: 'connect' | 'notExist' | 'errorUserNameOrPasswd' | 'notActivated';
  checkedAt: number;
}

/** IP channels of a recorder (isapi §8): it logs in to the LAN's cameras itself. */
export const recorder: MakePart = (device) => {
  const { documents, profile: p } = device;
  const max = p.kind === 'dvr' ? 2 : 8;
  const first = p.analogChannels + 1;
  // Two namespaces in one document.
  const ns = `version="1.0" xmlns="${p.odd.namespace}"`;
  const itemNs = 'version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"';
  const channels: IpChannel[] = [];
  const motion = '/ContentMgmt/InputProxy/channels';
  const streams = new Map<number, string[]>();
  const triggers = new Map<number, string[]>();
  const size = p.odd.listsSayEmpty ? ' size="0"' : '';

  const listed = () => channels.flatMap((c) => streams.get(c.id) ?? []);
  documents.list('/ContentMgmt/StreamingProxy/channels', `<StreamingChannelList ${ns}${size}/>`, listed);
  if (p.analogChannels === 0) {
    documents.list('/Streaming/channels', `<StreamingChannelList ${ns}${size}/>`, () =>
      channels.flatMap((c) =>
        (streams.get(c.id) ?? []).map((path) => path.replace('/ContentMgmt/StreamingProxy', '/Streaming')),
      ),
    );
    documents.list('/Event/triggers', `<EventTriggerList ${ns}${size}/>`, () =>
      channels.flatMap((c) => triggers.get(c.id) ?? []),
    );
  }

  const camera = (c: IpChannel) => device.neighbour(c.address);
  const check = async (c: IpChannel): Promise<void> => {
    c.checkedAt = Date.now();
    if (c.plugged) return;
    const found = camera(c);
    if (!found?.up) c.detect = 'notExist';
    else if (!found.factory.activated) c.detect = 'notActivated';
    else {
      const target = { address: c.address, httpPort: found.httpPort, username: c.user, password: c.password };
      const answer = await get(target, `${found.profile.odd.prefix}/System/deviceInfo`).catch(() => null);
      c.detect = answer?.status === 200 ? 'connect' : answer ? 'errorUserNameOrPasswd' : 'notExist';
    }
  };
  const install = (c: IpChannel): void => {
    channels.push(c);
    channels.sort((a, b) => a.id - b.id);
    const root = '/ContentMgmt/StreamingProxy/channels';
    const made = addStreams(device, root, c.id, c.name);
    streams.set(c.id, made);
    // The same under the path of channels of its own.
    for (const path of made) documents.alias(path.replace('/ContentMgmt/StreamingProxy', '/Streaming'), path);
    triggers.set(c.id, addMotion(device, c.id, `${motion}/${c.id}/video/motionDetection`, false));
  };
  const remove = (c: IpChannel): void => {
    channels.splice(channels.indexOf(c), 1);
    for (const path of [...streams.get(c.id)!, ...triggers.get(c.id)!]) documents.remove(path);
    documents.remove(`${motion}/${c.id}/video/motionDetection`);
  };
  const blank = (id: number): IpChannel => ({
    id,
    name: `IPCamera 0${id - p.analogChannels}`,
    protocol: 'HIKVISION',
    address: '',
    port: '8000',
    user: 'admin',
    password: '',
    plugged: false,
    detect: 'notExist',
    checkedAt: 0,
  });
  if (p.kind === 'poe-nvr')
    for (const n of [1, 2, 3])
      install({ ...blank(n), address: `192.168.254.${n + 1}`, plugged: true, detect: 'connect', password: 'x' });

  /** As it had them before the lab was restarted. */
  const keep = () => {
    const own = channels.filter((c) => !c.plugged);
    device.keptChannels.write(JSON.stringify(own));
  };
  const kept = p.kind === 'poe-nvr' ? null : device.keptChannels.read();
  for (const c of kept === null ? [] : (JSON.parse(kept) as IpChannel[])) install({ ...c, checkedAt: 0 });

  let prepared = kept !== null || p.password === null || p.kind === 'poe-nvr' || p.light;
  /** A recorder that is in use has the first cameras of the LAN. */
  const prepare = async () => {
    if (prepared) return;
    prepared = true;
    const cameras = device.neighbours().filter((d) => d.profile.name.startsWith('camera-') && d.profile.password);
    for (const d of cameras.slice(0, 2)) {
      const c = { ...blank(first + channels.length), address: d.profile.address, password: d.profile.password! };
      install(c);
      await check(c);
    }
  };

  const descriptor = (c: IpChannel) => {
    const found = camera(c)?.profile;
    // Only while the camera answers, and not by every firmware.
    const who =
      found && c.detect === 'connect' && p.kind === 'dvr'
        ? `<model>${found.model}</model><serialNumber>${found.serial}</serialNumber>`
        : '';
    return `<sourceInputPortDescriptor><proxyProtocol>${escapeXml(c.protocol)}</proxyProtocol><addressingFormatType>ipaddress</addressingFormatType><ipAddress>${escapeXml(c.address)}</ipAddress><managePortNo>${escapeXml(c.port)}</managePortNo><srcInputPort>1</srcInputPort><userName>${escapeXml(c.user)}</userName><streamType>auto</streamType>${who}${c.plugged ? '<connMode>plugplay</connMode>' : '<connMode>manual</connMode>'}</sourceInputPortDescriptor>`;
  };
  const item = (c: IpChannel) =>
    `<InputProxyChannel ${itemNs}>\n<id>${c.id}</id><name>${escapeXml(c.name)}</name>${descriptor(c)}<enableAnr>false</enableAnr>\n</InputProxyChannel>`;
  const status = (c: IpChannel) =>
    `<InputProxyChannelStatus ${itemNs}>\n<id>${c.id}</id>${descriptor(c)}<online>${c.detect === 'connect'}</online><streamingProxyChannelIdList><streamingProxyChannelId>${c.id}01</streamingProxyChannelId><streamingProxyChannelId>${c.id}02</streamingProxyChannelId></streamingProxyChannelIdList><chanDetectResult>${c.detect}</chanDetectResult>\n</InputProxyChannelStatus>`;

  /** Null: taken over. A write without a password erases the one that was there. */
  const take = (c: IpChannel, wanted: XmlNode): string | null => {
    if (wanted.name !== 'InputProxyChannel') return 'badXmlContent';
    const from = find(wanted, 'sourceInputPortDescriptor');
    const text = (leaf: string) => (from && textOf(from, leaf)) || null;
    if (!from || !text('ipAddress') || !text('proxyProtocol')) return 'badXmlContent';
    const other = channels.find((o) => o !== c && o.address === text('ipAddress'));
    if (other) return 'IPCIPNotUnique';
    Object.assign(c, {
      name: textOf(wanted, 'name') || c.name,
      protocol: text('proxyProtocol'),
      address: text('ipAddress'),
      port: text('managePortNo') ?? '8000',
      user: text('userName') ?? '',
      password: text('password') ?? '',
    });
    return null;
  };

  const found = (d: Device) => {
    const { address, model, serial, mac, firmware } = d.profile;
    return `<VideoSourceDescriptor><proxyProtocol>HIKVISION</proxyProtocol><addressingFormatType>ipaddress</addressingFormatType><ipAddress>${address}</ipAddress><managePortNo>8000</managePortNo><model>${model}</model><serialNumber>${serial}</serialNumber><macAddress>${mac.replaceAll('-', ':')}</macAddress><firmwareVersion>${firmware}</firmwareVersion><activated>${d.factory.activated}</activated></VideoSourceDescriptor>`;
  };

  return {
    state: () => ({
      ipChannels: channels.map(({ id, name, address, detect, password }) => ({
        id,
        name,
        address,
        detect,
        hasPassword: password !== '',
      })),
    }),
    reset: () => {
      for (const c of [...channels]) if (!c.plugged) remove(c);
      keep();
    },
    answer: async ({ method, path, body, url }): Promise<Reply | null> => {
      await prepare();
      const said = (sub: string | null, more = ''): Reply => {
        const what = sub ? refusal(sub) : OK;
        return { status: what.http, body: statusXml(url, what, more, p.odd.errorCodes) };
      };
      const xml = (text: string): Reply => ({ status: 200, body: `${XML_HEAD}${text}\n` });
      const shot = /^\/(ContentMgmt\/StreamingProxy|Streaming)\/channels\/(\d+)0\d\/picture$/.exec(path);
      if (shot) {
        const c = channels.find((one) => one.id === Number(shot[2]));
        if (!c || shot[1] === 'Streaming') return said('badXmlContent');
        if (c.detect !== 'connect') return said('deviceError');
        return { status: 200, type: 'image/jpeg', body: await (camera(c) ?? device).snapshot() };
      }
      if (p.analogChannels === 0 && path.startsWith('/System/Video/inputs'))
        return { ...said('notSupport'), status: 403 };
      const rest = /^\/ContentMgmt\/InputProxy(\/.*)$/.exec(path)?.[1];
      if (!rest || rest.endsWith('/motionDetection')) return null;
      if (rest === '/search' || rest === '/channels/search') {
        const cameras = device.neighbours().filter((d) => isCamera(d.profile.kind) && d.up);
        return xml(`<VideoSourceList ${ns}>\n${cameras.map(found).join('\n')}\n</VideoSourceList>`);
      }
      if (rest === '/channels/capabilities')
        return xml(
          `<InputProxyChannelListCap ${ns}><proxyProtocol opt="HIKVISION,ONVIF"/><maxChannels>${max}</maxChannels></InputProxyChannelListCap>`,
        );
      const wanted = body.length > 0 ? parseXml(body.toString('utf8')) : null;
      if (body.length > 0 && !wanted) return said('badXmlFormat');
      if (rest === '/channels/status' || rest === '/channels/status/') {
        for (const c of channels) if (Date.now() - c.checkedAt > 5000 && c.password) await check(c);
        return xml(
          `<InputProxyChannelStatusList ${ns}${size}>\n${channels.map(status).join('\n')}\n</InputProxyChannelStatusList>`,
        );
      }
      if (rest === '/channels') {
        if (method === 'GET')
          return xml(
            `<InputProxyChannelList ${ns}${size}>\n${channels.map(item).join('\n')}\n</InputProxyChannelList>`,
          );
        if (method === 'PUT') {
          if (wanted?.name !== 'InputProxyChannelList') return said('badXmlContent');
          const given = wanted.children.map((child) => ({
            child,
            c: channels.find((o) => String(o.id) === textOf(child, 'id')),
          }));
          if (given.some(({ c }) => !c)) return said('invalidID');
          // In a new order two of them have each other's address for a moment.
          for (const { c } of given) c!.address = '';
          for (const { child, c } of given) {
            const bad = take(c!, child);
            if (bad) return said(bad);
            await check(c!);
          }
          keep();
          return said(null);
        }
        if (method !== 'POST' || !wanted) return said('methodNotAllowed');
        if (p.kind === 'poe-nvr' || channels.length >= max) return said('ipcNumReachesLimit');
        const free = [...Array(max).keys()].map((i) => i + first).find((id) => !channels.some((c) => c.id === id))!;
        const c = blank(free);
        const bad = take(c, wanted);
        if (bad) return said(bad);
        install(c);
        await check(c);
        keep();
        return said(null, `<id>${c.id}</id>\n`);
      }
      const [, id, verb] = /^\/channels\/(\d+)(?:\/(\w+))?$/.exec(rest) ?? [];
      const c = channels.find((one) => one.id === Number(id));
      if (!id) return said('notSupport');
      if (!c) return said('invalidID');
      if (verb === 'status') {
        if (c.password && Date.now() - c.checkedAt > 5000) await check(c);
        return xml(status(c));
      }
      if (verb !== undefined) return said('notSupport');
      if (method === 'GET') return xml(item(c));
      if (method === 'DELETE') {
        if (c.plugged) return said('invalidOperation');
        remove(c);
        keep();
        return said(null);
      }
      if (method !== 'PUT' || !wanted) return said('methodNotAllowed');
      if (c.plugged) {
        c.name = textOf(wanted, 'name') ?? c.name;
        return said(null);
      }
      const bad = take(c, wanted);
      if (bad) return said(bad);
      await check(c);
      keep();
      return said(null);
    },
  };
};
