import { createHash } from 'node:crypto';
import type { Dc09Event } from '../../protocol/codec/dc09-content.ts';
import type { EventType } from '../../protocol/wire/event.ts';
import { typeOfCid } from '../isapi/cid-event.ts';

/** What one event of a foreign panel means here. */
export interface PanelEvent {
  type: EventType;
  /** Contact ID with qualifier, as it goes on to the receiving centre; null: none fits. */
  cid: string | null;
  area: number | null;
  channel: number | null;
  /** Area and zone as far as the numbers above cannot say them: what is alike there may differ here. */
  beyond: string;
  /** It ends what one of these numbers began, the likeliest first; null: it begins something. */
  ends: string[] | null;
  /** Contact ID's 6: told again while it lasts. */
  still: boolean;
  text: string | null;
}

/** SIA codes that begin something, and their Contact ID with qualifier (event-codes §2). */
const SIA_BEGINS: Record<string, string> = {
  BA: '1130',
  BV: '1139',
  BB: '1573',
  BC: '1406',
  BT: '1380',
  UA: '1150',
  UB: '1570',
  UT: '1380',
  UY: '1381',
  US: '1381',
  FA: '1110',
  FT: '1373',
  FB: '1571',
  SA: '1113',
  KA: '1158',
  ZA: '1159',
  GA: '1151',
  WA: '1154',
  PA: '1120',
  HA: '1122',
  MA: '1100',
  QA: '1101',
  TA: '1144',
  ES: '1145',
  AT: '1301',
  YT: '1302',
  YM: '1311',
  XT: '1384',
  XQ: '1344',
  YA: '1321',
  ET: '1333',
  LT: '1351',
  YS: '1350',
  YC: '1354',
  DF: '1423',
  DN: '1426',
  DO: '1422',
  JA: '1461',
  JT: '1626',
  JO: '1624',
  RR: '1305',
  YG: '1306',
  RP: '1602',
  RY: '1608',
  RX: '1601',
  CI: '1454',
  CR: '1459',
  LB: '1627',
  LS: '1628',
  LX: '1628',
  TS: '1607',
  OP: '1401',
  OR: '1401',
  OG: '1401',
  OA: '1403',
  OQ: '1407',
  OS: '1409',
  CL: '3401',
  CF: '3401',
  CA: '3403',
  CQ: '3407',
  CS: '3409',
  CG: '3441',
  NL: '3441',
};
const BURGLARY = ['130', '131', '132', '133', '134', '139'];
/** SIA codes that end something, and which numbers that may have been. */
const SIA_ENDS: Record<string, string[]> = {
  BH: BURGLARY,
  BR: BURGLARY,
  BJ: ['380'],
  BU: ['573', '570'],
  UH: ['150'],
  UR: ['150', '381', '380'],
  UJ: ['380', '381'],
  UU: ['570', '573'],
  FH: ['110', '111', '115'],
  FR: ['110', '111', '115'],
  FJ: ['373'],
  FU: ['571'],
  SH: ['113'],
  SR: ['113'],
  KH: ['158', '114'],
  KR: ['158', '114'],
  ZH: ['159'],
  ZR: ['159'],
  GH: ['151', '162'],
  GR: ['151', '162'],
  WH: ['154'],
  WR: ['154'],
  PH: ['120', '123'],
  PR: ['120', '123'],
  HH: ['122', '121'],
  HR: ['122', '121'],
  MH: ['100'],
  MR: ['100'],
  QH: ['101'],
  QR: ['101'],
  TR: ['144', '137', '145'],
  TH: ['144', '137', '145'],
  EJ: ['145'],
  AR: ['301'],
  YR: ['302', '311'],
  XR: ['384'],
  XH: ['344'],
  YH: ['321'],
  ER: ['333'],
  LR: ['351'],
  YK: ['350', '354'],
  DR: ['423', '426', '422'],
  DH: ['426'],
  TE: ['607'],
};
const ARMING: ReadonlySet<EventType | undefined> = new Set<EventType>([
  'areaArmedAway',
  'areaArmedStay',
  'areaDisarmed',
]);

/** Reads one event of a DC-09 message. Nothing is without meaning: what has no class of ours is `other` with its code as text. */
export function readPanelEvent(event: Dc09Event): PanelEvent {
  const isCid = event.protocol === 'ADM-CID';
  const ends = isCid ? null : event.qualifier === 'end' ? (SIA_ENDS[event.code] ?? []) : null;
  const code = isCid ? event.code : (SIA_BEGINS[event.code] ?? (ends?.[0] ? `3${ends[0]}` : null));
  const number = code && /^[136]\d{3}$/.test(code) ? code.slice(1) : null;
  const closing = code?.[0] === '3';
  const type = number ? typeOfCid(number, closing) : undefined;
  const arming = ARMING.has(type);
  const [area, zone] = [areaOf(event.area), zoneOf(event.zone)];
  const isUnnamed = type === undefined || type === 'other';
  // Receivers have three digits for a zone: what has more is said in words, too.
  const isTold = event.zone === null || (isUnnamed ? event.zone : zone !== null && zone <= 999);
  const words = [
    isUnnamed ? `${event.code}${event.zone ? ` ${event.zone.slice(0, MAX_WORD)}` : ''}` : null,
    event.area !== null && area === null ? `Area ${event.area}` : null,
    isTold ? null : `Zone ${event.zone!.slice(0, MAX_WORD)}`,
    event.user !== null && Number(event.user) !== 0 ? `User ${event.user.slice(0, MAX_WORD)}` : null,
    event.text,
  ];
  return {
    type: type ?? 'other',
    cid: number && `${closing ? 3 : 1}${number}`,
    area,
    // As of panels over ISAPI: of arming the area, else the zone. Zone 0 is none.
    channel: arming ? area : zone || null,
    beyond: beyondOf(event.area, event.zone),
    ends: arming ? null : isCid ? (closing && number ? [number] : closing ? [] : null) : ends,
    still: event.qualifier === 'still',
    text: clean(words.filter(Boolean).join(', ')),
  };
}

/** Of more digits than any number has. */
const MAX_WORD = 32;

/** As events have it; null: none of theirs. */
const areaOf = (area: number | null): number | null => (area !== null && area >= 1 && area <= 99 ? area : null);
const zoneOf = (zone: string | null): number | null =>
  zone !== null && /^\d+$/.test(zone) && Number(zone) <= 9999 ? Number(zone) : null;

const beyondOf = (area: number | null, zone: string | null): string =>
  `${areaOf(area) === null ? (area ?? '') : ''}:${zoneOf(zone) === null ? shortened(zone ?? '') : ''}`;

/** The same for the same, whatever its length. */
const shortened = (zone: string): string =>
  zone.length <= MAX_WORD ? zone : `x${createHash('sha256').update(zone).digest('hex').slice(0, MAX_WORD)}`;

/** No control characters, no half characters: databases and readers refuse them. */
const clean = (text: string): string | null =>
  text
    .replace(/\p{Cc}/gu, ' ')
    .slice(0, 512)
    .toWellFormed() || null;

/** What tells one event of a panel from its others, with the number of its message; a repetition has the same. */
export function refOf(number: string, { code, area, zone, occurredAt }: Dc09Event): string {
  return `dc09:${number}:${code}:${area ?? ''}:${shortened(zone ?? '')}:${occurredAt ?? ''}`;
}

/** {@link PanelEvent.beyond} of an event whose {@link refOf} is known. */
export function beyondOfRef(ref: string): string {
  const [, , , area, zone] = ref.split(':');
  return beyondOf(area ? Number(area) : null, zone || null);
}
