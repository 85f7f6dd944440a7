import type { CloudLimit } from '../../protocol/wire/compat.ts';
import { compareFirmware } from '../../protocol/wire/firmware.ts';
import type { DbOrTrx } from '../db/database.ts';

/** How models are told apart: devices write theirs with or without spaces, in small letters or large ones. */
export const modelKey = (model: string): string => model.normalize('NFKC').toUpperCase().replaceAll(/\s/g, '');
/** Without the generation at its end, `(C)`, which not every device tells. */
export const baseKey = (model: string): string => modelKey(model).replace(/\([A-Z0-9]{1,3}\)$/, '');

/**
 * What the compatibility list allows a model with this firmware; null: it does not stand there. Of several versions it is
 * the newest one that the device has reached; the least of all where its firmware is older than each, or not known. A
 * model without its generation gets the least that any generation has.
 */
export async function cloudLimit(db: DbOrTrx, model: string, firmware: string): Promise<CloudLimit | null> {
  if (model.trim() === '') return null;
  const rows = await db
    .selectFrom('compatibility')
    .select(['model', 'modelKey', 'firmware', 'maxChannels', 'maxWidth', 'maxHeight', 'maxKbps'])
    .where('baseKey', '=', baseKey(model))
    .where('maxChannels', 'is not', null)
    .orderBy('modelKey')
    .orderBy('firmware')
    .execute();
  const exact = rows.filter((row) => row.modelKey === modelKey(model));
  const known = (exact.length > 0 ? exact : modelKey(model) === baseKey(model) ? rows : []).map((row) => ({
    model: row.model,
    firmware: row.firmware,
    channels: Number(row.maxChannels),
    maxWidth: row.maxWidth,
    maxHeight: row.maxHeight,
    maxKbps: row.maxKbps,
  }));
  const reached = known.filter((row) => (compareFirmware(row.firmware, firmware) ?? 1) <= 0);
  const newest = reached.reduce<string | null>(
    (best, row) => (best === null || (compareFirmware(row.firmware, best) ?? 0) > 0 ? row.firmware : best),
    null,
  );
  const count =
    exact.length > 0 && newest !== null ? reached.filter((r) => compareFirmware(r.firmware, newest) === 0) : known;
  return count.reduce<CloudLimit | null>((least, row) => (least && least.channels <= row.channels ? least : row), null);
}

/** How many channels of a device may have cloud storage; null: the list sets no limit for this model. */
export async function maxCloudChannels(db: DbOrTrx, model: string, firmware: string): Promise<number | null> {
  return (await cloudLimit(db, model, firmware))?.channels ?? null;
}
