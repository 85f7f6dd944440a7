import { once } from 'node:events';
import type { Server } from 'node:net';
import { sia as Sia, type SiaMessage } from 'iobroker.sia/build/lib/sia.js';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ArcBox, account, removeTempDirs, until } from './testing/harness.ts';

const stops: (() => unknown)[] = [];
afterAll(removeTempDirs);
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const KEYS = {
  none: null,
  hex: '000102030405060708090A0B0C0D0E0F',
  characters: 'ABCDEFGHIJKLMNOPQRSTUVWXABCDEFGH',
} as const;

/** The receiver of iobroker.sia, unmodified. */
async function iobroker(transport: 'tcp' | 'udp', keyFormat: keyof typeof KEYS, sockend = false) {
  const sia = new Sia({ host: '127.0.0.1', port: 0, timeout: 40, sockend, logger: () => {} });
  const password = KEYS[keyFormat] ?? '';
  sia.setAccounts([{ accountnumber: '00A1', aes: keyFormat !== 'none', hex: keyFormat === 'hex', password }]);
  const taken: SiaMessage[] = [];
  let refused = 0;
  sia.on('sia', (message: SiaMessage | undefined) => (message ? taken.push(message) : refused++));
  sia.on('error', () => {});
  const udp = sia as unknown as { serverudp: Server; serverStartUDP(): void };
  const server = transport === 'tcp' ? sia.servertcp : udp.serverudp;
  if (transport === 'tcp') sia.serverStartTCP();
  else udp.serverStartUDP();
  await once(server, 'listening');
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  stops.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return { taken, refused: () => refused, direct: { host: '127.0.0.1', port } };
}

describe('with the receiver of iobroker.sia', () => {
  for (const transport of ['tcp', 'udp'] as const) {
    for (const keyFormat of ['none', 'hex', 'characters'] as const) {
      for (const protocol of ['SIA-DCS', 'ADM-CID'] as const) {
        it(`delivers 100 alarms once and in order: ${protocol}, ${transport}, key ${keyFormat} (ARC-15)`, async () => {
          const { taken, refused, direct } = await iobroker(transport, keyFormat);
          const key = KEYS[keyFormat] && Buffer.from(KEYS[keyFormat], keyFormat === 'hex' ? 'hex' : 'latin1');
          const box = new ArcBox().start([account({ direct, transport, protocol, key })]);
          stops.push(() => box.stop());
          for (let i = 0; i < 100; i++) await box.event(i % 10 === 9 ? 'tamper' : 'motion', i);
          await until(() => box.acknowledged().length === 100);
          expect(taken.map((m) => Number(m.data_message.slice(-3)))).toEqual(Array.from({ length: 100 }, (_, i) => i));
          expect(taken[0]).toMatchObject({
            id: `${key ? '*' : ''}${protocol}`,
            act: '00A1',
            data_message: protocol === 'SIA-DCS' ? '#00A1|Nri1/BA000' : '#00A1|1130 01 000',
          });
          expect(box.acknowledged().every((r) => r.path === 'direct' && r.tries === 1)).toBe(true);
          // The poll at the start is refused, which shows that the path is good; nothing else is.
          expect(refused()).toBe(1);
          expect(box.service.health()[0]!.direct).toBe('up');
        });
      }
    }
  }

  it('delivers once where it closes the connection after each reply', async () => {
    const { taken, direct } = await iobroker('tcp', 'none', true);
    const box = new ArcBox().start([account({ direct })]);
    stops.push(() => box.stop());
    for (let i = 0; i < 100; i++) await box.event('motion', i);
    await until(() => box.acknowledged().length === 100);
    expect(taken.map((m) => Number(m.data_message.slice(-3)))).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it('gets umlauts and brackets as plain text, and the time of what is late', async () => {
    const { taken, direct } = await iobroker('tcp', 'hex');
    const key = Buffer.from(KEYS.hex, 'hex');
    const box = new ArcBox().start([account({ direct, key })]);
    stops.push(() => box.stop());
    await box.event('other', 1, { text: 'Tür [Süd] | "x"^', occurredAt: '2026-01-02T03:04:05.000Z' });
    await until(() => box.acknowledged().length === 1);
    expect(taken[0]).toMatchObject({
      data_message: '#00A1|Nri1/UA001|ATuer Sued x',
      data_extended: 'H03:04:05,01-02-2026',
    });
  });

  it('is supervised by a periodic test, because it refuses NULL (ARC-32)', async () => {
    const { taken, direct } = await iobroker('tcp', 'none');
    const box = new ArcBox().start([account({ direct, supervision: { kind: 'test', intervalMs: 150 } })]);
    stops.push(() => box.stop());
    await until(() => taken.length >= 5);
    expect(taken.every((m) => m.data_message === '#00A1|Nri1/RP000')).toBe(true);
    expect(box.warnings()).toEqual([]);
  });
});
