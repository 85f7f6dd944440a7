import { execFileSync } from 'node:child_process';
import { has } from './processes.ts';

/** Two network namespaces with one wire between them; the box's side has an uplink of `mbit` with a 400 ms buffer. */
export class Uplink {
  readonly box: string;
  readonly relay: string;
  readonly boxAddress = '10.203.0.2';
  readonly relayAddress = '10.203.0.1';

  constructor() {
    this.box = `gp-box-${process.pid}`;
    this.relay = `gp-relay-${process.pid}`;
  }

  /** Why it cannot be made here, or null. */
  static missing(): string | null {
    if (!has('ip') || !has('tc')) return 'iproute2 is not installed';
    if (process.getuid?.() !== 0) return 'network namespaces need root';
    const probe = new Uplink();
    try {
      probe.start(20);
      return null;
    } catch (error) {
      return `network namespaces or tc tbf do not work here: ${(error as Error).message.trim().split('\n').at(-1)}`;
    } finally {
      probe.stop();
    }
  }

  start(mbit: number): void {
    const sh = (...args: string[]) => execFileSync(args[0]!, args.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
    for (const ns of [this.box, this.relay]) sh('ip', 'netns', 'add', ns);
    sh('ip', 'link', 'add', 'gpwire', 'netns', this.relay, 'type', 'veth', 'peer', 'name', 'gpwire', 'netns', this.box);
    for (const [ns, address] of [
      [this.box, this.boxAddress],
      [this.relay, this.relayAddress],
    ] as const) {
      sh('ip', '-n', ns, 'addr', 'add', `${address}/24`, 'dev', 'gpwire');
      for (const dev of ['gpwire', 'lo']) sh('ip', '-n', ns, 'link', 'set', dev, 'up');
      // Debian's default; a machine's own choice would make runs differ.
      sh('ip', '-n', ns, 'route', 'replace', '10.203.0.0/24', 'dev', 'gpwire', 'congctl', 'cubic');
    }
    this.setRate(mbit);
  }

  setRate(mbit: number): void {
    execFileSync('tc', [
      ...['-n', this.box, 'qdisc', 'replace', 'dev', 'gpwire', 'root', 'tbf'],
      ...['rate', `${mbit}mbit`, 'burst', '16kb', 'latency', '400ms'],
    ]);
  }

  stop(): void {
    for (const ns of [this.box, this.relay]) {
      try {
        execFileSync('ip', ['netns', 'del', ns], { stdio: 'ignore' });
      } catch {
        // Never made.
      }
    }
  }
}
