import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { crc16 } from '../../protocol/codec/crc16.ts';
import { decodeDc09, replyDc09 } from '../../protocol/codec/dc09.ts';
import type { Link } from './link.ts';
import { account } from './testing/harness.ts';
import { queuedMessage } from './testing/queued-message.ts';
import { Transmitter } from './transmit.ts';
import { AccountWarnings } from './warnings.ts';

const KEY = Buffer.alloc(16, 3);
const NOW = Date.UTC(2026, 10, 10, 12);
const hex4 = (n: number) => n.toString(16).toUpperCase().padStart(4, '0');
/** A frame with other words in front of its ciphertext, CRC and all: whoever is on the wire can make it. */
function rewritten(frame: Buffer, change: (text: string) => string): Buffer {
  const body = Buffer.from(change(frame.toString('latin1', 9, frame.length - 1)), 'latin1');
  return Buffer.concat([Buffer.from(`\n${hex4(crc16(body))}${hex4(body.length)}`), body, Buffer.from('\r')]);
}

/** A sender whose only path is in other hands. */
function inOtherHands(answer: (frame: Buffer) => Buffer) {
  const clock = new ManualClock(NOW);
  const frames: Buffer[] = [];
  let offsetMs = 0;
  const link = {
    exchange: async (frame: Buffer, judged: (reply: Buffer) => unknown) => {
      frames.push(frame);
      const value = judged(answer(frame));
      return value ? { result: 'reply', value } : { result: 'failed', code: 'timeout', sent: true, text: '' };
    },
    close() {},
  } as unknown as Link;
  const transmitter = new Transmitter({
    config: account({ key: KEY }),
    relay: {} as never,
    clock,
    timings: { ackTimeoutMs: null },
    beforeTry: () => {},
    waits: () => true,
    receiverClock: {
      get offsetMs() {
        return offsetMs;
      },
      learn: (ms) => {
        offsetMs = ms;
      },
    },
  });
  const times = () => frames.map((frame) => decodeDc09(frame, KEY)).map((d) => d.ok && d.message.timestamp);
  return { transmitter, link, frames, times, offsetMs: () => offsetMs };
}

const at = new Date(NOW).toISOString();
const queued = () => queuedMessage({ occurredAt: at, queuedAt: at });

describe('whoever is on the wire', () => {
  it('cannot acknowledge an alarm with the alarm itself, nor with a poll of before (ARC-24)', async () => {
    const alarm = inOtherHands((frame) => rewritten(frame, (text) => text.replace(/^"\*[A-Z-]+/, '"*ACK')));
    expect(await alarm.transmitter.send(queued(), 'direct', alarm.link)).toMatchObject({ why: 'other-key' });
    const polled = inOtherHands(() =>
      rewritten(polled.frames[0]!, (text) => text.replace(/^"\*[A-Z-]+"0000/, '"*ACK"0012')),
    );
    await polled.transmitter.poll('direct', polled.link);
    expect(await polled.transmitter.send(queued(), 'direct', polled.link)).toMatchObject({ why: 'other-key' });
  });

  it('gets no message for a day to come by a NAK; a person is asked to set the clock', async () => {
    const { transmitter, link, times, offsetMs } = inOtherHands(() => replyDc09({ id: 'NAK' }, NOW + 3 * 86_400_000));
    await transmitter.poll('direct', link);
    expect(await transmitter.send(queued(), 'direct', link)).toMatchObject({ why: 'nak' });
    expect(new Set(times())).toEqual(new Set([NOW]));
    expect([offsetMs(), transmitter.farOffMs]).toEqual([0, 3 * 86_400_000]);
    const raised: string[] = [];
    const warnables = { raise: (...[, , , text]: string[]) => raised.push(text!), clear: () => {} };
    new AccountWarnings(warnables as never, account()).clockOff(transmitter.farOffMs!);
    expect(raised[0]).toContain('Set the box');
  });

  it('may tell the time as far as receivers are off: ten minutes', async () => {
    const { transmitter, link, times } = inOtherHands(() => replyDc09({ id: 'NAK' }, NOW - 600_000));
    await transmitter.poll('direct', link);
    await transmitter.poll('direct', link);
    expect(times()).toEqual([NOW, NOW - 600_000]);
    expect(transmitter.farOffMs).toBeNull();
  });
});
