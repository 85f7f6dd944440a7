import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type Message = Record<string, unknown> & { error?: string };

/** Starts one of the benchmark's processes, in a network namespace if one is named, and waits for its `ready`. */
export class Peer {
  readonly child: ChildProcess;
  #id = 0;
  readonly #waiting = new Map<number, (m: Message) => void>();
  #exited: Promise<never>;
  #ready: (m: Message) => void = () => {};
  port = 0;

  constructor(file: 'box' | 'relay', args: object, namespace?: string) {
    const path = fileURLToPath(new URL(`./${file}-process.ts`, import.meta.url));
    const command = [process.execPath, '--expose-gc', path, JSON.stringify(args)];
    if (namespace) command.unshift('ip', 'netns', 'exec', namespace);
    this.child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#exited = new Promise((_, reject) => {
      this.child.once('error', reject);
      this.child.once('exit', (code) => reject(new Error(`the ${file} process ended with ${code}`)));
    });
    this.#exited.catch(() => {});
    this.child.on('message', (m: Message) => {
      if (m.ready) this.#ready(m);
      else this.#waiting.get((m.id as number) ?? 0)?.(m);
    });
  }

  static async start(file: 'box' | 'relay', args: object, namespace?: string): Promise<Peer> {
    const peer = new Peer(file, args, namespace);
    const ready = await Promise.race([
      peer.#exited,
      new Promise<Message>((resolve) => {
        peer.#ready = resolve;
      }),
    ]);
    peer.port = ready.port as number;
    return peer;
  }

  async ask<Answer = object>(command: string, more: object = {}): Promise<Message & Answer> {
    const id = command === '' ? 0 : ++this.#id;
    const answer = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.child.send({ id, command, ...more });
    const m = await Promise.race([answer, this.#exited]);
    if (m.error) throw new Error(`${command}: ${m.error}`);
    return m as Message & Answer;
  }

  async cpuSeconds(): Promise<number> {
    const isBox = this.child.spawnargs.some((s) => s.endsWith('box-process.ts'));
    const { cpu } = await this.ask<{ cpu: NodeJS.CpuUsage }>(isBox ? '' : 'cpu');
    return (cpu.user + cpu.system) / 1e6;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.disconnect();
    const late = setTimeout(() => this.child.kill('SIGKILL'), 2000);
    await gone;
    clearTimeout(late);
  }
}

/** CPU seconds of a process and all its descendants (Linux /proc). */
export function treeCpuSeconds(roots: number[]): number {
  const parents = new Map<number, number>();
  const ticks = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      parents.set(Number(name), Number(fields[1]));
      ticks.set(Number(name), Number(fields[11]) + Number(fields[12]));
    } catch {
      // It ended meanwhile.
    }
  }
  let sum = 0;
  for (const [pid, own] of ticks) {
    for (let p: number | undefined = pid; p !== undefined && p > 1; p = parents.get(p)) {
      if (!roots.includes(p)) continue;
      sum += own;
      break;
    }
  }
  return sum / 100;
}

export function has(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
