import { join } from 'node:path';
import Database from 'better-sqlite3';
import pino from 'pino';
import { systemClock as clock } from '../../protocol/clock.ts';
import { Dc09Listener } from '../../protocol/dc09/listener.ts';
import { Vault } from '../../relay/auth/vault.ts';

export const KEY = '000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F';
/** L of the relay's own line: what comes on it is "no path left" and its end. */
const OWN_LINE = '9';

/** Alarms of the receiver, and what the relay said itself. */
export class FleetCentre {
  /** account + zone → how often it was acknowledged. */
  readonly alarms = new Map<string, number>();
  /** What came on the relay's own line, and when (of performance.now). */
  readonly own: { data: string; at: number }[] = [];
  readonly #listener = new Dc09Listener({
    host: '127.0.0.1',
    port: 0,
    transports: ['tcp'],
    clock,
    log: pino({ level: 'silent' }),
    maxConnections: 10_000,
    known: () => ({ key: Buffer.from(KEY, 'hex') }),
    received: async ({ message, content }) => {
      if (content && message.line === OWN_LINE) this.own.push({ data: message.data, at: performance.now() });
      else if (content) this.alarms.set(message.data, (this.alarms.get(message.data) ?? 0) + 1);
      return 'ack';
    },
  });

  async start(): Promise<number> {
    return (await this.#listener.start()).tcp!;
  }

  stop(): Promise<void> {
    return this.#listener.stop();
  }
}

/** As a centre on the platform enters its receiver: the relay has the key and a line of its own. */
export function giveOwnLine(relay: { dir: string }, receiverId: string): void {
  const vault = new Vault({ dir: relay.dir });
  vault.start();
  const db = new Database(join(relay.dir, 'relay.db'), { timeout: 10_000 });
  db.prepare('UPDATE arc_receivers SET settings = ?, key = ? WHERE id = ?').run(
    JSON.stringify({ ownLine: { enabled: true, line: OWN_LINE } }),
    vault.seal(`arc-receiver:${receiverId}`, KEY),
    receiverId,
  );
  db.close();
}
