import { type Dc09Message, parseDc09Time } from './dc09.ts';
import type { Dc09Content, Dc09Event } from './dc09-content.ts';

/*
 * Reads the data blocks of foreign senders (DC-03, DC-05) as they are seen in the field: with and without `#acct|`, several
 * events in a block, names between `^`, modifiers without a slash behind them, Contact ID with other spaces.
 */

/** Of these SIA codes the number is a user (DC-04). */
const SIA_USER = new Set(
  `BC CE CF CJ CK CL CP CQ CR DA DB EE JD JH JK JP JS JT JV JX JY JZ OC OH OJ OK OL OP OQ OR OT PC PD RX`.split(' '),
);

/** SIA codes that end what another one began (DC-04). */
const SIA_END = new Set(
  `AN AR BE BH BJ BR BU DH DR EJ EN ER FH FJ FK FQ FR FU FV GH GJ GR GU HH HJ HR HU IR KH KJ KR KU LE LR LS LX MH MJ MR MU
   NR OV PH PJ PO PR PU QH QJ QR QU SH SJ SR SU TE TH TJ TR TU TZ UH UJ UR UU VR WH WJ WR WU XC XH XJ XR YE YH YJ YK YQ YR
   ZH ZJ ZR ZU`.split(/\s+/),
);

type Block = Pick<Dc09Event, 'code' | 'qualifier' | 'event' | 'area' | 'zone' | 'user' | 'text' | 'old'>;

/**
 * The events of a message; empty where nothing in it can be read as one. `offsetMs` is taken off its times: what a sender
 * with a local clock is ahead of UTC.
 */
export function parseDc09Content(message: Pick<Dc09Message, 'id' | 'data' | 'xdata'>, offsetMs = 0): Dc09Content {
  const { id } = message;
  if (id !== 'SIA-DCS' && id !== 'ADM-CID') return [];
  const named = /#([0-9a-f]{1,16})\|/i.exec(message.data);
  const data = named ? message.data.slice(named.index + named[0].length) : message.data;
  const extended = (letter: string) =>
    message.xdata.filter((x) => x[0]?.toUpperCase() === letter).map((x) => x.slice(1));
  const occurred = extended('H')
    .map(parseDc09Time)
    .find((t) => t !== null);
  const text = extended('I').map(readable).find(Boolean) ?? null;
  return (id === 'ADM-CID' ? cidBlocks(data) : siaBlocks(data)).map((block) => ({
    protocol: id,
    ...block,
    text: [block.text, text].filter(Boolean).join(' ') || null,
    occurredAt: occurred === undefined ? null : occurred - offsetMs,
    pictures: extended('V')
      .flatMap((v) => v.split(','))
      .map((v) => v.trim())
      .filter(Boolean),
    account: named?.[1]?.toUpperCase() ?? null,
  }));
}

/** Bytes of a text as Unicode: UTF-8 where it is that, else Windows-1252 (§5.5.1.10). */
function readable(text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  let read: string;
  try {
    read = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    read = new TextDecoder('windows-1252').decode(bytes);
  }
  return read.replace(/\p{Cc}/gu, ' ').trim();
}

// `18` and `98` are the message types of DC-05, which some put in front.
const CID = /^\s*(?:(?:18|98)\s+)?([136])([0-9A-F]{3})\s*([0-9A-F]{2})\s*([0-9A-F]{3})(?![0-9A-F])/i;

function cidBlocks(data: string): Block[] {
  return data.split('|').flatMap((segment): Block[] => {
    const m = CID.exec(segment);
    if (!m) return [];
    const [, q, event, group, number] = m.map((part) => part.toUpperCase()) as [string, string, string, string, string];
    const zone = number === '000' ? null : number;
    return [
      {
        code: q + event,
        qualifier: q === '1' ? 'begin' : q === '3' ? 'end' : 'still',
        event,
        area: Number(group) || null,
        zone,
        user: /^4(?!2[36-9]|3)/.test(event) ? zone : null,
        text: null,
        old: false,
      },
    ];
  });
}

const TEXT_ONLY: Block = {
  code: 'A',
  qualifier: 'begin',
  event: 'A',
  area: null,
  zone: null,
  user: null,
  text: null,
  old: false,
};

function siaBlocks(data: string): Block[] {
  const events: Block[] = [];
  for (const segment of data.split('|')) {
    // `AR001` alone would be a code: text is what has more letters.
    if (/^A(?![A-Z]\d*$)/.test(segment)) {
      const text = readable(segment.slice(1));
      // A text with nothing to belong to is a message of its own.
      if (events.length === 0 && text) events.push({ ...TEXT_ONLY, text: '' });
      for (const event of events) event.text = [event.text, text].filter(Boolean).join(' ');
    } else events.push(...siaSegment(segment));
  }
  return events;
}

function siaSegment(segment: string): Block[] {
  // The flag of new and old is a letter before modifiers or a code; `OP001` alone is a code.
  const flag = /^([NOQ])(?=$|[/^]|[a-z]{2}|[A-Z]{2})/.exec(segment);
  const events: Block[] = [];
  const now: { area: number | null; user: string | null } = { area: null, user: null };
  const token = /([a-z]{2})([^/^A-Za-z]*)|([A-Z]{2})(\d*)|\^([^^]*)\^?|\*"([^"]*)"(?:NM)?|./gsy;
  token.lastIndex = flag ? 1 : 0;
  for (let m = token.exec(segment); m; m = token.exec(segment)) {
    const [, modifier, value, event, number, between, quoted] = m;
    // XSIA puts the name of a zone between `*"` and `"NM`.
    const name = between ?? quoted;
    if (modifier === 'ri') now.area = Number.parseInt(value!, 10) || null;
    else if (modifier === 'id') now.user = value || null;
    else if (name !== undefined) {
      const last = events.at(-1);
      if (last && name.trim()) last.text = [last.text, readable(name)].filter(Boolean).join(' ');
    } else if (event) {
      const zone = number || null;
      const user = now.user ?? (SIA_USER.has(event) ? zone : null);
      const qualifier = SIA_END.has(event) ? 'end' : 'begin';
      events.push({ code: event, qualifier, event, area: now.area, zone, user, text: null, old: flag?.[1] === 'O' });
    }
  }
  return events;
}
