import type { SettingField } from '../../../protocol/wire/operations.ts';
import { macOf } from '../../discovery/sadp.ts';
import type { Feature } from '../../drivers/feature.ts';
import { failure, type Result } from '../../isapi/answer.ts';
import { bool, choice, readOnly, words } from '../../isapi/features/fields.ts';
import { isTimeZone, posixZone } from '../../isapi/time-zone.ts';
import { clean } from '../../isapi/xml.ts';
import { readDeviceTime } from '../device-time.ts';
import { done, type OnvifDevice } from '../onvif-device.ts';
import { booleanOf } from '../soap.ts';
import { all, first, textAt, xmlText } from '../tree.ts';

const GOOD_MS = 3_000;

/** What follows a device-wide call that only says yes. */
async function tell(device: OnvifDevice, body: string, text: string | null, pending: boolean, signal?: AbortSignal) {
  const answer = await device.call('device', body, { signal });
  return answer.ok ? done(text, pending) : answer;
}

const readTime = async (device: OnvifDevice, signal?: AbortSignal) => {
  const answer = await device.call('device', '<tds:GetSystemDateAndTime/>', { signal });
  return answer.ok ? ({ ok: true, value: readDeviceTime(answer.value) } as const) : answer;
};

async function ntpServer(device: OnvifDevice, signal?: AbortSignal): Promise<string | null> {
  const answer = await device.call('device', '<tds:GetNTP/>', { signal });
  if (!answer.ok) return null;
  const servers = ['NTPManual', 'NTPFromDHCP'].flatMap((kind) => all(answer.value, 'NTPInformation', kind));
  return clean(
    servers.map((s) => textAt(s, 'IPv4Address') || textAt(s, 'DNSname') || textAt(s, 'IPv6Address')).find(Boolean) ??
      '',
    64,
  );
}

/** SetSystemDateAndTime; `at` null: by its time server. */
function setTime(device: OnvifDevice, zone: string, daylight: boolean, at: number | null, signal?: AbortSignal) {
  const d = at === null ? null : new Date(at);
  const utc = d
    ? `<tds:UTCDateTime><tt:Time><tt:Hour>${d.getUTCHours()}</tt:Hour><tt:Minute>${d.getUTCMinutes()}</tt:Minute><tt:Second>${d.getUTCSeconds()}</tt:Second></tt:Time><tt:Date><tt:Year>${d.getUTCFullYear()}</tt:Year><tt:Month>${d.getUTCMonth() + 1}</tt:Month><tt:Day>${d.getUTCDate()}</tt:Day></tt:Date></tds:UTCDateTime>`
    : '';
  return device.call(
    'device',
    `<tds:SetSystemDateAndTime><tds:DateTimeType>${d ? 'Manual' : 'NTP'}</tds:DateTimeType><tds:DaylightSavings>${daylight}</tds:DaylightSavings><tds:TimeZone><tt:TZ>${xmlText(zone)}</tt:TZ></tds:TimeZone>${utc}</tds:SetSystemDateAndTime>`,
    { signal },
  );
}

/** POSIX as most write it: `CST-1:00:00DST01:00:00,M3…` is a maker's own dialect. */
export function posixOf(zone: string, nowMs: number): { zone: string; daylight: boolean } {
  const told = posixZone(zone, nowMs);
  const match = /^CST([+-])(\d+):(\d\d):00(?:DST([\d:]+),(.*))?$/.exec(told);
  if (!match) return { zone: 'UTC0', daylight: false };
  const [, sign, hours, minutes, , rules] = match;
  const offset = `${sign === '-' ? '-' : ''}${hours}${minutes === '00' ? '' : `:${minutes}`}`;
  return { zone: `STD${offset}${rules ? `DST,${rules}` : ''}`, daylight: rules !== undefined };
}

const mask = (prefix: number): string =>
  [24, 16, 8, 0].map((shift) => ((2 ** 32 - 2 ** (32 - prefix)) / 2 ** shift) & 0xff).join('.');

async function readNetwork(device: OnvifDevice, signal?: AbortSignal): Promise<Result<SettingField[]>> {
  const answer = await device.call('device', '<tds:GetNetworkInterfaces/>', { signal });
  if (!answer.ok) return answer;
  const interfaces = all(answer.value, 'NetworkInterfaces');
  const at = (i: (typeof interfaces)[number]) => {
    const config = first(i, 'IPv4', 'Config');
    const dhcp = booleanOf(textAt(config, 'DHCP'));
    const own = (dhcp ? first(config, 'FromDHCP') : undefined) ?? first(config, 'Manual') ?? first(config, 'FromDHCP');
    return { dhcp, address: textAt(own, 'Address'), prefix: Number(textAt(own, 'PrefixLength') || 24) };
  };
  const own = interfaces.find((i) => at(i).address === device.client.host) ?? interfaces[0];
  if (!own) return failure('device-error', 'It tells of no network interface.');
  const gateways = await device.call('device', '<tds:GetNetworkDefaultGateway/>', { signal });
  const dns = await device.call('device', '<tds:GetDNS/>', { signal });
  const servers = dns.ok
    ? ['DNSManual', 'DNSFromDHCP'].flatMap((kind) =>
        all(dns.value, 'DNSInformation', kind).map((s) => textAt(s, 'IPv4Address')),
      )
    : [];
  const { dhcp, address, prefix } = at(own);
  const ip = (value: string) => clean(value, 45);
  return {
    ok: true,
    value: [
      bool('dhcp', dhcp, readOnly),
      words('address', ip(address), 45, readOnly),
      words('subnetMask', prefix >= 1 && prefix <= 32 ? mask(prefix) : '', 15, readOnly),
      words('gateway', gateways.ok ? ip(textAt(gateways.value, 'NetworkGateway', 'IPv4Address')) : null, 45, readOnly),
      words('dns1', ip(servers.filter(Boolean)[0] ?? ''), 45, readOnly),
      words('dns2', ip(servers.filter(Boolean)[1] ?? ''), 45, readOnly),
      words('mac', macOf(textAt(own, 'Info', 'HwAddress')), 17, readOnly),
    ],
  };
}

async function readUsers(device: OnvifDevice, signal?: AbortSignal) {
  const answer = await device.call('device', '<tds:GetUsers/>', { signal });
  if (!answer.ok) return answer;
  // Some list passwords as well: they are not looked at.
  const users = all(answer.value, 'User').map((u) => ({
    name: clean(textAt(u, 'Username'), 64),
    level: clean(textAt(u, 'UserLevel'), 32),
  }));
  return { ok: true, value: users.filter((u) => u.name !== '').slice(0, 128) } as const;
}

/** Clock, network, users, restart and restore (device service). */
export const system: Feature<OnvifDevice> = {
  async offer(device, signal) {
    const [time, network] = [await readTime(device, signal), await readNetwork(device, signal)];
    const users = await readUsers(device, signal);
    const whole = (action: 'syncTime' | 'reboot' | 'restore') => ({ action, channels: null });
    return {
      sections: [
        ...(time.ok ? [{ section: 'time', channels: null } as const] : []),
        ...(network.ok ? [{ section: 'network', channels: null } as const] : []),
      ],
      lists: users.ok ? [{ list: 'users', channels: null }] : [],
      actions: [...(time.ok ? [whole('syncTime')] : []), whole('reboot'), whole('restore')],
      unverified: ['restore', ...(time.ok ? ['syncTime'] : [])],
    };
  },
  sections: {
    time: {
      async read(device, _at, signal) {
        const time = await readTime(device, signal);
        if (!time.ok) return time;
        const { byNtp, zone, utcMs, localMs } = time.value;
        const shown = localMs ?? utcMs;
        const label = localMs === null ? 'Z' : '';
        const server = await ntpServer(device, signal);
        return {
          ok: true,
          value: [
            choice('timeMode', byNtp ? 'NTP' : 'manual', ['manual', 'NTP']),
            words('timeZone', clean(zone, 128), 128),
            words(
              'localTime',
              shown === null ? null : `${new Date(shown).toISOString().slice(0, 19)}${label}`,
              64,
              readOnly,
            ),
            ...(server === null ? [] : [words('ntpServer', server, 64)]),
          ],
        };
      },
      async write(device, _at, set, _fields, signal) {
        if (typeof set.ntpServer === 'string' && set.ntpServer !== '') {
          const server = xmlText(set.ntpServer.trim());
          const [type, name] = /^\d+(\.\d+){3}$/.test(server) ? ['IPv4', 'IPv4Address'] : ['DNS', 'DNSname'];
          const answer = await device.call(
            'device',
            `<tds:SetNTP><tds:FromDHCP>false</tds:FromDHCP><tds:NTPManual><tt:Type>${type}</tt:Type><tt:${name}>${server}</tt:${name}></tds:NTPManual></tds:SetNTP>`,
            { signal },
          );
          if (!answer.ok) return answer;
        }
        if (set.timeMode !== undefined || set.timeZone !== undefined) {
          const time = await readTime(device, signal);
          if (!time.ok) return time;
          const byNtp = set.timeMode === undefined ? time.value.byNtp : set.timeMode === 'NTP';
          const zone = typeof set.timeZone === 'string' ? set.timeZone : time.value.zone || 'UTC0';
          const answer = await setTime(device, zone, time.value.daylight, byNtp ? null : device.clock.now(), signal);
          if (!answer.ok) return answer;
        }
        return { ok: true, value: { rebootRequired: false } };
      },
    },
    network: { read: (device, _at, signal) => readNetwork(device, signal) },
  },
  lists: {
    async users(device, _at, signal) {
      const users = await readUsers(device, signal);
      if (!users.ok) return users;
      return {
        ok: true,
        value: users.value.map(({ name, level }) => ({ id: name, name, values: { userLevel: level } })),
      };
    },
  },
  actions: {
    async syncTime(device, { timeZone }, signal) {
      if (!isTimeZone(timeZone)) return failure('invalid-request', `${clean(timeZone, 64)} is no time zone.`);
      const { zone, daylight } = posixOf(timeZone, device.clock.now());
      const set = await setTime(device, zone, daylight, device.clock.now() + 500, signal);
      if (!set.ok) return set;
      // Logins are made in its time, which is another now.
      await device.client.clockWasSet(signal);
      const time = await readTime(device, signal);
      const driftMs = time.ok && time.value.utcMs !== null ? time.value.utcMs - device.clock.now() : null;
      if (driftMs !== null && Math.abs(driftMs) > GOOD_MS) {
        return failure(
          'device-error',
          `It took the time, and its clock is ${Math.round(driftMs / 1000)} s off all the same.`,
        );
      }
      return done();
    },
    reboot: (device, _action, signal) => tell(device, '<tds:SystemReboot/>', 'It restarts.', true, signal),
    restore: (device, { mode }, signal) =>
      tell(
        device,
        `<tds:SetSystemFactoryDefault><tds:FactoryDefault>${mode === 'basic' ? 'Soft' : 'Hard'}</tds:FactoryDefault></tds:SetSystemFactoryDefault>`,
        'It restores its settings and restarts.',
        true,
        signal,
      ),
  },
};
