import { VALIDITIES } from '../../../protocol/wire/rights.ts';

/** How long a permission can be asked for and given, with the key of its words. */
export const validities = VALIDITIES.map((validity) => [validity, `handover.validity.${validity}` as const] as const);
