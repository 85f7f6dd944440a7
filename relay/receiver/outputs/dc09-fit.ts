import { type Dc09Message, encodeDc09 } from '../../../protocol/codec/dc09.ts';
import type { ReceivedEvent } from '../../../protocol/wire/receiver.ts';

const QUALIFIER = { begin: '1', end: '3', still: '6' } as const;

/**
 * The frame of a message, whatever a sender put into it: what a block cannot carry becomes a space, and what is too long for a
 * frame (encrypted it has twice the length) loses first its extended data, then its text, and its further events at last.
 * The code goes in any case. null: not even that could be encoded.
 */
export function fittingFrame(message: Dc09Message, events: ReceivedEvent[], key: Buffer | null): Buffer | null {
  const xdata = message.xdata.map(clean).filter(Boolean);
  // That an alarm is old must not get lost.
  const time = xdata.filter((x) => x.startsWith('H')).slice(0, 1);
  const data = clean(message.data);
  const forms: Pick<Dc09Message, 'data' | 'xdata'>[] = [
    { data, xdata },
    { data, xdata: time },
  ];
  for (const some of [events, events.slice(0, 1)])
    if (some.length > 0) forms.push({ data: `#${message.account}|${codes(message.id, some)}`, xdata: time });
  for (const form of forms) {
    try {
      return encodeDc09({ ...message, ...form }, { key });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return null;
}

const clean = (text: string): string => text.replace(/[^ -~\x80-\xff]|[[\]]/g, ' ');

function codes(id: string, events: ReceivedEvent[]): string {
  const number = (zone: string | null) => (zone ?? '').replace(/[^0-9A-F]/gi, '').slice(-3);
  if (id !== 'ADM-CID')
    return `N${events.map((e) => `${e.area ? `ri${e.area}/` : ''}${e.event}${number(e.zone)}`).join('/')}`;
  const group = (area: number | null) => String(Math.min(99, area ?? 0)).padStart(2, '0');
  return events
    .map((e) => `${QUALIFIER[e.qualifier]}${e.event} ${group(e.area)} ${number(e.zone).padStart(3, '0')}`)
    .join('|');
}
