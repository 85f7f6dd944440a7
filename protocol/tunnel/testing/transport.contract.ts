import { createHash, randomBytes } from 'node:crypto';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../clock.ts';
import type { Channel } from '../channel.ts';
import type { TunnelError } from '../errors.ts';
import { CREDIT_WINDOW_BYTES, dataHeader, encode, TYPE } from '../messages.ts';
import { contractEnds } from './ends.ts';
import { framingOf, HandPeer, type Implementation, until } from './pairs.ts';

/** What every implementation of the transport in messages.ts must do, over whatever connection. */
export function transportContract(implementation: Implementation): void {
  const { connection, start, pair, relayAndHand, opened } = contractEnds(implementation);
  const echo = (channel: Channel) => void channel.pipe(channel);
  const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

  describe(implementation.name, () => {
    describe('channels', () => {
      it('carry any bytes in any pieces both ways, in order, on several channels at once', async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.array(fc.array(fc.integer({ min: 0, max: 150_000 }), { maxLength: 8 }), { minLength: 1, maxLength: 5 }),
            async (channels) => {
              const { relay, boxSocket } = await pair(echo);
              await Promise.all(
                channels.map(async (sizes, i) => {
                  const channel = opened(relay, (['urgent', 'interactive', 'bulk'] as const)[i % 3]);
                  const pieces = sizes.map((n) => randomBytes(n));
                  for (const piece of pieces) channel.write(piece);
                  channel.end();
                  expect(sha(await buffer(channel))).toBe(sha(Buffer.concat(pieces)));
                }),
              );
              boxSocket.destroy();
            },
          ),
          { numRuns: 15 },
        );
      });

      it('stay open in one direction after the other has ended', async () => {
        const { relay } = await pair(async (channel) => {
          const got = await text(channel);
          for (let i = 0; i < 3; i++) {
            await delay(5);
            channel.write(`${got}${i} `);
          }
          channel.end();
        });
        const channel = opened(relay);
        channel.end('hi');
        expect(await text(channel)).toBe('hi0 hi1 hi2 ');
      });

      it('deliver everything that was written before the end, however slow the reader', async () => {
        let total = 0;
        let ended = false;
        const { relay } = await pair(async (channel) => {
          for await (const chunk of channel) {
            total += (chunk as Buffer).length;
            await delay(1);
          }
          ended = true;
        });
        opened(relay).end(Buffer.alloc(3_000_000));
        await until(() => ended);
        expect(total).toBe(3_000_000);
      });

      it('that are cut give an error and never an end, and the others go on', async () => {
        const events: string[] = [];
        const { relay } = await pair((channel) => {
          if (channel.trafficClass === 'urgent') return echo(channel);
          channel
            .on('end', () => events.push('end'))
            .on('error', (e) => events.push((e as TunnelError).code))
            .resume();
        });
        const other = opened(relay, 'urgent');
        for (const how of [() => undefined, () => new Error('gave up')]) {
          const channel = opened(relay);
          channel.write('half');
          await delay(10);
          channel.destroy(how());
        }
        await until(() => events.length === 2);
        expect(events).toEqual(['channel-reset', 'channel-reset']);
        other.end('still here');
        expect(await text(other)).toBe('still here');
      });

      it('tell the sender when the reader gives up', async () => {
        const { relay } = await pair((channel) => channel.once('data', () => channel.destroy()));
        const channel = opened(relay);
        const error = new Promise<TunnelError>((resolve) => channel.once('error', (e) => resolve(e as TunnelError)));
        const feed = () => {
          while (!channel.destroyed && channel.write(Buffer.alloc(65_536)));
        };
        channel.on('drain', feed);
        feed();
        expect((await error).code).toBe('channel-reset');
      });

      it('use their numbers again: 600 in a row, 16 at once, and no more', async () => {
        const { relay, relayEnd } = await pair(echo);
        for (let i = 0; i < 600; i++) {
          const channel = opened(relay);
          if (i % 3 === 0) {
            channel.write('x');
            channel.destroy();
            await new Promise((resolve) => setImmediate(resolve));
          } else {
            channel.end(`n${i}`);
            expect(await text(channel)).toBe(`n${i}`);
          }
          if (i % 5 === 0) await delay(1);
        }
        await delay(50);
        const all = Array.from({ length: 16 }, () => opened(relay));
        expect(() => relay.open('bulk')).toThrow(expect.objectContaining({ code: 'busy' }));
        for (const channel of all) channel.end('ok');
        expect(await Promise.all(all.map((c) => text(c)))).toEqual(all.map(() => 'ok'));
        expect(relayEnd.error).toBeNull();
      });
    });

    describe('bounds', () => {
      it('holds up the writer of a reader that stalls, within the credit, while others pass', async () => {
        let stalled: Channel | null = null;
        const { relay } = await pair((channel) => {
          if (channel.trafficClass === 'bulk') stalled = channel;
          else echo(channel);
        });
        const bulk = opened(relay, 'bulk');
        let accepted = 0;
        const piece = Buffer.alloc(65_536, 7);
        const total = 32 * 1024 * 1024;
        const feed = () => {
          while (accepted < total) {
            accepted += piece.length;
            if (!bulk.write(piece)) return;
          }
          bulk.end();
        };
        bulk.on('drain', feed);
        feed();
        const other = opened(relay, 'interactive');
        other.end(Buffer.alloc(4_000_000));
        expect((await buffer(other)).length).toBe(4_000_000);
        await delay(100);
        // The window, what the two streams buffer, and one batch.
        expect(accepted).toBeLessThan(CREDIT_WINDOW_BYTES + 2_000_000);
        expect(accepted).toBeGreaterThan(CREDIT_WINDOW_BYTES);
        expect((await buffer(stalled!)).length).toBe(total);
      });

      it('never has more in flight than its cap, and 32 KB at first', async () => {
        let unacknowledged = 0;
        let worst = 0;
        const { relay, hand } = await relayAndHand({
          data: (_, bytes) => {
            unacknowledged += bytes;
          },
        });
        opened(relay, 'bulk').write(Buffer.alloc(4_000_000));
        await until(() => hand.dataBytes >= 28 * 1024);
        await delay(50);
        expect(hand.dataBytes).toBeLessThanOrEqual(32 * 1024);
        for (let i = 0; i < 100 && hand.dataBytes < 4_000_000; i++) {
          worst = Math.max(worst, relay.inFlight - relay.capBytes);
          unacknowledged = 0;
          hand.send(encode.ack(hand.dataBytes));
          await delay(2);
        }
        expect(worst).toBeLessThanOrEqual(0);
        expect(hand.dataBytes).toBeGreaterThan(200_000);
        expect(unacknowledged).toBeLessThanOrEqual(relay.capBytes);
      });

      it('sends urgent strictly first and interactive 4 : 1 before bulk', async () => {
        const order: { channel: number; bytes: number }[] = [];
        const { relay, hand } = await relayAndHand({ data: (channel, bytes) => void order.push({ channel, bytes }) });
        const bulk = opened(relay, 'bulk');
        bulk.write(Buffer.alloc(400_000));
        await until(() => hand.dataBytes >= 28 * 1024);
        const interactive = opened(relay, 'interactive');
        interactive.write(Buffer.alloc(400_000));
        await delay(20);
        const urgent = opened(relay, 'urgent');
        urgent.write(Buffer.alloc(500));
        urgent.write(Buffer.alloc(20_000));
        await delay(20);
        order.length = 0;
        // One message's worth of room at a time: who gets it?
        for (let acknowledged = 4096; acknowledged <= 60 * 4096; acknowledged += 4096) {
          hand.send(encode.ack(acknowledged));
          await delay(2);
        }
        const last = order.findLastIndex(({ channel }) => channel === urgent.id);
        expect(last).toBeGreaterThan(0);
        expect(order.slice(0, last + 1).every(({ channel }) => channel === urgent.id)).toBe(true);
        const bytesOf = (c: Channel) => order.reduce((n, { channel, bytes }) => n + (channel === c.id ? bytes : 0), 0);
        const ratio = bytesOf(interactive) / bytesOf(bulk);
        expect(ratio).toBeGreaterThan(3.5);
        expect(ratio).toBeLessThan(4.6);
      });

      it('acknowledges what arrived at least every 4 KB, and at once when asked', async () => {
        const { relay, hand } = await relayAndHand();
        const channel = opened(relay);
        await until(() => hand.log.some(([name]) => name === 'open'));
        hand.send(dataHeader(channel.id, 100), Buffer.alloc(100));
        await delay(30);
        expect(hand.log.filter(([name]) => name === 'ack')).toEqual([]);
        const push = dataHeader(channel.id, 50);
        push[0] = TYPE.dataPush;
        hand.send(push, Buffer.alloc(50));
        await until(() => hand.log.some(([name, n]) => name === 'ack' && n === 150));
        hand.send(dataHeader(channel.id, 5000), Buffer.alloc(5000));
        await until(() => hand.log.some(([name, n]) => name === 'ack' && (n as number) >= 150 + 4096));
      });

      it('keeps tiny messages to a reader that stalls in order', async () => {
        const { relay, hand } = await relayAndHand();
        const channel = opened(relay);
        await until(() => hand.log.some(([name]) => name === 'open'));
        const all = randomBytes(60_000);
        for (let i = 0; i < all.length; i += 1000) {
          const pieces: Buffer[] = [];
          for (let j = i; j < i + 1000; j++) pieces.push(dataHeader(channel.id, 1), all.subarray(j, j + 1));
          hand.send(...pieces);
        }
        hand.send(encode.end(channel.id));
        await delay(50);
        expect(sha(await buffer(channel))).toBe(sha(all));
      });
    });

    describe('life and death', () => {
      it('measures round trips as often as asked', async () => {
        const { box: boxSocket, relay: relaySocket } = await connection();
        const samples: [number, number][] = [];
        const { transport } = start(boxSocket, 'box', { onRtt: (ms, min) => samples.push([ms, min]) });
        start(relaySocket, 'relay');
        transport.pingEvery(20);
        await until(() => samples.length >= 5);
        expect(samples.every(([ms, min]) => min > 0 && ms >= min)).toBe(true);
      });

      it.each([
        'box',
        'relay',
      ] as const)('the %s gives up after 11 s when the path swallows everything', async (role) => {
        const ends = await connection();
        const clock = new ManualClock();
        const { transport, end } = start(ends[role], role, { clock });
        const channel = role === 'relay' ? opened(transport) : null;
        const other = role === 'box' ? ends.relay : ends.box;
        other.resume();
        await clock.advance(10_900);
        expect(end.error).toBeNull();
        await clock.advance(200);
        expect(end.error?.code).toBe('dead-peer');
        if (channel) expect(channel.errored).toMatchObject({ code: 'dead-peer' });
      });

      it('the box gives up when it is heard from but not heard', async () => {
        const ends = await connection();
        const clock = new ManualClock();
        const { end } = start(ends.box, 'box', { clock });
        const hand = new HandPeer(ends.relay, framingOf(implementation.mode, 'relay'), { answersPings: false });
        for (let i = 0; i < 12 && !end.error; i++) {
          hand.send(encode.ping(i));
          await delay(5);
          await clock.advance(1000);
        }
        expect(end.error?.code).toBe('dead-peer');
      });

      it('stays alive for as long as it is answered, with nothing to say', async () => {
        const clock = new ManualClock();
        const { boxEnd, relayEnd } = await pair(() => {}, clock);
        for (let i = 0; i < 60; i++) {
          await clock.advance(1000);
          await delay(3);
        }
        expect([boxEnd.error, relayEnd.error]).toEqual([null, null]);
      });

      it('says goodbye with its reason, and what was open gets an error', async () => {
        const channels: Channel[] = [];
        const { relay, boxEnd, relayEnd } = await pair((channel) => channels.push(channel));
        const channel = opened(relay);
        await until(() => channels.length === 1);
        relay.close('taken-over', 'A newer connection of this box has taken over');
        await until(() => boxEnd.error !== null);
        expect(boxEnd.error).toMatchObject({
          code: 'taken-over',
          message: 'A newer connection of this box has taken over',
        });
        expect(relayEnd.error?.code).toBe('taken-over');
        expect(channel.errored).toMatchObject({ code: 'taken-over' });
        expect(channels[0]!.errored).toMatchObject({ code: 'taken-over' });
        expect(() => relay.open('bulk')).toThrow(expect.objectContaining({ code: 'taken-over' }));
      });

      it('announces a restart before it goes', async () => {
        const ends = await connection();
        const restarts: number[][] = [];
        const { end } = start(ends.box, 'box', { onRestart: (...r) => restarts.push(r) });
        const { transport } = start(ends.relay, 'relay');
        transport.announceRestart(500, 20_000);
        transport.close('restart', 'The relay restarts');
        await until(() => end.error !== null);
        expect(restarts).toEqual([[500, 20_000]]);
        expect(end.error?.code).toBe('restart');
      });

      it('tells a connection that just ends from a goodbye', async () => {
        const { relaySocket, boxEnd } = await pair();
        relaySocket.destroy();
        await until(() => boxEnd.error !== null);
        expect(boxEnd.error?.code).toBe('connection-lost');
      });
    });

    describe('what breaks the rules', () => {
      const bad: [string, (channel: number) => Buffer[]][] = [
        ['an unknown type', () => [Buffer.from([99, 0, 0, 0])]],
        ['a wrong length', () => [Buffer.from([TYPE.ping, 0, 0, 5, 0, 0, 0, 0, 0])]],
        ['an oversized reason', (c) => [Buffer.from([TYPE.reset, c, 0xff, 0xff])]],
        ['empty data', (c) => [Buffer.from([TYPE.data, c, 0, 0])]],
        ['data without a channel', () => [Buffer.from([TYPE.data, 0, 0, 1, 0])]],
        ['data for an unknown channel', (c) => [dataHeader(c + 1, 1), Buffer.alloc(1)]],
        ['an end of an unknown channel', (c) => [encode.end(c + 1)]],
        ['data after the end', (c) => [encode.end(c), dataHeader(c, 1), Buffer.alloc(1)]],
        ['two ends', (c) => [encode.end(c), encode.end(c)]],
        ['an acknowledgement of what was never sent', () => [encode.ack(1)]],
        ['credit beyond the window', (c) => [encode.credit(c, 1)]],
        ['a channel opened by the box', () => [encode.open(9, 'bulk')]],
        ['a restart announced by the box', () => [encode.restart(1, 1)]],
        [
          'more than the credit',
          (c) => Array.from({ length: 140 }, () => [dataHeader(c, 65_535), Buffer.alloc(65_535)]).flat(),
        ],
      ];
      it.each(bad)('%s ends this connection with a clear word and no other', async (_, make) => {
        const good = await pair(echo);
        const { relay, end, hand } = await relayAndHand();
        const channel = opened(relay);
        await until(() => hand.log.some(([name]) => name === 'open'));
        hand.send(...make(channel.id));
        await until(() => end.error !== null);
        expect(end.error?.code).toBe('protocol-error');
        expect(channel.errored).toMatchObject({ code: 'protocol-error' });
        await until(() => hand.log.some(([name]) => name === 'bye'));
        expect(hand.log.find(([name]) => name === 'bye')).toEqual(['bye', 'protocol-error', end.error?.message]);
        const other = opened(good.relay);
        other.end('fine');
        expect(await text(other)).toBe('fine');
      });

      it('any bytes at all lead to an orderly end or to waiting', async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 6 }),
            async (chunks) => {
              const { relay, end, hand } = await relayAndHand();
              opened(relay);
              for (const chunk of chunks) hand.send(Buffer.from(chunk));
              await new Promise((resolve) => setImmediate(resolve));
              hand.socket.destroy();
              await until(() => end.error !== null);
              expect(['protocol-error', 'connection-lost', 'disconnected']).toContain(end.error?.code);
            },
          ),
          { numRuns: 60 },
        );
      });
    });
  });
}
