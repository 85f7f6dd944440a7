import type { CloudMode } from '../../protocol/wire/cloud.ts';
import { ProblemError } from '../api/problem.ts';
import { cloudLimit } from '../compat/limits.ts';
import type { DbOrTrx } from '../db/database.ts';
import type { DeviceRow } from '../db/schema.ts';
import { isSolar } from './rules.ts';

/**
 * Refuses what a device may not send: anything but motion from a solar camera (CLOUD-07), and more picture than the
 * compatibility list allows its model (CLOUD-13).
 */
export async function mustFit(
  db: DbOrTrx,
  { name, model, firmware }: DeviceRow,
  { mode, definition }: { mode?: CloudMode; definition?: string | null },
): Promise<void> {
  if (isSolar(model) && mode !== undefined && mode !== 'event')
    throw new ProblemError('conflict', `“${name}” is a solar camera: only motion may have it send footage.`);
  if (!definition) return;
  const limit = await cloudLimit(db, model, firmware);
  const [width = 0, height = 0] = definition.split('x').map(Number);
  if (width <= (limit?.maxWidth ?? width) && height <= (limit?.maxHeight ?? height)) return;
  const most = `${limit?.maxWidth ?? '?'}x${limit?.maxHeight ?? '?'}`;
  throw new ProblemError(
    'limit-reached',
    `“${name}” (${model}) takes cloud storage of ${most} at most; ${definition} is more.`,
  );
}
