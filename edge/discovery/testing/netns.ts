import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const sh = (...args: string[]) =>
  execFileSync(args[0]!, args.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
const ip = (ns: string, ...args: string[]) => sh('ip', '-n', ns, ...args);

/** A program in a namespace: what it prints, line by line, and lines to it. */
export class Program {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;

  constructor(ns: string, file: string, options: unknown, { before = [] as string[] } = {}) {
    const script = join(import.meta.dirname, file);
    const command = ['netns', 'exec', ns, ...before, process.execPath, script, JSON.stringify(options)];
    this.#child = spawn('ip', command, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.lines.push(line));
  }

  say(line: string): void {
    this.#child.stdin!.write(`${line}\n`);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}

/**
 * Networks of their own: `box` stands in two of them, each a bridge in `wires`, and devices are plugged in. Needs root;
 * `remove` also after it has thrown.
 */
export class Networks {
  readonly #prefix = `gpd${process.pid}`;
  readonly #names: string[] = [];
  readonly #programs: Program[] = [];

  readonly box = this.#ns('box');
  readonly wires = this.#ns('wires');

  /** Why there can be none here, or null. */
  static missing(): string | null {
    if (process.getuid?.() !== 0) return 'network namespaces need root';
    const probe = new Networks();
    try {
      probe.make();
      return null;
    } catch (error) {
      return `network namespaces do not work here: ${(error as Error).message.trim().split('\n').at(-1)}`;
    } finally {
      for (const name of probe.#names) del(name);
    }
  }

  make(): void {
    for (const name of this.#names) sh('ip', 'netns', 'add', name);
    ip(this.box, 'link', 'set', 'lo', 'up');
    for (const [lan, address] of [
      ['lan1', '10.77.1.1/24'],
      ['lan2', '10.77.2.1/24'],
    ] as const) {
      ip(this.wires, 'link', 'add', lan, 'type', 'bridge');
      ip(this.wires, 'link', 'set', lan, 'up');
      this.#plug(this.box, lan, lan);
      ip(this.box, 'addr', 'add', address, 'dev', lan);
    }
  }

  /** A device's own namespace, on that wire; it has no way to any other network. */
  plug(name: string, lan: string, mac: string, ...addresses: string[]): string {
    const ns = this.#ns(name);
    sh('ip', 'netns', 'add', ns);
    this.#plug(ns, lan, 'eth0', mac);
    for (const address of addresses) ip(ns, 'addr', 'add', address, 'dev', 'eth0');
    // As devices are; some distributions filter by the way back.
    const open = 'for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done';
    sh('ip', 'netns', 'exec', ns, 'sh', '-c', open);
    // So that it may send to the group, whatever its address.
    ip(ns, 'route', 'add', '224.0.0.0/4', 'dev', 'eth0');
    return ns;
  }

  ip(ns: string, ...args: string[]): string {
    return ip(ns, ...args);
  }

  run(...args: ConstructorParameters<typeof Program>): Program {
    const program = new Program(...args);
    this.#programs.push(program);
    return program;
  }

  async remove(): Promise<void> {
    for (const program of this.#programs) await program.stop();
    for (const name of this.#names) del(name);
  }

  #ns(name: string): string {
    const full = `${this.#prefix}-${name}`;
    this.#names.push(full);
    return full;
  }

  #plug(ns: string, lan: string, as: string, mac?: string): void {
    const port = `p${this.#names.length}${lan}`;
    ip(this.wires, 'link', 'add', port, 'type', 'veth', 'peer', 'name', as, 'netns', ns);
    ip(this.wires, 'link', 'set', port, 'master', lan, 'up');
    if (mac) ip(ns, 'link', 'set', as, 'address', mac.replaceAll('-', ':'));
    ip(ns, 'link', 'set', as, 'up');
  }
}

function del(name: string): void {
  try {
    sh('ip', 'netns', 'del', name);
  } catch {
    // Never made.
  }
}
