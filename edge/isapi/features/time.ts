import type { SettingField } from '../../../protocol/wire/operations.ts';
import type { Feature } from '../../drivers/feature.ts';
import { failure, type Result } from '../answer.ts';
import { type Change, writeDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { isTimeZone, posixZone, wallClock } from '../time-zone.ts';
import { clean, list, text } from '../xml.ts';
import { choice, num, optionsOf, readOnly, words } from './fields.ts';

const TIME = '/System/time';
const NTP = '/System/time/ntpServers/1';
const GOOD_MS = 2_000;

/**
 * Sets zone and clock and reads them back (INIT-13): within ±2 s, or a failure. A device that gets its time from elsewhere
 * (NTP) keeps doing so when that is right.
 */
export async function syncTime(
  device: Pick<IsapiDevice, 'client' | 'clock'>,
  zone: string,
  signal?: AbortSignal,
): Promise<Result<{ driftMs: number; mode: string }>> {
  if (!isTimeZone(zone)) return failure('invalid-request', `${clean(zone, 64)} is no time zone.`);
  const { clock } = device;
  const before = await readTime(device, signal);
  if (!before.ok) return before;
  const posix = posixZone(zone, clock.now());
  if (before.value.mode !== '' && before.value.mode !== 'manual') {
    const zoned = await writeDocument(device, TIME, [{ path: ['timeZone'], value: posix }], signal);
    if (!zoned.ok) return zoned;
    const now = await readTime(device, signal);
    const driftMs = now.ok ? driftIn(zone, now.value.local, clock.now()) : null;
    if (driftMs !== null && Math.abs(driftMs) <= GOOD_MS)
      return { ok: true, value: { driftMs, mode: before.value.mode } };
  }
  let last: number | null = null;
  // Once more when the first took long: what was written was too old when the device took it.
  for (let delay = 0, tries = 0; tries < 2; tries++, delay = -(last ?? 0)) {
    const wanted = (): Change[] => [
      { path: ['timeMode'], value: 'manual', optional: true },
      // Without an offset: the wall clock, summer time included (isapi.md §5).
      { path: ['localTime'], value: wallClock(zone, clock.now() + 500 + delay) },
      { path: ['timeZone'], value: posix, optional: true },
    ];
    const written = await writeDocument(device, TIME, wanted, signal);
    if (!written.ok) return written;
    const now = await readTime(device, signal);
    if (!now.ok) return now;
    last = driftIn(zone, now.value.local, clock.now());
    if (last === null) return failure('device-error', 'It took the time and does not tell what it is now.');
    if (Math.abs(last) <= GOOD_MS) return { ok: true, value: { driftMs: last, mode: 'manual' } };
  }
  return failure(
    'device-error',
    `It took the time, and its clock is ${Math.round((last ?? 0) / 1000)} s off all the same.`,
  );
}

async function readTime(
  device: Pick<IsapiDevice, 'client'>,
  signal?: AbortSignal,
): Promise<Result<{ mode: string; local: string; zone: string }>> {
  const got = await device.client.get(TIME, { signal });
  if (!got.ok) return got;
  const field = (name: string) =>
    new RegExp(`<(?:[\\w.-]+:)?${name}\\b[^<>]*>([^<]*)<`).exec(got.value.body.toString())?.[1];
  const local = field('localTime');
  if (local === undefined) return failure('device-error', 'It does not tell its time.');
  return {
    ok: true,
    value: { mode: field('timeMode')?.trim() ?? '', local: local.trim(), zone: field('timeZone') ?? '' },
  };
}

/** By how much the written wall clock is ahead; some label local time `Z`, some mean it. */
function driftIn(zone: string, localTime: string, nowMs: number): number | null {
  const [, wall, label] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z?)/.exec(localTime) ?? [];
  if (!wall) return null;
  const shown = Date.parse(`${wall}Z`);
  const drifts = [shown - (Date.parse(`${wallClock(zone, nowMs)}Z`) + (nowMs % 1000))];
  if (label) drifts.push(shown - nowMs);
  return drifts.reduce((a, b) => (Math.abs(b) < Math.abs(a) ? b : a));
}

async function read(device: IsapiDevice, signal?: AbortSignal): Promise<Result<SettingField[]>> {
  const time = await device.get(TIME, signal);
  if (!time.ok) return time;
  const { node } = time.value;
  const caps = await device.get(`${TIME}/capabilities`, signal);
  const modes = caps.ok ? optionsOf(caps.value.source, 'timeMode') : [];
  const fields = [
    choice('timeMode', text(node, 'timeMode'), modes.length > 0 ? modes : ['manual', 'NTP']),
    words('timeZone', clean(text(node, 'timeZone'), 128), 128),
    words('localTime', clean(text(node, 'localTime'), 64), 64, readOnly),
  ];
  const ntp = await device.get(NTP, signal);
  if (ntp.ok) {
    const server = list(ntp.value.node, 'NTPServer')[0] ?? ntp.value.node;
    const where = text(server, 'hostName') || text(server, 'ipAddress');
    fields.push(
      words('ntpServer', clean(where, 128), 64),
      num('ntpPort', Number(text(server, 'portNo')) || 123, [1, 65_535]),
      num('ntpInterval', Number(text(server, 'synchronizeInterval')) || null, [1, 10_800], 'min'),
    );
  }
  return { ok: true, value: fields };
}

/** A server by name and one by address stand in elements of their own; the one that is not meant must not stay. */
const ntpChanges = (source: string, set: Record<string, unknown>): Change[] => {
  const changes: Change[] = [];
  if (typeof set.ntpServer === 'string') {
    const byAddress = /^\d{1,3}(\.\d{1,3}){3}$/.test(set.ntpServer);
    const [here, other] = byAddress ? ['ipAddress', 'hostName'] : ['hostName', 'ipAddress'];
    changes.push({ path: ['addressingFormatType'], value: byAddress ? 'ipaddress' : 'hostname' });
    if (source.includes(`${here}>`) || source.includes(`${here}/>`))
      changes.push({ path: [here], value: set.ntpServer });
    else changes.push({ path: [], append: `<${here}>${set.ntpServer}</${here}>` });
    changes.push({ path: [other], value: null, optional: true });
  }
  if (typeof set.ntpPort === 'number') changes.push({ path: ['portNo'], value: String(set.ntpPort) });
  if (typeof set.ntpInterval === 'number')
    changes.push({ path: ['synchronizeInterval'], value: String(set.ntpInterval) });
  return changes;
};

/** Clock, zone and time server (isapi.md §5). */
export const time: Feature<IsapiDevice> = {
  async offer(device, signal) {
    if (!(await device.has(TIME, signal))) return {};
    return {
      sections: [{ section: 'time', channels: null }],
      actions: [{ action: 'syncTime', channels: null }],
    };
  },
  sections: {
    time: {
      read: (device, _, signal) => read(device, signal),
      async write(device, _, set, __, signal) {
        const { timeMode, timeZone } = set;
        if (typeof timeZone === 'string' && !/^[A-Za-z]{3,}[+-]?\d{1,2}:\d\d(:\d\d)?(DST.{0,80})?$/.test(timeZone))
          return failure(
            'invalid-request',
            'timeZone: as devices write it, such as CST-1:00:00; use the action for a zone by name.',
          );
        if (typeof set.ntpServer === 'string' && !/^[A-Za-z0-9.-]{1,64}$/.test(set.ntpServer))
          return failure('invalid-request', 'ntpServer: a name or an address.');
        let rebootRequired = false;
        // The server first, then the mode that uses it.
        if (['ntpServer', 'ntpPort', 'ntpInterval'].some((name) => name in set)) {
          const written = await writeDocument(device, NTP, (_doc, source) => ntpChanges(source, set), signal);
          if (!written.ok) return written;
          rebootRequired = written.value.rebootRequired;
        }
        const changes: Change[] = [];
        if (typeof timeMode === 'string') changes.push({ path: ['timeMode'], value: timeMode });
        if (typeof timeZone === 'string') changes.push({ path: ['timeZone'], value: timeZone });
        if (changes.length === 0) return { ok: true, value: { rebootRequired } };
        const written = await writeDocument(device, TIME, changes, signal);
        if (!written.ok) return written;
        return { ok: true, value: { rebootRequired: rebootRequired || written.value.rebootRequired } };
      },
    },
  },
  actions: {
    async syncTime(device, { timeZone }, signal) {
      const done = await syncTime(device, timeZone, signal);
      if (!done.ok) return done;
      const { driftMs, mode } = done.value;
      return { ok: true, value: { pending: false, text: `${mode}, ${(driftMs / 1000).toFixed(1)} s off` } };
    },
  },
};
