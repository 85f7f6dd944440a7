import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const SUBNET = '10.203.0';
/** The wire's name at both ends. */
export const WIRE = 'gpwire';
const sh = (...args: string[]) => execFileSync(args[0]!, args.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });

/**
 * Two network namespaces with one wire between them. The box's side has a narrow uplink behind a router's buffer: a real queue,
 * unlike a proxy in user space, which would hide the kernel's send buffer. Needs root.
 */
export class NarrowUplink {
  readonly box = `gp-box-${process.pid}`;
  readonly relay = `gp-relay-${process.pid}`;
  readonly boxAddress = `${SUBNET}.2`;
  readonly relayAddress = `${SUBNET}.1`;
  #mbit = 0;

  /** Why it cannot be made here, or null. */
  static missing(): string | null {
    if (process.getuid?.() !== 0) return 'network namespaces need root';
    const probe = new NarrowUplink();
    try {
      probe.start({ mbit: 20, bufferMs: 400 });
      return null;
    } catch (error) {
      return `network namespaces or tc tbf do not work here: ${(error as Error).message.trim().split('\n').at(-1)}`;
    } finally {
      probe.stop();
    }
  }

  /** `stop()` also after it has thrown. */
  start({ mbit, bufferMs }: { mbit: number; bufferMs: number }): void {
    this.#mbit = mbit;
    for (const ns of [this.box, this.relay]) sh('ip', 'netns', 'add', ns);
    sh('ip', 'link', 'add', WIRE, 'netns', this.relay, 'type', 'veth', 'peer', 'name', WIRE, 'netns', this.box);
    for (const [ns, address] of [
      [this.box, this.boxAddress],
      [this.relay, this.relayAddress],
    ] as const) {
      sh('ip', '-n', ns, 'addr', 'add', `${address}/24`, 'dev', WIRE);
      for (const dev of [WIRE, 'lo']) sh('ip', '-n', ns, 'link', 'set', dev, 'up');
      // Debian's default; a machine's own choice would make runs differ.
      sh('ip', '-n', ns, 'route', 'replace', `${SUBNET}.0/24`, 'dev', WIRE, 'congctl', 'cubic');
    }
    const shape = ['rate', `${mbit}mbit`, 'burst', '16kb', 'latency', `${bufferMs}ms`];
    sh('tc', '-n', this.box, 'qdisc', 'add', 'dev', WIRE, 'root', 'tbf', ...shape);
  }

  /** What waits in the router now, in milliseconds of its rate. */
  async queueMs(): Promise<number> {
    const show = ['-n', this.box, '-s', '-j', 'qdisc', 'show', 'dev', WIRE];
    const { stdout } = await promisify(execFile)('tc', show);
    return (JSON.parse(stdout)[0].backlog * 8) / 1000 / this.#mbit;
  }

  stop(): void {
    for (const ns of [this.box, this.relay]) {
      try {
        sh('ip', 'netns', 'del', ns);
      } catch {
        // Never made.
      }
    }
  }
}
