import { expect, it } from 'vitest';
import { meaningOf, urgencyOf } from './codes.ts';

it.each([
  ['SIA-DCS', 'FA', 'fire', 0],
  ['SIA-DCS', 'HA', 'panic', 0],
  ['SIA-DCS', 'BV', 'burglary', 1],
  ['SIA-DCS', 'YS', 'pathLost', 2],
  ['SIA-DCS', 'OP', 'opened', 3],
  ['SIA-DCS', 'CL', 'closed', 3],
  ['SIA-DCS', 'TS', 'testBegun', 3],
  ['SIA-DCS', 'YT', 'power', 2],
  ['ADM-CID', '1110', 'fire', 0],
  ['ADM-CID', '1121', 'panic', 0],
  ['ADM-CID', '1130', 'burglary', 1],
  ['ADM-CID', '1401', 'opened', 3],
  ['ADM-CID', '3401', 'closed', 3],
  ['ADM-CID', '1602', 'test', 3],
  ['ADM-CID', '3607', 'testEnded', 3],
  ['ADM-CID', '1350', 'pathLost', 2],
  // A restore that comes alone ends something that nobody here has heard of.
  ['ADM-CID', '3130', 'burglary', 3],
  ['ADM-CID', '3110', 'fire', 3],
  ['ADM-CID', '3301', 'power', 3],
  ['SIA-DCS', 'BR', 'burglary', 3],
  ['SIA-DCS', 'FH', 'fire', 3],
  ['SIA-DCS', 'YR', 'power', 3],
  // Whatever the qualifier: somebody without the right to.
  ['ADM-CID', '3421', 'burglary', 1],
  // What nobody thought of is not silent.
  ['SIA-DCS', 'ZZ', 'untyped', 1],
  ['ADM-CID', '1999', 'untyped', 1],
] as const)('%s %s means %s, urgency %i', (protocol, code, meaning, urgency) => {
  expect(meaningOf({ protocol, code, source: 'box' })).toBe(meaning);
  expect(urgencyOf({ kind: 'alarm', protocol, code, source: 'box' })).toBe(urgency);
});
