import { randomBytes, randomInt } from 'node:crypto';
import pino from 'pino';
import { ManualClock } from '../../protocol/clock.ts';
import { type Dc09Message, decodeDc09, encodeDc09, openDc09 } from '../../protocol/codec/dc09.ts';
import { Dc09Stream } from '../../protocol/codec/dc09-stream.ts';
import { Dc09Listener } from '../../protocol/dc09/listener.ts';

/*
 * The long counts of the codec's acceptance: messages there and back, every flipped bit, and a receiver that gets
 * whatever comes. `npm run bench codec`; what runs in CI is codec.test.ts.
 */

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const HEX = '0123456789ABCDEF';
const pick = <T>(from: readonly T[]): T => from[randomInt(from.length)]!;
const digits = (min: number, max: number): string =>
  Array.from({ length: randomInt(min, max + 1) }, () => pick([...HEX])).join('');
/** Any byte from space on but brackets. */
const text = (max: number): string =>
  [...randomBytes(randomInt(max + 1))]
    .map((b) => (b < 0x20 || b === 0x5b || b === 0x5d ? 0x41 : b))
    .map((b) => String.fromCharCode(b))
    .join('');

export function anyMessage(): Dc09Message {
  return {
    id: pick(['SIA-DCS', 'ADM-CID', 'NULL', 'ACK', 'DUH', 'RSP']),
    encrypted: randomInt(2) === 1,
    sequence: randomInt(10_000),
    receiver: randomInt(4) ? digits(1, 6) : null,
    line: randomInt(8) ? digits(0, 6) : null,
    account: digits(3, 16),
    data: text(80),
    xdata: Array.from({ length: randomInt(3) }, () => `I${text(60)}`),
    timestamp: randomInt(4_000_000) * 1_000_000,
  };
}
const anyKey = (): Buffer => randomBytes(pick([16, 24, 32]));

/** How many of `count` random messages do not come back as they went. */
export function roundTrips(count: number): number {
  let wrong = 0;
  for (let i = 0; i < count; i++) {
    const message = anyMessage();
    const key = anyKey();
    const binaryCrc = randomInt(4) === 0;
    const decoded = decodeDc09(encodeDc09(message, { key, binaryCrc }), key);
    if (!decoded.ok || JSON.stringify(decoded.message) !== JSON.stringify(message)) wrong++;
  }
  return wrong;
}

/** Flips every bit of `frames` frames, one at a time: how many flips there were, and how many were not noticed. */
export function flips(frames: number): { flipped: number; unnoticed: number } {
  let flipped = 0;
  let unnoticed = 0;
  for (let i = 0; i < frames; i++) {
    const key = anyKey();
    const frame = encodeDc09(anyMessage(), { key });
    const same = frame.toString('latin1', 0, 9).toUpperCase();
    for (let bit = 0; bit < frame.length * 8; bit++) {
      frame[bit >> 3]! ^= 1 << (bit & 7);
      // The letter case of CRC and length says nothing.
      const harmless = bit >> 3 < 9 && frame.toString('latin1', 0, 9).toUpperCase() === same;
      if (!harmless) {
        flipped++;
        if (decodeDc09(frame, key).ok) unnoticed++;
      }
      frame[bit >> 3]! ^= 1 << (bit & 7);
    }
  }
  return { flipped, unnoticed };
}

export interface FuzzReport {
  inputs: number;
  acknowledged: number;
  /** Acknowledged although it was not a whole, valid message that was kept first. */
  falselyAcknowledged: number;
  failures: number;
  grownBytes: number;
}

/**
 * Gives a receiver random bytes, mutated, cut, joined and repeated frames: each input through a stream of its own, and
 * what was left of the former one before it. An acknowledgement is judged by a check of its own.
 */
export async function fuzzReceiver(inputs: number): Promise<FuzzReport> {
  const key = randomBytes(32);
  const kept: Buffer[] = [];
  const report: FuzzReport = { inputs, acknowledged: 0, falselyAcknowledged: 0, failures: 0, grownBytes: 0 };
  const listener = new Dc09Listener({
    host: '127.0.0.1',
    port: 0,
    transports: [],
    clock: new ManualClock(NOW),
    log: pino({ level: 'silent' }, { write: () => report.failures++ }),
    known: (account) => (account === 'AAAA' ? { key } : account === '1234' ? { key: null } : null),
    received: async ({ raw }) => {
      kept.push(raw);
      return 'ack';
    },
  });
  const peer = { address: '127.0.0.1', port: 1, transport: 'tcp' } as const;
  let stream = new Dc09Stream();
  let heap = 0;
  for (let i = 0; i < inputs; i++) {
    if (i === inputs >> 3) heap = used();
    if (i % 16 === 0) stream = new Dc09Stream();
    try {
      for (const frame of stream.push(anyInput(key))) {
        kept.length = 0;
        const reply = await listener.answer(frame, peer);
        if (!reply || !/"\*?ACK"/.test(reply.toString('latin1'))) continue;
        report.acknowledged++;
        if (!kept[0]?.equals(frame) || !isWhole(frame)) report.falselyAcknowledged++;
      }
    } catch {
      report.failures++;
    }
  }
  report.grownBytes = used() - heap;
  return report;
}

function used(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function anyInput(key: Buffer): Buffer {
  const account = pick(['AAAA', '1234', '1234', '9999']);
  const valid = (): Buffer =>
    encodeDc09(
      {
        ...anyMessage(),
        id: pick(['SIA-DCS', 'ADM-CID', 'NULL', 'ACR-SF']),
        encrypted: account === 'AAAA',
        account,
        data: pick([`#${account}|Nri1/BA003`, `#${account}|1130 01 007`, '', text(40)]),
        timestamp: NOW + pick([0, 0, 0, 15_000, -600_000]),
      },
      { key, binaryCrc: randomInt(8) === 0 },
    );
  const frame = valid();
  switch (randomInt(7)) {
    case 0:
      return randomBytes(randomInt(200));
    case 1:
      return frame;
    case 2:
      return frame.subarray(0, randomInt(frame.length));
    case 3:
      return Buffer.concat([frame.subarray(randomInt(frame.length)), valid()]);
    case 4: {
      const at = randomInt(frame.length);
      return Buffer.concat([frame.subarray(0, at), randomBytes(randomInt(20)), frame.subarray(at)]);
    }
    case 5:
      return Buffer.concat(Array.from({ length: randomInt(1, 5) }, valid));
    default:
      for (let n = randomInt(1, 6); n > 0; n--) frame[randomInt(frame.length)] = randomInt(256);
      return frame;
  }
}

/** Length and CRC again, written another way than the codec's; then whether its header can be read. */
function isWhole(frame: Buffer): boolean {
  const at = frame.indexOf('"');
  const start = frame[9] === 0x22 && frame[5] === 0x30 ? 9 : at === 7 || frame[7] === 0x22 ? 7 : -1;
  if (start < 0) return false;
  const body = frame.subarray(start, -1);
  let crc = 0;
  for (const byte of body) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  const sent = start === 9 ? Number.parseInt(frame.toString('latin1', 1, 5), 16) : frame.readUInt16BE(1);
  const length = Number.parseInt(frame.toString('latin1', start - 4, start), 16);
  return frame[0] === 10 && frame.at(-1) === 13 && crc === sent && length === body.length && openDc09(frame).ok;
}

export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  const scale = quick ? 0.01 : 1;
  const timed = async (line: (() => object) | (() => Promise<object>)) => {
    const before = performance.now();
    const result = await line();
    emit({ ...result, seconds: Math.round((performance.now() - before) / 100) / 10 });
  };
  await timed(() => ({
    bench: 'DC-09 messages there and back',
    n: 100_000 * scale,
    wrong: roundTrips(100_000 * scale),
    target: '0',
  }));
  await timed(() => ({
    bench: 'DC-09 frames, every bit flipped',
    n: 1_000 * scale,
    ...flips(1_000 * scale),
    target: '0',
  }));
  await timed(async () => ({
    bench: 'DC-09 receiver fuzzed',
    ...(await fuzzReceiver(1_000_000 * scale)),
    target: '0 false',
  }));
}

if (import.meta.main) {
  await run((line) => console.log(JSON.stringify(line)), { quick: process.argv.includes('--quick') });
}
