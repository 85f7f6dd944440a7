import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import type { TunnelClient } from '../../edge/tunnel/client.ts';
import { addressPolicy } from '../../edge/tunnel/connect.ts';
import { type Clock, systemClock } from '../../protocol/clock.ts';
import type { TunnelMode } from '../../protocol/tunnel/handshake.ts';
import { makeClient, startHub, until } from './pair.ts';

const sha = (b: Uint8Array) => createHash('sha256').update(b).digest('hex');
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const fn of cleanups.splice(0).reverse()) await fn();
});

async function pair(a: Parameters<typeof makeClient>[1] = {}) {
  const relay = await startHub();
  cleanups.push(relay.stop);
  const client = await connect(relay, a);
  return { ...relay, client };
}

async function connect(relay: Awaited<ReturnType<typeof startHub>>, a: Parameters<typeof makeClient>[1] = {}) {
  const client: TunnelClient = makeClient(relay.url, a);
  cleanups.push(() => client.stop());
  client.start();
  await until(() => client.state().connected);
  return client;
}

async function device(onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, onSocket);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as { port: number }).port;
}

describe.each(['websocket', 'raw'] as TunnelMode[])('hub and client over %s', (mode) => {
  it('answers a request with its headers and body', async () => {
    const { hub } = await pair({
      mode,
      handler: async (r) =>
        Response.json(
          { method: r.method, path: new URL(r.url).pathname, got: await r.text(), x: r.headers.get('x-a') },
          { status: 201 },
        ),
    });
    const res = await hub.request('BOX', {
      method: 'POST',
      path: '/v1/a?b=1',
      headers: { 'x-a': '1' },
      body: Buffer.from('hi'),
    });
    expect(res.status).toBe(201);
    expect(res.headers['content-type']).toBe('application/json');
    expect(JSON.parse(await text(res.body))).toEqual({ method: 'POST', path: '/v1/a', got: 'hi', x: '1' });
  });

  it('streams 32 MiB each way at once, unchanged', async () => {
    const { hub } = await pair({ mode, handler: (r) => new Response(r.body) });
    const sent = randomBytes(32 * 1024 * 1024);
    const pieces = Array.from({ length: 512 }, (_, i) => sent.subarray(i * 65_536, (i + 1) * 65_536));
    const res = await hub.request('BOX', { method: 'POST', path: '/', body: Readable.from(pieces), class: 'bulk' });
    expect(sha(await buffer(res.body))).toBe(sha(sent));
  });
});

describe('requests', () => {
  it('fails with box-unreachable when there is no tunnel, and with timeout when the handler hangs', async () => {
    const { hub } = await pair({ handler: () => new Promise(() => {}) });
    await expect(hub.request('OTHER', { method: 'GET', path: '/' })).rejects.toMatchObject({ code: 'box-unreachable' });
    await expect(hub.request('BOX', { method: 'GET', path: '/', timeoutMs: 50 })).rejects.toMatchObject({
      code: 'timeout',
    });
  });

  it('tells the handler when the caller gives up, and survives 3,000 such cancels', async () => {
    let begun = 0;
    let aborted = 0;
    const { hub } = await pair({
      handler: (r) => {
        begun++;
        return new Promise((resolve) => {
          const gone = () => {
            aborted++;
            resolve(new Response('late'));
          };
          if (r.signal.aborted) gone();
          else r.signal.addEventListener('abort', gone);
        });
      },
    });
    for (let i = 0; i < 100; i++) {
      const give = new AbortController();
      const tries = Array.from({ length: 30 }, () =>
        hub.request('BOX', { method: 'GET', path: '/', signal: give.signal }),
      );
      setTimeout(() => give.abort(), 2);
      for (const r of await Promise.allSettled(tries)) expect(r).toMatchObject({ reason: { code: 'aborted' } });
    }
    await until(() => aborted === begun);
    expect(begun).toBeGreaterThan(1000);
    expect(hub.stats().streams).toBe(0);
  });

  it('gives an error, never a clean end, when a response body breaks in the middle', async () => {
    const { hub } = await pair({
      handler: () => {
        let n = 0;
        return new Response(
          new ReadableStream({
            pull: async (c) => {
              if (n++ < 3) return c.enqueue(new Uint8Array(1000));
              await new Promise((resolve) => setTimeout(resolve, 30));
              c.error(new Error('disk gone'));
            },
          }),
        );
      },
    });
    const { body } = await hub.request('BOX', { method: 'GET', path: '/' });
    const events: string[] = [];
    body
      .on('end', () => events.push('end'))
      .on('error', () => events.push('error'))
      .resume();
    await until(() => body.destroyed && events.length > 0);
    expect(events).toEqual(['error']);
  });

  it('gives an error, never a clean end, to every open body when the tunnel breaks', async () => {
    const { hub, client } = await pair({
      handler: () => new Response(new ReadableStream({ start: (c) => c.enqueue(new Uint8Array(10)) })),
    });
    const bodies = await Promise.all([1, 2, 3].map(() => hub.request('BOX', { method: 'GET', path: '/' })));
    const ends: string[] = [];
    for (const { body } of bodies) {
      body
        .on('end', () => ends.push('end'))
        .on('error', (e: Error & { code?: string }) => ends.push(e.code ?? '?'))
        .resume();
    }
    await client.stop();
    await until(() => ends.length === 3);
    expect(ends).toEqual(['box-unreachable', 'box-unreachable', 'box-unreachable']);
  });

  it('never lets a cut upload look complete to the handler', async () => {
    let seen: Promise<string> = Promise.resolve('');
    const { hub } = await pair({
      handler: (r) => {
        seen = r.text().then(
          () => 'complete',
          () => 'cut',
        );
        return new Response(new ReadableStream());
      },
    });
    const source = new Readable({ read() {} });
    source.push('half');
    const res = await hub.request('BOX', { method: 'POST', path: '/', body: source });
    res.body.destroy();
    expect(await seen).toBe('cut');
  });

  it('refuses a body over the limit, declared or not, and serves the next request', async () => {
    const { hub } = await pair({ maxRequestBytes: 1000, handler: async (r) => new Response(await r.text()) });
    const declared = await hub.request('BOX', { method: 'POST', path: '/', body: Buffer.alloc(1001) });
    expect(declared.status).toBe(413);
    expect(JSON.parse(await text(declared.body)).code).toBe('payload-too-large');
    const streamed = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const body = Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(65_536)));
        const res = await hub.request('BOX', { method: 'POST', path: '/', body });
        return { status: res.status, code: JSON.parse(await text(res.body)).code, stopped: body.destroyed };
      }),
    );
    expect(streamed).toEqual(streamed.map(() => ({ status: 413, code: 'payload-too-large', stopped: true })));
    const good = await hub.request('BOX', { method: 'POST', path: '/', body: Buffer.from('fits') });
    expect(await text(good.body)).toBe('fits');
  });

  it('answers 500 for a handler that throws, and goes on', async () => {
    const { hub } = await pair({
      handler: (r) => {
        if (r.url.endsWith('/bug')) throw new Error('bug');
        return new Response(null, { status: 204 });
      },
    });
    const res = await hub.request('BOX', { method: 'GET', path: '/bug' });
    expect(res.status).toBe(500);
    expect(JSON.parse(await text(res.body)).code).toBe('internal-error');
    expect((await hub.request('BOX', { method: 'GET', path: '/' })).status).toBe(204);
  });

  it('says busy instead of queueing without end', async () => {
    const { hub } = await pair({ handler: () => new Response(new ReadableStream()) });
    const open = await Promise.all(
      Array.from({ length: 16 }, () => hub.request('BOX', { method: 'GET', path: '/', class: 'bulk' })),
    );
    await expect(hub.request('BOX', { method: 'GET', path: '/', class: 'bulk' })).rejects.toMatchObject({
      code: 'busy',
    });
    expect((await hub.request('BOX', { method: 'HEAD', path: '/' })).status).toBe(200);
    for (const { body } of open) body.destroy();
    await until(() => hub.stats().streams === 0);
    (await hub.request('BOX', { method: 'GET', path: '/', class: 'bulk' })).body.destroy();
  });
});

describe('CONNECT', () => {
  it('carries both directions with half-close', async () => {
    const port = await device((socket) => {
      const got: Buffer[] = [];
      socket.on('data', (b) => got.push(b)).on('end', () => socket.end(`you said ${Buffer.concat(got)}`));
    });
    const { hub } = await pair({ connectPolicy: addressPolicy((host, p) => host === '127.0.0.1' && p === port) });
    const stream = await hub.connect('BOX', '127.0.0.1', port);
    stream.end('hello');
    expect(await text(stream)).toBe('you said hello');
  });

  it('is refused by the box for what its policy does not allow', async () => {
    let reached = 0;
    const port = await device((socket) => {
      reached++;
      socket.destroy();
    });
    const { hub } = await pair({ connectPolicy: addressPolicy((_, p) => p !== port) });
    await expect(hub.connect('BOX', '127.0.0.1', port)).rejects.toMatchObject({ code: 'refused' });
    expect(reached).toBe(0);
  });

  it('says target-unreachable when the device refuses', async () => {
    const { hub } = await pair({ connectPolicy: addressPolicy(() => true) });
    await expect(hub.connect('BOX', '127.0.0.1', 1)).rejects.toMatchObject({ code: 'target-unreachable' });
  });

  it('resets the device when the caller cuts, and the caller when the device resets', async () => {
    const seen: string[] = [];
    const port = await device((socket) => {
      socket.on('error', (e: NodeJS.ErrnoException) => seen.push(e.code ?? '?')).on('end', () => seen.push('end'));
      socket.on('data', (b) => (b.toString() === 'reset me' ? socket.resetAndDestroy() : socket.write('ok')));
    });
    const { hub } = await pair({ connectPolicy: addressPolicy(() => true) });
    const cut = await hub.connect('BOX', '127.0.0.1', port);
    cut.write('half a file');
    await new Promise((resolve) => cut.once('data', resolve));
    cut.destroy();
    await until(() => seen.length > 0);
    expect(seen).toEqual(['ECONNRESET']);

    const events: string[] = [];
    const reset = await hub.connect('BOX', '127.0.0.1', port);
    reset
      .on('end', () => events.push('end'))
      .on('error', () => events.push('error'))
      .resume();
    reset.write('reset me');
    await until(() => events.length > 0);
    expect(events).toEqual(['error']);
  });
});

describe('the life of a tunnel', () => {
  it('lets a newer connection take over at once and tells the older why', async () => {
    const relay = await startHub();
    cleanups.push(relay.stop);
    const old = await connect(relay, { epoch: 3, handler: () => new Response('old') });
    await connect(relay, { epoch: 4, handler: () => new Response('new') });
    await until(() => old.state().lastError !== null);
    expect(old.state().lastError).toContain('newer connection');
    expect(await text((await relay.hub.request('BOX', { method: 'GET', path: '/' })).body)).toBe('new');
    expect(relay.hub.stats().tunnels).toBe(1);
  });

  it('refuses an older start of the same box', async () => {
    const relay = await startHub();
    cleanups.push(relay.stop);
    await connect(relay, { epoch: 4, handler: () => new Response('new') });
    const old = makeClient(relay.url, { epoch: 3 });
    cleanups.push(() => old.stop());
    old.start();
    await until(() => old.state().lastError !== null);
    expect(old.state().lastError).toContain('duplicate-identity');
    expect(await text((await relay.hub.request('BOX', { method: 'GET', path: '/' })).body)).toBe('new');
  });

  it('comes back by itself after the connection is reset', async () => {
    const relay = await startHub();
    cleanups.push(relay.stop);
    const sockets: Socket[] = [];
    relay.server.on('connection', (s) => sockets.push(s));
    const client = await connect(relay);
    const changes: boolean[] = [];
    relay.hub.onChange((_, connected) => changes.push(connected));
    sockets[0]!.resetAndDestroy();
    await until(() => changes.length === 2 && client.state().connected);
    expect(changes).toEqual([false, true]);
    expect((await relay.hub.request('BOX', { method: 'GET', path: '/' })).status).toBe(200);
  });

  it('waits as long as an announced restart asks for', async () => {
    const { hub, client } = await pair();
    hub.announceRestart(400, 0);
    await hub.stop();
    await until(() => !client.state().connected);
    const gone = performance.now();
    await until(() => client.state().connected);
    expect(performance.now() - gone).toBeGreaterThan(350);
  });

  it('shows the words of a disconnect and of a refusal', async () => {
    const { hub, client, server } = await pair();
    server.removeAllListeners('upgrade');
    server.on('upgrade', (_, socket) =>
      socket.end('HTTP/1.1 403 No\r\nContent-Length: 23\r\n\r\n{"code":"box-revoked"} '),
    );
    hub.disconnect('BOX', 'This box was revoked');
    await until(() => client.state().lastError === 'This box was revoked');
    await until(() => client.state().lastError === 'The relay answered 403 box-revoked');
    expect(hub.isConnected('BOX')).toBe(false);
  });

  it('samples the round trip 5 times a second while someone listens', async () => {
    const { client } = await pair();
    const samples: [number, number][] = [];
    const off = client.onRtt((ms, min) => samples.push([ms, min]));
    await until(() => samples.length >= 4);
    off();
    expect(samples.every(([ms, min]) => ms >= min && min > 0)).toBe(true);
    expect(client.rttMs()).toBe(samples.at(-1)![0]);
  });

  it('tries at once when kicked', async () => {
    let waits = 0;
    // The back-off never ends by itself.
    const clock: Clock = Object.assign(Object.create(systemClock) as Clock, {
      sleep: (_ms: number, signal?: AbortSignal) => {
        waits++;
        return new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
      },
    });
    const relay = await startHub();
    const { port } = relay;
    const client = await connect(relay, { clock });
    await relay.stop();
    await until(() => waits === 1);
    const again = await startHub({ port });
    cleanups.push(again.stop);
    client.kick();
    await until(() => client.state().connected);
    expect(waits).toBe(1);
  });
});
