import type { ReceivedEvent } from '../../../protocol/wire/receiver.ts';

/** `130` → `130`; `BA`, `BR`, `BH` → `B`: what alarm and restore have in common. */
const subject = (event: string): string => (/^\d/.test(event) ? event : event.slice(0, 1));

/**
 * Whether a message ends something that another one began. Such a one must not be handed on before the other: a restore that
 * nobody knows the alarm of.
 */
export function ends(message: readonly ReceivedEvent[], begun: readonly ReceivedEvent[]): boolean {
  return message.some(
    (end) =>
      end.qualifier === 'end' &&
      begun.some(
        (begin) => begin.qualifier !== 'end' && subject(begin.event) === subject(end.event) && begin.zone === end.zone,
      ),
  );
}
