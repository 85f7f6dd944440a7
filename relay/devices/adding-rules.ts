import {
  type AddingMethod,
  type AddingRefusal,
  addingRefused,
  MAX_FREE_DEVICES,
  MAX_PERSONAL_CHANNELS,
  variantOf,
} from '../../protocol/wire/adding.ts';
import type { DeviceType } from '../../protocol/wire/rights.ts';
import { ProblemError } from '../api/problem.ts';
import type { DbOrTrx } from '../db/database.ts';
import type { DeviceRow, SiteRow } from '../db/schema.ts';

/** What devices call themselves (`deviceType` of their device information), by the types of the manual. */
const TYPES: readonly [RegExp, DeviceType][] = [
  [/alarm|panel|ax|pirpanel|^(pwa|pha)/i, 'panel'],
  [/doorbell/i, 'doorbell'],
  [/vis|intercom|indoor|doorstation|outdoor/i, 'intercom'],
  [/acs|access|terminal|router/i, 'access'],
  [/switch|bridge|network|accesspoint/i, 'network'],
  [/radar/i, 'radar'],
  [/audio|speaker/i, 'audio'],
];
/** Whatever has pictures is an encoding device. */
const PICTURES = /cam|nvr|dvr|nvs|dome|dvs|recorder|encoder/i;

export function deviceTypeOf(told: string, model: string): DeviceType {
  if (PICTURES.test(told)) return 'encoding';
  return TYPES.find(([pattern]) => pattern.test(told) || (told === '' && pattern.test(model)))?.[1] ?? 'encoding';
}

const REFUSALS: Record<AddingRefusal, string> = {
  method: 'Devices of this type cannot be added this way: add it by its serial number.',
  'team-method': 'A team site takes devices by QR code, by serial number or from the LAN only.',
  'ac-router': 'An access control router belongs to a personal site: a team site does not take it.',
  'ax-home': 'An AX HOME panel is added by its serial number only.',
};

/** Throws `conflict` with the reason: the table of ways and types, and the rules beside it. */
export function mustBeAddable(method: AddingMethod, type: DeviceType, site: SiteRow, model: string): void {
  const refused = addingRefused(method, type, site.type, variantOf(type, model));
  if (refused) throw new ProblemError('conflict', REFUSALS[refused]);
}

/** Throws `limit-reached` when a personal site would have more than 128 channels, or a company more than 1,024 devices. */
export async function mustHaveRoom(db: DbOrTrx, site: SiteRow, channels: number): Promise<void> {
  if (site.type === 'personal') {
    const { sum } = await db
      .selectFrom('devices')
      .select((e) => e.fn.sum<number | null>('channelCount').as('sum'))
      .where('siteId', '=', site.id)
      .where('deletedAt', 'is', null)
      .executeTakeFirstOrThrow();
    const would = Number(sum ?? 0) + channels;
    if (would > MAX_PERSONAL_CHANNELS) {
      const text = `“${site.name}” would have ${would} channels; a personal site has at most ${MAX_PERSONAL_CHANNELS}.`;
      throw new ProblemError('limit-reached', text);
    }
  }
  // Counted no further than matters.
  const { count } = await db
    .selectFrom((e) =>
      e
        .selectFrom('devices as d')
        .innerJoin('sites as s', 's.id', 'd.siteId')
        .select('d.id')
        .where('s.companyId', '=', site.companyId)
        .where('s.deletedAt', 'is', null)
        .where('d.deletedAt', 'is', null)
        .limit(MAX_FREE_DEVICES)
        .as('found'),
    )
    .select((e) => e.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  if (Number(count) >= MAX_FREE_DEVICES) {
    const text = `The company has ${MAX_FREE_DEVICES} devices, as many as there are without a package.`;
    throw new ProblemError('limit-reached', text);
  }
}

/** Throws `added-to-another-account` for a device that another company has; never says whose it is. */
export async function mustBeUnbound(db: DbOrTrx, companyId: string, serial: string): Promise<void> {
  const elsewhere = await db
    .selectFrom('devices as d')
    .innerJoin('sites as s', 's.id', 'd.siteId')
    .select('d.id')
    .where('d.serial', '=', serial)
    .where('d.deletedAt', 'is', null)
    .where('s.companyId', '<>', companyId)
    .executeTakeFirst();
  if (!elsewhere) return;
  const text = `The device ${serial} is added to another account. It must be unbound there first, then add it again.`;
  throw new ProblemError('added-to-another-account', text);
}

/** What rests on a box cannot be had of a device that was added by its address (ADD-03). */
export const notByAddress = (device: Pick<DeviceRow, 'name'>, what: string): ProblemError =>
  new ProblemError(
    'conflict',
    `“${device.name}” was added by its address: ${what} needs a box on its network. Add it from the LAN or by its serial number.`,
  );
