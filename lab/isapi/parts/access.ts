import type { Device, MakePart } from '../../devices/device.ts';
import { deviceTime } from '../../devices/profile.ts';
import { OK, refusal, statusJson, statusXml } from '../answer.ts';
import { escapeXml, parseXml, textOf, XML_HEAD } from '../xml.ts';

type DoorState = 'closed' | 'open' | 'alwaysOpen' | 'alwaysClose';
interface Door {
  id: number;
  state: DoorState;
  /** Times that the lock was moved. */
  moves: number;
  timer: NodeJS.Timeout | null;
}

const doorsOf = (device: Device) => (device.profile.kind === 'door-station' ? 2 : 1);

/** Doors of terminals, controllers and door stations (isapi §15). */
export const access: MakePart = (device) => {
  const { profile: p, documents } = device;
  const doors: Door[] = Array.from({ length: doorsOf(device) }, (_, i) => ({
    id: i + 1,
    state: 'closed',
    moves: 0,
    timer: null,
  }));
  const terminal = p.kind === 'access';
  const commands = terminal
    ? ['open', 'close', 'alwaysOpen', 'alwaysClose', 'resume']
    : ['open', 'alwaysOpen', 'resume'];
  const openMs = 3000;
  documents.add(
    '/AccessControl/RemoteControl/door/capabilities',
    `<RemoteControlDoor><doorNo min="1" max="${doors.length}"/><cmd opt="${commands.join(',')}"/></RemoteControlDoor>`,
    { readOnly: true },
  );
  for (const { id } of doors)
    documents.add(
      `/AccessControl/Door/param/${id}`,
      `<DoorParam version="2.0" xmlns="${p.odd.namespace}"><doorName>Door ${id}</doorName><openDuration>5</openDuration><magneticType>alwaysClose</magneticType><enableDoorLock>true</enableDoorLock></DoorParam>`,
    );
  const slot = (n: number) =>
    `<HttpHostNotification><id>${n}</id><url></url><protocolType>HTTP</protocolType><parameterFormatType>JSON</parameterFormatType><addressingFormatType>ipaddress</addressingFormatType><ipAddress>0.0.0.0</ipAddress><portNo>0</portNo><httpAuthenticationMethod>none</httpAuthenticationMethod></HttpHostNotification>`;
  documents.add(
    '/Event/notification/httpHosts',
    `<HttpHostNotificationList version="2.0" xmlns="${p.odd.namespace}">${slot(1)}${slot(2)}</HttpHostNotificationList>`,
    {
      // Taken and not kept (terminal V1.2.7).
      written: (is) => {
        for (const one of is.children) for (const leaf of one.children) if (leaf.name === 'url') leaf.text = '';
      },
    },
  );

  const set = (door: Door, state: DoorState) => {
    if (door.timer) clearTimeout(door.timer);
    door.timer = null;
    door.state = state;
    door.moves++;
  };
  const control = (door: Door, cmd: string) => {
    if (cmd === 'alwaysOpen' || cmd === 'alwaysClose') set(door, cmd);
    else if (cmd === 'open') {
      set(door, 'open');
      device.events.begin('doorUnlocked', { channel: door.id });
      door.timer = setTimeout(() => {
        door.state = 'closed';
        device.events.begin('doorLocked', { channel: door.id });
      }, openMs);
    } else set(door, 'closed');
  };

  return {
    stop: () => {
      for (const door of doors) if (door.timer) clearTimeout(door.timer);
    },
    state: () => ({ doors: doors.map(({ id, state, moves }) => ({ id, state, moves })) }),
    answer: ({ method, path, body, url }) => {
      const said = (sub: string | null) => {
        const what = sub ? refusal(sub) : OK;
        return { status: what.http, body: statusXml(url, what, '', p.odd.errorCodes) };
      };
      const [, number] = /^\/AccessControl\/RemoteControl\/door\/(\d+)$/.exec(path) ?? [];
      if (number) {
        if (method !== 'PUT') return said('methodNotAllowed');
        const wanted = parseXml(body.toString('utf8'));
        const cmd = wanted?.name === 'RemoteControlDoor' ? (textOf(wanted, 'cmd') ?? '') : '';
        if (!commands.includes(cmd)) return said(wanted ? 'badXmlContent' : 'badXmlFormat');
        const meant = number === '65535' ? doors : doors.filter((d) => d.id === Number(number));
        if (meant.length === 0) return said('invalidID');
        // Without these it says OK, and no lock moves.
        const { version, xmlns } = wanted!.attributes;
        if (version && xmlns) for (const door of meant) control(door, cmd);
        return said(null);
      }
      if (path === '/AccessControl/AcsWorkStatus') {
        if (!terminal) return said('notSupport');
        const lock = (d: Door) => (d.state === 'open' || d.state === 'alwaysOpen' ? 1 : 0);
        const word = (d: Door) => ({ closed: 4, open: 4, alwaysOpen: 2, alwaysClose: 3 })[d.state];
        return {
          status: 200,
          type: 'application/json',
          body: JSON.stringify({
            AcsWorkStatus: {
              doorLockStatus: doors.map(lock),
              doorStatus: doors.map(word),
              magneticStatus: doors.map((d) => (d.state === 'closed' ? 0 : 1)),
              caseStatus: [0],
              batteryVoltage: 122,
              powerSupplyStatus: 'ACPowerSupply',
              antiSneakStatus: 'close',
              hostAntiDismantleStatus: 'close',
              cardReaderOnlineStatus: [1],
              cardNum: 3,
            },
          }),
        };
      }
      if (path === '/AccessControl/capabilities')
        return {
          status: 200,
          body: `${XML_HEAD}<AccessControl version="2.0" xmlns="${p.odd.namespace}"><isSupportRemoteControlDoor>true</isSupportRemoteControlDoor><isSupportAcsWorkStatus>${terminal}</isSupportAcsWorkStatus><isSupportAcsEvent>${terminal}</isSupportAcsEvent></AccessControl>\n`,
        };
      if (path === '/AccessControl/AcsEvent' && method === 'POST') {
        let searchID = '';
        try {
          searchID = String(JSON.parse(body.toString('utf8')).AcsEventCond.searchID);
        } catch {
          return { status: 400, type: 'application/json', body: statusJson(url, refusal('badJsonFormat')) };
        }
        if (searchID.length > 8)
          return { status: 400, type: 'application/json', body: statusJson(url, refusal('badJsonContent')) };
        const info = { major: 5, minor: 21, time: deviceTime(p, Date.now()), serialNo: 1, doorNo: 1 };
        const answer = { searchID, responseStatusStrg: 'OK', numOfMatches: 1, totalMatches: 1, InfoList: [info] };
        return { status: 200, type: 'application/json', body: JSON.stringify({ AcsEvent: answer }) };
      }
      return null;
    },
  };
};

/** Calls of door stations, doorbells and indoor stations (isapi §15). */
export const intercom: MakePart = (device) => {
  const { profile: p, documents } = device;
  let status: 'idle' | 'ring' | 'onCall' = 'idle';
  let timer: NodeJS.Timeout | null = null;
  const signals: string[] = [];
  documents.add(
    '/VideoIntercom/deviceId',
    `<DeviceId version="2.0" xmlns="${p.odd.namespace}"><periodNumber>1</periodNumber><buildingNumber>1</buildingNumber><unitNumber>1</unitNumber><floorNumber>1</floorNumber><deviceIndex>${p.kind === 'indoor-station' ? 1 : 0}</deviceIndex><unitType>${p.kind === 'indoor-station' ? 'indoor' : 'outdoor'}</unitType></DeviceId>`,
  );
  documents.add(
    '/VideoIntercom/relatedDeviceAddress',
    `<RelatedDeviceAddress version="2.0" xmlns="${p.odd.namespace}"><unitType>outdoor</unitType><SIPServerAddress><addressingFormatType>ipaddress</addressingFormatType><ipAddress>0.0.0.0</ipAddress></SIPServerAddress></RelatedDeviceAddress>`,
  );
  const json = (value: unknown) => ({ status: 200, type: 'application/json', body: JSON.stringify(value) });
  const ring = () => {
    status = 'ring';
    device.events.begin('doorbellPressed');
    device.events.begin('call');
    if (timer) clearTimeout(timer);
    timer = setTimeout(() => {
      status = 'idle';
      device.events.begin('callEnded');
    }, 30_000);
    return { status };
  };
  return {
    stop: () => {
      if (timer) clearTimeout(timer);
    },
    state: () => ({ call: status, callSignals: signals }),
    control: { ring },
    answer: ({ method, path, body, url }) => {
      if (path === '/VideoIntercom/callStatus') return json({ CallStatus: { status } });
      if (path === '/VideoIntercom/callerInfo')
        return json({
          CallerInfo: { buildingNo: 1, floorNo: 1, zoneNo: 1, unitNo: 1, devNo: 1, devType: 1, lockNum: 1, status },
        });
      if (path === '/VideoIntercom/capabilities')
        return {
          status: 200,
          body: `${XML_HEAD}<VideoIntercomCap version="2.0" xmlns="${escapeXml(p.odd.namespace)}"><isSupportCallStatus>true</isSupportCallStatus><isSupportCallSignal>true</isSupportCallSignal></VideoIntercomCap>\n`,
        };
      if (path !== '/VideoIntercom/callSignal') return null;
      let cmd = '';
      try {
        cmd = String(JSON.parse(body.toString('utf8')).CallSignal.cmdType);
      } catch {
        cmd = '';
      }
      const refuse = (sub: string) => ({
        ...json(null),
        status: refusal(sub).http,
        body: statusJson(url, refusal(sub)),
      });
      if (method !== 'PUT') return refuse('methodNotAllowed');
      const known = ['request', 'cancel', 'answer', 'reject', 'bellTimeout', 'hangUp', 'deviceOnCall'];
      if (!known.includes(cmd)) return refuse('badJsonContent');
      // An outdoor station lets nobody answer but its own indoor stations.
      if (cmd === 'answer' && (status !== 'ring' || p.kind !== 'indoor-station')) return refuse('invalidOperation');
      signals.push(cmd);
      if (timer) clearTimeout(timer);
      status = cmd === 'answer' ? 'onCall' : cmd === 'request' ? 'ring' : 'idle';
      if (status !== 'ring') device.events.begin(status === 'onCall' ? 'callAnswered' : 'callEnded');
      return { ...json(null), body: statusJson(url, OK) };
    },
  };
};
