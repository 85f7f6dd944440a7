import type { Selectable } from 'kysely';
import { iso } from '../../protocol/clock.ts';
import type { CloudDevice, CloudSetUp } from '../../protocol/wire/cloud.ts';
import { cloudLimit } from '../compat/limits.ts';
import type { DbOrTrx } from '../db/database.ts';
import type { DeviceRow } from '../db/schema.ts';
import { isSolar } from './rules.ts';
import type { CloudTables } from './schema.ts';

type Setup = Selectable<CloudTables['cloud_setups']>;

/** A set-up that failed longer ago than this is no news of a channel that has no cloud storage. */
const NEWS_MS = 30 * 86_400_000;
/** Ends of set-ups of which the device saw nothing. */
const NEVER_BEGUN = ['box-unreachable', 'device-left'];

/** Of one channel: what was tried before that helps nobody. */
const MAX_KEPT = 20;
const DELETED_AT_ONCE = 500;

/** Deletes old set-ups of a channel; those stay that have packages set aside. */
export async function forgetSetups(db: DbOrTrx, of: { deviceId: string; channel: number }): Promise<void> {
  const rows = await db
    .selectFrom('cloud_setups')
    .select(['jobId', 'state', 'code', 'retentionDays'])
    .where('deviceId', '=', of.deviceId)
    .where('channel', '=', of.channel)
    .orderBy('jobId', 'desc')
    .execute();
  let kept = 0;
  const old = rows.filter(({ state, code, retentionDays }) => {
    if (state === 'pending' && retentionDays !== null) return false;
    return (code !== null && NEVER_BEGUN.includes(code)) || ++kept > MAX_KEPT;
  });
  if (old.length === 0) return;
  const ids = old.slice(-DELETED_AT_ONCE).map((row) => row.jobId);
  await db
    .deleteFrom('cloud_setups')
    .where('jobId', 'in', ids)
    .where('deviceId', '=', of.deviceId)
    .where('channel', '=', of.channel)
    .execute();
}

/** The set-ups of these devices where they are now, the newest last; those that never began are left out. */
export async function setupsOf(db: DbOrTrx, devices: DeviceRow[]): Promise<Setup[]> {
  const rows = await db
    .selectFrom('cloud_setups')
    .selectAll()
    .where('deviceId', 'in', [...devices.map((device) => device.id), ''])
    .orderBy('jobId')
    .execute();
  return rows.filter((row) => {
    const device = devices.find((one) => one.id === row.deviceId);
    // A box that is not the device's any more does not go on with it.
    if (row.siteId !== device?.siteId || (row.state === 'pending' && row.boxSerial !== device.boxSerial)) return false;
    return row.code === null || !NEVER_BEGUN.includes(row.code);
  });
}

/** How the last set-up of a channel went that has cloud storage since `createdMs`. */
export function setUpState(setups: Setup[], of: { deviceId: string; channel: number; createdMs: number }): CloudSetUp {
  const last = setups.findLast(
    (row) =>
      row.deviceId === of.deviceId &&
      row.channel === of.channel &&
      (row.settledMs === null || Number(row.settledMs) >= Number(of.createdMs)),
  );
  return last ? view(last) : { state: 'never', code: null, jobId: null };
}

/** Of each device what the compatibility list allows it, what is paid, and set-ups that run or failed lately (CLOUD-13). */
export async function cloudDevices(
  db: DbOrTrx,
  devices: DeviceRow[],
  setups: Setup[],
  now: number,
): Promise<CloudDevice[]> {
  const video = devices.filter((device) => device.type === 'encoding');
  const paid = await db
    .selectFrom('cloud_services')
    .select(['deviceId', 'channel'])
    .where('deviceId', 'in', [...video.map((device) => device.id), ''])
    .where('endedMs', 'is', null)
    .where('untilMs', '>', now)
    .orderBy('channel')
    .execute();
  const all: CloudDevice[] = [];
  for (const { id, name, model, firmware } of video) {
    const limit = await cloudLimit(db, model, firmware);
    const last = new Map(setups.flatMap((row) => (row.deviceId === id ? [[row.channel, row]] : [])));
    const news = [...last.values()].filter(
      (row) => row.state === 'pending' || (row.state === 'failed' && Number(row.settledMs) > now - NEWS_MS),
    );
    all.push({
      deviceId: id,
      deviceName: name,
      model,
      maxChannels: limit?.channels ?? null,
      maxWidth: limit?.maxWidth ?? null,
      maxHeight: limit?.maxHeight ?? null,
      motionOnly: isSolar(model),
      paid: paid.flatMap((row) => (row.deviceId === id ? row.channel : [])),
      setups: news.map((row) => ({ ...view(row), channel: row.channel, at: iso(Number(row.createdMs)) })),
    });
  }
  return all;
}

const STATES = { pending: 'running', done: 'done', failed: 'failed' } as const;
const view = ({ state, code, jobId }: Setup): CloudSetUp => ({ state: STATES[state], code, jobId });
