import { failure, type Result } from '../isapi/answer.ts';
import { type Challenge, parseChallenges } from '../isapi/digest.ts';
import { type Fault, isMustUnderstand, isNotAuthorized, readAnswer, saysLocked } from './soap.ts';
import type { HttpAnswer } from './transport.ts';
import type { Element } from './tree.ts';

/** The device does not take the login, or wants one. */
export interface Refusal {
  challenges: Challenge[];
  locked: boolean;
  text: string;
  /** The Date header; ours to set the clock by, where it tells no other time. */
  dateMs: number | null;
}
export type Outcome =
  | { kind: 'done'; result: Result<Element> }
  | { kind: 'refused'; refusal: Refusal }
  | { kind: 'no-header' };

/** What to make of a successful answer that is no SOAP. */
export type Recover = (body: Buffer) => Element;

/** The body first, whatever the status: faults come with 200, 400, 401 and 500. */
export function judge({ status, headers, rawHeaders, body }: HttpAnswer, recover?: Recover): Outcome {
  const answer = readAnswer(body);
  const date = Date.parse(String(headers.date ?? ''));
  const refused = (fault: Fault | null): Outcome => ({
    kind: 'refused',
    refusal: {
      challenges: parseChallenges(rawHeaders),
      locked: fault !== null && saysLocked(fault),
      text: fault?.reason || `HTTP status ${status}`,
      dateMs: Number.isNaN(date) ? null : date,
    },
  });
  if (answer.kind === 'response' && status < 300) return { kind: 'done', result: { ok: true, value: answer.element } };
  const fault = answer.kind === 'fault' ? answer.fault : null;
  if (fault && isMustUnderstand(fault)) return { kind: 'no-header' };
  if (status === 401 || (fault && isNotAuthorized(fault))) return refused(fault);
  if (answer.kind === 'none' && recover && status >= 200 && status < 300 && body.length > 0) {
    return { kind: 'done', result: { ok: true, value: recover(body) } };
  }
  const subStatus = fault?.codes.at(-1);
  const text = fault
    ? `It answered "${(fault.reason || subStatus || 'a fault').slice(0, 120)}".`
    : status >= 200 && status < 300
      ? 'What it answered could not be read.'
      : `It answered with HTTP status ${status}.`;
  return { kind: 'done', result: failure('device-error', text, { status, ...(subStatus ? { subStatus } : {}) }) };
}
