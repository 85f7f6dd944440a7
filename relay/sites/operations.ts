import {
  OPERATION_NEEDS,
  type Permission,
  SITE_OPERATIONS,
  type SiteOperation,
  STATUS_ALLOWS,
} from '../../protocol/wire/rights.ts';
import type { Scope } from '../auth/scope.ts';
import type { SiteRow } from '../db/schema.ts';

/** What only the company that made a site does with it. */
const OWN_ONLY = new Set<SiteOperation>([
  'transfer',
  'share',
  'resend-transfer',
  'delete',
  'collaborate',
  'batch-share',
  'group',
]);
/** Only of personal sites: households. Team sites are handed over whole and are in no group. */
const PERSONAL_ONLY = new Set<SiteOperation>(['share', 'batch-share', 'group']);

/** What somebody can do with a site now: its status, its type, whose it is, what is held of it, and the role. */
export function operationsOf(
  scope: Scope,
  site: Pick<SiteRow, 'companyId' | 'status' | 'type'>,
  permissions: readonly Permission[],
): SiteOperation[] {
  return SITE_OPERATIONS.filter(
    (operation) =>
      STATUS_ALLOWS[operation].includes(site.status) &&
      permissions.includes(OPERATION_NEEDS[operation]) &&
      (!OWN_ONLY.has(operation) || site.companyId === scope.companyId) &&
      (!PERSONAL_ONLY.has(operation) || site.type === 'personal') &&
      (operation === 'search' || (!scope.limited && scope.companyType !== 'customer')) &&
      (operation !== 'assign' || scope.may('manage-all-sites')) &&
      (operation !== 'manage-devices' || scope.may('manage-devices')),
  );
}
