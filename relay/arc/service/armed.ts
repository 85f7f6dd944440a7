import { DeviceListing } from '../../../protocol/wire/operations.ts';
import { ProblemError } from '../../api/problem.ts';
import type { BoxClient } from '../../devices/box-client.ts';

const TIMEOUT_MS = 20_000;
/** What panels call it; areas that are switched off count for nothing. */
const DISARMED = /^disarm(ed)?$/i;

/**
 * Throws unless the panel says, now, that all of its areas are disarmed (ARC-23). A panel that cannot be asked may be armed:
 * its box's own words say why it does not answer.
 */
export async function mustBeDisarmed(
  box: BoxClient,
  panel: { id: string; name: string; boxSerial: string },
): Promise<void> {
  const path = `/v1/devices/${panel.id}/lists/areas`;
  const areas = await box.json(panel.boxSerial, DeviceListing, 'GET', path, { timeoutMs: TIMEOUT_MS });
  const counted = areas.items.filter((area) => area.values.enabled !== false);
  const known = counted.length > 0 && counted.every((area) => typeof area.values.arming === 'string');
  if (!known)
    throw new ProblemError(
      'conflict',
      `${panel.name} does not say whether it is armed: the connection stays as it is. Try again, or look at the panel.`,
    );
  const armed = counted.filter((area) => !DISARMED.test(String(area.values.arming)));
  if (armed.length > 0) {
    const names = armed.map((area) => area.name || area.id).join(', ');
    throw new ProblemError('conflict', `${panel.name} is armed (${names.slice(0, 200)}): disarm it first.`);
  }
}
