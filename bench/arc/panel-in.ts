import { join } from 'node:path';
import pino from 'pino';
import { removeTempDirs, tempDir, until } from '../../edge/arc/testing/harness.ts';
import { Journal } from '../../edge/journal/journal.ts';
import { PanelIn } from '../../edge/panel-in/panel-in.ts';
import { ForeignPanel } from '../../edge/panel-in/testing/foreign-panel.ts';
import { Warnables } from '../../edge/warnables.ts';
import { systemClock as clock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { freePort } from '../free-port.ts';

const KEYS = { clear: null, 'AES-128': Buffer.alloc(16, 'a'), 'AES-256': Buffer.alloc(32, 'b') };

/** A foreign panel whose main receiver is down sends all it has to a box (acceptance B3). */
export async function received(transport: 'tcp' | 'udp', key: Buffer | null, count: number) {
  const log = pino({ level: 'silent' });
  const warnables = new Warnables({ clock, log });
  const journal = new Journal({ path: join(tempDir(), 'journal.db'), clock, log, warnables });
  const panels = new PanelIn({ host: '127.0.0.1', port: 0, journal, clock, log, warnables });
  journal.start();
  panels.start();
  const panel = { id: uuidv7(), name: 'House', account: '00A1', key, localTime: false, supervisionMs: null };
  panels.apply([panel]);
  try {
    await until(() => panels.port() !== null);
    const dead = { host: '127.0.0.1', port: await freePort() };
    const sender = new ForeignPanel({
      account: panel.account,
      key: key ?? undefined,
      transport,
      timeoutMs: transport === 'udp' ? 20 : 1_000,
      targets: [dead, { host: '127.0.0.1', port: panels.port()! }],
    });
    const before = performance.now();
    for (let i = 1; i <= count; i++) sender.push(i % 2 ? `1130 01 ${zone(i)}` : `Nri1/BA${zone(i)}`);
    await sender.drain();
    const seconds = Math.round((performance.now() - before) / 100) / 10;
    const zones = journal
      .read(0, count * 2)
      .flatMap((record) => (record.kind === 'event' ? [record.body.channel ?? 0] : []));
    const inOrder = zones.every((channel, i) => channel === (i + 1) % 1_000);
    return {
      sent: sender.sent,
      waiting: sender.waiting,
      events: zones.length,
      inOrder,
      badReplies: sender.bad,
      seconds,
    };
  } finally {
    await panels.stop();
    await journal.stop();
  }
}

const zone = (n: number): string => String(n % 1_000).padStart(3, '0');

export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  const count = quick ? 100 : 1_000;
  for (const transport of ['tcp', 'udp'] as const) {
    for (const [name, key] of Object.entries(KEYS)) {
      const result = await received(transport, key, count);
      emit({ bench: `B3 ${transport}, ${name}`, n: count, ...result, target: 'all sent, all kept, in order' });
    }
  }
}

if (import.meta.main) {
  await run((line) => console.log(JSON.stringify(line)), { quick: process.argv.includes('--quick') });
  removeTempDirs();
}
