import type { ReceivedEvent } from '../../../protocol/wire/receiver.ts';

/*
 * Sur-Gard MLR2, receiver to automation software (SG Automation Output Protocol): stop and wait, over TCP.
 *
 *   Contact ID   5RRL 18AAAAQXYZGGCCC<DC4>        Q: E event or opening, R restore or closing, P previous
 *   SIA          3RRL    AAAAAAXXYYYY<DC4>        four spaces; the account with leading spaces
 *   heartbeat    1RRL           @    <DC4>        eleven spaces, @, four; about every 30 s
 *   answers      06 ACK, 15 NAK
 */

export const DC4 = 0x14;
export const ACK = 0x06;
export const NAK = 0x15;

export interface Mlr2Source {
  /** Two hex digits. */
  receiver: string;
  /** One hex digit. */
  line: string;
}

export const heartbeatFrame = ({ receiver, line }: Mlr2Source): Buffer =>
  frame(`1${receiver}${line}${' '.repeat(11)}@${' '.repeat(4)}`);

const QUALIFIER = { begin: 'E', end: 'R', still: 'P' } as const;

/** `account`: exactly 4 characters. An event that is no Contact ID goes as 150, so that somebody looks. */
export function cidFrame(from: Mlr2Source, account: string, event: ReceivedEvent): Buffer {
  const code = /^[0-9A-F]{3}$/.test(event.event) ? event.event : '150';
  const area = String(Math.min(99, Math.max(0, event.area ?? 0))).padStart(2, '0');
  const { receiver, line } = from;
  return frame(`5${receiver}${line} 18${account}${QUALIFIER[event.qualifier]}${code}${area}${digits(event.zone, 3)}`);
}

/** `account`: up to 6 characters. The letters say themselves whether something begins or ends. */
export function siaFrame(from: Mlr2Source, account: string, event: ReceivedEvent): Buffer {
  const code = /^[A-Z]{2}$/.test(event.event) ? event.event : 'UA';
  return frame(`3${from.receiver}${from.line}    ${account.padStart(6, ' ')}${code}${digits(event.zone, 4)}`);
}

const digits = (zone: string | null, count: number): string =>
  (zone ?? '')
    .replaceAll(/[^0-9A-F]/gi, '')
    .slice(-count)
    .toUpperCase()
    .padStart(count, '0');

const frame = (text: string): Buffer => Buffer.concat([Buffer.from(text, 'latin1'), Buffer.of(DC4)]);
