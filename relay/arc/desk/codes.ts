import type { DeskSource, Meaning, Urgency } from '../../../protocol/wire/arc-desk.ts';
import type { AlarmReport } from '../../../protocol/wire/event.ts';

/*
 * What a code means to the person at the desk, and how urgent it is. Read from the code as it was sent, because alarms come
 * from foreign senders too: SIA DC-03 by two letters, Contact ID (DC-05) by a qualifier and three digits. What is not
 * known is an alarm: a code nobody thought of must not stay silent.
 */

const LIFE: readonly Meaning[] = ['fire', 'panic', 'medical', 'gas'];
const ALARM: readonly Meaning[] = ['burglary', 'tamper', 'technical', 'untyped', 'pathsLost'];
const FAULT: readonly Meaning[] = ['fault', 'power', 'pathLost'];

/** SIA: whole codes first, then the first letter of alarms (…A, …V). */
const SIA: Record<string, Meaning> = {
  YS: 'pathLost',
  YC: 'pathLost',
  YK: 'pathLost',
  NT: 'pathLost',
  NR: 'pathLost',
  LT: 'pathLost',
  LR: 'pathLost',
  AT: 'power',
  AR: 'power',
  YT: 'power',
  YR: 'power',
  YP: 'power',
  YQ: 'power',
  XT: 'power',
  XR: 'power',
  RP: 'test',
  RX: 'test',
  RY: 'fault',
  TX: 'test',
  TS: 'testBegun',
  TE: 'testEnded',
  JA: 'tamper',
  DF: 'burglary',
  CI: 'fault',
  ES: 'tamper',
  XS: 'fault',
  XQ: 'fault',
  XH: 'fault',
  UY: 'fault',
};
const SIA_ALARM: Record<string, Meaning> = {
  F: 'fire',
  K: 'fire',
  P: 'panic',
  H: 'panic',
  M: 'medical',
  Q: 'medical',
  G: 'gas',
  B: 'burglary',
  T: 'tamper',
  W: 'technical',
  Z: 'technical',
  S: 'technical',
  U: 'untyped',
  O: 'opened',
  C: 'closed',
};

function siaMeaning(code: string): Meaning {
  const whole = SIA[code];
  if (whole) return whole;
  const [group, what] = [code.charAt(0), code.charAt(1)];
  // A restoral (…R, …H, …J, …U) has the meaning of what it ends.
  if ('AVHRXG'.includes(what) && SIA_ALARM[group]) return SIA_ALARM[group];
  if ('BU'.includes(what) && group !== 'J') return 'bypassed';
  if (group === 'O') return 'opened';
  if (group === 'C') return 'closed';
  if ('TJSQML'.includes(what) || 'DEILNRVXYJA'.includes(group)) return 'fault';
  return 'untyped';
}

const CID: [from: number, to: number, meaning: Meaning][] = [
  [100, 109, 'medical'],
  [110, 118, 'fire'],
  [119, 119, 'fire'],
  [120, 129, 'panic'],
  [130, 136, 'burglary'],
  [137, 137, 'tamper'],
  [138, 143, 'burglary'],
  [144, 145, 'tamper'],
  [146, 149, 'burglary'],
  [150, 150, 'untyped'],
  [151, 151, 'gas'],
  [152, 161, 'technical'],
  [162, 163, 'gas'],
  [164, 199, 'technical'],
  [301, 302, 'power'],
  [308, 311, 'power'],
  [337, 338, 'power'],
  [342, 342, 'power'],
  [350, 354, 'pathLost'],
  [200, 399, 'fault'],
  [421, 423, 'burglary'],
  [424, 434, 'fault'],
  [461, 461, 'tamper'],
  [454, 459, 'fault'],
  [570, 577, 'bypassed'],
  [601, 603, 'test'],
  [606, 606, 'fault'],
  [607, 607, 'testBegun'],
  [604, 616, 'test'],
  [621, 632, 'fault'],
];

function cidMeaning(code: string): Meaning {
  const event = Number(code.slice(1));
  // 401 and its like: qualifier 1 opens, 3 closes.
  if (event >= 400 && event < 460 && !(event >= 421 && event <= 434) && event < 452)
    return code.startsWith('3') ? 'closed' : 'opened';
  if (event === 607) return code.startsWith('3') ? 'testEnded' : 'testBegun';
  return CID.find(([from, to]) => event >= from && event <= to)?.[2] ?? 'untyped';
}

/** What the relay says itself is of all paths of an account together. */
export function meaningOf({
  protocol,
  code,
  source,
}: Pick<AlarmReport, 'protocol' | 'code'> & { source: DeskSource }): Meaning {
  const meaning = protocol === 'ADM-CID' ? cidMeaning(code) : siaMeaning(code);
  return source === 'relay' && meaning === 'pathLost' ? 'pathsLost' : meaning;
}

/** Restorals of SIA's alarm groups (…R, …H, …J), and those of power and paths. */
const SIA_RESTORAL = /^([FKPHMQGBTWZSU][RHJ]|[AYXNL]R|YQ|YK)$/;

/** Whether the code itself says that something is over, whoever sends it; of 4xx a 3 is a closing, which is an event. */
function isRestoral({ protocol, code }: Pick<AlarmReport, 'protocol' | 'code'>): boolean {
  return protocol === 'ADM-CID' ? /^3[^4]/.test(code) : SIA_RESTORAL.test(code);
}

/** How soon somebody has to look. A restore is nobody's alarm, also one that comes alone. */
export function urgencyOf(row: Pick<AlarmReport, 'kind' | 'protocol' | 'code'> & { source: DeskSource }): Urgency {
  if (row.kind !== 'alarm' || isRestoral(row)) return 3;
  const meaning = meaningOf(row);
  if (LIFE.includes(meaning)) return 0;
  if (ALARM.includes(meaning)) return 1;
  return FAULT.includes(meaning) ? 2 : 3;
}
