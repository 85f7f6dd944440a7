import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../free-port.ts';
import { has } from './processes.ts';

/** OpenSSH `-R` with its own server, keys and ports: `port` on the relay's side leads to the box's HTTP server. */
export class SshTunnel {
  readonly #dir = mkdtempSync(join(tmpdir(), 'gatepost-ssh-'));
  #server: ChildProcess | null = null;
  #client: ChildProcess | null = null;
  #stopped = false;
  port = 0;
  sshdPort = 0;
  /** Where the client dials, if not the server itself. */
  via: { host: string; port: number } | null = null;

  /** Why it cannot run here, or null. */
  static missing(): string | null {
    if (!has('/usr/sbin/sshd') || !has('ssh') || !has('ssh-keygen')) return 'OpenSSH server or client is not installed';
    if (process.getuid?.() !== 0) return 'sshd needs root';
    return null;
  }

  get pids(): number[] {
    return [this.#server?.pid, this.#client?.pid].filter((p) => p !== undefined);
  }

  async startServer(host: string, namespace?: string): Promise<void> {
    const dir = this.#dir;
    for (const key of ['host', 'user'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, key)]);
    execFileSync('cp', [join(dir, 'user.pub'), join(dir, 'authorized')]);
    chmodSync(join(dir, 'authorized'), 0o600);
    // Only where the package's own start-up script would have made it.
    mkdirSync('/run/sshd', { recursive: true });
    this.sshdPort = await freePort();
    this.port = await freePort();
    writeFileSync(
      join(dir, 'sshd_config'),
      [
        `Port ${this.sshdPort}`,
        `ListenAddress ${host}`,
        `HostKey ${dir}/host`,
        `AuthorizedKeysFile ${dir}/authorized`,
        'StrictModes no',
        'UsePAM no',
        'PasswordAuthentication no',
        'AllowTcpForwarding yes',
        'PidFile none',
        'PermitRootLogin yes',
      ].join('\n'),
    );
    this.#server = run(['/usr/sbin/sshd', '-D', '-f', `${dir}/sshd_config`], namespace);
    await delay(300);
  }

  /** Keeps a client running, a second after each end, as a service manager would. */
  startClient(host: string, boxHost: string, boxPort: number, namespace?: string): void {
    if (this.#stopped) return;
    const dial = this.via ?? { host, port: this.sshdPort };
    const options = [
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'ExitOnForwardFailure=yes',
      'LogLevel=ERROR',
    ];
    options.push('ServerAliveInterval=15', 'ServerAliveCountMax=3', 'IPQoS=none');
    this.#client = run(
      [
        'ssh',
        '-N',
        '-i',
        `${this.#dir}/user`,
        ...options.flatMap((o) => ['-o', o]),
        '-p',
        String(dial.port),
        '-R',
        `127.0.0.1:${this.port}:${boxHost}:${boxPort}`,
        `${userInfo().username}@${dial.host}`,
      ],
      namespace,
    );
    this.#client.once('exit', () => void delay(1000).then(() => this.startClient(host, boxHost, boxPort, namespace)));
  }

  stop(): void {
    this.#stopped = true;
    this.#client?.kill();
    this.#server?.kill();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

function run(command: string[], namespace?: string): ChildProcess {
  const all = namespace ? ['ip', 'netns', 'exec', namespace, ...command] : command;
  return spawn(all[0]!, all.slice(1), { stdio: 'ignore' });
}
