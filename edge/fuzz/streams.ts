import { type Alert, readAlert } from '../isapi/alert.ts';
import { AlertStreamParser, type Part } from '../isapi/multipart.ts';
import { must, type Target } from './fuzz.ts';
import { type Dice, mutate, pieces } from './mutate.ts';

const WORDS = ['VMD', 'linedetection', 'fielddetection', 'shelteralarm', 'IO', 'videoloss'];

/** The number says in four places which one it is: mixed ones can be told. */
const alertXml = (n: number) =>
  `<EventNotificationAlert version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">\r\n<ipAddress>10.7.0.2</ipAddress>\r\n<channelID>${n}</channelID>\r\n<dateTime>2026-01-01T00:00:${String(n).padStart(2, '0')}</dateTime>\r\n<activePostCount>${n}</activePostCount>\r\n<eventType>${WORDS[n % WORDS.length]}</eventType>\r\n<eventState>active</eventState>\r\n<eventDescription>alarm</eventDescription>\r\n<UUID>u-${n}</UUID>\r\n</EventNotificationAlert>\r\n`;
const alertJson = (n: number) =>
  JSON.stringify({
    ipAddress: '10.7.0.2',
    channelID: n,
    dateTime: `2026-01-01T00:00:${n}`,
    activePostCount: n,
    eventType: WORDS[n % WORDS.length],
    eventState: 'active',
    UUID: `u-${n}`,
  });
const PICTURE = Buffer.concat([
  Buffer.from([0xff, 0xd8]),
  Buffer.from('JFIF\r\n--boundary\r\n<Event'),
  Buffer.from([0xff, 0xd9]),
]);

const part = (type: string, body: Buffer | string, withLength = true) =>
  Buffer.concat([
    Buffer.from(`--boundary\r\nContent-Type: ${type}\r\n`),
    Buffer.from(withLength ? `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n` : '\r\n'),
    ...[Buffer.from(body as string), Buffer.from('\r\n')],
  ]);

/** A stream of 3 to 8 parts as devices write them. */
function stream(dice: Dice): Buffer[] {
  return Array.from({ length: 3 + dice.below(6) }, (_, i) => {
    const n = 1 + i;
    const kind = dice.below(8);
    if (kind === 0) return part('image/jpeg', PICTURE);
    if (kind === 1) return part('application/json', alertJson(n));
    if (kind === 2) return part('application/xml', alertXml(n), false);
    if (kind === 3) return Buffer.concat([Buffer.from('--boundary\r\n'), part('text/html', alertXml(n))]);
    return part('application/xml; charset="UTF-8"', alertXml(n));
  });
}

function read(parser: AlertStreamParser, chunks: Buffer[]): Part[] {
  const found = chunks.flatMap((chunk) => parser.push(chunk));
  // As after five seconds without an end.
  return [...found, ...parser.resync()];
}

/** The elements of a document are closed in the order they were opened; independent of the parser under test. */
function isWhole(body: Buffer): boolean {
  const text = body.toString('latin1');
  if (/^\s*\{/.test(text)) {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  }
  const open: string[] = [];
  let roots = 0;
  const tags = text.replace(/<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>/g, '');
  for (const [, end, name, , empty] of tags.matchAll(/<(\/?)([\w:.-]+)((?:"[^"]*"|'[^']*'|[^<>"'])*?)(\/?)>/g)) {
    if (end) {
      if (open.pop() !== name) return false;
    } else if (!empty) {
      if (open.length === 0) roots++;
      open.push(name!);
    }
  }
  return open.length === 0 && roots === 1;
}

const HEALTHY = [41, 42, 43].map((n) => part('application/xml', alertXml(n)));
/** Whatever came before, the stream goes on: the last healthy ones are told. */
function goesOn(parser: AlertStreamParser): void {
  const refs = read(parser, HEALTHY).flatMap((p) => {
    const alert = readAlert(p);
    return typeof alert === 'object' ? [alert.ref] : [];
  });
  must(refs.includes('u-42') && refs.includes('u-43'), `the stream is torn: after it came only ${refs.join()}`);
}

const sameNumber = (alert: Alert): boolean => {
  const n = Number(alert.ref?.slice(2));
  const time = alert.deviceTime?.endsWith(`:${String(n).padStart(2, '0')}`) || alert.deviceTime?.endsWith(`:${n}`);
  const channel = alert.channel === n || alert.type === 'alarmInput';
  return (
    alert.ref === `u-${n}` && time === true && channel && alert.count === n && alert.word === WORDS[n % WORDS.length]
  );
};

export const STREAMS: Target[] = [
  {
    name: 'alertStream',
    share: 12,
    run(dice, input) {
      const parts = stream(dice);
      const bytes = mutate(Buffer.concat(parts), dice, parts);
      input(bytes);
      const parser = new AlertStreamParser();
      for (const one of read(parser, pieces(bytes, dice))) {
        must(bytes.includes(one.body), 'a part that was not sent so');
        const alert = readAlert(one);
        if (typeof alert === 'object') must(isWhole(one.body), `an event of an incomplete document: ${one.body}`);
      }
      goesOn(parser);
    },
  },
  {
    name: 'alertStream, faults between documents',
    share: 8,
    run(dice, input) {
      // One part is broken at its head or cut off: every event told is one of those sent, whole and once.
      const parts = stream(dice);
      const bad = dice.below(parts.length);
      const broken = parts.map((p, i) => {
        if (i !== bad) return p;
        const body = p.indexOf('\r\n\r\n') + 4;
        const cut = dice.below(2) ? p.subarray(0, body + dice.below(p.length - body)) : p;
        return Buffer.concat([mutate(cut.subarray(0, body), dice, [cut.subarray(0, body)]), cut.subarray(body)]);
      });
      const bytes = Buffer.concat(broken);
      input(bytes);
      const parser = new AlertStreamParser();
      const told = read(parser, pieces(bytes, dice)).flatMap((p) => {
        const alert = readAlert(p);
        return typeof alert === 'object' ? [alert] : [];
      });
      for (const alert of told) must(sameNumber(alert), `an event that nobody sent: ${JSON.stringify(alert)}`);
      must(new Set(told.map((a) => a.ref)).size === told.length, 'an event twice');
      goesOn(parser);
    },
  },
];
