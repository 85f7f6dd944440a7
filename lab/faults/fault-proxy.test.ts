import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exchange } from '../testing/dc09.ts';
import { FaultProxy } from './fault-proxy.ts';

/** Answers everything at once as a receiver would. */
const ACK = '\n00000014"ACK"0042R0L0#1234[]\r';
const SLOW_MS = 300;
let server: Server;
let proxy: FaultProxy;
let arrived: string[];
const sockets = new Set<Socket>();

beforeEach(async () => {
  arrived = [];
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', (bytes) => {
      arrived.push(bytes.toString());
      socket.write(ACK);
    });
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream = server.address() as { port: number };
  proxy = new FaultProxy({
    host: '127.0.0.1',
    port: 0,
    upstream: { host: '127.0.0.1', port: upstream.port },
    dc09: true,
    slowMs: SLOW_MS,
  });
  await proxy.start();
});
afterEach(async () => {
  await proxy.stop();
  for (const socket of sockets) socket.destroy();
  server.close();
});

const at = () => ({ host: proxy.host, port: proxy.port });
const send = (waitMs?: number) => exchange(at(), Buffer.from('alarm'), waitMs);

/** A connection that has exchanged once, and what became of it. */
async function opened() {
  const socket = connect(at());
  let end: string | null = null;
  let answers = 0;
  socket.on('data', () => answers++);
  socket.on('error', (error: NodeJS.ErrnoException) => {
    end = error.code ?? 'error';
  });
  socket.on('end', () => {
    end ??= 'closed';
  });
  socket.write('first');
  await once(socket, 'data');
  return {
    socket,
    end: () => end,
    answers: () => answers,
    ended: async () => {
      while (end === null) await new Promise((resolve) => setTimeout(resolve, 5));
      return end;
    },
  };
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('fault proxy', () => {
  it('none: passes everything on', async () => {
    expect(await send()).toBe(ACK.trim());
    expect(proxy.state()).toMatchObject({ mode: 'none', connections: 1, ackSwallowed: 0 });
  });

  it('refuse: nobody listens, open connections are reset, and afterwards all is well on the same port', async () => {
    const open = await opened();
    const { port } = proxy;
    await proxy.setMode('refuse');
    expect(await open.ended()).toBe('ECONNRESET');
    expect(await send()).toBe('ECONNREFUSED');
    await proxy.setMode('none');
    expect(proxy.port).toBe(port);
    expect(await send()).toBe(ACK.trim());
  });

  it('reset: open and new connections are reset', async () => {
    const open = await opened();
    await proxy.setMode('reset');
    expect(await open.ended()).toBe('ECONNRESET');
    expect(await send()).toBe('ECONNRESET');
    await proxy.setMode('none');
    expect(await send()).toBe(ACK.trim());
  });

  it('blackhole: silence on open and new connections, nothing arrives; both end with the fault', async () => {
    const open = await opened();
    await proxy.setMode('blackhole');
    open.socket.write('lost');
    expect(await send(200)).toBeNull();
    const waiting = connect(at());
    await once(waiting, 'connect');
    const reset = once(waiting, 'error');
    await pause(100);
    expect([open.end(), open.answers(), arrived]).toEqual([null, 1, ['first']]);
    await proxy.setMode('none');
    expect(await open.ended()).toBe('ECONNRESET');
    await reset;
    expect(await send()).toBe(ACK.trim());
  });

  it('drop: no connection is made and none refused; open ones are silent; all is well afterwards on the same port', async () => {
    const open = await opened();
    await proxy.setMode('drop');
    open.socket.write('lost');
    const waiting = connect(at());
    let became = 'nothing';
    waiting.on('connect', () => {
      became = 'connected';
    });
    waiting.on('error', () => {
      became = 'refused';
    });
    await pause(200);
    expect([became, open.end(), arrived]).toEqual(['nothing', null, ['first']]);
    waiting.destroy();
    await proxy.setMode('none');
    expect(await open.ended()).toBe('ECONNRESET');
    expect(await send()).toBe(ACK.trim());
  });

  it('halfOpen: what is sent is taken and never answered, no end comes; the receiver has closed', async () => {
    const open = await opened();
    await proxy.setMode('halfOpen');
    open.socket.write('lost');
    expect(await send(200)).toBeNull();
    open.socket.end('and gone');
    await pause(50);
    expect([open.end(), open.answers(), arrived]).toEqual([null, 1, ['first']]);
    await proxy.setMode('none');
    expect(await open.ended()).toBe('ECONNRESET');
    expect(await send()).toBe(ACK.trim());
  });

  it('slow: every answer comes late, in order; what waits is flushed when it ends', async () => {
    const open = await opened();
    await proxy.setMode('slow');
    const before = performance.now();
    open.socket.write('second');
    await pause(SLOW_MS / 2);
    expect(open.answers()).toBe(1);
    await once(open.socket, 'data');
    expect(performance.now() - before).toBeGreaterThan(SLOW_MS - 5);
    open.socket.write('third');
    await pause(50);
    expect(open.answers()).toBe(2);
    await proxy.setMode('none');
    await once(open.socket, 'data');
    open.socket.destroy();
  });

  it('slow: an answer nobody waits for any more is counted as swallowed', async () => {
    await proxy.setMode('slow');
    expect(await send(50)).toBeNull();
    while (proxy.state().ackSwallowed === 0) await pause(5);
    expect(proxy.swallowed).toMatchObject([{ account: '1234', sequence: 42 }]);
  });

  it('swallowAck: what is sent arrives, its answers are thrown away and counted', async () => {
    await proxy.setMode('swallowAck');
    expect(await send(100)).toBeNull();
    expect(arrived).toEqual(['alarm']);
    expect(proxy.swallowed).toMatchObject([{ account: '1234', sequence: 42 }]);
    await proxy.setMode('none');
    expect(await send()).toBe(ACK.trim());
  });

  it('passes a half-closed connection on, so that the answer still arrives', async () => {
    const socket = connect({ ...at(), allowHalfOpen: true });
    socket.end('last words');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toBe(ACK);
    socket.destroy();
  });
});
