/** ISO 3166-1 alpha-2 codes of countries and territories. Their names come from `Intl.DisplayNames`. */
export const COUNTRIES =
  `AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ CA CC CD CF CG
CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI
GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA
LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO
NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS
ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM
ZW`.split(/\s+/);

const EU = 'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' ');

/** What a company shows to be authenticated. */
export const AUTHENTICATION_FIELDS = [
  'legalName',
  'registrationNumber',
  'vatNumber',
  'taxId',
  'licenceNumber',
  'address',
  'contactName',
  'contactPhone',
  'website',
] as const;
export type AuthenticationField = (typeof AUTHENTICATION_FIELDS)[number];

const EVERYWHERE: readonly AuthenticationField[] = ['legalName', 'address', 'contactName', 'contactPhone'];

/**
 * What is asked of a company in a country: which fields, and which of them must be filled in. Where firms have a number
 * for value added tax, that proves them; in North America the tax id and the alarm licence; elsewhere the register.
 */
export function authenticationFields(country: string): { field: AuthenticationField; required: boolean }[] {
  const own: readonly AuthenticationField[] =
    EU.includes(country) || ['GB', 'NO', 'CH', 'IS', 'LI'].includes(country)
      ? ['registrationNumber', 'vatNumber']
      : country === 'US' || country === 'CA'
        ? ['taxId', 'licenceNumber']
        : ['registrationNumber'];
  const required = [...EVERYWHERE, ...own];
  return AUTHENTICATION_FIELDS.filter((field) => required.includes(field) || field === 'website').map((field) => ({
    field,
    required: required.includes(field),
  }));
}
