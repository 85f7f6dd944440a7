/*
 * The tunnel beside a direct connection and beside OpenSSH `-R`, in one run: throughput and CPU, latency, small requests
 * beside a saturated uplink, recovery, and the relay's memory with idle boxes. JSON lines; `--quick` for a short run.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { NarrowUplink } from './netns.ts';
import { round } from './tunnel/payload.ts';
import { Peer, treeCpuSeconds } from './tunnel/processes.ts';
import { SshTunnel } from './tunnel/ssh.ts';

type Emit = (line: object) => void;
const LOOPBACK = '127.0.0.1';

export async function run(emit: Emit, { quick }: { quick: boolean }): Promise<void> {
  const noSsh = SshTunnel.missing();
  if (noSsh) emit({ bench: 'tunnel', way: 'ssh -R', skipped: noSsh });
  const tls = certificate(emit);
  await loopback(emit, quick, noSsh === null, null);
  if (tls) await loopback(emit, quick, false, tls);
  const noUplink = NarrowUplink.missing();
  if (noUplink) emit({ bench: 'tunnel-uplink', skipped: noUplink });
  // Waiting for a dead peer costs nothing but time.
  const recovered = halfOpen(emit, quick, noSsh === null);
  if (!noUplink) for (const mbit of quick ? [20] : [20, 5]) await uplink(emit, mbit, quick ? 5 : 12, noSsh === null);
  await recovered;
  await idle(emit, quick ? 500 : 2000, null);
  if (tls) await idle(emit, quick ? 300 : 2000, tls);
}

interface Tls {
  key: string;
  cert: string;
}

/** Throughput, CPU, latency and recovery from a reset, over loopback. */
async function loopback(emit: Emit, quick: boolean, withSsh: boolean, tls: Tls | null): Promise<void> {
  const relay = await Peer.start('relay', { host: LOOPBACK, tls });
  const relayUrl = `${tls ? 'https' : 'http'}://${LOOPBACK}:${relay.port}`;
  const modes = tls || quick ? (['websocket'] as const) : (['websocket', 'raw'] as const);
  for (const mode of modes) {
    const box = await Peer.start('box', { relayUrl, mode, ca: tls?.cert, host: LOOPBACK });
    const ssh = withSsh && mode === 'websocket' ? new SshTunnel() : null;
    try {
      const label = `tunnel ${tls ? 'TLS ' : ''}${mode}`;
      const ways: { name: string; ask: object; pids: () => number[] }[] = [
        { name: label, ask: { way: 'tunnel', host: LOOPBACK, port: box.port }, pids: () => [] },
      ];
      if (!tls && mode === 'websocket') {
        ways.push({ name: 'direct', ask: { way: 'http', host: LOOPBACK, port: box.port }, pids: () => [] });
      }
      if (ssh) {
        await ssh.startServer(LOOPBACK);
        ssh.startClient(LOOPBACK, LOOPBACK, box.port);
        const ask = { way: 'http', host: LOOPBACK, port: ssh.port };
        await relay.ask('recovery', { ...ask, limitMs: 10_000 });
        ways.push({ name: 'ssh -R', ask, pids: () => ssh.pids });
      }
      for (const way of ways) await throughput(emit, way, relay, box, quick);
      for (const { name, ask } of ways) {
        const { id: _, ...latency } = await relay.ask('latency', { ...ask, n: quick ? 100 : 400 });
        emit({ bench: 'tunnel-latency', way: name, unit: 'ms', ...latency });
      }
      const { ms } = await relay.ask('recovery', { ...ways[0]!.ask, reset: true, limitMs: 20_000 });
      emit({ bench: 'tunnel-recovery', after: 'reset', way: label, ms });
      if (ssh) {
        const from = performance.now();
        for (const pid of childrenOf(ssh.pids[0]!)) process.kill(pid, 'SIGKILL');
        const again = await relay.ask('recovery', { ...ways.at(-1)!.ask, limitMs: 20_000 });
        const took = again.ms === null ? null : round(performance.now() - from, 0);
        emit({ bench: 'tunnel-recovery', after: 'reset', way: 'ssh -R, restarted after 1 s', ms: took });
      }
    } finally {
      ssh?.stop();
      await box.stop();
    }
  }
  await relay.stop();
}

async function throughput(
  emit: Emit,
  way: { name: string; ask: object; pids: () => number[] },
  relay: Peer,
  box: Peer,
  quick: boolean,
): Promise<void> {
  const megabyte = 1e6;
  for (const direction of ['up', 'down']) {
    // Once for the compiler and for TCP's windows.
    await relay.ask('throughput', { ...way.ask, direction, streams: 2, bytes: (quick ? 100 : 400) * megabyte });
    for (const streams of [1, 8]) {
      const cpu = async () => [await box.cpuSeconds(), await relay.cpuSeconds(), treeCpuSeconds(way.pids())] as const;
      const before = await cpu();
      const bytes = (quick ? 200 : 600) * megabyte;
      const transfer = { ...way.ask, direction, streams, bytes };
      const { seconds } = await relay.ask<{ seconds: number }>('throughput', transfer);
      const after = await cpu();
      const perGb = after.map((s, i) => round(((s - before[i]!) / bytes) * 1e9));
      emit({
        bench: 'tunnel-throughput',
        way: way.name,
        direction: direction === 'up' ? 'box→relay' : 'relay→box',
        streams,
        mbPerSecond: round(bytes / megabyte / seconds, 0),
        cpuSecondsPerGb: { box: perGb[0], relay: perGb[1], ...(way.pids().length > 0 ? { ssh: perGb[2] } : {}) },
      });
    }
  }
}

/** A 500-byte request beside 4 bulk streams that fill an uplink with a 400 ms buffer. */
async function uplink(emit: Emit, mbit: number, seconds: number, withSsh: boolean): Promise<void> {
  const wire = new NarrowUplink();
  const started: { stop(): unknown }[] = [wire];
  try {
    wire.start({ mbit, bufferMs: 400 });
    const relay = await Peer.start('relay', { host: wire.relayAddress }, wire.relay);
    started.push(relay);
    const relayUrl = `http://${wire.relayAddress}:${relay.port}`;
    const box = await Peer.start('box', { relayUrl, mode: 'websocket', host: wire.boxAddress }, wire.box);
    started.push(box);
    const ways = [
      { name: 'tunnel', ask: { way: 'tunnel', host: wire.boxAddress, port: box.port } },
      { name: 'direct', ask: { way: 'http', host: wire.boxAddress, port: box.port } },
    ];
    if (withSsh) {
      const ssh = new SshTunnel();
      started.push(ssh);
      await ssh.startServer(wire.relayAddress, wire.relay);
      ssh.startClient(wire.relayAddress, wire.boxAddress, box.port, wire.box);
      ways.push({ name: 'ssh -R', ask: { way: 'http', host: LOOPBACK, port: ssh.port } });
      await relay.ask('recovery', { ...ways[2]!.ask, limitMs: 10_000 });
    }
    for (const { name, ask } of ways) {
      const { id: _, ...result } = await relay.ask('loaded', { ...ask, seconds });
      emit({ bench: 'tunnel-uplink', uplinkMbits: mbit, bulkStreams: 4, way: name, unit: 'ms', ...result });
      // Let the buffer run empty.
      await delay(800);
    }
  } finally {
    for (const s of started.reverse()) await s.stop();
  }
}

/** The peer is silently gone on the open connection, while new connections work. */
async function halfOpen(emit: Emit, quick: boolean, withSsh: boolean): Promise<void> {
  const relay = await Peer.start('relay', { host: LOOPBACK });
  const proxy = await SwallowingProxy.start(relay.port);
  const box = await Peer.start('box', {
    relayUrl: `http://${LOOPBACK}:${proxy.port}`,
    mode: 'websocket',
    host: LOOPBACK,
  });
  const ask = { way: 'tunnel', host: LOOPBACK, port: box.port };
  const ssh = withSsh && !quick ? new SshTunnel() : null;
  let sshProxy: SwallowingProxy | null = null;
  try {
    await relay.ask('recovery', { ...ask, limitMs: 5000 });
    const limitMs = 20_000;
    const waits = [measure(proxy, 'tunnel', ask)];
    if (ssh) {
      await ssh.startServer(LOOPBACK);
      sshProxy = await SwallowingProxy.start(ssh.sshdPort);
      ssh.via = { host: LOOPBACK, port: sshProxy.port };
      ssh.startClient(LOOPBACK, LOOPBACK, box.port);
      const sshAsk = { way: 'http', host: LOOPBACK, port: ssh.port };
      await relay.ask('recovery', { ...sshAsk, limitMs: 10_000 });
      waits.push(measure(sshProxy, 'ssh -R, ServerAlive 15 × 3', sshAsk));
    }
    await Promise.all(waits);
    async function measure(p: SwallowingProxy, way: string, target: object) {
      p.swallow();
      const { ms } = await relay.ask('recovery', { ...target, limitMs });
      emit({ bench: 'tunnel-recovery', after: 'half-open', way, ms, ...(ms === null ? { moreThanMs: limitMs } : {}) });
    }
  } finally {
    ssh?.stop();
    sshProxy?.stop();
    proxy.stop();
    await box.stop();
    await relay.stop();
  }
}

class SwallowingProxy {
  port = 0;
  readonly #server = createServer();
  readonly #pairs = new Set<[Socket, Socket]>();

  static async start(target: number): Promise<SwallowingProxy> {
    const proxy = new SwallowingProxy();
    proxy.#server.on('connection', (near) => {
      const far = connect(target, LOOPBACK);
      const pair: [Socket, Socket] = [near, far];
      proxy.#pairs.add(pair);
      near.pipe(far).pipe(near);
      for (const socket of pair) {
        socket.setNoDelay(true);
        socket.on('error', () => {});
        socket.on('close', () => {
          for (const s of pair) if (s.readableFlowing) s.destroy();
        });
      }
    });
    await new Promise<void>((resolve) => proxy.#server.listen(0, LOOPBACK, resolve));
    proxy.port = (proxy.#server.address() as { port: number }).port;
    return proxy;
  }

  /** From now on the open connections carry nothing and say nothing; new ones work. */
  swallow(): void {
    for (const [near, far] of this.#pairs) {
      near.unpipe();
      far.unpipe();
      near.pause();
      far.pause();
    }
  }

  stop(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    this.#server.close();
  }
}

/** What one more idle tunnel costs the relay: the first 500 grow the heap's young generation, which is no cost of a tunnel. */
async function idle(emit: Emit, boxes: number, tls: Tls | null): Promise<void> {
  const relay = await Peer.start('relay', { host: LOOPBACK, tls });
  const relayUrl = `${tls ? 'https' : 'http'}://${LOOPBACK}:${relay.port}`;
  const started: Peer[] = [relay];
  const add = async (name: string, n: number) => {
    started.push(
      await Peer.start('box', { relayUrl, mode: 'websocket', ca: tls?.cert, host: LOOPBACK, boxes: n, name }),
    );
    return relay.ask<{ rss: number; heapUsed: number; tunnels: number }>('memory');
  };
  try {
    const before = await add('FIRST', 500);
    const after = await add('BOX', boxes);
    const perTunnel = (key: 'rss' | 'heapUsed') => round((after[key] - before[key]) / 1024 / boxes, 1);
    emit({
      bench: 'tunnel-idle',
      tls: tls !== null,
      tunnels: after.tunnels,
      relayKbPerTunnel: perTunnel('rss'),
      ofItHeapKb: perTunnel('heapUsed'),
      relayRssMb: round(after.rss / 2 ** 20, 0),
    });
  } finally {
    for (const peer of started.reverse()) await peer.stop();
  }
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

function certificate(emit: Emit): Tls | null {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-cert-'));
  try {
    const name = ['-subj', '/CN=relay', '-addext', `subjectAltName=IP:${LOOPBACK}`];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(dir, 'key')];
    execFileSync('openssl', ['req', '-x509', ...key, ...name, '-days', '2', '-out', join(dir, 'cert')], {
      stdio: 'ignore',
    });
    return { key: readFileSync(join(dir, 'key'), 'utf8'), cert: readFileSync(join(dir, 'cert'), 'utf8') };
  } catch {
    emit({ bench: 'tunnel', way: 'TLS', skipped: 'openssl is not installed' });
    return null;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await run((line) => console.log(JSON.stringify(line)), { quick: process.argv.includes('--quick') });
}
