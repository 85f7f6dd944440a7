import type { DeviceListItem } from '../../../protocol/wire/operations.ts';
import type { Feature } from '../../drivers/feature.ts';
import { failure, judge, type Result, responseStatus } from '../answer.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { clean, list, parseXml, text, type XmlNode } from '../xml.ts';

const STORAGE = '/ContentMgmt/Storage';
const POLL_MS = 3_000;
/** A large disk takes some minutes; one that takes longer than this is left to itself. */
const FORMAT_WITHIN_MS = 30 * 60_000;
const MAX_SILENT_POLLS = 5;

export interface Disk {
  id: string;
  name: string;
  kind: 'hdd' | 'nas';
  /** As the device writes it, lower case. */
  status: string;
  type: string;
  capacityMb: number | null;
  freeMb: number | null;
  property: string;
}

export async function readDisks(device: IsapiDevice, signal?: AbortSignal): Promise<Result<Disk[]>> {
  const got = await device.get(STORAGE, signal);
  if (!got.ok) return got;
  const { node } = got.value;
  const of = (kind: Disk['kind']) => list(node, `${kind}List`, kind).map((one) => diskOf(one, kind));
  return { ok: true, value: [...of('hdd'), ...of('nas')].filter((disk) => disk.id !== '') };
}

function diskOf(node: XmlNode, kind: Disk['kind']): Disk {
  const id = text(node, 'id');
  const size = (name: string) => (/^\d{1,12}$/.test(text(node, name)) ? Number(text(node, name)) : null);
  const path = clean(text(node, 'path') || text(node, 'hddPath') || text(node, 'nasPath'), 64);
  return {
    id: /^\d{1,6}$/.test(id) ? id : '',
    name: clean(text(node, `${kind}Name`), 64) || `${kind.toUpperCase()} ${id}${path && ` ${path}`}`,
    kind,
    status: clean(text(node, 'status'), 32).toLowerCase(),
    type: clean(text(node, `${kind}Type`), 16),
    capacityMb: size('capacity'),
    freeMb: size('freeSpace'),
    property: clean(text(node, 'property'), 16),
  };
}

/**
 * Whether a disk is surely new and empty, the only kind that is initialised without a person (INIT-14). The device must
 * call it unformatted or uninitialised; every other word (ok, error, mismatch, offline, smartFailed, or one that nobody
 * has seen yet) may stand for footage. So may any space that is in use.
 */
export function isSurelyEmpty(disk: Disk): boolean {
  if (disk.kind !== 'hdd' || !/^un-?(formatted|initiali[sz]ed)$/.test(disk.status)) return false;
  if (/^(r|ro|readonly)$/i.test(disk.property)) return false;
  const { capacityMb, freeMb } = disk;
  // Not formatted, a disk has no free space; where it claims some, all of it must be free.
  if (freeMb === null || freeMb === 0) return true;
  return capacityMb !== null && freeMb >= capacityMb;
}

export interface DiskInitialised {
  disk: string;
  result: 'formatted' | 'kept' | 'failed';
  /** Why it was left alone, or what went wrong. */
  text: string | null;
}

/** Formats the disks that are {@link isSurelyEmpty}, one after the other, and no other. */
export async function initialiseNewDisks(
  device: IsapiDevice,
  onPercent: (disk: string, percent: number) => void,
  signal?: AbortSignal,
): Promise<Result<DiskInitialised[]>> {
  const disks = await readDisks(device, signal);
  if (!disks.ok) return disks;
  const results: DiskInitialised[] = [];
  for (const { id, name } of disks.value) {
    // As it is now, not as it was before the others took their minutes.
    const now = await readDisks(device, signal);
    const disk = now.ok ? now.value.find((d) => d.id === id && d.kind === 'hdd') : undefined;
    if (!now.ok || !disk || !isSurelyEmpty(disk)) {
      const status = now.ok ? (disk?.status ?? 'nas') : now.text;
      results.push({ disk: name, result: 'kept', text: status || 'it says no status' });
      continue;
    }
    const done = await format(device, disk, (percent) => onPercent(name, percent), signal);
    results.push({ disk: name, result: done.ok ? 'formatted' : 'failed', text: done.ok ? null : done.text });
  }
  return { ok: true, value: results };
}

async function format(
  device: IsapiDevice,
  disk: Disk,
  onPercent: (percent: number) => void,
  signal?: AbortSignal,
): Promise<Result<void>> {
  const started = await device.client.request('PUT', `${STORAGE}/${disk.kind}/${disk.id}/format`, {
    timeoutMs: 60_000,
    signal,
  });
  // Some answer when they are through; that one got no answer is settled by its status.
  if (!started.ok && started.code !== 'device-unreachable') return started;
  const refused = started.ok ? judge(started.value) : null;
  if (refused && refused.subStatus !== 'formatting') return refused;
  const end = device.clock.mono() + FORMAT_WITHIN_MS;
  for (let silent = 0; device.clock.mono() < end && !signal?.aborted; ) {
    const percent = await formatPercent(device, disk, signal);
    if (percent !== null) onPercent(percent);
    if (percent === null || percent >= 100) {
      const disks = await readDisks(device, signal);
      const now = disks.ok ? disks.value.find((d) => d.id === disk.id && d.kind === disk.kind) : undefined;
      if (now && /^(ok|idle|normal)$/.test(now.status)) return { ok: true, value: undefined };
      if (now && /error|fail|abnormal/.test(now.status))
        return failure('device-error', `${disk.name} could not be initialised: it is now “${now.status}”.`);
      if (++silent > MAX_SILENT_POLLS && now && !/format/.test(now.status.replace('unformatted', '')))
        return failure('device-error', `${disk.name} was not initialised: it is still “${now.status}”.`);
    } else silent = 0;
    await device.clock.sleep(POLL_MS, signal);
  }
  return failure('device-error', `${disk.name} is still being initialised: look again later.`);
}

/** How far it is; null: it does not say. The element names are not proven, so any percentage counts (isapi.md §14). */
async function formatPercent(device: IsapiDevice, disk: Disk, signal?: AbortSignal): Promise<number | null> {
  const got = await device.client.get(`${STORAGE}/${disk.kind}/${disk.id}/formatStatus`, { signal });
  if (!got.ok || responseStatus(got.value.body)) return null;
  const doc = parseXml(got.value.body);
  let percent: number | null = null;
  let working: boolean | null = null;
  const visit = (value: XmlNode | XmlNode[], name: string): void => {
    if (Array.isArray(value)) for (const v of value) visit(v, name);
    else if (typeof value === 'object') for (const [n, v] of Object.entries(value)) visit(v, n);
    else if (/percent|progress/i.test(name) && /^\d{1,3}%?$/.test(value.trim())) percent = Number.parseInt(value, 10);
    else if (/^format/i.test(name) && /^(true|false)$/i.test(value.trim())) working = /^true$/i.test(value.trim());
  };
  if (doc) visit(doc.node, '');
  if (percent !== null) return Math.min(100, percent);
  return working === null ? null : working ? 0 : 100;
}

const item = (disk: Disk): DeviceListItem => ({
  id: `${disk.kind}${disk.id}`,
  name: disk.name,
  values: {
    status: disk.status,
    capacityMb: disk.capacityMb,
    freeMb: disk.freeMb,
    diskType: disk.type,
    property: disk.property,
    kind: disk.kind,
    isNew: isSurelyEmpty(disk),
  },
});

/** Disks and memory cards of a device (isapi.md §14). */
export const storage: Feature<IsapiDevice> = {
  async offer(device, signal) {
    if (!(await device.has(STORAGE, signal))) return {};
    return { lists: [{ list: 'disks', channels: null }], actions: [{ action: 'diskFormat', channels: null }] };
  },
  lists: {
    async disks(device, _, signal) {
      const disks = await readDisks(device, signal);
      return disks.ok ? { ok: true, value: disks.value.map(item) } : disks;
    },
  },
  actions: {
    async diskFormat(device, { disk: wanted, confirm }, signal) {
      const disks = await readDisks(device, signal);
      if (!disks.ok) return disks;
      const disk = disks.value.find((d) => `${d.kind}${d.id}` === wanted);
      if (!disk) return failure('not-found', 'It has no such disk.');
      if (confirm !== disk.name)
        return failure('invalid-request', `Everything on it is lost: to confirm, enter its name, ${disk.name}.`);
      const path = `${STORAGE}/${disk.kind}/${disk.id}/format`;
      const started = await device.client.request('PUT', path, { timeoutMs: 20_000, signal });
      if (!started.ok && started.code !== 'device-unreachable') return started;
      const refused = started.ok ? judge(started.value) : null;
      return refused ?? { ok: true, value: { pending: true, text: null } };
    },
  },
};
