import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import type { BoxAuthenticator } from '../boxes/authenticate.ts';
import { Upgrades } from './upgrade.ts';

const log = pino({ level: 'silent' });
const refuseAll = async () => ({ ok: false as const, code: 'box-not-authenticated' as const });

/** A client that is gone: what is written to it fails, after the answer has been given. */
class GoneClient extends Duplex {
  written = '';
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error: Error) => void): void {
    this.written += chunk;
    setImmediate(done, Object.assign(new Error('write ECONNRESET'), { code: 'ECONNRESET' }));
  }
}

describe('upgrades', () => {
  const upgrades = new Upgrades({
    log,
    authenticator: { prove: refuseAll, authenticate: refuseAll } as unknown as BoxAuthenticator,
    remote: () => '192.0.2.1',
    mqtt: () => expect.unreachable(),
    claimed: { '/tunnel': () => expect.unreachable() },
    byTls: () => true,
    refused: () => {},
  });

  it.each(['/mqtt', '/tunnel', '/elsewhere'])('outlive a client of %s that resets before its answer', async (url) => {
    const socket = new GoneClient();
    upgrades.handle({ url, headers: {} } as IncomingMessage, socket, Buffer.alloc(0));
    // Without a listener the error would be thrown here and end the process.
    for (let i = 0; i < 5; i++) await turn();
    expect(socket.written).toMatch(/^HTTP\/1\.1 40[14] /);
    expect(socket.destroyed).toBe(true);
    expect(socket.listenerCount('error')).toBeGreaterThan(0);
  });
});
