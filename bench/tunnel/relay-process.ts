// The relay of the tunnel benchmark: a hub, and the measuring side of all three ways.
// argv: JSON { host, tls? }. IPC: { id, command, … } → { id, … }.
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { startHub } from './pair.ts';
import { percentiles, round } from './payload.ts';
import { type Class, drain, httpWay, tunnelWay, type Way } from './ways.ts';

const a = JSON.parse(process.argv[2]!) as { host: string; tls?: { key: string; cert: string } };
const relay = await startHub(a);
const sockets = new Set<Socket>();
relay.server.on(a.tls ? 'secureConnection' : 'connection', (socket: Socket) => {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
});

interface Command {
  id: number;
  command: keyof typeof commands;
  way: 'tunnel' | 'http';
  host: string;
  port: number;
  [more: string]: unknown;
}

const ways = new Map<string, Way>();
function wayOf(c: Command): Way {
  const key = `${c.way} ${c.host} ${c.port}`;
  let way = ways.get(key);
  if (!way) {
    way = c.way === 'tunnel' ? tunnelWay(relay.hub, c.host, c.port) : httpWay(c.host, c.port);
    ways.set(key, way);
  }
  return way;
}

async function timed(fn: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await fn();
  return performance.now() - from;
}

const commands = {
  async throughput(c: Command) {
    const way = wayOf(c);
    const streams = c.streams as number;
    let got = 0;
    const each = Math.round((c.bytes as number) / streams);
    const ms = await timed(() =>
      Promise.all(
        Array.from({ length: streams }, async () =>
          drain(
            c.direction === 'up' ? await way.get(`/bytes?n=${each}`, 'bulk') : await way.post('/sink', each),
            (n) => {
              got += n;
            },
          ),
        ),
      ),
    );
    if (got !== (c.direction === 'up' ? each : 2) * streams) throw new Error(`${got} bytes came`);
    return { seconds: ms / 1000, bytes: each * streams };
  },

  async latency(c: Command) {
    const way = wayOf(c);
    const small: number[] = [];
    const fresh: number[] = [];
    for (let i = 0; i < (c.n as number) + 20; i++) {
      const ms = await timed(async () => drain(await way.get('/small', 'interactive')));
      if (i >= 20) small.push(ms);
    }
    for (let i = 0; i < (c.n as number) / 4; i++) fresh.push(await timed(() => way.fresh()));
    return { small: percentiles(small), newConnection: percentiles(fresh) };
  },

  /** Small requests beside bulk streams that fill the uplink. */
  async loaded(c: Command) {
    const way = wayOf(c);
    let received = 0;
    const bulk = await Promise.all(Array.from({ length: 4 }, () => way.get('/bytes?n=0', 'bulk')));
    const ends = bulk.map((body) => drain(body, (n) => (received += n)).catch(() => {}));
    await delay(2500);
    const from = performance.now();
    const before = received;
    const end = from + (c.seconds as number) * 1000;
    const samples: Record<string, number[]> = { interactive: [], urgent: [] };
    for (let i = 0; performance.now() < end; i++) {
      const k: Class = i % 2 === 0 ? 'interactive' : 'urgent';
      samples[k]!.push(await timed(async () => drain(await way.get('/small', k))));
      await delay(5 + Math.random() * 20);
    }
    const bulkMbits = ((received - before) * 8) / (performance.now() - from) / 1000;
    for (const body of bulk) body.destroy();
    await Promise.all(ends);
    const result =
      c.way === 'tunnel'
        ? { small: percentiles(samples.interactive!), urgent: percentiles(samples.urgent!) }
        : { small: percentiles([...samples.interactive!, ...samples.urgent!]) };
    return { bulkMbits: round(bulkMbits), ...result };
  },

  /** How long until requests pass again; asked every 20 ms. */
  async recovery(c: Command) {
    const from = performance.now();
    // TLS has no reset of its own; its end without a goodbye is the same to the box.
    if (c.reset) for (const socket of sockets) a.tls ? socket.destroy() : socket.resetAndDestroy();
    // What is broken must be seen to be broken first.
    await delay(30);
    for (;;) {
      const ms = performance.now() - from;
      if (ms > (c.limitMs as number)) return { ms: null };
      const ok = await Promise.race([
        wayOf(c)
          .get('/small', 'interactive')
          .then((body) => drain(body))
          .then(
            () => true,
            () => false,
          ),
        delay(1000, false),
      ]);
      if (ok) return { ms: round(performance.now() - from, 0) };
      await delay(20);
    }
  },

  async memory() {
    for (let i = 0; i < 3; i++) {
      global.gc?.();
      await delay(100);
    }
    const { rss, heapUsed } = process.memoryUsage();
    return { rss, heapUsed, tunnels: relay.hub.stats().tunnels };
  },

  async cpu() {
    return { cpu: process.cpuUsage() };
  },
};

process.on('message', async (c: Command) => {
  try {
    process.send!({ id: c.id, ...(await commands[c.command](c)) });
  } catch (error) {
    process.send!({ id: c.id, error: (error as Error).message });
  }
});
process.on('disconnect', () => process.exit());
process.send!({ ready: true, port: relay.port });
