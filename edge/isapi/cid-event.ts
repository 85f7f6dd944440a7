import type { EventType } from '../../protocol/wire/event.ts';
import type { Alert } from './alert.ts';
import { clean, text, type XmlNode } from './xml.ts';

/** Standard Contact ID classes; what is missing goes by the panel's own word for the kind (event-codes §3). */
const CLASSES: [RegExp, EventType][] = [
  [/^10\d$/, 'medical'],
  [/^11\d$/, 'fire'],
  [/^12[023]$/, 'panic'],
  [/^12[145]$/, 'duress'],
  [/^13[0-689]$/, 'zoneAlarm'],
  [/^137$/, 'panelTamper'],
  [/^14[0126]$/, 'zoneAlarm'],
  [/^14[34578]$|^383$/, 'deviceTamper'],
  [/^15[0356]$/, 'zoneAlarm'],
  [/^15[127]$|^162$/, 'gas'],
  [/^154$/, 'waterLeak'],
  [/^15[89]$/, 'temperature'],
  [/^301$/, 'mainsFail'],
  [/^(302|309|311|338|384)$/, 'batteryLow'],
  [/^30[56]$/, 'other'],
  [/^3\d\d$/, 'panelFault'],
  [/^454$/, 'armFailed'],
  [/^461$/, 'illegalLogin'],
  [/^423$/, 'doorForced'],
  [/^426$/, 'doorHeldOpen'],
  [/^57\d$/, 'zoneBypassed'],
  [/^60[17]$/, 'panelTest'],
  [/^[46]\d\d$/, 'other'],
];
const ARMS_AWAY = /^40[0-5789]$/;
const ARMS_STAY = /^44[1-3]$/;
/** The panel's own numbers, where they differ from the standard. */
const OWN: Record<string, string> = { 103: '130', 148: '144', 759: '130' };
/** By the panel's word for the kind, when it gives no number that is known. An alarm of any kind is never less than one. */
const KINDS: [RegExp, EventType][] = [
  [/^dismantle/i, 'deviceTamper'],
  [/alarm|lifeSafety/i, 'zoneAlarm'],
  [/^sysStatus|fault/i, 'panelFault'],
];
/** The panel's own tests of its way to a receiver say nothing about the site. */
const OWN_TESTS = /^(602|603|608)$/;

/** The class of a standard Contact ID event (three digits); `closing`: with qualifier 3. undefined: it has none of ours. */
export function typeOfCid(event: string, closing: boolean): EventType | undefined {
  if (ARMS_STAY.test(event)) return closing ? 'areaArmedStay' : 'areaDisarmed';
  if (ARMS_AWAY.test(event)) return closing ? 'areaArmedAway' : 'areaDisarmed';
  return OWN_TESTS.test(event) ? 'panelTest' : CLASSES.find(([pattern]) => pattern.test(event))?.[1];
}

/**
 * A panel's event in Contact ID (isapi.md §16). While it lasts the panel sends it 7–10 times a second and again every
 * 27 s: all of these have its class, area, zone and moment in common, which make its id. Qualifier 1 is new or opening, 3
 * restored or closing; some panels say `inactive` with the first number instead.
 */
export function readCidEvent(node: XmlNode): Alert | 'ignore' {
  const field = (name: string, max = 64) => clean(text(node, 'CIDEvent', name), max);
  const code =
    /^([136])(\d{3})$/.exec(field('standardCIDcode') || field('standardCode')) ??
    /^([136])(\d{3})$/.exec(field('code'));
  const said = !/^inactive$/i.test(text(node, 'eventState'));
  const own = code?.[2] ?? '';
  const event = field('standardCIDcode') || field('standardCode') ? own : (OWN[own] ?? own);
  if (OWN_TESTS.test(event)) return 'ignore';
  const closing = code?.[1] === '3';
  const switched = ARMS_AWAY.test(event) || ARMS_STAY.test(event);
  if (switched && !said) return 'ignore';
  const known = typeOfCid(event, closing);
  const kind = field('type');
  const type = known ?? KINDS.find(([pattern]) => pattern.test(kind))?.[1] ?? 'other';
  const standard = known !== undefined || field('standardCIDcode') !== '';
  const active = switched || (said && !closing);
  const area = number(field('system'), 1, 99);
  const zone = number(field('zone'), 0, 9998);
  const trigger = field('trigger') || null;
  return {
    type,
    word: 'cidEvent',
    active,
    // Zones are numbered from 0 on the wire and from 1 everywhere else.
    channel: switched ? area : zone === null ? null : zone + 1,
    count: null,
    deviceTime: trigger ?? (clean(text(node, 'dateTime'), 64) || null),
    // A restoral without its moment cannot be told from the one before it.
    ref:
      !active && trigger === null
        ? null
        : `cid:${active ? '+' : '-'}${code?.[0] ?? kind}:${area ?? ''}:${zone ?? ''}:${trigger ?? ''}`.slice(0, 128),
    cid: standard && event ? `${switched && closing ? 3 : 1}${event}` : undefined,
    area: area ?? undefined,
    text: sentence(field),
  };
}

/** Who or what, and where, as far as the panel says. */
function sentence(field: (name: string, max?: number) => string): string | null {
  const who = field('userName', 128) || field('name', 128);
  return [who, field('subSystemName', 128)].filter(Boolean).join(', ') || null;
}

const number = (written: string, min: number, max: number): number | null => {
  const n = /^\d{1,9}$/.test(written) ? Number(written) : null;
  return n !== null && n >= min && n <= max ? n : null;
};
