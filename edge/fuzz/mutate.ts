/** Numbers that depend on the seed alone (mulberry32): a failure can be repeated. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to n − 1. */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000) * n);
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

/** What parsers stumble over. */
const TOKENS = [
  ...[
    '<',
    '>',
    '</',
    '/>',
    '&',
    '&#0;',
    '&#x110000;',
    '&lt;',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?xml',
    '<!DOCTYPE a [',
    '"',
    "'",
  ],
  ...[
    '\0',
    '\r\n',
    '\r\n\r\n',
    '\n\n',
    '--',
    '--boundary',
    '--boundary\r\n',
    '--boundary--\r\n',
    ':',
    '=',
    '{',
    '}',
    '[',
    ']',
    '\\',
  ],
  ...[
    'Content-Length: 99999999\r\n',
    'Content-Length: 5\r\n\r\n',
    'Content-Type: image/jpeg\r\n',
    '<a>',
    '</a>',
    '<__proto__>',
  ],
  ...[
    'constructor',
    'xmlns:a="b"',
    '99999999999999999999',
    '-1',
    'NaN',
    '\u{1f4f7}',
    '\ufeff',
    '%s%n',
    '..',
    '2147483648',
  ],
  ...['<EventNotificationAlert>', '</EventNotificationAlert>', '<eventType>VMD</eventType>'],
].map((text) => Buffer.from(text));
const EDGES = [0, 1, 0x0a, 0x22, 0x26, 0x3c, 0x3e, 0x7f, 0x80, 0xc0, 0xff];

/** `bytes` with one to eight faults; `others` lend pieces. Never longer than `max`. */
export function mutate(bytes: Buffer, dice: Dice, others: readonly Buffer[], max = 64 * 1024): Buffer {
  let out = bytes;
  for (let left = 1 + dice.below(8); left > 0; left--) out = fault(out, dice, others);
  return out.subarray(0, max);
}

function fault(bytes: Buffer, dice: Dice, others: readonly Buffer[]): Buffer {
  const at = dice.below(bytes.length + 1);
  const span = at + dice.below(Math.min(bytes.length - at, dice.of([1, 4, 40, 400])) + 1);
  const put = (middle: Buffer, end = at) => Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(end)]);
  switch (dice.below(10)) {
    case 0:
      return put(Buffer.alloc(0), span);
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return put(bytes.subarray(at, span));
    case 3:
      return put(dice.of(TOKENS));
    case 4:
      return put(dice.of(TOKENS), span);
    case 5: {
      const other = dice.of(others);
      const from = dice.below(other.length);
      return put(other.subarray(from, from + 1 + dice.below(200)), span);
    }
    case 6:
      return put(Buffer.from(Array.from({ length: 1 + dice.below(16) }, () => dice.below(256))));
    case 7: {
      // The same piece many times: nesting, lists without end.
      const piece = bytes.subarray(at, Math.min(span, at + 24));
      return put(Buffer.concat(Array.from({ length: dice.below(200) }, () => piece)));
    }
    default: {
      if (at === bytes.length) return bytes;
      const changed = Buffer.from(bytes);
      changed[at] = dice.below(2) ? dice.of(EDGES) : changed[at]! ^ (1 << dice.below(8));
      return changed;
    }
  }
}

/** In pieces, as a network delivers them. */
export function pieces(bytes: Buffer, dice: Dice): Buffer[] {
  const size = dice.of([7, 100, 1460, 64 * 1024]);
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + dice.below(size);
    out.push(bytes.subarray(at, end));
    at = end;
  }
  return out;
}

const RUNS = [' ', '\t', '\r', '\n', '/', '$', 'a', '0', 'a=', 'OPTIONS ', 'RTSP/1.0 200', '\u2028', '\0\0\u0001'];
/** Now and then with a long run of one thing: what takes a time that grows faster than its input shows here. */
export function stretch(bytes: Buffer, dice: Dice): Buffer {
  if (dice.below(20) > 0) return bytes;
  const run = Buffer.from(dice.of(RUNS).repeat(1 + dice.below(4_000)));
  const at = dice.below(bytes.length + 1);
  const rest = bytes.subarray(at);
  return Buffer.concat([bytes.subarray(0, at), run, ...(dice.below(2) ? [Buffer.from('\rx\u2028x')] : []), rest]);
}
